/*
 * mime_value.h - values of the Content-* fields: "text/plain; charset=utf-8 (comment)" (RFC 2045, 5.1).
 *
 * Read as they are in the wild: what cannot be read is passed over. One pass; comments nest by a count. Spans live
 * in the arena or in the header.
 */
#ifndef PROTO_MIME_MIME_VALUE_H
#define PROTO_MIME_MIME_VALUE_H

#include "proto/base/arena.h"
#include "proto/base/buf.h"
#include "proto/base/span.h"

#define MIME_PARAMS_MAX 100 /* H8 */
#define MIME_PIECES_MAX 100 /* H8, of one parameter (RFC 2231, 3) */

struct mime_param {
	struct span name;
	struct span value; /* quotes, folds and comments gone; RFC 2231 as it is written */
};

struct mime_params {
	struct mime_param *items;
	size_t count;
};

/* Take a token or a quoted string from *rest, comments and blanks before it skipped. Empty: neither. */
struct span mime_take_word(struct arena *a, struct span *rest);
/* Take C, comments and blanks before it skipped. */
bool mime_take_char(struct span *rest, char c);
/* The parameters behind the first ';' of REST. */
struct mime_params mime_take_params(struct arena *a, struct span rest);

/* "text/plain; ...". False: it is no media type (RFC 2045, 5.2: text/plain then). */
bool mime_take_type(struct arena *a, struct span *value, struct span *type, struct span *subtype);

/* The parameter NAME as it is written, not RFC 2231; ptr NULL: there is none. */
struct span mime_param_find(const struct mime_params *params, struct span name);
/*
 * The same in UTF-8, with the pieces of RFC 2231 put together and decoded, and encoded words too, which
 * many write there. In A.
 */
struct span mime_param_text(
	struct arena *a, const struct mime_params *params, struct span name);

/* The file name of a part, in UTF-8: of its disposition, else of its type; ptr NULL: none. */
struct span mime_file_name(struct arena *a, struct span header);
#define MIME_FILE_NAME_MAX 200 /* bytes */
/* NAME without a path, hidden dots, devices of DOS, controls and what file systems mind (H72); in A. */
struct span mime_safe_file_name(struct arena *a, struct span name);

#endif
