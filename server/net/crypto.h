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

/* SHA-256 of what comes in pieces. */
struct crypto_sha256_stream {
	_Alignas(8) unsigned char state[104]; /* the library's */
};
void crypto_sha256_begin(struct crypto_sha256_stream *s);
void crypto_sha256_feed(struct crypto_sha256_stream *s, struct span piece);
void crypto_sha256_end(struct crypto_sha256_stream *s, unsigned char out[CRYPTO_SHA256_SIZE]);

/*
 * BLAKE2b (RFC 7693) of what comes in pieces, CRYPTO_MARK_SIZE bytes: as hard to forge, and four times as fast. For what
 * is known again by us alone; where others name the hash it is SHA-256.
 */
#define CRYPTO_MARK_SIZE 16
struct crypto_mark_stream {
	_Alignas(64) unsigned char state[384]; /* the library's */
};
void crypto_mark_begin(struct crypto_mark_stream *s);
void crypto_mark_feed(struct crypto_mark_stream *s, struct span piece);
void crypto_mark_end(struct crypto_mark_stream *s, unsigned char out[CRYPTO_MARK_SIZE]);

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

/* ---- signatures ---- */

/*
 * A key that signs, as bytes: ed25519, the seed of 32 bytes (RFC 8032); RSA, RSAPrivateKey in DER (RFC 8017, A.1.2).
 * What is public of it: the 32 bytes, or SubjectPublicKeyInfo in DER (RFC 5280, 4.1). All of it runs on a worker:
 * an RSA key takes a second or several to make, a signature 1 to 5 ms.
 */
enum crypto_signer { CRYPTO_RSA, CRYPTO_ED25519 };

#define CRYPTO_RSA_BITS_MIN 2048
#define CRYPTO_RSA_BITS_MAX 4096
#define CRYPTO_PRIVATE_MAX 2400  /* bytes of a key that signs: RSA of 4096 bits */
#define CRYPTO_PUBLIC_MAX 600	 /* bytes of what is public of it */
#define CRYPTO_SIGNATURE_MAX 512 /* bytes */

/* Append both; BITS is of RSA alone. PRIVATE wipes. ERR_IO: the library failed; ERR_LIMIT: bits, or no room. */
MUST_CHECK enum err crypto_signer_make(
	enum crypto_signer kind, unsigned bits, struct buf *private, struct buf *public);
/* Append the signature of HASH: PKCS #1 v1.5 with SHA-256, or ed25519 of the hash's bytes (RFC 8463, 3). */
MUST_CHECK enum err crypto_signer_sign(enum crypto_signer kind, struct span private,
	const unsigned char hash[CRYPTO_SHA256_SIZE], struct buf *signature);

#define CRYPTO_NONCE_SIZE 24
/* A key of its own for PURPOSE (8 bytes), from KEY. */
void crypto_derive(const struct crypto_key *key, const char purpose[8], struct crypto_key *out);
/* XOR the stream of KEY and NONCE onto LEN bytes in place (XChaCha20); a second time undoes it (SEC-08). */
void crypto_mix(const struct crypto_key *key, const unsigned char nonce[CRYPTO_NONCE_SIZE],
	char *bytes, size_t len);

#endif
