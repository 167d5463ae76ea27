/*
 * err.c - words for errors, and the end of a process that found itself wrong.
 */
#include "proto/base/err.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const names[] = {
	[OK] = "ok",
	[ERR_SYNTAX] = "syntax",
	[ERR_LIMIT] = "limit",
	[ERR_NOT_FOUND] = "not found",
	[ERR_EXISTS] = "exists",
	[ERR_DENIED] = "denied",
	[ERR_BUSY] = "busy",
	[ERR_FULL] = "full",
	[ERR_IO] = "input/output",
	[ERR_CORRUPT] = "damaged",
};

const char *
err_name(enum err err)
{
	return (size_t)err < COUNT(names) ? names[err] : "unknown";
}

enum parse
parse_bad(enum err *why, enum err err)
{
	*why = err;
	return PARSE_BAD;
}

noreturn void
ensure_failed(const char *file, int line, const char *condition)
{
	fprintf(stderr, "postroom: internal error at %s:%d: %s (please report it)\n", file, line,
		condition);
	abort();
}
