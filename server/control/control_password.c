/*
 * control_password.c - see control_password.h.
 */
#include "server/control/control_password.h"

#include "conf/conf.h"

struct password_cost
control_password_cost(const struct conf *conf)
{
	return (struct password_cost){.memory = (size_t)conf->auth_hash_memory,
		.passes = (unsigned)conf->auth_hash_passes};
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

	return control_fail_err(call, err, "the password");
}
