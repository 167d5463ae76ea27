/*
 * lan_rules.h - the LAN forwarding rules, a text file of lines (LAN-01 to 04):
 *
 *     [(conditions)] address-pattern server[:port] [rewritten-address]
 *
 *     fred@a.test          192.0.2.1                  that address
 *     martin               192.0.2.1:1025             that local-part in any valid domain
 *     (smtp,1-3,Isp) *@a.test 192.0.2.1 *@b.test      the local-part is carried over
 *     ~@a.test             192.0.2.2                  whom no other line and nothing here knows
 *
 * Fields are separated by blanks; '#' at the start of a field begins a comment. The first line that fits
 * wins. A condition is pop3, smtp, or a collector by number, range of numbers or name; one that holds is
 * enough. A bad line refuses the text as a whole (contract 8).
 *
 * A line whose domain, or whose bare local-part, has no wildcard is found by a hash; the others are walked
 * in order, so a look-up takes O(lines) at the worst (H75).
 */
#ifndef CONF_LAN_RULES_H
#define CONF_LAN_RULES_H

#include "conf/conf_faults.h"
#include "proto/mail/lan_target.h"

#define LAN_RULES_TEXT_MAX (10 * 1024 * 1024) /* bytes (H75) */
#define LAN_RULES_MAX 100000                  /* lines that are rules (H75) */
#define LAN_RULES_WALKED_MAX 5000             /* of them, that no hash finds */
#define LAN_RULE_LINE_MAX 2048                /* bytes */
#define LAN_CONDITIONS_MAX 100                /* of one line */

/* A collector, by its place in the file from 1, or by its name. */
struct lan_source {
	unsigned from, to; /* 0: by name */
	struct span name;
};

struct lan_rule {
	uint32_t line;    /* in the file, from 1 */
	uint32_t next;    /* in the same chain, as place + 1; 0: none */
	bool is_rest;     /* ~@domain */
	bool any_local;   /* the local-part pattern is "*", or it is_rest */
	bool is_conditional, pop3, smtp;
	uint8_t source_count;
	const struct lan_source *sources;
	struct span local, domain; /* patterns in lower case; domain empty: any valid one */
	struct span target;        /* "host:port" */
	struct span rewrite;       /* an address, or "*@domain"; empty: as it is */
};

struct lan_rules {
	const struct lan_rule *items;
	size_t count;
	const uint32_t *slots; /* heads of chains, place + 1; slot_mask + 1 of them */
	size_t slot_mask;
	uint32_t walked, walked_rest; /* heads of those that no hash finds */
	struct span text;             /* all of it */
};

/*
 * Read TEXT; all that *out points to lives in A. ERR_SYNTAX: a bad line; FAULTS has all of them, with line
 * and column. ERR_LIMIT: too long or too many, also a fault.
 */
MUST_CHECK enum err lan_rules_parse(
	struct span text, struct arena *a, struct lan_rules *out, struct conf_faults *faults);

/* Where a message comes from and whom it is for. */
struct lan_query {
	const struct address *to;
	bool domain_is_valid; /* LOC-03: only then do patterns without a domain count */
	bool pop3, smtp;
	unsigned collector_no; /* from 1; 0: not collected */
	struct span collector;
};

/* The line that decides; of the ~@ lines alone with REST, of the others without. NULL: none. */
const struct lan_rule *lan_rules_match(
	const struct lan_rules *rules, const struct lan_query *query, bool rest);

/* The address at the target: rewritten, or as it is. In A. ERR_LIMIT: it would be too long. */
MUST_CHECK enum err lan_rule_address(
	const struct lan_rule *rule, struct arena *a, const struct address *to, struct address *out);

/* Warn of conditions that can never hold: collectors that are not in ALL. */
void lan_rules_check_collectors(
	const struct lan_rules *rules, const struct conf_collectors *all, struct conf_faults *faults);

#endif
