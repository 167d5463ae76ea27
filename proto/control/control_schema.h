/*
 * control_schema.h - the compact schemas of control_methods.h, read.
 *
 *   schema = item *( " " item )          item = ["-"] name ":" type ["?"]
 *   type   = word [ "(" word *( "|" word ) ")" ]
 *
 * The same form describes parameters and columns. In parameters '-' means an option on the command
 * line, in columns a field that tables leave out. Schemas are ours: a wrong one is an assertion.
 */
#ifndef PROTO_CONTROL_CONTROL_SCHEMA_H
#define PROTO_CONTROL_CONTROL_SCHEMA_H

#include "proto/base/span.h"

/*
 * X(id, word, JSON form). Parameters and columns share the types; number is for columns.
 */
#define CONTROL_TYPES(X) \
	X(TEXT, "text", "string") \
	X(NAME, "name", "string of 1 to 64 bytes without blanks") \
	X(ADDRESS, "address", "string with an @") \
	X(COUNT, "count", "number, whole, from 0") \
	X(SIZE, "size", "number of bytes, or a string such as 10MB") \
	X(DURATION, "duration", "number of seconds, or a string such as 3d") \
	X(TIME, "time", "string, RFC 3339, or an age such as 2h, or a day such as 2026-11-20") \
	X(FLAG, "flag", "true or false") \
	X(CHOICE, "choice", "string, one of those named") \
	X(LIST, "list", "array of strings") \
	X(TARGETS, "targets", "array of 1 to 10,000 strings, the keys of what is changed") \
	X(KEYS, "keys", "object with string values") \
	X(PARAMS, "params", "object, the params of the method named beside it") \
	X(SECRET, "secret", "string; never printed, logged or kept") \
	X(FD, "fd", "number, the place of the descriptor among those sent with the line") \
	X(NUMBER, "number", "number")

enum control_type {
#define X(id, word, json) CONTROL_TYPE_##id,
	CONTROL_TYPES(X)
#undef X
	CONTROL_TYPES_COUNT,
};

struct control_param {
	struct span name;
	enum control_type type;
	struct span choices; /* "a|b" of choice(a|b), "read" of fd(read); empty where there are none */
	bool option;         /* stood behind a '-' */
	bool optional;       /* '?' */
};

#define CONTROL_PARAMS_MAX 24 /* items in one schema */

struct control_schema {
	struct control_param items[CONTROL_PARAMS_MAX];
	size_t count;
};

/* Spans of *out point into TEXT. */
void control_schema_parse(const char *text, struct control_schema *out);
/* NULL where no item has that name. */
const struct control_param *control_schema_find(
	const struct control_schema *schema, struct span name);
/* Is WORD one of "a|b|c"? */
bool control_choice_has(struct span choices, struct span word);
const char *control_type_word(enum control_type type);
const char *control_type_json(enum control_type type);

/* A number with a unit: "10MB", "64k", "1G" in bytes (binary); "90s", "5m", "2h", "3d", "1w" in
 * seconds. A number alone is bytes or seconds. */
MUST_CHECK enum err control_parse_size(struct span text, uint64_t *bytes);
MUST_CHECK enum err control_parse_duration(struct span text, uint64_t *seconds);
/*
 * RFC 3339 "2026-11-20T14:00:00Z" or with an offset; "2026-11-20" and "2026-11-20T14:00[:00]" in
 * UTC; "2h" is that long before NOW_S. *from_s to *to_s is what the text covers: a day, a minute,
 * or one second. Seconds since 1970.
 */
MUST_CHECK enum err control_parse_time(
	struct span text, int64_t now_s, int64_t *from_s, int64_t *to_s);

#endif
