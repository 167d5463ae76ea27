/*
 * control_transfer_in.c - `user import` and `mapping import`: a line becomes a target of the call.
 */
#include <stdio.h>
#include <string.h>

#include "proto/base/utf8.h"
#include "server/control/control_fields.h"
#include "server/control/control_password.h"
#include "server/control/control_transfer.h"
#include "store/groups.h"
#include "store/mappings.h"
#include "store/users.h"

#define LINES_MAX 100000
#define FIELD_VALUE_MAX 8192

struct item {
	struct span line; /* empty: remove the mapping `id` */
	uint64_t id;
	char hash[PASSWORD_HASH_SIZE];
};

struct transfer_in {
	struct item *items;
	struct span *keys;	   /* line numbers, as people count them */
	size_t count, size, lines; /* lines: those of the file, before old ones are added */
	struct password_cost cost;
	uint64_t after;	      /* mapping import --replace: last id seen */
	struct arena scratch; /* of one line, on the worker or the writer */
};

static void
scratch_free(void *arg)
{
	arena_reset(arg);
}

static bool
in_check(struct control_call *call)
{
	struct transfer_in *t = ARENA_NEW(&call->arena, struct transfer_in);

	t->cost = control_password_cost(call->host->conf);
	arena_init(&t->scratch, NULL);
	arena_on_reset(&call->arena, scratch_free, &t->scratch);
	call->state = t;
	return true;
}

static bool
item_add(struct control_call *call, struct transfer_in *t, struct item item, size_t number)
{
	if (t->count == t->size) {
		size_t size = t->size ? 2 * t->size : 256;
		struct item *items = ARENA_ARRAY(&call->arena, struct item, size);
		struct span *keys = ARENA_ARRAY(&call->arena, struct span, size);

		if (size > 2 * LINES_MAX)
			return control_fail(
				call, RPC_TOO_LARGE, "more than 100,000 lines", NULL, "file");
		if (t->count) {
			memcpy(items, t->items, t->count * sizeof(*items));
			memcpy(keys, t->keys, t->count * sizeof(*keys));
		}
		t->items = items;
		t->keys = keys;
		t->size = size;
	}
	t->items[t->count] = item;
	t->keys[t->count++] =
		arena_printf(&call->arena, number ? "line %zu" : "old mapping", number);
	return true;
}

/* A program or a picture is refused whole: nobody meant its lines. */
static bool
is_text(struct control_call *call, struct span text)
{
	struct span line;

	if (span_find(text, '\0') == text.len && utf8_is_valid(text))
		return true;
	for (size_t number = 1; span_next_line(&text, &line); number++)
		if (span_find(line, '\0') < line.len || !utf8_is_valid(line))
			return control_failf(call, RPC_INVALID, "file",
				"the file is no UTF-8 text: line %zu; nothing was imported",
				number);
	return true;
}

static bool
lines_read(struct control_call *call)
{
	struct transfer_in *t = call->state;
	struct span text, line;

	if (!control_read_file(call, control_fd(call, "file"), &text) || !is_text(call, text))
		return false;
	for (size_t number = 1; span_next_line(&text, &line); number++) {
		line = span_trim(line);
		if (line.len == 0 || line.ptr[0] == '#')
			continue;
		if (!item_add(call, t, (struct item){.line = line}, number))
			return false;
	}
	t->lines = t->count;
	call->targets = t->keys;
	call->target_count = t->count;
	atomic_store(&call->progress_total, t->count);
	return true;
}

/* What came in and what did not; the lines that were left out are in `skipped`. */
static void
in_finish(struct control_call *call)
{
	const struct transfer_in *t = call->state;
	size_t left = call->skipped_count;

	call->note = arena_printf(&call->arena, "%llu of %zu lines imported",
		(unsigned long long)call->done, t->lines);
	if (left > 0)
		call->note = arena_printf(&call->arena, "%.*s, %zu skipped",
			SPAN_FMT(call->note), left);
}

/* ---- users ---- */

