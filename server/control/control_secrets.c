/*
 * control_secrets.c - sealed values: those of the configuration by name, legacy passwords of users.
 *
 * What goes in never comes out again by the control socket (H59); a legacy password is made here and
 * told with the reply, this once (H64).
 */
#include "conf/conf.h"
#include "server/control/control_password.h"
#include "server/secret_key.h"
#include "server/secrets.h"
#include "server/session/app_password.h"
#include "server/session/login_proof.h"

/* ---- secret list, set, remove ---- */

static enum step
list_read(struct control_call *call, struct snapshot *snap)
{
	struct control_slice slice = control_slice_begin();
	struct span *at = call->state;
	struct sealed_secret secret;
	enum err err;

	if (!at)
		at = call->state = ARENA_NEW(&call->arena, struct span);
	while ((err = secret_after(snap, *at, &secret)) == OK) {
		control_row(&call->rows, secret.name);
		control_put_text(&call->rows, secret.name);
		control_put_time_ms(&call->rows, secret.changed_ms);
		control_put_number(&call->rows, (int64_t)(secret.sealed.len - CRYPTO_SEAL_MORE));
		*at = arena_copy(&call->arena, secret.name);
		if (control_slice_is_over(&slice))
			return STEP_MORE;
	}
	if (err == ERR_NOT_FOUND)
		return STEP_DONE;
	control_fail_err(call, err, "secret");
	return STEP_FAIL;
}

const struct control_handler control_do_secret_list = {.read = list_read};

bool
control_can_seal(struct control_call *call)
{
	return call->host->secret_key->kept ||
	       control_fail(call, RPC_REFUSED, "there is no key to seal with",
		       "see secrets.key in the configuration and the log of the start", NULL);
}

static bool
set_check(struct control_call *call)
{
	if (!secret_name_is_valid(control_param(call, "name")))
		return control_fail(call, RPC_INVALID,
			"a secret's name is 1 to 64 letters, digits, '.', '_' or '-'", NULL, "name");
	return control_can_seal(call);
}

static enum err
set_change(struct control_call *call, struct txn *txn)
{
	struct span name = control_param(call, "name");
	struct buf sealed;
	enum err err;

	buf_init(&sealed, SECRET_SEALED_MAX);
	err = secret_seal(call->host, name, control_param(call, "password"), &sealed);
	if (err == OK)
		err = secret_put(txn, name, buf_span(&sealed), call->now_ms);
	buf_fini(&sealed);
	call->job_done = 1;
	return err;
}

const struct control_handler control_do_secret_set = {
	.check = set_check,
	.change = set_change,
	.object = "secret",
};

static enum err
remove_each(struct control_call *call, struct txn *txn, struct span name)
{
	(void)call;
	return secret_name_is_valid(name) ? secret_remove(txn, name) : ERR_NOT_FOUND;
}

const struct control_handler control_do_secret_remove = {
	.each = remove_each,
	.object = "secret",
};

/* ---- user legacy ---- */

struct legacy_change {
	const char *kind;
	bool on;
	char text[APP_PASSWORD_SIZE];
};

static bool
legacy_check(struct control_call *call)
{
	struct legacy_change *c = ARENA_NEW(&call->arena, struct legacy_change);

	call->state = c;
	c->on = span_eq(control_param(call, "state"), SPAN("on"));
	c->kind = span_eq(control_param(call, "mechanism"), SPAN(LEGACY_APOP)) ? LEGACY_APOP
									       : LEGACY_CRAM_MD5;
	control_call_wipes(call, (struct span){c->text, sizeof(c->text)});
	app_password_make(c->text);
	if (c->on && !call->host->conf->auth_recoverable)
		return control_fail(call, RPC_REFUSED, "APOP and CRAM-MD5 are off on this server",
			"config set auth.recoverable yes", NULL);
	return !c->on || control_can_seal(call);
}

/* APOP needs the password itself, CRAM-MD5 no more than two states of HMAC (H64). */
static enum err
legacy_seal(struct control_call *call, struct span name, struct buf *sealed)
{
	struct legacy_change *c = call->state;
	struct crypto_hmac_md5 key;
	enum err err;

	if (c->kind[0] == 'a')
		return secret_seal(call->host, name, span_of(c->text), sealed);
	crypto_hmac_md5_key(span_of(c->text), &key);
	err = secret_seal(call->host, name, (struct span){(const char *)&key, sizeof(key)}, sealed);
	explicit_bzero(&key, sizeof(key));
	return err;
}

static enum err
legacy_change(struct control_call *call, struct txn *txn)
{
	struct legacy_change *c = call->state;
	char text[USER_SECRET_NAME_SIZE];
	struct buf sealed;
	struct span name;
	struct user user;
	enum err err = user_find_by_name(txn_view(txn), control_param(call, "name"), &user);

	if (!control_fail_err(call, err, "user"))
		return err;
	call->job_done = 1;
	name = user_secret_name(user.user_id, c->kind, text);
	if (!c->on) {
		err = secret_remove(txn, name);
		if (err == ERR_NOT_FOUND)
			control_fail(call, RPC_NOT_FOUND, "the user has no such password", NULL,
				"mechanism");
		return err;
	}
	buf_init(&sealed, SECRET_SEALED_MAX);
	err = legacy_seal(call, name, &sealed);
	if (err == OK)
		err = secret_put(txn, name, buf_span(&sealed), call->now_ms);
	buf_fini(&sealed);
	return err;
}

static void
legacy_finish(struct control_call *call)
{
	struct legacy_change *c = call->state;
	struct span user = control_param(call, "name");

	if (c->on)
		call->secret = span_of(c->text);
	call->note = c->on ? arena_printf(&call->arena,
				     "password of %.*s for %s alone made; it is shown this once",
				     SPAN_FMT(user), c->kind)
			   : arena_printf(&call->arena, "password of %.*s for %s erased",
				     SPAN_FMT(user), c->kind);
	log_put(call->host->log,
		&(struct log_line){.level = LEVEL_INFO,
			.area = "security",
			.text = c->on ? "legacy password made" : "legacy password erased",
			.fields = {{"user", user, 0},
				{"for", span_of(c->kind), 0},
				{"by", span_of(call->who.name), 0}}});
}

const struct control_handler control_do_user_legacy = {
	.check = legacy_check,
	.change = legacy_change,
	.finish = legacy_finish,
	.object = "legacy password",
	.cannot = "a legacy password that was replaced or erased is kept nowhere",
};
