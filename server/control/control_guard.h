/*
 * control_guard.h - message security: a second password in front of what people wrote (SEC-09).
 */
#ifndef SERVER_CONTROL_CONTROL_GUARD_H
#define SERVER_CONTROL_CONTROL_GUARD_H

#include "proto/control/rpc_request.h"

struct control_session;

/*
 * May S call R, as far as message security goes? False with *error set: field "message_security", so that a console
 * asks for the password.
 */
bool control_guard_may(
	struct control_session *s, const struct rpc_request *r, struct rpc_error *error);

#endif