static struct span
user_password(struct transfer_in *t, struct span line)
{
	struct span fields[CSV_FIELDS_MAX];
	const struct json *json;
	size_t count;

	if (line.ptr[0] == '{')
		return json_parse(&t->scratch, line, &json, NULL) == OK
			       ? json_text(json_find(json, SPAN("password")))
			       : SPAN_NONE;
	if (csv_parse(&t->scratch, line, fields, &count) != OK || count < 2)
		return SPAN_NONE;
	return fields[1];
}

/* Hashes of all passwords, on the worker: 30 ms each. */
static bool
users_work(struct control_call *call)
{
	struct transfer_in *t = call->state;

	if (!lines_read(call))
		return false;
	for (size_t i = 0; i < t->count && !control_is_cancelled(call); i++) {
		struct span password = user_password(t, t->items[i].line);

		if (password.len > 0 && password_hash(password, &t->cost, t->items[i].hash) != OK)
			t->items[i].hash[0] = '\0';
		arena_reset(&t->scratch);
		atomic_store(&call->progress_done, i);
	}
	return !control_is_cancelled(call) ||
	       control_fail(call, RPC_REFUSED, "cancelled", NULL, NULL);
}

/* A JSON value as the text that `user set` takes: an array is "a;b". */
static struct span
value_text(struct arena *a, const struct json *v)
{
	struct span text = SPAN("");

	switch (v->kind) {
	case JSON_BOOL:
		return v->truth ? SPAN("yes") : SPAN("no");
	case JSON_NUMBER:
	case JSON_STRING:
		return v->text;
	case JSON_ARRAY:
		for (const struct json *i = v->first; i; i = i->next)
			text = arena_printf(a, "%.*s%s%.*s", SPAN_FMT(text), text.len ? ";" : "",
				SPAN_FMT(json_text(i)));
		return text;
	default:
		return text;
	}
}

static enum err
user_field(struct control_call *call, struct txn *txn, struct user *user, const struct json *v)
{
	struct transfer_in *t = call->state;
	const struct field *f = field_find(&user_table, v->name);
	struct span text = value_text(&t->scratch, v);
	struct group group;
	enum err err;

	if (span_eq(v->name, SPAN("group")) && text.len > 0) {
		err = group_find_by_name(txn_view(txn), text, &group);
		return err == OK ? group_join(txn_view(txn), group.group_id, user) : err;
	}
	if (!f || !(f->flags & FIELD_SETTABLE))
		return OK; /* what `show` prints besides: name, times, revision */
	if (f->kind == FIELD_BITS && v->kind == JSON_ARRAY)
		for (size_t i = 0; i < text.len; i++)
			if (text.ptr[i] == ';')
				((char *)(uintptr_t)text.ptr)[i] = ',';
	if (f->kind == FIELD_BITS && text.len == 0)
		text = SPAN("none");
	return field_set(f, user, text, &call->arena);
}

static enum err
user_from_json(struct control_call *call, struct txn *txn, struct span line, struct user *user)
{
	struct transfer_in *t = call->state;
	const struct json *json;
	enum err err = json_parse(&t->scratch, line, &json, NULL);

	if (err != OK || json->kind != JSON_OBJECT) {
		call->skip_why = "is no JSON object";
		return ERR_SYNTAX;
	}
	user->name = json_text(json_find(json, SPAN("name")));
	for (const struct json *v = json->first; v && err == OK; v = v->next) {
		err = user_field(call, txn, user, v);
		if (err != OK)
			call->skip_why = arena_text(
				&call->arena, arena_printf(&call->arena, "%.*s: %s",
						      SPAN_FMT(v->name), control_why(err)));
	}
	return err;
}

static enum err
user_each(struct control_call *call, struct txn *txn, struct span key)
{
	struct transfer_in *t = call->state;
	const struct item *item = &t->items[call->target_now];
	struct span fields[CSV_FIELDS_MAX];
	struct user user;
	uint64_t id;
	size_t count;
	enum err err;

	(void)key;
	arena_reset(&t->scratch);
	user_init(&user);
	if (item->line.ptr[0] == '{') {
		err = user_from_json(call, txn, item->line, &user);
	} else {
		err = csv_parse(&t->scratch, item->line, fields, &count);
		user.name = err == OK ? fields[0] : SPAN_NONE;
		user.comment = err == OK && count > 2 ? fields[2] : SPAN_NONE;
	}
	if (err != OK)
		return err;
	user.password_hash = span_of(item->hash);
	err = user_add(txn, &user, call->now_ms, &id);
	if (err == ERR_SYNTAX)
		call->skip_why = "the name is reserved or not allowed";
	if (err == ERR_EXISTS)
		call->skip_why = "the name is in use";
	return err;
}

