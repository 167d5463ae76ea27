/*
 * control_routes_keys.c - KEY=VALUE of a route as changes of the configuration file.
 */
#include "conf/conf_shapes.h"
#include "proto/base/ascii.h"
#include "server/control/control_routes.h"

#define NAME_MAX_BYTES 48 /* of a route; its secret's name is longer */

bool
control_route_name_is_valid(struct span name)
{
	bool letter = false;

	if (name.len == 0 || name.len > NAME_MAX_BYTES)
		return false;
	for (size_t i = 0; i < name.len; i++) {
		bool digit = ascii_is_digit(name.ptr[i]);

		if (!ascii_is_alnum(name.ptr[i]) && name.ptr[i] != '-' && name.ptr[i] != '_')
			return false;
		letter |= !digit;
	}
	return letter;
}

struct span
control_route_path(struct control_call *call, const struct conf_route *route)
{
	const struct conf_routes *all = &call->host->conf->outgoing_routes;

	if (control_route_name_is_valid(route->name))
		return arena_printf(
			&call->arena, "outgoing.routes.%.*s", SPAN_FMT(route->name));
	return arena_printf(&call->arena, "outgoing.routes.%zu", (size_t)(route - all->items));
}

bool
control_route_add_change(struct control_call *call, struct route_change *rc, struct conf_change change)
{
	if (rc->count >= COUNT(rc->changes))
		return control_fail(call, RPC_TOO_LARGE, "too many keys at once", NULL, "keys");
	rc->changes[rc->count++] = change;
	return true;
}

/* ---- keys ---- */

static bool
key_fails(struct control_call *call, struct span key)
{
	const struct conf_shape *shape = conf_shape_of(SETTING_ROUTES);
	struct span all = SPAN("place");

	for (size_t i = 1; i < shape->count; i++)
		all = arena_printf(&call->arena, "%.*s, %s", SPAN_FMT(all), shape->rows[i].key);
	return control_failf(call, RPC_INVALID, "keys", "a route has no %.*s (%.*s)", SPAN_FMT(key),
		SPAN_FMT(all));
}

static bool
take_place(struct control_call *call, struct route_change *rc, struct span value)
{
	uint64_t place;

	if (span_u64(value, call->host->conf->outgoing_routes.count + 1, &place) != OK || place == 0)
		return control_failf(call, RPC_INVALID, "place",
			"place is a number from 1 to how many routes there are, not \"%.*s\"",
			SPAN_FMT(value));
	rc->place = (size_t)place;
	return true;
}

static bool
take_name(struct control_call *call, struct route_change *rc, struct span value)
{
	if (!control_route_name_is_valid(value))
		return control_failf(call, RPC_INVALID, "name",
			"a route's name is 1 to %d letters, digits, '-' or '_', not digits alone",
			NAME_MAX_BYTES);
	rc->new_name = value;
	return true;
}

static bool
take_key(struct control_call *call, struct route_change *rc, const struct conf_route *old,
	const struct rpc_pair *pair)
{
	const struct conf_shape *shape = conf_shape_of(SETTING_ROUTES);
	const struct setting *row = setting_find(shape->rows, shape->count, pair->key);
	struct conf_change change = {.value = pair->value, .remove = pair->value.len == 0};

	if (!row)
		return key_fails(call, pair->key);
	if (row->type == SETTING_SECRET && !control_seals_may_be_key(call, pair->value))
		return false;
	if (change.remove && !(old && old->given >> (row - shape->rows) & 1))
		return true; /* its default holds already */
	if (row->type == SETTING_ENDPOINTS || row->type == SETTING_LIST)
		change.value = control_list_value(call, pair->value, ";,");
	change.key = arena_printf(
		&call->arena, "%.*s.%.*s", SPAN_FMT(rc->path), SPAN_FMT(pair->key));
	return control_route_add_change(call, rc, change);
}

bool
control_route_keys(
	struct control_call *call, struct route_change *rc, const struct conf_route *old)
{
	const struct rpc_value *keys = rpc_value(call->request, "keys");

	rc->has_username = old && old->username.len > 0;
	for (size_t i = 0; i < keys->count; i++) {
		const struct rpc_pair *pair = &keys->pairs[i];
		bool ok;

		if (span_eq(pair->key, SPAN("username")))
			rc->has_username = pair->value.len > 0;
		if (span_eq(pair->key, SPAN("place")))
			ok = take_place(call, rc, pair->value);
		else if (span_eq(pair->key, SPAN("name")))
			ok = take_name(call, rc, pair->value);
		else
			ok = take_key(call, rc, old, pair);
		if (!ok)
			return false;
	}
	return true;
}
