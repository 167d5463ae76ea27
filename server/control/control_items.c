/*
 * control_items.c - connections, schedules and monitoring profiles of the file by command: add, set, remove.
 *
 * They change the configuration file like `config set`, with its history and undo. What a route names cannot
 * go: the file is checked as a whole.
 */
#include <stdlib.h>

#include "conf/conf_shapes.h"
#include "conf/conf_value.h"
#include "server/control/control_items.h"
#include "server/control/control_routes.h"
#include "server/pipeline/rule_targets.h"

static const struct item_kind a_connection = { SETTING_CONNECTIONS, "connections", "connection", NULL, "connection." };
static const struct item_kind a_schedule = { SETTING_SCHEDULES, "schedules", "schedule", NULL, NULL };
static const struct item_kind a_monitor = { SETTING_MONITORS, "monitor", "profile", "default", NULL };

/* ---- which item ---- */

static struct conf_items
items_of(const struct conf *conf, const struct item_kind *kind)
{
	if (kind->type == SETTING_CONNECTIONS)
		return (struct conf_items){ conf->connections.items, conf->connections.count };
	if (kind->type == SETTING_COLLECTORS)
		return (struct conf_items){ conf->collectors.items, conf->collectors.count };
	if (kind->type == SETTING_MONITORS)
		return (struct conf_items){ conf->monitor.items, conf->monitor.count };
	return (struct conf_items){ conf->schedules.items, conf->schedules.count };
}

/* The first row of both is the name. */
static struct span
name_at(const struct item_kind *kind, const struct conf_items *items, size_t i)
{
	const struct conf_shape *shape = conf_shape_of(kind->type);
	const char *item = (const char *)items->items + i * shape->size;

	return *(const struct span *)(const void *)(item + shape->rows[0].offset);
}

size_t
control_item_find(
	struct control_call *call, const struct item_kind *kind, struct span name, bool must)
{
	struct conf_items items = items_of(call->host->conf, kind);

	for (size_t i = 0; i < items.count; i++)
		if (span_eq_nocase(name_at(kind, &items, i), name))
			return i;
	if (must)
		control_failf(call, RPC_NOT_FOUND, "name", "there is no %s %.*s in force (a file that is edited "
			"by hand counts from SIGHUP on)", kind->what, SPAN_FMT(name));
	return SIZE_MAX;
}

struct span
control_item_path(struct control_call *call, const struct item_kind *kind, size_t i)
{
	struct conf_items items = items_of(call->host->conf, kind);
	struct span name = name_at(kind, &items, i);

	if (control_route_name_is_valid(name) && !kind->usual) /* there it may not stand in the file */
		return arena_printf(&call->arena, "%s.%.*s", kind->list, SPAN_FMT(name));
	return arena_printf(&call->arena, "%s.%zu", kind->list, i);
}

/* ---- KEY=VALUE ---- */

static enum err
change_secrets(struct control_call *call, struct txn *txn)
{
	const struct item_change *ic = call->state;

	return control_seals_change(call, txn, &ic->seals);
}

struct item_change *
control_item_begin(struct control_call *call, const struct item_kind *kind)
{
	struct item_change *ic = ARENA_NEW(&call->arena, struct item_change);

	call->state = ic;
	ic->kind = kind;
	ic->seals.prefix = kind->seals;
	ic->config.also = kind->seals ? change_secrets : NULL;
	return ic;
}

bool
control_item_change(struct control_call *call, struct item_change *ic, struct conf_change change)
{
	if (ic->count >= COUNT(ic->changes))
		return control_fail(call, RPC_TOO_LARGE, "too many at once", NULL, "keys");
	ic->changes[ic->count++] = change;
	return true;
}

static bool
no_such_key(struct control_call *call, const struct item_kind *kind, struct span key)
{
	const struct conf_shape *shape = conf_shape_of(kind->type);
	struct span all = SPAN("name");

	for (size_t i = 1; i < shape->count; i++)
		all = arena_printf(&call->arena, "%.*s, %s", SPAN_FMT(all), shape->rows[i].key);
	return control_failf(call, RPC_INVALID, "keys", "a %s has no %.*s (%.*s)", kind->what,
		SPAN_FMT(key), SPAN_FMT(all));
}

