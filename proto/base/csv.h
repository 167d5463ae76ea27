/*
 * csv.h - comma separated values for people's spreadsheets (RFC 4180), read leniently.
 *
 * A field that a spreadsheet would take for a formula gets a quote in front, and loses it again when it
 * is read, whether the spreadsheet kept the double quotes around it or not (H70).
 */
#ifndef PROTO_BASE_CSV_H
#define PROTO_BASE_CSV_H

#include "proto/base/arena.h"
#include "proto/base/buf.h"
#include "proto/base/span.h"

#define CSV_FIELDS_MAX 16

/* One field, in double quotes where it must be. COMMA: one goes before it. */
MUST_CHECK enum err csv_put(struct buf *out, struct span field, bool comma);
/* The same, always in double quotes: so that a spreadsheet sees a text. */
MUST_CHECK enum err csv_put_text(struct buf *out, struct span field, bool comma);
/*
 * The fields of LINE, which has no line end: quotes undone, in A or in LINE. ERR_SYNTAX: an open quote;
 * ERR_LIMIT: more than CSV_FIELDS_MAX.
 */
MUST_CHECK enum err csv_parse(
	struct arena *a, struct span line, struct span fields[CSV_FIELDS_MAX], size_t *count);

/*
 * A field in double quotes from the front of *rest, which begins with one; a doubled quote is one. In A.
 * ERR_SYNTAX: it is not closed.
 */
MUST_CHECK enum err csv_take_quoted(struct arena *a, struct span *rest, struct span *field);

#endif
