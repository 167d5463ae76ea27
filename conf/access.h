/*
 * access.h - access restrictions: who may connect to a service, line by line (ACC-01 to 05, 07).
 *
 * A line is  [!]ADDRESS [MASK | /BITS] [noauth] [USER ...]  with '#' before a comment:
 *
 *     !192.0.2.7                         refuse one address
 *     192.0.2.0 255.255.255.0 anna bo    only these users from there
 *     192.0.2.0/24 noauth                no authentication needed from there (SMTP)
 *     2001:db8::/32
 *     0.0.0.0 0.0.0.0                    everybody else, of both families (ACC-03)
 *
 * Lines are read top down and the first that fits decides; no lines at all: everybody; lines but
 * none that fits: refused.  IPv4 is kept as ::ffff:a.b.c.d, so one comparison serves both.
 */
#ifndef CONF_ACCESS_H
#define CONF_ACCESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/base/arena.h"
#include "proto/base/span.h"

#define ACCESS_USERS_MAX 1000 /* names on one line */

struct access_line {
	struct in6_addr network; /* host bits are zero */
	uint8_t bits;            /* 0 to 128; 96 more than written for IPv4 */
	bool deny;
	bool noauth;
	const struct span *users; /* none: everybody from there */
	size_t user_count;
	struct span text;    /* as written, for the trace */
	unsigned line;       /* in the file; for people */
};

struct access_list {
	const struct access_line *items; /* comments are left out */
	size_t count;
};

enum access_answer {
	ACCESS_ALLOW,
	ACCESS_ALLOW_NOAUTH, /* and no authentication is needed */
	ACCESS_DENY,
};

struct access_decision {
	enum access_answer answer;
	const struct access_line *line; /* the one that decided; NULL: none did */
};

/*
 * Parse one line. OK and *is_line false for an empty line or a comment. ERR_SYNTAX, with a static
 * text in *why: not an address, a mask with holes, bits out of range. ERR_LIMIT: too many users.
 * The line's spans are copied into A.
 */
MUST_CHECK enum err access_parse(
	struct span text, struct arena *a, struct access_line *out, bool *is_line, const char **why);

/*
 * What LIST says about a client at ADDRESS (IPv4 mapped). USER is the name that logged in, or that
 * a login is asked for; empty while nobody has: then a line with users lets the client connect, for
 * it may yet log in as one of them, but its noauth does not count.
 */
struct access_decision access_decide(
	struct access_list list, const struct in6_addr *address, struct span user);

/* IPv4 or IPv6 text to an address, IPv4 mapped. ERR_SYNTAX. */
MUST_CHECK enum err access_address(struct span text, struct in6_addr *out, bool *is_v4);

#endif
