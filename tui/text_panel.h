/*
 * text_panel.h - text that is read: the answer of a method, as the command line prints it.
 */
#ifndef TUI_TEXT_PANEL_H
#define TUI_TEXT_PANEL_H

#include "tui/console.h"

/* Open a place that shows TEXT. */
void text_panel_show(struct console *c, struct span title, struct span text);

#endif
