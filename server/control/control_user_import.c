/*
 * control_user_import.c - `user import` (USR-43) and `user bulk` (USR-12): a line is a user.
 *
 * An import takes what `user export` writes, JSON lines or CSV, and merges: who is there gets the
 * fields that the file has, others are added; with --replace whoever the file does not name goes to the
 * bin. No password in the file: the old one stays. A bulk add takes `name password [comment]` and only adds;
 * an import takes `name,password,comment` for the same.
 *
 *      work  reads the lines, hashes plain passwords       read  finds who is to go
 *      each  one user                                      wait  the welcome messages
 *
 * A preview reads the same and tells what it would do: the first of the two steps.
 */
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "server/control/control_user_import.h"

static bool
in_check(struct control_call *call)
{
	struct users_in *u = ARENA_NEW(&call->arena, struct users_in);

	transfer_in_init(call, &u->in);
	u->bulk = call->request->method->id == CONTROL_user_bulk;
	control_password_begin(call->host->conf, &u->password);
	u->shortest = call->host->conf->auth_min_length;
	u->main_admin = control_main_admin(call);
	u->welcomes = control_welcomes(call);
	call->state = u;
	return true;
}

/* ---- work: what the lines say ---- */

static const char *
hash_plain(struct control_call *call, struct span password, struct user_found *f)
{
	struct users_in *u = call->state;

	if ((int64_t)password.len < u->shortest)
		return "the password is too short (auth.min_length)";
	if (password.len > PASSWORD_MAX)
		return "the password is longer than 256 bytes";
	f->password = u->password;
	if (!call->foresees)
		(void)control_password_hash(call, password, &f->password); /* or the call has failed */
	return NULL;
}

static const char *
take_hash(struct span hash, struct user_found *f)
{
	if (hash.len == 0)
		return NULL;
	if (!password_is_hash(hash))
		return "its password is not one that `user export --passwords` wrote";
	memcpy(f->password.hash, hash.ptr, hash.len);
	return NULL;
}

static const char *
json_line(struct control_call *call, struct span line, struct user_found *f)
{
	struct users_in *u = call->state;
	const struct json *json, *plain;

	if (json_parse(&u->in.scratch, line, &json, NULL) != OK || json->kind != JSON_OBJECT)
		return "is no JSON object";
	f->name = json_text(json_find(json, SPAN("name")));
	plain = json_find(json, SPAN("password"));
	if (plain)
		return hash_plain(call, json_text(plain), f);
	return take_hash(json_text(json_find(json, SPAN("password_hash"))), f);
}

static const char *
bulk_line(struct control_call *call, struct span line, struct user_found *f)
{
	struct users_in *u = call->state;
	const char *why = NULL;
	struct bulk_line parsed;

	if (bulk_line_parse(&u->in.scratch, line, &parsed, &why) != OK)
		return why;
	f->name = parsed.name;
	f->comment = parsed.comment;
	f->adds = true;
	if (!user_name_is_valid(f->name))
		return "the name is reserved or not allowed"; /* before it costs a hash */
	return hash_plain(call, parsed.password, f);
}

static const char *
csv_line(struct control_call *call, struct span line, struct user_found *f)
{
	struct users_in *u = call->state;
	const char *why = NULL;
	struct user_line parsed;

	if (!u->has_titles && bulk_line_is_csv(&u->in.scratch, line))
		return bulk_line(call, line, f);
	if (user_line_parse(&u->in.scratch, line, u->has_titles ? &u->columns : NULL, &parsed,
		    &why) != OK)
		return why;
	f->name = parsed.cells[USER_COLUMN_name].text;
	return take_hash(parsed.cells[USER_COLUMN_password].text, f);
}

static void
titles_pass(struct control_call *call, struct transfer_in *in)
{
	in->items++;
	in->keys++;
	in->count--;
	in->size--;
	in->lines--;
	transfer_in_targets(call, in);
}

static bool
titles_take(struct control_call *call, struct users_in *u)
{
	struct transfer_in *in = &u->in;
	const char *why = NULL;

	if (in->count == 0)
		return true;
	if (bulk_line_is_titles(in->items[0].line)) {
		titles_pass(call, in);
		return true;
	}
	if (u->bulk || !user_line_is_titles(in->items[0].line))
		return true;
	if (user_titles_parse(&call->arena, in->items[0].line, &u->columns, &why) != OK)
		return control_failf(call, RPC_INVALID, "file", "%.*s: %s", SPAN_FMT(in->keys[0]),
			why);
	u->has_titles = true;
	titles_pass(call, in);
	return true;
}

/* Whoever a bad line was about would be removed: so all lines must be good. */
static bool
may_replace(struct control_call *call)
{
	const struct users_in *u = call->state;

	for (size_t i = 0; i < u->in.lines && !u->bulk && rpc_flag(call->request, "replace"); i++)
		if (u->found[i].fault)
			return control_failf(call, RPC_INVALID, "file", "%.*s: %s; nothing was changed",
				SPAN_FMT(u->in.keys[i]), u->found[i].fault);
	return true;
}

static bool
in_work(struct control_call *call)
{
	struct users_in *u = call->state;
	struct transfer_in *in = &u->in;

	if (!transfer_in_lines(call, in) || !titles_take(call, u))
		return false;
	u->found = ARENA_ARRAY(&call->arena, struct user_found, in->lines ? in->lines : 1);
	for (size_t i = 0; i < in->lines && !call->failed && !control_is_cancelled(call); i++) {
		struct span line = in->items[i].line;
		struct user_found *f = &u->found[i];

		f->fault = u->bulk ? bulk_line(call, line, f)
			   : line.ptr[0] == '{' ? json_line(call, line, f)
						: csv_line(call, line, f);
		f->name = arena_copy(&call->arena, f->name);
		f->comment = arena_copy(&call->arena, f->comment);
		arena_reset(&u->in.scratch);
		atomic_store(&call->progress_done, i + 1);
	}
	if (control_is_cancelled(call))
		control_fail(call, RPC_REFUSED, "cancelled", NULL, NULL);
	return !call->failed && may_replace(call);
}

