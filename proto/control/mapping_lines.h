/*
 * mapping_lines.h - a mapping on one line, and a forwarding on one line.
 *
 * A mapping is CSV: address,target (MAP-15, MAP-16); or with all of it,
 *
 *	address,target,when,collect,comment
 *
 * A forwarding is its name and where it leads, with blanks or tabs between (LST-10):
 *
 *	localname remoteaddress
 *
 * where it may also lead to a name.
 * Empty lines and those that begin with # are the reader's business.
 */
#ifndef PROTO_CONTROL_MAPPING_LINES_H
#define PROTO_CONTROL_MAPPING_LINES_H

#include "proto/base/csv.h"

struct mapping_line {
	struct span address, target;
	struct span when, collect, comment; /* empty where the line has two fields */
};

/* Spans in A or in LINE. ERR_SYNTAX with *why, static text, on what is wrong: "has no target". */
MUST_CHECK enum err mapping_line_parse(
	struct arena *a, struct span line, struct mapping_line *out, const char **why);
/* With LF. FULL: all five fields; else the first two (MAP-16). ERR_LIMIT. */
MUST_CHECK enum err mapping_line_put(struct buf *out, const struct mapping_line *line, bool full);

struct forwarding_line {
	struct span name;    /* as it was typed; what a name may be is not looked at */
	struct span address; /* in its usual form; or a name */
};

MUST_CHECK enum err forwarding_line_parse(
	struct arena *a, struct span line, struct forwarding_line *out, const char **why);
MUST_CHECK enum err forwarding_line_put(struct buf *out, const struct forwarding_line *line);

/*
 * Is ADDRESS what TO names: the same address, or any address of TO where that is a domain (LST-11)?
 * Letter case is ignored. Pure.
 */
bool forwarding_leads_to(struct span address, struct span to);

#endif
