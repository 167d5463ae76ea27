/*
 * login.h - one try to log in: delay, look-up, hash, answer.
 *
 * Unknown, disabled, restricted users and wrong passwords cost the same and end the same (H58, POP-07):
 * a hash is always worked out, on a worker. A login that was good within auth.remember passes at
 * once (H63), and so does an app password. Proofs (CRAM-MD5, APOP, SCRAM) need no slow hash, right or
 * wrong. Failures make the next try from that address, or for that user, wait (H57).
 */
#ifndef SERVER_SESSION_LOGIN_H
#define SERVER_SESSION_LOGIN_H

#include "conf/conf.h"
#include "proto/sasl/sasl.h"
#include "server/session/scram.h"
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
 * Begin; DONE comes later, on the loop, unless login_cancel() did. A password is copied, and wiped
 * when it is over; a proof must stay as it is until then. The session is to wait meanwhile.
 */
struct login *login_begin(struct session *s, enum user_protocol protocol,
	const struct sasl_login *credentials, login_done *done);

/* In DONE: what the client of a right SCRAM proof must see before it is told so; else empty. */
struct span login_signature(const struct login *login);

/* The salt and count of SCRAM for NAME as the client gave it, also where that is nobody. */
void login_keys(struct session *s, struct span name, struct scram_key *out);

/* A right SCRAM proof, until the client has seen our signature. */
struct login_proven {
	uint64_t user_id;
	struct span name; /* session arena */
};

/* The session closes: DONE will not be called. May be NULL. */
void login_cancel(struct login **login);

#endif
