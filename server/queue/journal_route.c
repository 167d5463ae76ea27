/*
 * journal_route.c - journal.server as a route of the file would be.
 */
#include "server/queue/journal_route.h"

#include "proto/mail/forward_server.h"

bool
journal_route(const struct conf *conf, struct conf_route *out, struct arena *a)
{
	static const unsigned ways[] = { [JOURNAL_TLS_NONE] = ROUTE_TLS_NONE,
		[JOURNAL_TLS_STARTTLS] = ROUTE_TLS_REQUIRED,
		[JOURNAL_TLS_IMPLICIT] = ROUTE_TLS_IMPLICIT };
	struct span *server = ARENA_NEW(a, struct span);

	*server = arena_copy(a, conf->journal_server);
	*out = (struct conf_route){ .name = SPAN(JOURNAL_ROUTE), .kind = ROUTE_RELAY,
		.servers = { server, 1 }, .port = LAN_PORT, .tls = ways[conf->journal_tls],
		.username = arena_copy(a, conf->journal_username), .password = conf->journal_password,
		.max_connections = conf->lan_deliveries, .esmtp = true };
	out->password.value = arena_copy(a, conf->journal_password.value);
	return server->len > 0;
}
