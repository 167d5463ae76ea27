/*
 * control_routes.c - ways out by command: `route add`, `route set`, `route remove`.
 *
 * They change the configuration file like `config set`, with its history and undo. A password is sealed in
 * the store in the same change, and goes with its route; an undo brings both back.
 */
#include <stdlib.h>

#include "server/control/control_routes.h"
#include "server/queue/outgoing.h"
#include "server/queue/routes.h"

/* ---- what add and set share ---- */

/* The passwords of the change, in its transaction. */
static enum err
change_secrets(struct control_call *call, struct txn *txn)
{
	const struct route_change *rc = call->state;

	return control_seals_change(call, txn, &rc->seals);
}

static struct route_change *
begin(struct control_call *call)
{
	struct route_change *rc = ARENA_NEW(&call->arena, struct route_change);

	call->state = rc;
	rc->config.also = change_secrets;
	rc->seals.prefix = "route.";
	return rc;
}

/* Fills in `seals`, and the key that points there. */
static bool
seal_password(struct control_call *call, struct route_change *rc, const struct conf_route *old)
{
	struct span name = control_param(call, "name");
	bool points;

	if (rpc_has(call->request, "password") && !rc->has_username)
		return control_fail(call, RPC_INVALID, "a password wants username= beside it", NULL,
			"username");
	if (!control_seals_take(call, &rc->seals, old ? &old->password : NULL,
		    control_route_name_is_valid(name) ? name : SPAN("password"), &points))
		return false;
	return !points || control_route_add_change(call, rc,
		(struct conf_change){
			.key = arena_printf(&call->arena, "%.*s.password", SPAN_FMT(rc->path)),
			.value = control_seals_value(call, &rc->seals)});
}

/* The password that was sealed for the route goes where the file names it no more. */
static void
erase_old(struct control_call *call, struct route_change *rc, const struct conf_route *old)
{
	struct span key = arena_printf(&call->arena, "%.*s.password", SPAN_FMT(rc->path));

	for (size_t i = 0; i < rc->count; i++)
		if (span_eq(rc->changes[i].key, key)) {
			control_seals_erase(call, &rc->seals, &old->password);
			return;
		}
}

/* Last of all, for they change how the item is found. */
static bool
move_and_rename(struct control_call *call, struct route_change *rc)
{
	if (rc->place > 0 && !control_route_add_change(call, rc,
				     (struct conf_change){.key = rc->path, .place = rc->place}))
		return false;
	return rc->new_name.len == 0 || control_route_add_change(call, rc,
		(struct conf_change){
			.key = arena_printf(&call->arena, "%.*s.name", SPAN_FMT(rc->path)),
			.value = rc->new_name});
}

static bool
edit_work(struct control_call *call)
{
	struct route_change *rc = call->state;

	if (call->foresees)
		return control_config_look(call, &rc->config, rc->changes, rc->count);
	return control_config_save(call, &rc->config, rc->changes, rc->count,
		arena_text(&call->arena,
			arena_printf(&call->arena, "%s %.*s", call->request->method->words,
				SPAN_FMT(rc->config.object))));
}

/* Where only the password is new the file stays, and what waits may go. */
static bool
edit_take(struct control_call *call)
{
	struct route_change *rc = call->state;

	return !rc->config.written || control_config_take(call, &rc->config);
}

static enum err
edit_change(struct control_call *call, struct txn *txn)
{
	struct route_change *rc = call->state;

	return control_config_record(call, txn, &rc->config, 0);
}

static void
tell(struct control_call *call)
{
	const struct route_change *rc = call->state;

	call->note = control_did(&call->arena, span_of(call->request->method->method), rc->config.object);
	if (rc->new_name.len > 0)
		call->note = arena_printf(&call->arena, "%.*s; what was sent to %.*s by name waits until "
			"`queue redirect`", SPAN_FMT(call->note), SPAN_FMT(rc->config.object));
}

/* What was tried in vain keeps its next try, which may be far off. */
static void
tell_set(struct control_call *call)
{
	static const char *const keys[] = {"servers", "tls", "username", "password", "token_command"};
	const struct route_change *rc = call->state;
	const struct rpc_value *given = rpc_value(call->request, "keys");
	struct span name = rc->new_name.len > 0 ? rc->new_name : rc->config.object;
	bool helps = rc->seals.name.len > 0;

	for (size_t i = 0; given && i < given->count; i++)
		for (size_t k = 0; k < COUNT(keys); k++)
			helps |= span_eq(given->pairs[i].key, span_of(keys[k]));
	tell(call);
	if (helps)
		call->note = arena_printf(&call->arena,
			"%.*s; what waits for it is tried again at once by "
			"`postroom queue retry --filter route:%.*s`",
			SPAN_FMT(call->note), SPAN_FMT(name));
}

