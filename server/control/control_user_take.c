/*
 * control_user_take.c - one line of an import or a bulk add becomes a user, on the writer.
 */
#include "server/control/control_fields.h"
#include "server/control/control_store_forward.h"
#include "server/control/control_targets.h"
#include "server/control/control_user_import.h"
#include "store/groups.h"

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
group_take(struct txn *txn, struct span name, struct user *user)
{
	struct group group = { 0 };
	enum err err = OK;

	if (name.len > 0)
		err = group_find_by_name(txn_view(txn), name, &group);
	return err == OK ? group_join(txn_view(txn), group.group_id, user) : err;
}

static enum err
json_field(struct users_in *u, struct txn *txn, struct user *user, const struct json *v)
{
	const struct field *f = field_find(&user_table, v->name);
	struct span text = value_text(&u->in.scratch, v);

	if (span_eq(v->name, SPAN("group")))
		return group_take(txn, text, user);
	if (!f || !(f->flags & FIELD_SETTABLE))
		return OK; /* what `show` prints besides: name, times, revision */
	if (f->kind == FIELD_BITS && v->kind == JSON_ARRAY)
		for (size_t i = 0; i < text.len; i++)
			if (text.ptr[i] == ';')
				((char *)(uintptr_t)text.ptr)[i] = ',';
	if (f->kind == FIELD_BITS && text.len == 0)
		text = SPAN("none");
	return field_set(f, user, text, &u->in.scratch);
}

static enum err
field_fault(struct control_call *call, struct span name, enum err err)
{
	if (err != OK)
		call->skip_why = arena_text(&call->arena,
			arena_printf(&call->arena, "%.*s: %s", SPAN_FMT(name), control_why(err)));
	return err;
}

static enum err
json_apply(struct control_call *call, struct txn *txn, struct span line, struct user *user)
{
	struct users_in *u = call->state;
	const struct json *json;
	enum err err = json_parse(&u->in.scratch, line, &json, NULL);

	for (const struct json *v = err == OK ? json->first : NULL; v && err == OK; v = v->next)
		err = field_fault(call, v->name, json_field(u, txn, user, v));
	return err;
}

static enum err
csv_apply(struct control_call *call, struct span line, struct user *user)
{
	struct users_in *u = call->state;
	struct user_line parsed;
	const char *why;
	enum err err = user_line_parse(
		&u->in.scratch, line, u->has_titles ? &u->columns : NULL, &parsed, &why);

	for (unsigned i = 0; i < USER_COLUMNS && err == OK; i++) {
		struct span member = span_of(user_column_member(i));
		const struct field *f = field_find(&user_table, member);
		struct span text = parsed.cells[i].text;

		if (!parsed.cells[i].present || !f || !(f->flags & FIELD_SETTABLE))
			continue; /* name and password have ways of their own */
		if (f->kind == FIELD_FLAG || f->kind == FIELD_COUNT)
			text = arena_printf(&u->in.scratch, "%llu",
				(unsigned long long)parsed.cells[i].number);
		err = field_fault(call, member, field_set(f, user, text, &u->in.scratch));
	}
	return err;
}

static enum err
user_change(struct control_call *call, struct txn *txn, const struct user *old,
	struct user *user, const struct user_found *f)
{
	struct users_in *u = call->state;
	const struct control_new_password *password = &f->password;
	struct span hash = span_of(password->hash);
	uint64_t user_id = user->user_id;
	struct control_forward forward = { .given = SPAN_NONE };
	enum err err;

	call->skip_why = control_targets_refuse(call, txn_view(txn), old, user, &forward.field);
	if (!call->skip_why)
		call->skip_why = control_forward_take(call, old, user, &forward);
	if (call->skip_why)
		return ERR_SYNTAX;
	call->skip_why = control_user_must_stay(call, u->main_admin, old, user);
	if (call->skip_why)
		return ERR_DENIED;
	if (span_eq(hash, old->password_hash))
		hash = SPAN_NONE;
	user_copy(user, &u->in.scratch); /* sealing writes, and what lies in the map moves */
	err = control_forward_seal(call, txn, user_id, &forward);
	if (err == OK)
		err = user_set(txn, user, call->now_ms);
	if (err == ERR_DENIED)
		call->skip_why = "is the last administrator";
	if (err == OK && hash.len > 0)
		err = user_set_password(txn, user_id, hash,
			(struct span){ password->scram, password->scram_len }, call->now_ms);
	if (err == OK)
		shared_login_drop(call->host->shared, user_id);
	return err;
}

static enum err
user_make(struct control_call *call, struct txn *txn, struct user *user, const struct user_found *f)
{
	struct user nobody = { .user_id = 0 };
	struct control_forward forward = { .given = SPAN_NONE };
	uint64_t id;
	enum err err;

	call->skip_why = control_targets_refuse(call, txn_view(txn), &nobody, user, &forward.field);
	if (!call->skip_why)
		call->skip_why = control_forward_take(call, &nobody, user, &forward);
	if (call->skip_why)
		return ERR_SYNTAX;
	user->name = f->name;
	user->password_hash = span_of(f->password.hash);
	user->scram = (struct span){ f->password.scram, f->password.scram_len };
	err = user_add(txn, user, call->now_ms, &id);
	return err == OK ? control_forward_seal(call, txn, id, &forward) : err;
}

static enum err
user_apply(struct control_call *call, struct txn *txn, struct user_found *f, struct span line)
{
	struct user user, old = { .user_id = 0 };
	enum err err = user_find_by_name(txn_view(txn), f->name, &old);

	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	f->made = err == ERR_NOT_FOUND;
	err = OK;
	user_init(&user);
	if (!f->made)
		user = old;
	if (!f->made && f->adds)
		return ERR_EXISTS;
	if (f->adds)
		user.comment = f->comment;
	else
		err = line.ptr[0] == '{' ? json_apply(call, txn, line, &user)
					 : csv_apply(call, line, &user);
	if (err != OK || !f->made)
		return err == OK ? user_change(call, txn, &old, &user, f) : err;
	return user_make(call, txn, &user, f);
}

enum err
control_user_take(struct control_call *call, struct txn *txn, struct span key)
{
	struct users_in *u = call->state;
	const struct transfer_item *item = &u->in.items[call->target_now];
	struct user_found *f = &u->found[call->target_now];
	enum err err;

	arena_reset(&u->in.scratch);
	if (item->line.len == 0) {
		err = control_user_remove(call, txn, key, u->main_admin);
		call->job_parts += err == OK; /* only what comes in is counted */
		return err;
	}
	f->made = false;
	call->skip_why = f->fault;
	if (f->fault)
		return ERR_SYNTAX;
	err = user_apply(call, txn, f, item->line);
	if (err != OK)
		f->made = false;
	if (err != OK && !call->skip_why)
		call->skip_why = err == ERR_SYNTAX  ? "the name is reserved or not allowed"
				 : err == ERR_EXISTS ? "the name is in use"
				 : err == ERR_LIMIT  ? "a field is over its limit"
						     : NULL;
	return err;
}
