/*
 * archive_rules.h - how long the archive keeps a message: archive.keep_* and the lines of archive.rules.
 *
 *     DAYS [from=PATTERN] [to=PATTERN]
 *
 *     3650 from=*@bank.test
 *     0 to=board@example.org
 *
 * PATTERN is an address with * and ?, of the envelope; any recipient suffices. The first line that fits decides; 0 days is
 * for ever. Without one it is the keep of its direction, the longest where it has several; 0 there: archive.keep_days.
 */
#ifndef CONF_ARCHIVE_RULES_H
#define CONF_ARCHIVE_RULES_H

#include "proto/base/err.h"
#include "proto/base/span.h"

#define ARCHIVE_KEEP_DAYS_MAX 36600 /* a hundred years */

struct archive_rule {
	int64_t days;
	struct span from, to; /* empty: any */
};

/* Spans of *out point into LINE. ERR_SYNTAX: *why, static. */
MUST_CHECK enum err archive_rule_parse(
	struct span line, struct archive_rule *out, const char **why);

#endif
