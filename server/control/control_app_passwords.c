/*
 * control_app_passwords.c - app passwords: list, add, remove.
 *
 * A password is made and hashed in `check`, since `change` may run again; it is told with the reply
 * and nowhere else.
 */
#include <string.h>

#include "server/control/control_call.h"
#include "server/session/app_password.h"

struct app_change {
	uint32_t protocols;
	char text[APP_PASSWORD_SIZE];
};

/* ---- list ---- */

static void
put_protocols(struct control_rows *rows, uint32_t protocols)
{
	struct span words[USER_PROTOCOL_COUNT];
	size_t count = 0;

	for (size_t i = 0; i < USER_PROTOCOL_COUNT; i++)
		if (protocols & (1u << i))
			words[count++] = span_of(user_protocol_words[i]);
	control_put_list(rows, words, count);
}

static enum err
app_row(struct control_call *call, struct snapshot *snap, const struct app_password *app)
{
	struct control_rows *rows = &call->rows;
	struct app_use use;
	struct span id = arena_printf(&call->arena, "%llu", (unsigned long long)app->app_id);
	enum err err = app_use_find(snap, app->user_id, app->app_id, &use);

	if (err != OK)
		return err;
	control_row(rows, id);
	control_put_text(rows, id);
	control_put_text(rows, app->label);
	put_protocols(rows, app->protocols);
	control_put_time_ms(rows, app->created_ms);
	control_put_time_ms(rows, use.last_ms);
	control_put_text(
		rows, use.last_ms ? span_of(user_protocol_words[use.protocol]) : SPAN_NONE);
	return OK;
}

static enum step
list_read(struct control_call *call, struct snapshot *snap)
{
	struct app_password app = {.app_id = 0};
	struct user user;
	enum err err = user_find_by_name(snap, control_param(call, "user"), &user);

	if (!control_fail_err(call, err, "user"))
		return STEP_FAIL;
	while ((err = app_password_next(snap, user.user_id, app.app_id, &app)) == OK) {
		err = app_row(call, snap, &app);
		if (err != OK)
			break;
	}
	if (err == ERR_NOT_FOUND)
		return STEP_DONE;
	control_fail_err(call, err, "app password");
	return STEP_FAIL;
}

const struct control_handler control_do_apppass_list = {.read = list_read};

/* ---- add ---- */

/* As `user set protocols=` writes them. */
static bool
take_protocols(struct control_call *call, uint32_t *out)
{
	const struct field *field = field_find(&app_password_table, SPAN("protocols"));
	struct app_password app = {.protocols = APP_PASSWORD_PROTOCOLS};
	struct span text = control_param(call, "protocols");

	if ((text.len > 0 && field_set(field, &app, text, &call->arena) != OK) ||
		app.protocols == 0 || (app.protocols & ~APP_PASSWORD_PROTOCOLS))
		return control_fail(call, RPC_INVALID,
			"an app password is for one or more of pop3, imap, smtp and ldap", NULL,
			"protocols");
	*out = app.protocols;
	return true;
}

static bool
add_check(struct control_call *call)
{
	struct app_change *c = ARENA_NEW(&call->arena, struct app_change);

	call->state = c;
	control_call_wipes(call, (struct span){c->text, sizeof(c->text)});
	app_password_make(c->text);
	return take_protocols(call, &c->protocols);
}

/* The usual words are about users; these are about app passwords. */
static enum err
fail_add(struct control_call *call, enum err err, const struct user *user)
{
	if (err == ERR_EXISTS)
		control_fail(call, RPC_CLASH, "the user has an app password of this label",
			"remove that, or choose another label", "label");
	else if (err == ERR_SYNTAX)
		control_fail(call, RPC_INVALID,
			"a label is a name for people, not a number", NULL, "label");
	else if (err == ERR_LIMIT)
		control_failf(call, RPC_INVALID, "label",
			"a label has at most %d characters, and %.*s at most %d app passwords",
			APP_LABEL_MAX, SPAN_FMT(user->name), APP_PASSWORDS_MAX);
	return err;
}

static enum err
add_change(struct control_call *call, struct txn *txn)
{
	struct app_change *c = call->state;
	unsigned char hash[APP_HASH_SIZE];
	struct app_password app = {.label = span_trim(control_param(call, "label")),
		.protocols = c->protocols};
	struct user user;
	enum err err = user_find_by_name(txn_view(txn), control_param(call, "user"), &user);

	if (!control_fail_err(call, err, "user"))
		return err;
	app.user_id = user.user_id;
	app.hash = (struct span){(const char *)hash, sizeof(hash)};
	ENSURE(app_password_hash(user.user_id, span_of(c->text), hash));
	call->job_done = 1;
	return fail_add(
		call, app_password_add(txn, &app, call->now_ms, &app.app_id), &user);
}

static void
add_finish(struct control_call *call)
{
	struct app_change *c = call->state;

	call->secret = span_of(c->text);
	call->note = arena_printf(&call->arena,
		"app password %.*s of %.*s made; it is shown this once",
		SPAN_FMT(control_param(call, "label")), SPAN_FMT(control_param(call, "user")));
}

const struct control_handler control_do_apppass_add = {
	.check = add_check,
	.change = add_change,
	.finish = add_finish,
	.object = "app password",
};

/* ---- remove ---- */

static enum err
remove_each(struct control_call *call, struct txn *txn, struct span name)
{
	struct app_password app;
	struct user user;
	enum err err = user_find_by_name(txn_view(txn), control_param(call, "user"), &user);

	if (!control_fail_err(call, err, "user"))
		return err;
	err = app_password_find(txn_view(txn), user.user_id, name, &app);
	return err == OK ? app_password_remove(txn, user.user_id, app.app_id) : err;
}

const struct control_handler control_do_apppass_remove = {
	.each = remove_each,
	.object = "app password",
};