const struct control_handler control_do_user_import = {
	.check = in_check,
	.work = users_work,
	.work_kind = WORK_LONG,
	.each = user_each,
	.finish = in_finish,
	.object = "user",
};

/* ---- mappings ---- */

/* What is replaced goes before the new ones come, or they would be there already. */
static void
old_first(struct control_call *call, struct transfer_in *t)
{
	size_t lines = t->lines, old = t->count - lines;
	struct item *items = ARENA_ARRAY(&call->arena, struct item, t->count ? t->count : 1);
	struct span *keys = ARENA_ARRAY(&call->arena, struct span, t->count ? t->count : 1);

	for (size_t i = 0; i < t->count; i++) {
		size_t to = i < lines ? old + i : i - lines;

		items[to] = t->items[i];
		keys[to] = t->keys[i];
	}
	t->items = items;
	t->keys = keys;
	call->targets = keys;
	call->target_count = t->count;
}

static enum step
old_mappings_read(struct control_call *call, struct snapshot *snap)
{
	struct control_slice slice = control_slice_begin();
	struct transfer_in *t = call->state;
	struct mapping m;
	enum err err = ERR_NOT_FOUND;

	while (rpc_flag(call->request, "replace") &&
		(err = mapping_next(snap, t->after, &m)) == OK) {
		t->after = m.mapping_id;
		if (!item_add(call, t, (struct item){.id = m.mapping_id}, 0))
			return STEP_FAIL;
		if (control_slice_is_over(&slice))
			return STEP_MORE;
	}
	old_first(call, t);
	return STEP_DONE;
}

static enum err
mapping_line(struct control_call *call, struct span line, struct mapping *m)
{
	struct transfer_in *t = call->state;
	struct span fields[CSV_FIELDS_MAX] = {{0}};
	size_t count = 0;

	if (csv_parse(&t->scratch, line, fields, &count) != OK || count < 2) {
		call->skip_why = "is not address,target";
		return ERR_SYNTAX;
	}
	*m = (struct mapping){.pattern = fields[0],
		.target = fields[1],
		.collect = fields[3],
		.comment = fields[4]};
	if (m->target.len == 0 || control_characters(m->comment) > MAPPING_COMMENT_MAX) {
		call->skip_why = m->target.len ? "the comment has over 80 characters"
					       : "has no target";
		return ERR_SYNTAX;
	}
	if (fields[2].len == 0)
		return OK;
	for (uint8_t i = 0; mapping_when_words[i]; i++)
		if (span_eq_nocase(fields[2], span_of(mapping_when_words[i]))) {
			m->when = i;
			return OK;
		}
	call->skip_why = "the third field is none of always, pop3, smtp, sender";
	return ERR_SYNTAX;
}

static enum err
mapping_each(struct control_call *call, struct txn *txn, struct span key)
{
	struct transfer_in *t = call->state;
	const struct item *item = &t->items[call->target_now];
	struct mapping m;
	uint64_t id;
	enum err err;

	(void)key;
	arena_reset(&t->scratch);
	if (item->id) {
		err = mapping_remove(txn, item->id);
		call->job_parts += err == OK; /* only what comes in is counted */
		return err;
	}
	err = mapping_line(call, item->line, &m);
	if (err != OK)
		return err;
	err = mapping_add(txn, &m, call->now_ms, &id);
	if (err == ERR_SYNTAX)
		call->skip_why = "the address is no pattern";
	if (err == ERR_EXISTS)
		call->skip_why = "there is such a mapping already";
	return err;
}

const struct control_handler control_do_mapping_import = {
	.check = in_check,
	.work = lines_read,
	.work_kind = WORK_LONG,
	.read = old_mappings_read,
	.each = mapping_each,
	.finish = in_finish,
	.object = "mapping",
};
