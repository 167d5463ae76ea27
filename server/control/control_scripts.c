/*
 * control_scripts.c - routing scripts of users (RTE-12): shown, put in force, listed; and what scripts may call.
 *
 * A text is compiled in a child before it takes the place of the old one; an empty one removes it.
 */

#include "server/control/control_scripts.h"

#include "server/control/control_transfer.h"
#include "server/script/script_words.h"
#include "store/user_scripts.h"

/* ---- a text that comes ---- */

static bool
is_blank(struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] != ' ' && text.ptr[i] != '\t' && text.ptr[i] != '\r' && text.ptr[i] != '\n')
			return false;
	return true;
}

bool
control_script_read(struct control_call *call, struct control_script *s)
{
	if (!control_read_file(call, control_fd(call, "file"), &s->text))
		return false;
	if (is_blank(s->text))
		s->text = SPAN("");
	return true;
}

static bool
fail_script(struct control_call *call, const struct script_check *c)
{
	control_fail(call, RPC_INVALID, arena_text(&call->arena, c->failed), "nothing was changed",
		"file");
	call->error.line = c->line;
	return false;
}

static void
on_checked(struct script_check *c)
{
	struct control_script *s = LIST_ITEM(c, struct control_script, check);

	control_call_go(s->call,
		c->failed.len == 0 || fail_script(s->call, c) ? CALL_READ : CALL_END);
}

bool
control_script_ask(struct control_call *call, struct control_script *s)
{
	s->call = call;
	s->check.arena = &call->arena;
	s->check.done = on_checked;
	if (s->text.len == 0)
		return false;
	if (script_check_begin(call->host, &s->check, s->text))
		return true;
	(void)fail_script(call, &s->check);
	return false;
}

/* ---- user script NAME ---- */

static enum step
show_read(struct control_call *call, struct snapshot *snap)
{
	struct user_script script = { .text = SPAN("") };
	struct user user;
	enum err err = user_find_by_name(snap, control_param(call, "user"), &user);

	if (!control_fail_err(call, err, "user"))
		return STEP_FAIL;
	err = user_script_find(snap, user.user_id, &script);
	if (err != ERR_NOT_FOUND && !control_fail_err(call, err, "script"))
		return STEP_FAIL;
	call->text = err == OK ? arena_copy(&call->arena, script.text) : SPAN("");
	return STEP_DONE;
}

const struct control_handler control_do_user_script = { .read = show_read };

/* ---- user script NAME FILE ---- */

static bool
set_check(struct control_call *call)
{
	call->state = ARENA_NEW(&call->arena, struct control_script);
	return true;
}

static bool
set_work(struct control_call *call)
{
	return control_script_read(call, call->state);
}

static bool
set_ask(struct control_call *call)
{
	return control_script_ask(call, call->state);
}

static enum step
set_foresee(struct control_call *call, struct snapshot *snap)
{
	const struct control_script *s = call->state;

	(void)snap;
	control_foresee(call,
		s->text.len == 0 ? SPAN("the script is removed")
				 : arena_printf(&call->arena, "%zu bytes of script in force", s->text.len));
	return STEP_DONE;
}

static enum err
set_change(struct control_call *call, struct txn *txn)
{
	const struct control_script *s = call->state;
	struct user_script script = { .text = s->text, .changed_ms = call->now_ms,
		.changed_by = span_of(call->who.name) };
	struct user user;
	enum err err = user_find_by_name(txn_view(txn), control_param(call, "user"), &user);

	if (!control_fail_err(call, err, "user"))
		return err;
	script.user_id = user.user_id;
	call->job_done = 1;
	err = user_script_put(txn, &script);
	if (err == ERR_NOT_FOUND)
		control_failf(call, RPC_NOT_FOUND, "user", "%.*s has no script", SPAN_FMT(user.name));
	return err;
}

static void
set_finish(struct control_call *call)
{
	const struct control_script *s = call->state;
	struct span user = control_param(call, "user");

	call->note = s->text.len == 0
		? arena_printf(&call->arena, "the script of %.*s is removed", SPAN_FMT(user))
		: arena_printf(&call->arena, "the script of %.*s is in force", SPAN_FMT(user));
}

const struct control_handler control_do_user_script_set = {
	.check = set_check,
	.work = set_work,
	.work_kind = WORK_GENERAL,
	.ask = set_ask,
	.foresee = set_foresee,
	.change = set_change,
	.finish = set_finish,
	.object = "script",
};

/* ---- script list ---- */

static enum step
list_read(struct control_call *call, struct snapshot *snap)
{
	struct control_rows *rows = &call->rows;
	struct user_script script = { .user_id = 0 };
	struct user user;
	enum err err;

	while ((err = user_script_next(snap, script.user_id, &script)) == OK ||
		err == ERR_CORRUPT) {
		if (err != OK || user_find(snap, script.user_id, &user) != OK || user.removed_ms != 0)
			continue;
		control_row(rows, user.name);
		control_put_text(rows, user.name);
		control_put_number(rows, script.text.len);
		control_put_time_ms(rows, script.changed_ms);
		control_put_text(rows, script.changed_by);
	}
	return STEP_DONE;
}

const struct control_handler control_do_script_list = { .read = list_read };

/* ---- script functions ---- */

#define BOTH "users, rules.content"
#define SITE "rules.content"

static void
functions_start(struct control_call *call)
{
	static const char *const words[][3] = {
#define X(name, form, whose, help) { form, whose, help },
		SCRIPT_FUNCTIONS(X) SCRIPT_VALUES(X)
#undef X
		{ "string, table, math, utf8", BOTH,
			"Libraries of Lua 5.4, without string.dump, string.pack and math.random." },
	};
	struct control_rows *rows = &call->rows;

	for (size_t i = 0; i < COUNT(words); i++) {
		control_row(rows, span_of(words[i][0]));
		for (size_t k = 0; k < COUNT(words[i]); k++)
			control_put_text(rows, span_of(words[i][k]));
	}
	control_rows_end(rows);
	control_call_end(call);
}

const struct control_handler control_do_script_functions = { .start = functions_start };
