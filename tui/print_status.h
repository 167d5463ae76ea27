/*
 * print_status.h - the answer of `status` as a few lines for people; the live view draws the same.
 */
#ifndef TUI_PRINT_STATUS_H
#define TUI_PRINT_STATUS_H

#include "tui/print.h"

#define PRINT_STATUS_LINES 10

/* Line NO of them, without its end; empty where there is nothing to say. */
void print_status_line(struct buf *out, size_t no, const struct json *status,
	const struct print_style *style);
void print_status(struct buf *out, const struct json *status, const struct print_style *style);

#endif
