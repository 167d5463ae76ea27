/*
 * scram.h - keys of SCRAM-SHA-256 (RFC 5802, 3; RFC 7677): made of a password, asked for a proof.
 */
#ifndef SERVER_SESSION_SCRAM_H
#define SERVER_SESSION_SCRAM_H

#include "server/net/crypto.h"
#include "store/user_fields.h"

#define SCRAM_SALT_SIZE 16
#define SCRAM_ITERATIONS 100000 /* H63 */

struct scram_key {
	char salt[SCRAM_SALT_SIZE];
	uint32_t iterations;
	unsigned char stored[CRYPTO_SHA256_SIZE], server[CRYPTO_SHA256_SIZE];
};

/* As it lies in the user's row. */
void scram_key_put(const struct scram_key *key, char out[USER_SCRAM_SIZE]);
/* False: none, or not in this form. */
bool scram_key_take(struct span bytes, struct scram_key *out);

/* A key of PASSWORD with a salt of its own. On a worker: it takes 50 ms and more. */
void scram_key_make(struct span password, struct scram_key *out);
/* The same from a salt and a count that are given. */
void scram_key_from(struct span password, struct scram_key *key);

/*
 * Was PROOF, of 32 bytes, made with the password of KEY for AUTH_MESSAGE? *signature is what proves
 * us to the client. Wrong and right take the same time.
 */
bool scram_proof_is_right(const struct scram_key *key, struct span auth_message,
	struct span proof, unsigned char signature[CRYPTO_SHA256_SIZE]);

/* The salt of one who has no key: always the same for a name, so that nobody learns it (H58). */
void scram_fake_salt(const struct crypto_key *secret, struct span name, char out[SCRAM_SALT_SIZE]);

#endif
