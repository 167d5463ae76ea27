/*
 * control_items.c - connections, schedules and monitoring profiles of the file by command: add, set, remove.
 *
 * They change the configuration file like `config set`, with its history and undo. What a route names cannot
 * go: the file is checked as a whole.
 */
#include <stdlib.h>

#include "conf/conf_shapes.h"
#include "conf/conf_value.h"
#include "server/control/control_routes.h"
#include "server/control/control_undo.h"

#define ITEM_CHANGES_MAX 110 /* keys of one item, or items that are removed at once */

struct item_kind {
	enum setting_type type;
	const char *list; /* its key in the file */
	const char *what;
	const char *usual; /* which one is meant where its keys have no name=; NULL: the name is a word of its own */
};
static const struct item_kind a_connection = { SETTING_CONNECTIONS, "connections", "connection", NULL };
static const struct item_kind a_schedule = { SETTING_SCHEDULES, "schedules", "schedule", NULL };
static const struct item_kind a_monitor = { SETTING_MONITORS, "monitor", "profile", "default" };

struct item_change {
	struct control_config config; /* first: what control_config.c works on */
	const struct item_kind *kind;
	struct conf_change changes[ITEM_CHANGES_MAX + 2];
	size_t count;
	struct span path; /* of the item: "connections.isp" */
};

/* ---- which item ---- */

