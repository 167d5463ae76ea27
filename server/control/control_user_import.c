/*
 * control_user_import.c - `user import`: a line is a user, as JSON or as CSV: name,password[,comment].
 */
#include "server/control/control_fields.h"
#include "server/control/control_password.h"
#include "server/control/control_transfer.h"
#include "store/groups.h"
#include "store/users.h"

struct hash {
	char text[PASSWORD_HASH_SIZE];
};

struct users_in {
	struct transfer_in in; /* first: transfer_in_*() know it */
	struct password_cost cost;
	struct hash *hashes; /* of each line's password */
};

static bool
in_check(struct control_call *call)
{
	struct users_in *u = ARENA_NEW(&call->arena, struct users_in);

	transfer_in_init(call, &u->in);
	u->cost = control_password_cost(call->host->conf);
	call->state = u;
	return true;
}

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
	struct users_in *u = call->state;
	struct transfer_in *t = &u->in;

	if (!transfer_in_lines(call, t))
		return false;
	u->hashes = ARENA_ARRAY(&call->arena, struct hash, t->count + 1);
	for (size_t i = 0; i < t->count && !control_is_cancelled(call); i++) {
		struct span password = user_password(t, t->items[i].line);

		if (password.len > 0 &&
			password_hash(password, &u->cost, u->hashes[i].text) != OK)
			u->hashes[i].text[0] = '\0';
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
	const struct users_in *u = call->state;
	const struct transfer_item *item = &t->items[call->target_now];
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
	user.password_hash = span_of(u->hashes[call->target_now].text);
	err = user_add(txn, &user, call->now_ms, &id);
	if (err == ERR_SYNTAX)
		call->skip_why = "the name is reserved or not allowed";
	if (err == ERR_EXISTS)
		call->skip_why = "the name is in use";
	return err;
}

static void
in_finish(struct control_call *call)
{
	transfer_in_note(call, call->state);
}

const struct control_handler control_do_user_import = {
	.check = in_check,
	.work = users_work,
	.work_kind = WORK_LONG,
	.each = user_each,
	.finish = in_finish,
	.object = "user",
};
