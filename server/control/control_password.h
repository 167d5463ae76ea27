/*
 * control_password.h - a new password from a request: its rules, and its hash on a worker.
 */
#ifndef SERVER_CONTROL_CONTROL_PASSWORD_H
#define SERVER_CONTROL_CONTROL_PASSWORD_H

#include "server/control/control_call.h"
#include "server/session/password.h"

struct control_new_password {
	struct password_cost cost;
	char hash[PASSWORD_HASH_SIZE];
};

struct password_cost control_password_cost(const struct conf *conf);
/* Long enough, not too long (SEC-01, contract 7); fails the call otherwise. FIELD names it. */
bool control_password_rules(struct control_call *call, struct span password, const char *field);
/* For `work`: fills hash. Fails the call. */
bool control_password_hash(
	struct control_call *call, struct span password, struct control_new_password *out);

#endif
