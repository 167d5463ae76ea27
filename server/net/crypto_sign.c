/*
 * crypto_sign.c - keys that sign: ed25519 by libsodium, RSA by mbedTLS 2.28 or 3.6.
 *
 * A key is read for each signature: that takes a tenth of what signing takes, and nothing secret stays.
 */
#include <mbedtls/pk.h>
#include <mbedtls/rsa.h>
#include <mbedtls/version.h>
#include <sodium.h>
#include <string.h>

#include "server/net/crypto.h"
#include "server/net/random.h"

#define RSA_EXPONENT 65537
#define SEED_SIZE crypto_sign_SEEDBYTES

static int
sign_random(void *arg, unsigned char *out, size_t size)
{
	(void)arg;
	random_fill(out, size);
	return 0;
}

/* ---- ed25519 ---- */

static enum err
ed25519_public(struct span private, struct buf *public)
{
	unsigned char secret[crypto_sign_SECRETKEYBYTES], out[crypto_sign_PUBLICKEYBYTES];

	if (private.len != SEED_SIZE)
		return ERR_SYNTAX;
	crypto_sign_seed_keypair(out, secret, (const unsigned char *)private.ptr);
	sodium_memzero(secret, sizeof(secret));
	return buf_put(public, (struct span){ (const char *)out, sizeof(out) });
}

static enum err
ed25519_make(struct buf *private, struct buf *public)
{
	char seed[SEED_SIZE];
	struct span made = { seed, sizeof(seed) };
	enum err err;

	random_fill(seed, sizeof(seed));
	err = buf_put(private, made);
	if (err == OK)
		err = ed25519_public(made, public);
	sodium_memzero(seed, sizeof(seed));
	return err;
}

static enum err
ed25519_sign(struct span private, const unsigned char *hash, struct buf *signature)
{
	unsigned char secret[crypto_sign_SECRETKEYBYTES], public[crypto_sign_PUBLICKEYBYTES];
	unsigned char out[crypto_sign_BYTES];

	if (private.len != SEED_SIZE)
		return ERR_SYNTAX;
	crypto_sign_seed_keypair(public, secret, (const unsigned char *)private.ptr);
	crypto_sign_detached(out, NULL, hash, CRYPTO_SHA256_SIZE, secret);
	sodium_memzero(secret, sizeof(secret));
	return buf_put(signature, (struct span){ (const char *)out, sizeof(out) });
}

/* ---- RSA ---- */

static enum err
rsa_parse(struct span private, mbedtls_pk_context *key)
{
	int rc;

#if MBEDTLS_VERSION_MAJOR >= 3
	rc = mbedtls_pk_parse_key(key, (const unsigned char *)private.ptr, private.len, NULL, 0,
		sign_random, NULL);
#else
	rc = mbedtls_pk_parse_key(key, (const unsigned char *)private.ptr, private.len, NULL, 0);
#endif
	return rc == 0 && mbedtls_pk_can_do(key, MBEDTLS_PK_RSA) ? OK : ERR_SYNTAX;
}

/* The library writes DER from the end of its room. */
static enum err
put_der(int (*write)(mbedtls_pk_context *, unsigned char *, size_t), mbedtls_pk_context *key,
	struct buf *out)
{
	unsigned char room[CRYPTO_PRIVATE_MAX];
	int len = write(key, room, sizeof(room));
	enum err err = ERR_IO;

	if (len > 0)
		err = buf_put(out, (struct span){
			(const char *)room + sizeof(room) - (size_t)len, (size_t)len });
	sodium_memzero(room, sizeof(room));
	return err;
}

static int
write_private(mbedtls_pk_context *key, unsigned char *room, size_t size)
{
	return mbedtls_pk_write_key_der(key, room, size);
}

static int
write_public(mbedtls_pk_context *key, unsigned char *room, size_t size)
{
	return mbedtls_pk_write_pubkey_der(key, room, size);
}

static enum err
rsa_make(unsigned bits, struct buf *private, struct buf *public)
{
	mbedtls_pk_context key;
	enum err err = ERR_IO;

	if (bits < CRYPTO_RSA_BITS_MIN || bits > CRYPTO_RSA_BITS_MAX)
		return ERR_LIMIT;
	mbedtls_pk_init(&key);
	if (mbedtls_pk_setup(&key, mbedtls_pk_info_from_type(MBEDTLS_PK_RSA)) == 0 &&
		mbedtls_rsa_gen_key(mbedtls_pk_rsa(key), sign_random, NULL, bits, RSA_EXPONENT) == 0)
		err = put_der(write_private, &key, private);
	if (err == OK)
		err = put_der(write_public, &key, public);
	mbedtls_pk_free(&key);
	return err;
}

static enum err
rsa_sign(struct span private, const unsigned char *hash, struct buf *signature)
{
	unsigned char out[MBEDTLS_PK_SIGNATURE_MAX_SIZE];
	mbedtls_pk_context key;
	size_t len = 0;
	enum err err;
	int rc;

	mbedtls_pk_init(&key);
	err = rsa_parse(private, &key);
	if (err == OK) {
#if MBEDTLS_VERSION_MAJOR >= 3
		rc = mbedtls_pk_sign(&key, MBEDTLS_MD_SHA256, hash, CRYPTO_SHA256_SIZE, out,
			sizeof(out), &len, sign_random, NULL);
#else
		rc = mbedtls_pk_sign(&key, MBEDTLS_MD_SHA256, hash, CRYPTO_SHA256_SIZE, out, &len,
			sign_random, NULL);
#endif
		err = rc == 0 ? buf_put(signature, (struct span){ (const char *)out, len }) : ERR_IO;
	}
	mbedtls_pk_free(&key);
	return err;
}

/* ---- either ---- */

enum err
crypto_signer_make(
	enum crypto_signer kind, unsigned bits, struct buf *private, struct buf *public)
{
	return kind == CRYPTO_RSA ? rsa_make(bits, private, public) : ed25519_make(private, public);
}

enum err
crypto_signer_sign(enum crypto_signer kind, struct span private,
	const unsigned char hash[CRYPTO_SHA256_SIZE], struct buf *signature)
{
	return kind == CRYPTO_RSA ? rsa_sign(private, hash, signature)
				  : ed25519_sign(private, hash, signature);
}
