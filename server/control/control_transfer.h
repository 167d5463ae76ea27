/*
 * control_transfer.h - CSV for people's spreadsheets, and a whole small file from a descriptor.
 */
#ifndef SERVER_CONTROL_CONTROL_TRANSFER_H
#define SERVER_CONTROL_CONTROL_TRANSFER_H

#include "server/control/control_call.h"

#define TRANSFER_FILE_MAX (16 * 1024 * 1024) /* bytes of a file that is imported */
#define CSV_FIELDS_MAX 8

/* One field, quoted where it must be; one that a spreadsheet would take for a formula gets a quote
 * in front (H70). COMMA: one goes before it. */
MUST_CHECK enum err csv_put(struct buf *out, struct span field, bool comma);
/* The fields of LINE, quotes undone, in A. ERR_SYNTAX: an open quote; ERR_LIMIT: too many. */
MUST_CHECK enum err csv_parse(
	struct arena *a, struct span line, struct span *fields, size_t *count);

/* Worker: all of FD into the call's arena. Fails the call. */
bool control_read_file(struct control_call *call, int fd, struct span *out);

#endif