/* ---- read: who is to go ---- */

static int
by_name(const void *a, const void *b)
{
	return span_cmp_nocase(*(const struct span *)a, *(const struct span *)b);
}

static void
names_sort(struct control_call *call, struct users_in *u)
{
	u->named = ARENA_ARRAY(&call->arena, struct span, u->in.lines + 1);
	for (size_t i = 0; i < u->in.lines; i++)
		u->named[i] = u->found[i].name;
	qsort(u->named, u->in.lines, sizeof(*u->named), by_name);
}

static enum step
in_read(struct control_call *call, struct snapshot *snap)
{
	struct control_slice slice = control_slice_begin();
	struct users_in *u = call->state;
	struct user user;
	enum err err = ERR_NOT_FOUND;

	if (!u->named)
		names_sort(call, u);
	while (!u->bulk && rpc_flag(call->request, "replace") &&
		(err = user_after(snap, span_of(u->after), &user)) == OK) {
		struct span name = arena_copy(&call->arena, user.name);

		memcpy(u->after, name.ptr, name.len);
		u->after[name.len] = '\0';
		if (!bsearch(&name, u->named, u->in.lines, sizeof(*u->named), by_name) &&
			!transfer_in_add(call, &u->in, (struct transfer_item){ .id = user.user_id },
				name))
			return STEP_FAIL;
		if (control_slice_is_over(&slice))
			return STEP_MORE;
	}
	if (err != ERR_NOT_FOUND) {
		control_fail_err(call, err, "user");
		return STEP_FAIL;
	}
	transfer_in_targets(call, &u->in);
	return STEP_DONE;
}

/* ---- foresee ---- */

static void
foresee_say(struct control_call *call)
{
	struct users_in *u = call->state;
	struct transfer_in *in = &u->in;
	size_t bad = in->lines - u->fresh - u->known;

	control_foresee(call, arena_printf(&call->arena,
				      "%zu new, %zu to be changed, %zu to be removed, %zu bad lines",
				      u->fresh, u->known, in->count - in->lines, bad));
	for (size_t i = 0; i < in->lines; i++)
		if (u->found[i].fault)
			control_foresee(call, arena_printf(&call->arena, "%.*s: %s",
						      SPAN_FMT(in->keys[i]), u->found[i].fault));
	for (size_t i = in->lines; i < in->count; i++)
		control_foresee(call, arena_printf(&call->arena, "would remove user %.*s",
					      SPAN_FMT(in->keys[i])));
}

/* What would become of one line. */
static enum err
foresee_line(struct users_in *u, struct snapshot *snap, struct user_found *f)
{
	struct user user;
	enum err err;

	if (f->fault)
		return OK;
	err = user_find_by_name(snap, f->name, &user);
	if (err == OK && f->adds)
		f->fault = "the name is in use";
	else if (err == OK)
		u->known++;
	else if (err == ERR_NOT_FOUND && !user_name_is_valid(f->name))
		f->fault = "the name is reserved or not allowed";
	else if (err == ERR_NOT_FOUND)
		u->fresh++;
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum step
in_foresee(struct control_call *call, struct snapshot *snap)
{
	struct control_slice slice = control_slice_begin();
	struct users_in *u = call->state;
	enum step step;

	while (u->looked_at < u->in.lines) {
		enum err err = foresee_line(u, snap, &u->found[u->looked_at++]);

		if (!control_fail_err(call, err, "user"))
			return STEP_FAIL;
		if (control_slice_is_over(&slice))
			return STEP_MORE;
	}
	step = in_read(call, snap);
	if (step == STEP_DONE)
		foresee_say(call);
	return step;
}

/* ---- the end ---- */

static void
in_finish(struct control_call *call)
{
	struct users_in *u = call->state;
	size_t gone = u->in.count - u->in.lines;

	transfer_in_note(call, &u->in);
	for (size_t i = 0; i < call->skipped_count && gone > 0; i++)
		gone -= !span_starts(call->skipped[i].key, SPAN("line "));
	if (gone > 0)
		call->note = arena_printf(&call->arena, "%.*s, %zu user%s removed",
			SPAN_FMT(call->note), gone, gone == 1 ? "" : "s");
}

static bool
in_wait(struct control_call *call)
{
	struct users_in *u = call->state;
	struct span *names = ARENA_ARRAY(&call->arena, struct span, u->in.lines + 1);
	size_t count = 0;

	if (!rpc_flag(call->request, "welcome"))
		return false;
	for (size_t i = 0; i < u->in.lines; i++)
		if (u->found[i].made)
			names[count++] = u->found[i].name;
	return control_welcomes_send(u->welcomes, names, count);
}

const struct control_handler control_do_user_import = {
	.check = in_check,
	.work = in_work,
	.work_kind = WORK_LONG,
	.read = in_read,
	.foresee = in_foresee,
	.each = control_user_take,
	.finish = in_finish,
	.wait = in_wait,
	.object = "user",
};

const struct control_handler control_do_user_bulk = {
	.check = in_check,
	.work = in_work,
	.work_kind = WORK_LONG,
	.read = in_read,
	.foresee = in_foresee,
	.each = control_user_take,
	.finish = in_finish,
	.wait = in_wait,
	.object = "user",
};
