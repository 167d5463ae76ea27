/*
 * login_proof.h - logins that prove a secret without sending it: CRAM-MD5, APOP, SCRAM-SHA-256; and
 * which ways of logging in a session offers.
 *
 * Nothing here is slow. Who has no such secret costs what a wrong proof costs (H58).
 */
#ifndef SERVER_SESSION_LOGIN_PROOF_H
#define SERVER_SESSION_LOGIN_PROOF_H

#include "proto/sasl/sasl.h"
#include "server/host.h"
#include "server/session/scram.h"
#include "store/users.h"

/* The kinds of sealed secrets of users (store/secrets.h). */
#define LEGACY_APOP "apop"	   /* the password itself */
#define LEGACY_CRAM_MD5 "cram-md5" /* struct crypto_hmac_md5 */

static inline bool
login_is_proof(const struct sasl_login *given)
{
	return given->proof.len > 0;
}

/*
 * Is the proof of GIVEN the one of USER (NULL: of nobody)? OK, ERR_DENIED; ERR_NOT_FOUND where there
 * is no secret for this mechanism: the peer must not see the difference. For SCRAM *signature is
 * what the client wants to see after OK.
 */
MUST_CHECK enum err login_proof(struct host *host, struct snapshot *snap, const struct user *user,
	const struct sasl_login *given, unsigned char signature[CRYPTO_SHA256_SIZE]);

/* The reason of ERR (ERR_DENIED or ERR_NOT_FOUND), for the log. */
const char *login_proof_why(const struct sasl_login *given, enum err err);

/* Salt and count of NAME, without a domain of ours; whoever that is. Loop thread. */
void login_scram_keys(struct host *host, struct span name, struct scram_key *out);

/* All mechanisms that the settings allow, SASL_BIT() each. */
unsigned login_mechanisms(const struct conf *conf);
/* Random, and the time: for one exchange, or the timestamp of a greeting. */
void login_nonce(const struct host *host, struct sasl_nonce *out);

#endif
