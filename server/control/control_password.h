/*
 * control_password.h - a new password from a request: its rules, and its hash on a worker.
 */
#ifndef SERVER_CONTROL_CONTROL_PASSWORD_H
#define SERVER_CONTROL_CONTROL_PASSWORD_H

#include "server/control/control_call.h"
#include "server/session/password.h"
#include "store/users.h"

struct control_new_password {
	struct password_cost cost;
	bool wants_scram; /* auth.scram */
	char hash[PASSWORD_HASH_SIZE];
	size_t scram_len;
	char scram[USER_SCRAM_SIZE];
};

/* What a later step needs of the settings; for `check`, on the loop. */
void control_password_begin(const struct conf *conf, struct control_new_password *out);

/* "app_passwords", "legacy" and "scram" of USER, as members of the open object: no secret of them. */
void control_put_passwords(
	struct json_writer *w, struct snapshot *snap, const struct user *user);

struct password_cost control_password_cost(const struct conf *conf);
/* Long enough, not too long (SEC-01, contract 7); fails the call otherwise. FIELD names it. */
bool control_password_rules(struct control_call *call, struct span password, const char *field);
/* For `work`: fills hash and scram. Fails the call. */
bool control_password_hash(
	struct control_call *call, struct span password, struct control_new_password *out);

/* Is there a key to seal a secret with (H65)? Fails the call otherwise. */
bool control_can_seal(struct control_call *call);

#endif
