/*
 * overview_inside.h - what the files of the Overview share: overview_panel.c (the panel),
 * overview_lines.c (what its lines say).
 */
#ifndef TUI_OVERVIEW_INSIDE_H
#define TUI_OVERVIEW_INSIDE_H

#include "tui/console.h"

#define LINES_MAX 80

struct line {
	char text[512];
	enum style style;
	const char *screen; /* Enter goes there; NULL: a heading */
	char message[64];   /* of a message: Enter shows its steps */
};

struct overview {
	struct line lines[LINES_MAX];
	size_t count, at, top;
	struct arena arena;
	const struct json *messages; /* rows of trace; NULL: not known */
	bool asked, stale;
	int64_t asked_ms;
	struct flow flows[CONSOLE_FLOWS];
	int64_t minute;
};

/* All lines anew, for a screen of ROWS. */
void overview_compose(struct screen *screen, int rows);
/* Count what flowed since the last status. */
void overview_take_flow(struct overview *o, const struct console *c);

#endif