static struct span
value_of(struct control_call *call, const struct setting *row, struct span value)
{
	if (row->type == SETTING_WORDS || row->type == SETTING_CLOCKS ||
		row->type == SETTING_PATTERNS)
		return control_list_value(call, value, ";,");
	return setting_is_list(row->type) ? control_list_value(call, value, ";") : value;
}

static bool
take_key(struct control_call *call, struct item_change *ic, const struct rpc_pair *pair, uint64_t given)
{
	const struct conf_shape *shape = conf_shape_of(ic->kind->type);
	const struct setting *row = setting_find(shape->rows, shape->count, pair->key);

	if (!row)
		return no_such_key(call, ic->kind, pair->key);
	if (row->type == SETTING_SECRET && !control_seals_may_be_key(call, pair->value))
		return false;
	if (pair->value.len == 0 && !(given >> (row - shape->rows) & 1))
		return true; /* its default holds already */
	return control_item_change(call, ic,
		(struct conf_change){ .value = value_of(call, row, pair->value),
			.remove = pair->value.len == 0,
			.key = arena_printf(&call->arena, "%.*s.%.*s", SPAN_FMT(ic->path),
				SPAN_FMT(pair->key)) });
}

/* A new name comes last, for it changes how the item is found. */
static bool
take_keys(struct control_call *call, struct item_change *ic, uint64_t given)
{
	const struct rpc_value *keys = rpc_value(call->request, "keys");
	const struct rpc_pair *name = NULL;

	for (size_t i = 0; i < keys->count; i++) {
		if (span_eq(keys->pairs[i].key, SPAN("name")))
			name = &keys->pairs[i];
		else if (!take_key(call, ic, &keys->pairs[i], given))
			return false;
	}
	if (ic->kind->usual)
		return true; /* it says which */
	if (name && !control_route_name_is_valid(name->value))
		return control_fail(call, RPC_INVALID,
			"a name is letters, digits, '-' or '_', not digits alone", NULL, "name");
	if (name)
		ic->new_name = name->value;
	return !name || take_key(call, ic, name, given);
}

/* ---- the steps ---- */

bool
control_item_work(struct control_call *call)
{
	struct item_change *ic = call->state;

	if (call->foresees)
		return control_config_look(call, &ic->config, ic->changes, ic->count);
	return control_config_save(call, &ic->config, ic->changes, ic->count,
		arena_text(&call->arena,
			arena_printf(&call->arena, "%s %.*s", call->request->method->words,
				SPAN_FMT(ic->config.object))));
}

/* Where only a password is new the file stays. */
bool
control_item_take(struct control_call *call)
{
	struct item_change *ic = call->state;

	return (ic->seals.name.len > 0 && !ic->config.written) || control_config_take(call, &ic->config);
}

void
control_item_tell(struct control_call *call)
{
	const struct item_change *ic = call->state;

	call->note = control_did(&call->arena, span_of(call->request->method->method), ic->config.object);
	control_config_warn(call);
}

/* The password of the request; OLD is the item as it is, or NULL. */
static bool
take_password(struct control_call *call, struct item_change *ic, const char *old)
{
	const struct conf_shape *shape = conf_shape_of(ic->kind->type);
	const struct setting *row = setting_find(shape->rows, shape->count, SPAN("password"));
	struct span name = ic->config.object;
	const struct secret *secret = NULL;
	bool points;

	if (!ic->kind->seals)
		return true;
	if (old)
		secret = (const struct secret *)(const void *)(old + row->offset);
	if (!control_seals_take(call, &ic->seals, secret,
		    control_route_name_is_valid(name) ? name : SPAN("password"), &points))
		return false;
	if (secret && control_item_key(call, "password", SPAN_NONE).ptr)
		control_seals_erase(call, &ic->seals, secret); /* the file will not name it any more */
	return !points || control_item_change(call, ic,
		(struct conf_change){ .value = control_seals_value(call, &ic->seals),
			.key = arena_printf(&call->arena, "%.*s.password", SPAN_FMT(ic->path)) });
}