static bool
go_on(struct control_call *call)
{
	if (call->host->outgoing)
		outgoing_look_again(call->host);
	return false;
}

/* ---- add ---- */

static bool
add_item(struct control_call *call, struct route_change *rc, struct span name)
{
	struct span item = arena_printf(&call->arena, "{ name: %.*s }", SPAN_FMT(name));

	if (call->host->conf->outgoing_routes.count > 0)
		return control_route_add_change(
			call, rc, (struct conf_change){.key = rc->path, .value = item});
	return control_route_add_change(call, rc,
		(struct conf_change){.key = SPAN("outgoing.routes"),
			.value = arena_printf(&call->arena, "[ %.*s ]", SPAN_FMT(item))});
}

/* Of a relay that has none nothing would leave (OUT-04), which nobody asks for. */
static bool
names_servers(struct control_call *call)
{
	const struct rpc_value *keys = rpc_value(call->request, "keys");
	bool direct = false, servers = false;

	for (size_t i = 0; i < keys->count; i++) {
		servers |= span_eq(keys->pairs[i].key, SPAN("servers")) && keys->pairs[i].value.len > 0;
		direct |= span_eq(keys->pairs[i].key, SPAN("kind")) &&
			(span_eq(keys->pairs[i].value, SPAN("direct")) ||
				span_eq(keys->pairs[i].value, SPAN("spool")));
	}
	return direct || servers ||
		control_fail(call, RPC_INVALID, "a relay wants servers=HOST:PORT,...",
			"or kind=direct, by MX", "servers");
}

static bool
add_check(struct control_call *call)
{
	struct span name = control_param(call, "name");
	struct route_change *rc = begin(call);

	if (!control_route_name_is_valid(name))
		return control_fail(call, RPC_INVALID,
			"a route's name is letters, digits, '-' or '_', not digits alone", NULL, "name");
	if (route_named(&call->host->conf->outgoing_routes, name))
		return control_failf(
			call, RPC_CLASH, "name", "there is a route %.*s already", SPAN_FMT(name));
	rc->config.object = name;
	rc->path = arena_printf(&call->arena, "outgoing.routes.%.*s", SPAN_FMT(name));
	return names_servers(call) && add_item(call, rc, name) && control_route_keys(call, rc, NULL) &&
		seal_password(call, rc, NULL) && move_and_rename(call, rc) &&
		control_config_begin(call, &rc->config);
}

const struct control_handler control_do_route_add = {
	.check = add_check,
	.work = edit_work,
	.work_kind = WORK_GENERAL,
	.foresee = control_config_foresee,
	.take = edit_take,
	.change = edit_change,
	.finish = tell,
	.wait = go_on,
	.object = "the route",
	.unrecorded = true,
};

/* ---- set ---- */

static const struct conf_route *
find(struct control_call *call, struct span name)
{
	const struct conf_route *route = route_named(&call->host->conf->outgoing_routes, name);

	if (!route)
		control_failf(call, RPC_NOT_FOUND, "name", "there is no route %.*s", SPAN_FMT(name));
	return route;
}

static bool
set_check(struct control_call *call)
{
	struct route_change *rc = begin(call);
	const struct conf_route *old = find(call, control_param(call, "name"));

	if (!old)
		return false;
	rc->config.object = arena_copy(&call->arena, old->name);
	rc->path = control_route_path(call, old);
	if (!control_route_keys(call, rc, old) || !seal_password(call, rc, old))
		return false;
	erase_old(call, rc, old);
	if (!move_and_rename(call, rc))
		return false;
	if (rc->count == 0 && rc->seals.name.len == 0)
		return control_fail(call, RPC_INVALID, "nothing is to be changed: KEY=VALUE is missing",
			"see: postroom help route set", "keys");
	return control_config_begin(call, &rc->config);
}

const struct control_handler control_do_route_set = {
	.check = set_check,
	.work = edit_work,
	.work_kind = WORK_GENERAL,
	.foresee = control_config_foresee,
	.take = edit_take,
	.change = edit_change,
	.finish = tell_set,
	.wait = go_on,
	.object = "the route",
	.unrecorded = true,
};

/* ---- remove ---- */

static int
last_first(const void *a, const void *b)
{
	const struct conf_route *const *x = a, *const *y = b;

	return *x < *y ? 1 : *x > *y ? -1 : 0;
}

