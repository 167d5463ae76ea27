/*
 * end_signals.h - what ends a program at a terminal waits until the terminal, or a file, is put in order.
 */
#ifndef TUI_END_SIGNALS_H
#define TUI_END_SIGNALS_H

#include <stdbool.h>

/* Hold them: from here a signal is remembered, and a call that waits ends with EINTR. May be nested. */
void end_signals_hold(void);
/* The one that came; 0: none yet. */
int end_signals_came(void);
/* It was meant for another: forget it. */
void end_signals_forget(void);
/* What was before; the outermost one then raises what came. */
void end_signals_release(void);

#endif