struct span
control_item_key(struct control_call *call, const char *key, struct span fallback)
{
	const struct rpc_value *keys = rpc_value(call->request, "keys");

	for (size_t i = 0; keys && i < keys->count; i++)
		if (span_eq(keys->pairs[i].key, span_of(key)))
			return keys->pairs[i].value;
	return fallback;
}

bool
control_item_add(struct control_call *call, struct item_change *ic, struct span name)
{
	const struct item_kind *kind = ic->kind;
	bool first = items_of(call->host->conf, kind).count == 0;
	struct span item = arena_printf(&call->arena, first ? "[ { name: %.*s } ]" : "{ name: %.*s }",
		SPAN_FMT(name));

	if (!control_route_name_is_valid(name))
		return control_fail(call, RPC_INVALID,
			"a name is letters, digits, '-' or '_', not digits alone", NULL, "name");
	if (control_item_find(call, kind, name, false) != SIZE_MAX)
		return control_failf(call, RPC_CLASH, "name", "there is a %s %.*s already", kind->what,
			SPAN_FMT(name));
	ic->config.object = name;
	ic->path = kind->usual ? /* behind the others */
		arena_printf(&call->arena, "%s.%zu", kind->list, items_of(call->host->conf, kind).count) :
		arena_printf(&call->arena, "%s.%.*s", kind->list, SPAN_FMT(name));
	return control_item_change(call, ic, (struct conf_change){ .value = item,
			.key = first ? span_of(kind->list) : ic->path }) &&
		take_password(call, ic, NULL) && take_keys(call, ic, 0) &&
		control_config_begin(call, &ic->config);
}

bool
control_item_set(struct control_call *call, struct item_change *ic, size_t i)
{
	const struct item_kind *kind = ic->kind;
	const struct conf_items items = items_of(call->host->conf, kind);
	const char *item;

	item = (const char *)items.items + i * conf_shape_of(kind->type)->size;
	ic->config.object = arena_copy(&call->arena, name_at(kind, &items, i));
	ic->path = control_item_path(call, kind, i);
	if (!take_password(call, ic, item) || !take_keys(call, ic, *(const uint64_t *)(const void *)item))
		return false;
	if (ic->count == 0 && ic->seals.name.len == 0)
		return control_fail(call, RPC_INVALID, "nothing is to be changed: KEY=VALUE is missing",
			NULL, "keys");
	return control_config_begin(call, &ic->config);
}

/* ---- remove ---- */

static int
last_first(const void *a, const void *b)
{
	size_t x = *(const size_t *)a, y = *(const size_t *)b;

	return x < y ? 1 : x > y ? -1 : 0;
}

bool
control_item_places(
	struct control_call *call, const struct item_kind *kind, size_t *places, size_t *count)
{
	const struct rpc_value *names = rpc_value(call->request, "names");

	*count = 0;
	if (names->count > ITEM_CHANGES_MAX)
		return control_fail(call, RPC_TOO_LARGE, "too many at once", NULL, "names");
	for (size_t i = 0; i < names->count; i++) {
		places[*count] = control_item_find(call, kind, names->items[i], true);
		if (places[(*count)++] == SIZE_MAX)
			return false;
	}
	qsort(places, *count, sizeof(*places), last_first);
	for (size_t i = 1; i < *count; i++)
		if (places[i] == places[i - 1])
			return control_fail(call, RPC_INVALID, "one is named twice", NULL, "names");
	return true;
}

struct span
control_item_object(
	struct control_call *call, const struct item_kind *kind, const size_t *places, size_t count)
{
	struct conf_items items = items_of(call->host->conf, kind);
	struct span name = arena_copy(&call->arena, name_at(kind, &items, places[0]));

	if (count == 1)
		return name;
	return arena_printf(&call->arena, "%.*s and %zu more", SPAN_FMT(name), count - 1);
}

/* A password that was sealed for the item alone goes with it. */
static void
erase_password(struct control_call *call, struct item_change *ic, size_t i)
{
	const struct conf_shape *shape = conf_shape_of(ic->kind->type);
	struct conf_items items = items_of(call->host->conf, ic->kind);
	const char *item = (const char *)items.items + i * shape->size;

	if (ic->kind->seals)
		control_seals_erase(call, &ic->seals, (const struct secret *)(const void *)(item +
			setting_find(shape->rows, shape->count, SPAN("password"))->offset));
}

