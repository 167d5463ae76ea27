/*
 * err.h - the few names that a failure can have, and the three answers of a parser.
 *
 * An error is born once, logged where it is born if it is ERR_IO or ERR_CORRUPT, and dressed in a
 * protocol's words at the door (one table a protocol).
 */
#ifndef PROTO_BASE_ERR_H
#define PROTO_BASE_ERR_H

#include <stdnoreturn.h>

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum err {
	OK = 0,
	ERR_SYNTAX,    /* not what the grammar allows */
	ERR_LIMIT,     /* over a named limit */
	ERR_NOT_FOUND, /* no such thing */
	ERR_EXISTS,    /* there is one already */
	ERR_DENIED,    /* the asker may not */
	ERR_BUSY,      /* not now, try again */
	ERR_FULL,      /* no room on disk or in the store */
	ERR_IO,        /* the system refused; logged where it happened */
	ERR_CORRUPT,   /* a checksum, a version or a reference is wrong; logged where it was seen */
};

enum parse { PARSE_DONE, PARSE_MORE, PARSE_BAD };

/* "limit", "not found", ...: a lower-case word for logs and messages. Static text. */
const char *err_name(enum err err);

/* Set *why and say PARSE_BAD, so that a parser can give up in one line. */
enum parse parse_bad(enum err *why, enum err err);

/* An assertion about our own mistakes; stays on in production. No byte from outside may reach it. */
#define ENSURE(condition) \
	((condition) ? (void)0 : ensure_failed(__FILE__, __LINE__, #condition))
noreturn void ensure_failed(const char *file, int line, const char *condition);

#endif
