/*
 * control_queue_redirect.c - `queue redirect`: waiting messages go to another address, or another way.
 */
#include "conf/conf.h"
#include "proto/mail/address.h"
#include "proto/mail/message_no.h"
#include "server/control/control_call.h"
#include "server/queue/outgoing.h"
#include "server/queue/routes.h"
#include "store/queued.h"

static bool
no_route(struct control_call *call, struct span name)
{
	const struct conf_routes *routes = &call->host->conf->outgoing_routes;
	struct span all = SPAN("");

	for (size_t i = 0; i < routes->count; i++)
		all = arena_printf(&call->arena, "%.*s%.*s, ", SPAN_FMT(all),
			SPAN_FMT(routes->items[i].name));
	return control_failf(call, RPC_NOT_FOUND, "route", "there is no route %.*s (%.*sor lan:HOST:PORT)",
		SPAN_FMT(name), SPAN_FMT(all));
}

/* As the queue keeps it: a name of the file, or "lan:host:port". */
static bool
take_route(struct control_call *call, struct span name, struct queued_redirect *to)
{
	const struct conf_route *route = route_named(&call->host->conf->outgoing_routes, name);
	struct lan_target target;

	if (lan_route_take(name, &target))
		to->route = arena_printf(&call->arena, LAN_ROUTE_PREFIX "%.*s",
			SPAN_FMT(lan_target_format(&call->arena, &target)));
	else if (route)
		to->route = arena_copy(&call->arena, route->name);
	else
		return no_route(call, name);
	return true;
}

static bool
take_address(struct control_call *call, struct span text, struct queued_redirect *to)
{
	struct address address;

	if (address_parse(&call->arena, text, &address) != OK || (address.flags & ADDRESS_NO_DOMAIN))
		return control_fail(call, RPC_INVALID, "to= is no address", NULL, "to");
	to->address = text;
	return true;
}

static bool
redirect_check(struct control_call *call)
{
	const struct rpc_value *keys = rpc_value(call->request, "keys");
	struct queued_redirect *to = ARENA_NEW(&call->arena, struct queued_redirect);

	for (size_t i = 0; i < keys->count; i++) {
		const struct rpc_pair *pair = &keys->pairs[i];

		if (!span_eq(pair->key, SPAN("to")) && !span_eq(pair->key, SPAN("route")))
			return control_fail(
				call, RPC_INVALID, "redirect takes to= or route=", NULL, "keys");
		if (pair->value.len > 0 && !(span_eq(pair->key, SPAN("to")) ?
				take_address(call, pair->value, to) : take_route(call, pair->value, to)))
			return false;
	}
	if (!to->address.len && !to->route.len)
		return control_fail(
			call, RPC_INVALID, "redirect wants to=ADDRESS or route=NAME", NULL, "keys");
	to->now_ms = call->now_ms;
	call->state = to;
	return true;
}

static enum err
redirect_each(struct control_call *call, struct txn *txn, struct span key)
{
	uint64_t id;
	enum err err = message_no_parse(key, &id) == OK ?
		queued_redirect(txn, id, 0, call->state) : ERR_NOT_FOUND;

	if (err == ERR_NOT_FOUND)
		call->skip_why = "no such message in the queue";
	if (err == ERR_DENIED)
		call->skip_why = "is in the bin";
	return err;
}

/* What is due now may be anywhere in the index. */
static bool
tell_outgoing(struct control_call *call)
{
	outgoing_look_again(call->host);
	return false;
}

const struct control_handler control_do_queue_redirect = {
	.check = redirect_check,
	.each = redirect_each,
	.object = "message",
	.wait = tell_outgoing,
};