bool
control_items_remove(struct control_call *call, struct item_change *ic)
{
	const struct item_kind *kind = ic->kind;
	struct conf_items items = items_of(call->host->conf, kind);
	size_t places[ITEM_CHANGES_MAX], count;

	if (!control_item_places(call, kind, places, &count))
		return false;
	for (size_t i = 0; i < count && count < items.count; i++)
		(void)control_item_change(call, ic,
			(struct conf_change){ .key = control_item_path(call, kind, places[i]), .remove = true });
	for (size_t i = 0; i < count; i++)
		erase_password(call, ic, places[i]);
	if (count == items.count) /* an empty list, not nothing */
		(void)control_item_change(call, ic,
			(struct conf_change){ .key = span_of(kind->list), .value = SPAN("[]") });
	ic->config.object = control_item_object(call, kind, places, count);
	return control_config_begin(call, &ic->config);
}

/* ---- the methods ---- */

static bool
add_item(struct control_call *call, const struct item_kind *kind)
{
	return control_item_add(call, control_item_begin(call, kind), control_param(call, "name"));
}

static bool
set_item(struct control_call *call, const struct item_kind *kind)
{
	size_t i = control_item_find(call, kind, control_param(call, "name"), true);

	return i != SIZE_MAX && control_item_set(call, control_item_begin(call, kind), i);
}

/* What is no name here is refused: the copies would go nowhere (MON-02). An address that is not local is not looked up. */
static bool
has_target(struct control_call *call, const char *key)
{
	struct span target = control_item_key(call, key, SPAN_NONE);
	struct snapshot *snap = target.len > 0 ? host_snapshot(call->host) : NULL;

	return !snap || rule_target_find(call->host->conf, snap, target) != ERR_NOT_FOUND ||
		control_failf(call, RPC_INVALID, "keys", "%s: nobody here is called %.*s", key, SPAN_FMT(target));
}

/* One that is not there yet is made. */
static bool
put_item(struct control_call *call, const struct item_kind *kind)
{
	struct span name = control_item_key(call, "name", span_of(kind->usual));
	struct item_change *ic = control_item_begin(call, kind);
	size_t i = control_item_find(call, kind, name, false);

	if (!has_target(call, "target") || !has_target(call, "sample_target"))
		return false;
	return i == SIZE_MAX ? control_item_add(call, ic, name) : control_item_set(call, ic, i);
}

static bool
remove_items(struct control_call *call, const struct item_kind *kind)
{
	return control_items_remove(call, control_item_begin(call, kind));
}

/* The first one that is added takes the collectors, which did without (INM-01). */
static bool
add_connection(struct control_call *call, const struct item_kind *kind)
{
	const struct conf *conf = call->host->conf;
	struct item_change *ic = control_item_begin(call, kind);
	struct span name = control_param(call, "name");

	for (size_t i = 0; conf->connections.count == 0 && i < conf->collectors.count; i++)
		if (!control_item_change(call, ic, (struct conf_change){
				.key = arena_printf(&call->arena, "collecting.collectors.%zu.connections", i),
				.value = arena_printf(&call->arena, "[%.*s]", SPAN_FMT(name)) }))
			return false;
	return control_item_add(call, ic, name);
}

#define ITEM_METHOD(method, act, kind, words)                                                      \
	static bool method##_check(struct control_call *call)                                      \
	{                                                                                          \
		return act(call, &kind);                                                           \
	}                                                                                          \
	CONTROL_ITEM_METHOD(method, words, CONTROL_ITEM_STEPS)

ITEM_METHOD(connection_add, add_connection, a_connection, "the connection");
ITEM_METHOD(connection_set, set_item, a_connection, "the connection");
ITEM_METHOD(connection_remove, remove_items, a_connection, "the connection");
ITEM_METHOD(schedule_add, add_item, a_schedule, "the schedule");
ITEM_METHOD(schedule_set, set_item, a_schedule, "the schedule");
ITEM_METHOD(schedule_remove, remove_items, a_schedule, "the schedule");
ITEM_METHOD(rule_monitor_set, put_item, a_monitor, "the profile");
ITEM_METHOD(rule_monitor_remove, remove_items, a_monitor, "the profile");
