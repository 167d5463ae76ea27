/*
 * end_signals.h - what ends a program at a terminal waits until the terminal, or a file, is put in order.
 */
#ifndef TUI_END_SIGNALS_H
#define TUI_END_SIGNALS_H

#include <sys/types.h>

/* Hold them: from here a signal is remembered, and a call that waits ends with EINTR. May be nested. */
void end_signals_hold(void);
/* The one that came; 0: none yet. */
int end_signals_came(void);
/*
 * fork() of a program that is waited for at the terminal, while they are held: it has them as they were before. ^C is
 * its own affair; what else ends us is passed on to it, whenever it comes, until end_signals_wait().
 */
pid_t end_signals_fork(void);
/* Wait for it: the status of waitpid(), -1 where there is none. */
int end_signals_wait(pid_t program);
/* What was before; the outermost one then raises what came. */
void end_signals_release(void);

#endif