/* The last of the file first, so that places stay what they are. */
static bool
take_routes(struct control_call *call, const struct conf_route **routes, size_t *count)
{
	const struct rpc_value *names = rpc_value(call->request, "names");

	*count = 0;
	for (size_t i = 0; i < names->count && i < ROUTE_CHANGES_MAX; i++) {
		const struct conf_route *route = find(call, names->items[i]);

		if (!route)
			return false;
		routes[(*count)++] = route;
	}
	qsort(routes, *count, sizeof(*routes), last_first);
	for (size_t i = 1; i < *count; i++)
		if (routes[i] == routes[i - 1])
			return control_fail(call, RPC_INVALID, "a route is named twice", NULL, "names");
	return names->count <= ROUTE_CHANGES_MAX ||
		control_fail(call, RPC_TOO_LARGE, "too many routes at once", NULL, "names");
}

static bool
remove_check(struct control_call *call)
{
	const struct conf *conf = call->host->conf;
	const struct conf_route *routes[ROUTE_CHANGES_MAX];
	struct route_change *rc = begin(call);
	size_t count;

	if (!take_routes(call, routes, &count))
		return false;
	for (size_t i = 0; i < count; i++) {
		control_seals_erase(call, &rc->seals, &routes[i]->password);
		rc->gone[routes[i] - conf->outgoing_routes.items] = true;
		(void)control_route_add_change(call, rc,
			(struct conf_change){.key = control_route_path(call, routes[i]), .remove = true});
	}
	if (count == conf->outgoing_routes.count) { /* an empty list, not nothing */
		rc->count = 0;
		(void)control_route_add_change(call, rc,
			(struct conf_change){.key = SPAN("outgoing.routes"), .value = SPAN("[]")});
	}
	rc->config.object = count == 1 ? arena_copy(&call->arena, routes[0]->name) :
		arena_printf(&call->arena, "%.*s and %zu more", SPAN_FMT(routes[0]->name), count - 1);
	rc->waiting = control_route_walk(call);
	return control_config_begin(call, &rc->config);
}

/* "12 recipients waited for it: ..."; empty where nobody did. */
static struct span
who_waited(struct control_call *call)
{
	const struct route_change *rc = call->state;
	const struct route_walk *walk = rc->waiting;
	size_t routes = walk->conf->count, left = routes;
	struct route_waiting sum = {0};
	struct span text;

	for (size_t i = 0; i < routes; i++) {
		sum.count += rc->gone[i] ? walk->routes[i].count : 0;
		sum.named += rc->gone[i] ? walk->routes[i].named : 0;
		left -= rc->gone[i];
	}
	if (sum.count == 0)
		return SPAN("");
	if (sum.count == 1)
		text = arena_printf(&call->arena, "1 recipient waits for it: %s",
			left > 0 ? "it takes another route that fits" : "no route is left, it goes on waiting");
	else
		text = arena_printf(&call->arena, "%llu recipients wait for it: %s",
			(unsigned long long)sum.count,
			left > 0 ? "they take another route that fits" :
				"no route is left, they go on waiting");
	if (sum.named > 0)
		text = arena_printf(&call->arena,
			sum.named == 1 ? "%.*s; %llu was sent this way by name and waits until `queue redirect`" :
				"%.*s; %llu of them were sent this way by name and wait until `queue redirect`",
			SPAN_FMT(text), (unsigned long long)sum.named);
	return text;
}

static enum step
remove_read(struct control_call *call, struct snapshot *snap)
{
	struct route_change *rc = call->state;

	return control_route_walk_on(call, rc->waiting, snap);
}

static enum step
remove_foresee(struct control_call *call, struct snapshot *snap)
{
	struct span told;
	enum step step = remove_read(call, snap);

	if (step != STEP_DONE)
		return step;
	told = who_waited(call);
	if (told.len > 0)
		control_foresee(call, told);
	return control_config_foresee(call, snap);
}

static void
remove_finish(struct control_call *call)
{
	struct span told = who_waited(call);

	tell(call);
	if (told.len > 0)
		call->note = arena_printf(&call->arena, "%.*s; %.*s", SPAN_FMT(call->note), SPAN_FMT(told));
}

const struct control_handler control_do_route_remove = {
	.check = remove_check,
	.work = edit_work,
	.work_kind = WORK_GENERAL,
	.read = remove_read,
	.foresee = remove_foresee,
	.take = edit_take,
	.change = edit_change,
	.finish = remove_finish,
	.wait = go_on,
	.object = "the route",
	.unrecorded = true,
};
