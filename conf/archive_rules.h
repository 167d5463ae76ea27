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

#include "conf/conf_faults.h"

#define ARCHIVE_KEEP_DAYS_MAX 36600 /* a hundred years */
#define ARCHIVE_RULES_MAX 1000
#define ARCHIVE_RULE_LINE_MAX 4096  /* bytes */

struct archive_rule {
	int64_t days;
	struct span from, to; /* empty: any */
};

/* Spans of *out point into LINE. ERR_SYNTAX: *why, static. */
MUST_CHECK enum err archive_rule_parse(
	struct span line, struct archive_rule *out, const char **why);

struct archive_rules {
	struct span *lines; /* as the setting has them */
	struct archive_rule *items;
	size_t count;
};

/*
 * All rules of TEXT, one a line; empty lines, and those that begin with #, are passed over. In A. A rule that can never
 * count, since one above it fits all that it fits, is a warning. ERR_SYNTAX, ERR_LIMIT: see FAULTS, which have the lines.
 */
MUST_CHECK enum err archive_rules_parse(struct span text, struct arena *a, struct archive_rules *out,
	struct conf_faults *faults);

#endif
