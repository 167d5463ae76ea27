/*
 * app_password.h - passwords that we make: 24 letters and digits in groups of four.
 *
 *     k7mw-x3tq-9fzh-2bdn-vr8s-4cgp
 *
 * 120 random bits: nobody guesses one, so a fast hash is enough, and one look costs nothing beside
 * the slow hash of a refusal (H58). They are for mail programs: never for console or password service.
 */
#ifndef SERVER_SESSION_APP_PASSWORD_H
#define SERVER_SESSION_APP_PASSWORD_H

#include "server/net/crypto.h"
#include "store/app_passwords.h"

#define APP_PASSWORD_SIZE 30 /* with its 0 */
#define APP_PASSWORD_PROTOCOLS \
	(1u << USER_POP3 | 1u << USER_IMAP | 1u << USER_SMTP | 1u << USER_LDAP)

_Static_assert(APP_HASH_SIZE == CRYPTO_SHA256_SIZE, "what is kept of one");

void app_password_make(char out[APP_PASSWORD_SIZE]);

/* Dashes, blanks and letter case do not count. False: none of ours. */
bool app_password_hash(uint64_t user_id, struct span text, unsigned char out[APP_HASH_SIZE]);

/* The app password of USER_ID for PROTOCOL that TEXT is; 0: none. */
uint64_t app_password_which(struct snapshot *snap, uint64_t user_id, enum user_protocol protocol,
	struct span text);

#endif
