/*
 * control_config_change.c - `config change`: several settings in one step, of the file and of undo.
 */
#include <stdio.h>

#include "server/control/control_undo.h"

#define KEYS_MAX 100 /* of one step */
#define WHAT_MAX 400
#define LIST_TEXT_MAX CONF_FILE_MAX

/* ---- lists as KEY=VALUE ---- */

struct span
control_list_json(struct control_call *call, const struct span *items, size_t count)
{
	struct json_writer w;
	struct span list;
	struct buf text;

	buf_init(&text, LIST_TEXT_MAX);
	json_writer_init(&w, &text);
	json_put_array(&w);
	for (size_t i = 0; i < count; i++)
		json_put_string(&w, items[i]);
	json_put_close(&w);
	list = arena_copy(&call->arena, buf_span(&text));
	buf_fini(&text);
	return list;
}

/* "[2001:db8::1]:25", where other things in brackets are a list as JSON. */
static bool
begins_with_address(struct span value)
{
	return span_find(value, '"') == value.len && span_find(value, ']') + 1 < value.len;
}

struct span
control_list_value(struct control_call *call, struct span value, const char *separators)
{
	struct span rest = value, *items = ARENA_ARRAY(&call->arena, struct span, value.len + 1);
	size_t count = 0;

	if (value.len > 0 && value.ptr[0] == '[' && !begins_with_address(value))
		return value;
	while (rest.len > 0) {
		size_t end = span_find_any(rest, span_of(separators));
		struct span item = span_trim(span_range(rest, 0, end));

		rest = span_from(rest, end < rest.len ? end + 1 : end);
		if (item.len > 0)
			items[count++] = item;
	}
	return control_list_json(call, items, count);
}

/* ---- several settings ---- */

struct config_change {
	struct control_config config; /* first: control_config_set_take() and the like see it */
	struct conf_change changes[KEYS_MAX];
	size_t count;
};

/* KEY=VALUE sets, `KEY=` alone takes the key out of the file. PREFIX stands in front of each key. */
static bool
change_check_of(struct control_call *call, const char *prefix)
{
	const struct rpc_value *keys = rpc_value(call->request, "keys");
	struct config_change *c = ARENA_NEW(&call->arena, struct config_change);

	if (keys->count == 0 || keys->count > KEYS_MAX)
		return control_failf(call, keys->count ? RPC_TOO_LARGE : RPC_INVALID, "keys",
			"1 to %d settings in one step", KEYS_MAX);
	call->state = c;
	for (size_t i = 0; i < keys->count; i++) {
		const struct rpc_pair *pair = &keys->pairs[i];
		struct span key = arena_printf(&call->arena, "%s%.*s", prefix, SPAN_FMT(pair->key));

		if (!control_config_is_confirmed(call, key, pair->value))
			return false;
		c->changes[c->count++] = (struct conf_change){
			.key = key, .value = pair->value, .remove = pair->value.len == 0};
	}
	return control_config_begin(call, &c->config);
}

static bool
change_check(struct control_call *call)
{
	return change_check_of(call, "");
}

static bool
archive_check(struct control_call *call)
{
	return change_check_of(call, "archive.");
}

static bool
schedules_check(struct control_call *call)
{
	return change_check_of(call, "scheduling.");
}

static bool
change_work(struct control_call *call)
{
	struct config_change *c = call->state;
	char what[WHAT_MAX];

	if (call->foresees)
		return control_config_look(call, &c->config, c->changes, c->count);
	snprintf(what, sizeof(what), "config change %.*s%s",
		SPAN_FMT(span_range(c->changes[0].key, 0, 300)), c->count > 1 ? " ..." : "");
	return control_config_save(call, &c->config, c->changes, c->count, what);
}

/* Without the values, which may be passwords: the difference shows them masked. */
static struct span
change_would(struct control_call *call, const struct rpc_request *request)
{
	const struct rpc_value *keys = rpc_value(request, "keys");
	struct span text = SPAN("would set");

	for (size_t i = 0; i < keys->count; i++)
		text = arena_printf(&call->arena, "%.*s%s%.*s", SPAN_FMT(text), i ? ", " : " ",
			SPAN_FMT(keys->pairs[i].key));
	return text;
}

const struct control_handler control_do_config_change = {
	.check = change_check,
	.work = change_work,
	.work_kind = WORK_GENERAL,
	.foresee = control_config_foresee,
	.would = change_would,
	.take = control_config_set_take,
	.change = control_config_set_change,
	.finish = control_config_warn,
	.object = "the change",
	.unrecorded = true,
};

/* The part of the file below one key, by the rights of its own command. */
#define PART_METHOD(method, looks)                                                                 \
	const struct control_handler control_do_##method = {                                       \
		.check = looks,                                                                    \
		.work = change_work,                                                               \
		.work_kind = WORK_GENERAL,                                                         \
		.foresee = control_config_foresee,                                                 \
		.would = change_would,                                                             \
		.take = control_config_set_take,                                                   \
		.change = control_config_set_change,                                               \
		.finish = control_config_warn,                                                     \
		.object = "the change",                                                            \
		.unrecorded = true,                                                                \
	}

PART_METHOD(archive_set, archive_check);
PART_METHOD(schedule_modify, schedules_check);
