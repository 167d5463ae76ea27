/*
 * log_inside.h - the state of a log view, shared by log_panel.c and log_draw.c.
 */
#ifndef TUI_LOG_INSIDE_H
#define TUI_LOG_INSIDE_H

#include "tui/console.h"

#define LOG_LINES 2000 /* held; older ones leave */

struct log_entry {
	char *row;   /* JSON text */
	int64_t time_s;
	char level;  /* e W i d: what the letter says */
	bool hidden; /* by the words */
};

struct log_view {
	struct screen *screen;
	struct log_entry *lines;
	size_t count, at, top;
	bool held, subscribed;
	uint64_t subscription, missed, hidden, skipped;
	unsigned level; /* in levels[] */
	char service[32], session[64];
	struct buf words;
	char *bookmark; /* the row that it is at; NULL: none */
	int shown;
	int64_t since;
};

extern const char *const log_levels[];

void log_bookmark_set(struct log_view *v);
void log_bookmark_go(struct log_view *v);
void log_copy(struct screen *screen, struct buf *out);
void log_whole(struct screen *screen, struct buf *out);
void log_draw(struct screen *screen, struct rect at);
void log_title(struct screen *screen, struct buf *out);

#endif
