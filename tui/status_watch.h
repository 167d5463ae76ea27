/*
 * status_watch.h - the live view: what the server does, redrawn each second, with the last lines of
 * its log, until ^C.
 */
#ifndef TUI_STATUS_WATCH_H
#define TUI_STATUS_WATCH_H

#include "proto/base/json.h"
#include "tui/control_link.h"
#include "tui/print.h"

#define WATCH_LINES 64 /* of the log that are kept */

struct watch {
	const char *path; /* of the socket, to find the server again */
	int out;
	bool repaint;     /* OUT is a terminal that can be repainted in place */
	unsigned rows;    /* of that terminal */
	struct print_style style;
	struct control_link link;
	bool connected;
	char *lines[WATCH_LINES]; /* cleaned, oldest first */
	size_t line_count;
};

/* Until ^C; the exit status. The link in *w is open and said hello. */
int watch_run(struct watch *w);

/* The view as text, at most HEIGHT lines of the style's width (0: as many as there are). */
void watch_draw(const struct watch *w, const struct json *status, unsigned height, struct buf *out);
void watch_add_line(struct watch *w, const struct json *row);
void watch_fini(struct watch *w);

#endif
