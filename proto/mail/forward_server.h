/*
 * forward_server.h - the server of store and forward, as a user's field says it (SNF-02):
 *
 *     [user[:password]@]host[:port]
 *
 * The last '@' separates, so a password may hold one, and the first ':' before it ends the name. The
 * host is a name or an address, an IPv6 one in brackets; the port is 25 where none is given.
 */
#ifndef PROTO_MAIL_FORWARD_SERVER_H
#define PROTO_MAIL_FORWARD_SERVER_H

#include "proto/mail/lan_target.h"

#define FORWARD_ROUTE_PREFIX "snf:"  /* of a recipient's route in the queue: "snf:17", a user_id */
#define JOURNAL_ROUTE "journal:"      /* of a journal copy: the server of the configuration (JRN-03) */
#define FORWARD_ACCOUNT_MAX 255      /* bytes of the account's name, and of its password */

struct forward_server {
	struct lan_target target;
	struct span account;  /* empty: no login */
	struct span password; /* ptr NULL: none was given */
};

/* *out points into TEXT. ERR_SYNTAX; ERR_LIMIT: the account or its password is too long. */
MUST_CHECK enum err forward_server_parse(struct span text, struct forward_server *out);
/* "account@host:port", without the password, in A. */
struct span forward_server_format(struct arena *a, const struct forward_server *server);

static inline bool
route_is_journal(struct span route)
{
	return span_eq(route, SPAN(JOURNAL_ROUTE));
}

/* Does ROUTE lead to a server of our own, by LAN forwarding or by store and forward, or to the journal's? */
static inline bool
route_is_lan(struct span route)
{
	return route_is_journal(route) || span_starts_nocase(route, SPAN(LAN_ROUTE_PREFIX)) ||
		span_starts(route, SPAN(FORWARD_ROUTE_PREFIX));
}

/* Is ROUTE, of a queued recipient, one of store and forward? Of that user. */
bool forward_route_take(struct span route, uint64_t *user_id);
static inline bool
forward_route_is(struct span route)
{
	return span_starts(route, SPAN(FORWARD_ROUTE_PREFIX));
}

#endif
