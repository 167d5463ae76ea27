/*
 * login.h - one try to log in: delay, look-up, hash, answer.
 *
 * Unknown, disabled, restricted users and wrong passwords cost the same and end the same (H58, POP-07):
 * a hash is always worked out, on a worker. A login that was good within auth.remember passes at
 * once (H63). Failures make the next try from that address, or for that user, wait (H57).
 */
#ifndef SERVER_SESSION_LOGIN_H
#define SERVER_SESSION_LOGIN_H

#include "conf/conf.h"
#include "proto/sasl/sasl.h"
#include "server/session/session.h"
#include "store/users.h"

struct login;

/*
 * OK: user_id and name (it lives during the call); session_take_user() may still refuse him.
 * ERR_DENIED: no. ERR_BUSY, ERR_IO: not now. The login is over: it may not be cancelled any more,
 * also where the session is closing meanwhile.
 */
typedef void login_done(struct session *s, enum err result, uint64_t user_id, struct span name);

/*
 * Begin; DONE comes later, on the loop, unless login_cancel() did. The credentials are copied, and
 * wiped when it is over. The session is to wait meanwhile.
 */
struct login *login_begin(struct session *s, enum user_protocol protocol,
	const struct sasl_login *credentials, login_done *done);

/* The session closes: DONE will not be called. May be NULL. */
void login_cancel(struct login **login);

#endif
