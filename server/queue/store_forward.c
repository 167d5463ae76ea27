/*
 * store_forward.c - where a recipient of store and forward goes now.
 */
#include "server/queue/store_forward.h"

#include <stdio.h>

#include "conf/conf_types.h"
#include "store/forwards.h"
#include "store/secrets.h"

static enum err
find_server(struct snapshot *snap, uint64_t user_id, struct user *user,
	struct forward_server *server)
{
	enum err err = user_find(snap, user_id, user);
	uint64_t end_to;

	if (err == OK && (!forward_acts(user) || forward_is_marked(snap, user_id, &end_to)))
		err = ERR_NOT_FOUND;
	if (err == OK && forward_server_parse(user->store_forward_server, server) != OK)
		err = ERR_NOT_FOUND; /* it was checked when it was set */
	return err;
}

static enum err
find_by_route(struct snapshot *snap, struct span route, struct user *user,
	struct forward_server *server)
{
	uint64_t user_id;

	if (!forward_route_take(route, &user_id))
		return ERR_NOT_FOUND;
	return find_server(snap, user_id, user, server);
}

static void
way_of(const struct user *user, const struct forward_server *server, struct store_forward_way *out)
{
	struct arena a;
	struct span target;

	arena_init(&a, NULL);
	target = lan_target_format(&a, &server->target);
	snprintf(out->route, sizeof(out->route), FORWARD_ROUTE_PREFIX "%.*s", SPAN_FMT(target));
	out->hop[0] = '\0';
	if (server->account.len > 0)
		snprintf(out->hop, sizeof(out->hop), "%llu", (unsigned long long)user->user_id);
	arena_reset(&a);
}

enum err
store_forward_way(struct snapshot *snap, struct span route, struct store_forward_way *out)
{
	struct forward_server server;
	struct user user;
	enum err err = find_by_route(snap, route, &user, &server);

	if (err == OK)
		way_of(&user, &server, out);
	return err;
}

bool
store_forward_waits(struct snapshot *snap, struct span route)
{
	uint64_t user_id, end_to;

	return forward_route_take(route, &user_id) && forward_is_marked(snap, user_id, &end_to);
}

bool
store_forward_goes_by(
	struct snapshot *snap, const struct queued_recipient *r, struct span route, struct span hop)
{
	struct store_forward_way way;

	if (!forward_route_is(r->route) || !forward_route_is(route))
		return forward_route_is(r->route) == forward_route_is(route);
	return store_forward_way(snap, r->route, &way) == OK &&
		span_eq(span_of(way.route), route) && span_eq(span_of(way.hop), hop);
}

struct span
store_forward_shown(struct snapshot *snap, struct span route, struct arena *a)
{
	struct store_forward_way way;

	if (!forward_route_is(route) || store_forward_way(snap, route, &way) != OK)
		return route;
	return arena_copy(a, span_of(way.route));
}

/* Contract 8: a password is shown to nobody in clear, so without STARTTLS it waits. */
static bool
take_account(struct snapshot *snap, struct span route, struct span hop, struct conf_route *out,
	struct arena *a)
{
	struct store_forward_way way;
	struct forward_server server;
	char name[USER_SECRET_NAME_SIZE];
	struct user user;
	uint64_t user_id;

	if (span_u64(hop, UINT64_MAX, &user_id) != OK ||
		find_server(snap, user_id, &user, &server) != OK)
		return false;
	way_of(&user, &server, &way);
	if (!span_eq(span_of(way.route), route) || !span_eq(span_of(way.hop), hop))
		return false;
	out->username = arena_copy(a, server.account);
	out->password = (struct secret){ .kind = SECRET_SEALED,
		.value = arena_copy(a, forward_secret_name(user_id, name)) };
	out->tls = ROUTE_TLS_REQUIRED;
	return true;
}

bool
store_forward_route(struct snapshot *snap, struct span route, struct span hop,
	struct conf_route *out, struct arena *a)
{
	struct span *server = ARENA_NEW(a, struct span);

	*server = arena_copy(a, span_from(route, sizeof(FORWARD_ROUTE_PREFIX) - 1));
	*out = (struct conf_route){ .name = arena_copy(a, route), .kind = ROUTE_RELAY,
		.servers = { server, 1 }, .port = LAN_PORT, .tls = ROUTE_TLS_OPPORTUNISTIC,
		.esmtp = true };
	return hop.len == 0 || take_account(snap, route, hop, out, a);
}
