/*
 * theme.h - how each style looks. Colour is decoration: a letter or a word carries every state.
 */
#ifndef TUI_THEME_H
#define TUI_THEME_H

#include "tui/cells.h"

#define THEME_NONE (-1) /* the terminal's own foreground or background */

enum look_flag { LOOK_BOLD = 1, LOOK_REVERSE = 2, LOOK_UNDERLINE = 4, LOOK_DIM = 8 };

struct look {
	int8_t fg, bg; /* 0 to 7: black red green yellow blue magenta cyan white; THEME_NONE */
	uint8_t flags;
};

struct theme {
	const char *name;
	bool colour;
	struct look looks[STYLE_COUNT];
};

/* NULL where there is no theme of that name. */
const struct theme *theme_find(const char *name);
/* --theme NAME, else mono where NO_COLOR is set and not empty, else the default. */
const struct theme *theme_choose(const char *option);
/* "default, contrast, cvd, mono" */
const char *theme_names(void);

#endif