static struct conf_items
items_of(const struct conf *conf, const struct item_kind *kind)
{
	if (kind->type == SETTING_CONNECTIONS)
		return (struct conf_items){ conf->connections.items, conf->connections.count };
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

/* SIZE_MAX: there is none, and with MUST the call fails. */
static size_t
find(struct control_call *call, const struct item_kind *kind, struct span name, bool must)
{
	struct conf_items items = items_of(call->host->conf, kind);

	for (size_t i = 0; i < items.count; i++)
		if (span_eq_nocase(name_at(kind, &items, i), name))
			return i;
	if (must)
		control_failf(call, RPC_NOT_FOUND, "name", "there is no %s %.*s in the file", kind->what,
			SPAN_FMT(name));
	return SIZE_MAX;
}

static struct span
path_of(struct control_call *call, const struct item_kind *kind, size_t i)
{
	struct conf_items items = items_of(call->host->conf, kind);
	struct span name = name_at(kind, &items, i);

	if (control_route_name_is_valid(name) && !kind->usual) /* there it may not stand in the file */
		return arena_printf(&call->arena, "%s.%.*s", kind->list, SPAN_FMT(name));
	return arena_printf(&call->arena, "%s.%zu", kind->list, i);
}

/* ---- KEY=VALUE ---- */

static struct item_change *
begin(struct control_call *call, const struct item_kind *kind)
{
	struct item_change *ic = ARENA_NEW(&call->arena, struct item_change);

	call->state = ic;
	ic->kind = kind;
	return ic;
}

static bool
add_change(struct control_call *call, struct item_change *ic, struct conf_change change)
{
	if (ic->count >= ITEM_CHANGES_MAX)
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

/* A password came among the words of a command, where everybody can read it (H66). */
static bool
is_allowed(struct control_call *call, const struct setting *row, struct span value)
{
	return row->type != SETTING_SECRET || value.len == 0 || value.ptr[0] == '{' ||
		control_fail(call, RPC_INVALID, "a password is not given as a key",
			"use password='{file: PATH}', or {sealed: NAME} after `postroom secret set NAME`",
			"password");
}

static struct span
value_of(struct control_call *call, const struct setting *row, struct span value)
{
	if (row->type == SETTING_WORDS || row->type == SETTING_CLOCKS)
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
	if (!is_allowed(call, row, pair->value))
		return false;
	if (pair->value.len == 0 && !(given >> (row - shape->rows) & 1))
		return true; /* its default holds already */
	return add_change(call, ic,
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
	return !name || take_key(call, ic, name, given);
}

/* ---- the steps ---- */

static bool
work(struct control_call *call)
{
	struct item_change *ic = call->state;

	if (call->foresees)
		return control_config_look(call, &ic->config, ic->changes, ic->count);
	return control_config_save(call, &ic->config, ic->changes, ic->count,
		arena_text(&call->arena,
			arena_printf(&call->arena, "%s %.*s", call->request->method->words,
				SPAN_FMT(ic->config.object))));
}

static void
tell(struct control_call *call)
{
	const struct item_change *ic = call->state;

	call->note = control_did(&call->arena, span_of(call->request->method->method), ic->config.object);
}

static bool
add_named(struct control_call *call, const struct item_kind *kind, struct span name)
{
	struct item_change *ic = begin(call, kind);
	bool first = items_of(call->host->conf, kind).count == 0;
	struct span item = arena_printf(&call->arena, first ? "[ { name: %.*s } ]" : "{ name: %.*s }",
		SPAN_FMT(name));

	if (!control_route_name_is_valid(name))
		return control_fail(call, RPC_INVALID,
			"a name is letters, digits, '-' or '_', not digits alone", NULL, "name");
	if (find(call, kind, name, false) != SIZE_MAX)
		return control_failf(call, RPC_CLASH, "name", "there is a %s %.*s already", kind->what,
			SPAN_FMT(name));
	ic->config.object = name;
	ic->path = kind->usual ? /* behind the others */
		arena_printf(&call->arena, "%s.%zu", kind->list, items_of(call->host->conf, kind).count) :
		arena_printf(&call->arena, "%s.%.*s", kind->list, SPAN_FMT(name));
	return add_change(call, ic, (struct conf_change){ .value = item,
			.key = first ? span_of(kind->list) : ic->path }) &&
		take_keys(call, ic, 0) && control_config_begin(call, &ic->config);
}

static bool
add_item(struct control_call *call, const struct item_kind *kind)
{
	return add_named(call, kind, control_param(call, "name"));
}

static bool
set_found(struct control_call *call, const struct item_kind *kind, size_t i)
{
	struct item_change *ic = begin(call, kind);
	const struct conf_items items = items_of(call->host->conf, kind);
	const char *item;

	item = (const char *)items.items + i * conf_shape_of(kind->type)->size;
	ic->config.object = arena_copy(&call->arena, name_at(kind, &items, i));
	ic->path = path_of(call, kind, i);
	if (!take_keys(call, ic, *(const uint64_t *)(const void *)item))
		return false;
	if (ic->count == 0)
		return control_fail(call, RPC_INVALID, "nothing is to be changed: KEY=VALUE is missing",
			NULL, "keys");
	return control_config_begin(call, &ic->config);
}

static bool
set_item(struct control_call *call, const struct item_kind *kind)
{
	size_t i = find(call, kind, control_param(call, "name"), true);

	return i != SIZE_MAX && set_found(call, kind, i);
}

/* One that is not there yet is made. */
static bool
put_item(struct control_call *call, const struct item_kind *kind)
{
	const struct rpc_value *keys = rpc_value(call->request, "keys");
	struct span name = span_of(kind->usual);
	size_t i;

	for (i = 0; i < keys->count; i++)
		if (span_eq(keys->pairs[i].key, SPAN("name")))
			name = keys->pairs[i].value;
	i = find(call, kind, name, false);
	return i == SIZE_MAX ? add_named(call, kind, name) : set_found(call, kind, i);
}

/* ---- remove ---- */

static int
last_first(const void *a, const void *b)
{
	size_t x = *(const size_t *)a, y = *(const size_t *)b;

	return x < y ? 1 : x > y ? -1 : 0;
}

/* Places in the file, each once, the last first, so that they stay what they are. */
static bool
take_places(struct control_call *call, const struct item_kind *kind, size_t *places, size_t *count)
{
	const struct rpc_value *names = rpc_value(call->request, "names");

	*count = 0;
	if (names->count > ITEM_CHANGES_MAX)
		return control_fail(call, RPC_TOO_LARGE, "too many at once", NULL, "names");
	for (size_t i = 0; i < names->count; i++) {
		places[*count] = find(call, kind, names->items[i], true);
		if (places[(*count)++] == SIZE_MAX)
			return false;
	}
	qsort(places, *count, sizeof(*places), last_first);
	for (size_t i = 1; i < *count; i++)
		if (places[i] == places[i - 1])
			return control_fail(call, RPC_INVALID, "one is named twice", NULL, "names");
	return true;
}

static bool
remove_items(struct control_call *call, const struct item_kind *kind)
{
	struct item_change *ic = begin(call, kind);
	struct conf_items items = items_of(call->host->conf, kind);
	size_t places[ITEM_CHANGES_MAX], count;

	if (!take_places(call, kind, places, &count))
		return false;
	for (size_t i = 0; i < count && count < items.count; i++)
		(void)add_change(call, ic,
			(struct conf_change){ .key = path_of(call, kind, places[i]), .remove = true });
	if (count == items.count) /* an empty list, not nothing */
		(void)add_change(call, ic,
			(struct conf_change){ .key = span_of(kind->list), .value = SPAN("[]") });
	ic->config.object = arena_copy(&call->arena, name_at(kind, &items, places[0]));
	if (count > 1)
		ic->config.object = arena_printf(&call->arena, "%.*s and %zu more",
			SPAN_FMT(ic->config.object), count - 1);
	return control_config_begin(call, &ic->config);
}

/* ---- the methods ---- */

#define ITEM_METHOD(method, act, kind, words)                                                      \
	static bool method##_check(struct control_call *call)                                      \
	{                                                                                          \
		return act(call, &kind);                                                           \
	}                                                                                          \
	const struct control_handler control_do_##method = {                                       \
		.check = method##_check,                                                           \
		.work = work,                                                                      \
		.work_kind = WORK_GENERAL,                                                         \
		.foresee = control_config_foresee,                                                 \
		.take = control_config_set_take,                                                   \
		.change = control_config_set_change,                                               \
		.finish = tell,                                                                    \
		.object = words,                                                                   \
		.unrecorded = true,                                                                \
	}

ITEM_METHOD(connection_add, add_item, a_connection, "the connection");
ITEM_METHOD(connection_set, set_item, a_connection, "the connection");
ITEM_METHOD(connection_remove, remove_items, a_connection, "the connection");
ITEM_METHOD(schedule_add, add_item, a_schedule, "the schedule");
ITEM_METHOD(schedule_set, set_item, a_schedule, "the schedule");
ITEM_METHOD(schedule_remove, remove_items, a_schedule, "the schedule");
ITEM_METHOD(rule_monitor_set, put_item, a_monitor, "the profile");
ITEM_METHOD(rule_monitor_remove, remove_items, a_monitor, "the profile");
