/*
 * edit_panel.h - a text that is edited: rules, a script, a message that is pasted.
 *
 * A screen with this panel names the method that answers with the text (none: it begins empty), and its edit_class says what
 * is done with it. The text goes to the server as a file without a name. Nothing is changed before F2.
 */
#ifndef TUI_EDIT_PANEL_H
#define TUI_EDIT_PANEL_H

#include "tui/console.h"

#define EDIT_PANEL_MAX 262144 /* bytes of a text */

struct edit_class {
	const char *save;  /* its parameter `file` is the text: F2. NULL: F2 asks, or else is the trial */
	const char *ask;   /* its parameter `message` is the text, and its answer is shown: F2 */
	const char *check; /* the same, and it answers with faults: F5. NULL: none */
	const struct screen_class *trial; /* F3: opened on a row with the text as `trial_field`; NULL: none */
	const char *trial_field;
	const char *trial_take; /* cells of the row this screen was opened on that go along: "rule number" */
	const char *help;       /* a line at the foot */
};

#endif
