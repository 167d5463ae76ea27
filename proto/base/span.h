/*
 * span.h - a view of bytes that someone else owns; not 0-terminated.
 *
 * Spans are passed by value. Nothing here allocates or keeps anything.
 */
#ifndef PROTO_BASE_SPAN_H
#define PROTO_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/base/err.h"

struct span {
	const char *ptr;
	size_t len;
};

#define SPAN(lit) ((struct span){ (lit), sizeof(lit) - 1 })
#define SPAN_NONE ((struct span){ NULL, 0 })
/* For printf: "%.*s", SPAN_FMT(s) */
#define SPAN_FMT(s) (int)(s).len, ((s).ptr ? (s).ptr : "")

struct span span_of(const char *text); /* of a 0-terminated string; NULL is the empty span */
struct span span_range(struct span s, size_t from, size_t to); /* clipped to s */
struct span span_from(struct span s, size_t from);             /* what follows the first FROM bytes */
struct span span_trim(struct span s);                          /* without blanks and tabs around it */
struct span span_trim_folds(struct span s);                    /* and without CR and LF */

bool span_eq(struct span a, struct span b);
bool span_eq_nocase(struct span a, struct span b); /* ASCII letters only */
bool span_starts(struct span s, struct span prefix);
bool span_starts_nocase(struct span s, struct span prefix);
/* FNV-1a over S in lower case, for tables that live as long as one message. */
uint64_t span_hash_nocase(struct span s);
bool span_ends_nocase(struct span s, struct span suffix);
int span_cmp(struct span a, struct span b);
int span_cmp_nocase(struct span a, struct span b);

/* Index of the first match, or s.len where there is none. */
size_t span_find(struct span s, char c);
size_t span_find_last(struct span s, char c);
size_t span_find_any(struct span s, struct span set);
size_t span_find_span(struct span s, struct span needle);
size_t span_find_span_nocase(struct span s, struct span needle);

/*
 * Cut S at the first C: *head is what stands before it, *tail what follows. False, with all of S in
 * *head and nothing in *tail, where C does not occur.
 */
bool span_cut(struct span s, char c, struct span *head, struct span *tail);

bool span_is_ascii(struct span s);
/* Is there a C0 control or DEL, other than those of ALLOWED? */
bool span_has_control(struct span s, struct span allowed);
/* Copy at most ROOM bytes to TO, each control as '?' (H11); the bytes written. */
size_t span_copy_clean(struct span s, char *to, size_t room);

/* A whole unsigned decimal number, no sign, no blanks; ERR_SYNTAX, or ERR_LIMIT over MAX. */
MUST_CHECK enum err span_u64(struct span s, uint64_t max, uint64_t *out);

/* *line is the first line of *rest without its LF or CRLF; *rest moves on. False at the end. */
bool span_next_line(struct span *rest, struct span *line);

/*
 * '*' is any run, '?' one byte, ASCII letters compare without case. One backtrack point, so the
 * time is at most |pattern| x |text| (H25).
 */
bool span_match_wildcard(struct span pattern, struct span text);

#endif
