/*
 * control_password.c - see control_password.h.
 */
#include "server/control/control_password.h"

#include <string.h>

#include "conf/conf.h"
#include "server/session/login_proof.h"
#include "store/app_passwords.h"
#include "store/secrets.h"

struct password_cost
control_password_cost(const struct conf *conf)
{
	return (struct password_cost){.memory = (size_t)conf->auth_hash_memory,
		.passes = (unsigned)conf->auth_hash_passes};
}

void
control_password_begin(const struct conf *conf, struct control_new_password *out)
{
	out->cost = control_password_cost(conf);
	out->wants_scram = conf->auth_scram;
}

bool
control_password_rules(struct control_call *call, struct span password, const char *field)
{
	int64_t shortest = call->host->conf->auth_min_length;

	if (password.len == 0)
		return control_fail(call, RPC_INVALID, "the password is empty", NULL, field);
	if ((int64_t)password.len < shortest)
		return control_failf(call, RPC_INVALID, field,
			"the password is too short: at least %lld bytes (auth.min_length)",
			(long long)shortest);
	if (password.len > PASSWORD_MAX)
		return control_failf(call, RPC_INVALID, field,
			"the password is too long: at most %d bytes", PASSWORD_MAX);
	return true;
}

bool
control_password_hash(
	struct control_call *call, struct span password, struct control_new_password *out)
{
	enum err err = password_hash(password, &out->cost, out->hash);
	struct scram_key key;

	if (err == OK && out->wants_scram) {
		scram_key_make(password, &key);
		scram_key_put(&key, out->scram);
		out->scram_len = sizeof(out->scram);
		explicit_bzero(&key, sizeof(key));
	}
	return control_fail_err(call, err, "the password");
}

void
control_put_passwords(struct json_writer *w, struct snapshot *snap, const struct user *user)
{
	static const char *const kinds[] = {LEGACY_APOP, LEGACY_CRAM_MD5};
	char name[USER_SECRET_NAME_SIZE];
	struct sealed_secret secret;
	size_t count = 0;

	if (app_password_count(snap, user->user_id, &count) != OK)
		count = 0; /* logged; `check` says more */
	json_put_member_u64(w, SPAN("app_passwords"), count);
	json_put_name(w, SPAN("legacy"));
	json_put_array(w);
	for (size_t i = 0; i < COUNT(kinds); i++)
		if (secret_find(snap, user_secret_name(user->user_id, kinds[i], name), &secret) ==
			OK)
			json_put_string(w, span_of(kinds[i]));
	json_put_close(w);
	json_put_member_bool(w, SPAN("scram"), user->scram.len > 0);
}
