/*
 * export.h - what is shown goes elsewhere: `y` to the clipboard of the terminal, `x` to a file.
 */
#ifndef TUI_EXPORT_H
#define TUI_EXPORT_H

#include "tui/console.h"

/* The row or line under the cursor, as text with tabs, into c->clip. False: there is none. */
bool export_copy(struct console *c);
/*
 * Ask for a file and write what the screen shows into it: a text as it stands; of a table all that the
 * filter leaves, in its order, with tabs between, or as JSON where the name ends in .json. A file that
 * is there is never written over.
 */
bool export_ask(struct console *c);
/* The server went, or the console ends: what is written stays. */
void export_end(struct console *c);
/* SCREEN goes: so does its export. */
void export_of_screen(struct screen *screen);

#endif
