/*
 * progress_line.h - how far a long command is, on one line of a terminal that is written over:
 * "12 of 40, 3.1M of 9.4M, 1.2M/s, 5s left".
 */
#ifndef TUI_PROGRESS_LINE_H
#define TUI_PROGRESS_LINE_H

#include "proto/base/buf.h"
#include "proto/base/json.h"

struct progress_line {
	int fd;
	int64_t began_ms;     /* a clock that nobody sets; 0: nothing came yet */
	uint64_t began_done;  /* what had been done then: of bytes, where they are told */
	size_t shown;	      /* columns that are written over, or wiped at the end */
};

/* PARAMS of a `progress` notification as text, at NOW_MS. Pure but for LINE. */
void progress_line_put(struct progress_line *line, const struct json *params, int64_t now_ms,
	struct buf *out);
/* The same on the terminal; of control_link.on_progress. */
void progress_line_show(void *line, const struct json *params);
void progress_line_wipe(struct progress_line *line);

#endif
