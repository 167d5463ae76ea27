/*
 * overview_inside.h - what the files of the Overview share: overview_panel.c (the panel),
 * overview_lines.c (what its lines say), overview_connections.c (collectors and connections).
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
	char object[64];    /* of a collector or a connection: its name */
	bool collects;      /* it is a collector */
};

/* Rows of collect.list and connection.list. */
struct overview_list {
	struct arena arena;
	const struct json *rows; /* NULL: not known */
	bool asked;
	struct screen *screen;
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
	struct overview_list collectors, connections;
	int64_t looked_ms; /* at those */
};

struct line *overview_line_add(struct overview *o, enum style style, const char *screen, const char *format, ...)
	PRINTF_LIKE(4, 5);

/* All lines anew, for a screen of ROWS. */
void overview_compose(struct screen *screen, int rows);
/* Count what flowed since the last status. */
void overview_take_flow(struct overview *o, const struct console *c);

/* ---- overview_connections.c ---- */

void overview_connections_open(struct screen *screen);
void overview_connections_close(struct screen *screen);
void overview_connections_ask(struct screen *screen);
/* At most ROWS lines: those under way and in trouble, then the others. */
void overview_connections_add(struct screen *screen, size_t rows);
/* For a small screen: those under way and in trouble, a short line each; where none is, one for all. */
void overview_connections_brief(struct screen *screen, size_t rows);
/* Keys: collect or connect now, stop; what stands under the cursor, else all that collects. */
void overview_start(struct screen *screen);
void overview_stop(struct screen *screen);

#endif
