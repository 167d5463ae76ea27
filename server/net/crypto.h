/*
 * crypto.h - hashes, keys and seals, behind one door: libsodium, and mbedTLS for MD5.
 *
 * MD5 is here for CRAM-MD5 and APOP alone, which know nothing else (H64). Nothing fails but what
 * says so. Any thread; PBKDF2 takes 50 ms and more, so it runs on a worker.
 */
#ifndef SERVER_NET_CRYPTO_H
#define SERVER_NET_CRYPTO_H

#include "proto/base/buf.h"
#include "proto/base/span.h"

#define CRYPTO_SHA256_SIZE 32
#define CRYPTO_MD5_SIZE 16
#define CRYPTO_KEY_SIZE 32
#define CRYPTO_KEY_ID_SIZE 8
#define CRYPTO_SEAL_MORE (1 + CRYPTO_KEY_ID_SIZE + 24 + 16) /* bytes that a sealed value is longer */

/* ---- hashes ---- */

void crypto_sha256(struct span text, unsigned char out[CRYPTO_SHA256_SIZE]);
void crypto_hmac_sha256(struct span key, struct span text, unsigned char out[CRYPTO_SHA256_SIZE]);
/* RFC 8018, 5.2, one block of output: Hi() of RFC 5802, 2.2. */
void crypto_pbkdf2_sha256(struct span password, struct span salt, unsigned iterations,
	unsigned char out[CRYPTO_SHA256_SIZE]);

/* Of FIRST followed by SECOND. */
void crypto_md5(struct span first, struct span second, unsigned char out[CRYPTO_MD5_SIZE]);

/* HMAC-MD5 after its key, inside and outside: what CRAM-MD5 needs to keep (RFC 2195, 4). */
struct crypto_hmac_md5 {
	unsigned char inner[CRYPTO_MD5_SIZE], outer[CRYPTO_MD5_SIZE];
};
void crypto_hmac_md5_key(struct span key, struct crypto_hmac_md5 *out);
void crypto_hmac_md5(const struct crypto_hmac_md5 *key, struct span text,
	unsigned char out[CRYPTO_MD5_SIZE]);

/* In a time that does not depend on the bytes. */
bool crypto_same(const void *a, const void *b, size_t size);

/* ---- seals (H65) ---- */

struct crypto_key {
	unsigned char bytes[CRYPTO_KEY_SIZE];
};

/*
 * Append the sealed form of PLAIN: version, id of the key, nonce, XChaCha20-Poly1305. NAME says what
 * it is and is bound to it: under another name it does not open. ERR_LIMIT where OUT is full.
 */
MUST_CHECK enum err crypto_seal(
	const struct crypto_key *key, struct span name, struct span plain, struct buf *out);
/* Append PLAIN. ERR_DENIED: sealed with another key; ERR_CORRUPT: damaged, or of another name. */
MUST_CHECK enum err crypto_unseal(
	const struct crypto_key *key, struct span name, struct span sealed, struct buf *out);

#define CRYPTO_NONCE_SIZE 24
/* A key of its own for PURPOSE (8 bytes), from KEY. */
void crypto_derive(const struct crypto_key *key, const char purpose[8], struct crypto_key *out);
/* XOR the stream of KEY and NONCE onto LEN bytes in place (XChaCha20); a second time undoes it (SEC-08). */
void crypto_mix(const struct crypto_key *key, const unsigned char nonce[CRYPTO_NONCE_SIZE],
	char *bytes, size_t len);

#endif
