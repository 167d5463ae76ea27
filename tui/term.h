/*
 * term.h - a terminal: keys in, a grid of cells out. term_curses.c is the only file that knows
 * curses.
 */
#ifndef TUI_TERM_H
#define TUI_TERM_H

#include "tui/cells.h"
#include "tui/keys.h"
#include "tui/theme.h"

/* Take the terminal over. ERR_DENIED: it cannot place a cursor, or there is none. */
MUST_CHECK enum err term_open(const struct theme *theme);
/* Give it back as it was; harmless when it is not open. */
void term_close(void);
/* The same from a handler of a crash: only what such a handler may do. */
void term_emergency(void);
/* Stop here until the shell's `fg` (Ctrl-Z). */
void term_suspend(void);
/* The size as the kernel has it now. */
void term_size(int *rows, int *cols);
void term_resized(int rows, int cols);
/* The next key that waits; false: none does. Nothing is waited for. */
bool term_next(struct press *press);
/* Put what differs from the last frame; AGAIN: all of it. */
void term_paint(const struct cells *cells, bool again);

/* Offer TEXT to the terminal's clipboard (OSC 52); terminals that know no such thing pass over it. */
void term_copy(struct span text);

#endif
