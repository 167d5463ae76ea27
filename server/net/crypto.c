/*
 * crypto.c - SHA-256, PBKDF2 and seals by libsodium.
 */
#include "server/net/crypto.h"

#include <sodium.h>
#include <string.h>

#include "server/net/random.h"

#define SEAL_VERSION 1
#define NONCE_SIZE crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_SIZE crypto_aead_xchacha20poly1305_ietf_ABYTES
#define SEAL_HEAD (1 + CRYPTO_KEY_ID_SIZE + NONCE_SIZE)
#define SEAL_NAME_MAX 255

_Static_assert(CRYPTO_SEAL_MORE == SEAL_HEAD + TAG_SIZE, "what sealing adds");
_Static_assert(CRYPTO_KEY_SIZE == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "a key");

static const unsigned char *
bytes_of(struct span text)
{
	return (const unsigned char *)(text.ptr ? text.ptr : "");
}

/* ---- hashes ---- */

void
crypto_sha256(struct span text, unsigned char out[CRYPTO_SHA256_SIZE])
{
	crypto_hash_sha256(out, bytes_of(text), text.len);
}

_Static_assert(sizeof(crypto_hash_sha256_state) <= sizeof(struct crypto_sha256_stream), "room");

void
crypto_sha256_begin(struct crypto_sha256_stream *s)
{
	crypto_hash_sha256_init((void *)s->state);
}

void
crypto_sha256_feed(struct crypto_sha256_stream *s, struct span piece)
{
	crypto_hash_sha256_update((void *)s->state, bytes_of(piece), piece.len);
}

void
crypto_sha256_end(struct crypto_sha256_stream *s, unsigned char out[CRYPTO_SHA256_SIZE])
{
	crypto_hash_sha256_final((void *)s->state, out);
}

_Static_assert(sizeof(crypto_generichash_state) <= sizeof(struct crypto_mark_stream), "room");

void
crypto_mark_begin(struct crypto_mark_stream *s)
{
	crypto_generichash_init((void *)s->state, NULL, 0, CRYPTO_MARK_SIZE);
}

void
crypto_mark_feed(struct crypto_mark_stream *s, struct span piece)
{
	crypto_generichash_update((void *)s->state, bytes_of(piece), piece.len);
}

void
crypto_mark_end(struct crypto_mark_stream *s, unsigned char out[CRYPTO_MARK_SIZE])
{
	crypto_generichash_final((void *)s->state, out, CRYPTO_MARK_SIZE);
}

void
crypto_hmac_sha256(struct span key, struct span text, unsigned char out[CRYPTO_SHA256_SIZE])
{
	crypto_auth_hmacsha256_state state;

	crypto_auth_hmacsha256_init(&state, bytes_of(key), key.len);
	crypto_auth_hmacsha256_update(&state, bytes_of(text), text.len);
	crypto_auth_hmacsha256_final(&state, out);
	sodium_memzero(&state, sizeof(state));
}

void
crypto_pbkdf2_sha256(struct span password, struct span salt, unsigned iterations,
	unsigned char out[CRYPTO_SHA256_SIZE])
{
	static const unsigned char first_block[] = { 0, 0, 0, 1 };
	crypto_auth_hmacsha256_state keyed, state;
	unsigned char u[CRYPTO_SHA256_SIZE];

	crypto_auth_hmacsha256_init(&keyed, bytes_of(password), password.len);
	state = keyed;
	crypto_auth_hmacsha256_update(&state, bytes_of(salt), salt.len);
	crypto_auth_hmacsha256_update(&state, first_block, sizeof(first_block));
	crypto_auth_hmacsha256_final(&state, u);
	memcpy(out, u, sizeof(u));
	for (unsigned i = 1; i < iterations; i++) {
		state = keyed;
		crypto_auth_hmacsha256_update(&state, u, sizeof(u));
		crypto_auth_hmacsha256_final(&state, u);
		for (size_t k = 0; k < sizeof(u); k++)
			out[k] ^= u[k];
	}
	sodium_memzero(&keyed, sizeof(keyed));
	sodium_memzero(&state, sizeof(state));
	sodium_memzero(u, sizeof(u));
}

bool
crypto_same(const void *a, const void *b, size_t size)
{
	return sodium_memcmp(a, b, size) == 0;
}

/* ---- seals ---- */

/* Which key it was, without a hint what it is. */
static void
key_id(const struct crypto_key *key, unsigned char out[CRYPTO_KEY_ID_SIZE])
{
	unsigned char hash[CRYPTO_SHA256_SIZE];

	crypto_hmac_sha256((struct span){ (const char *)key->bytes, sizeof(key->bytes) },
		SPAN("postroom key id"), hash);
	memcpy(out, hash, CRYPTO_KEY_ID_SIZE);
}

enum err
crypto_seal(const struct crypto_key *key, struct span name, struct span plain, struct buf *out)
{
	unsigned char *at = (unsigned char *)buf_reserve(out, plain.len + CRYPTO_SEAL_MORE);
	unsigned char *nonce;

	ENSURE(name.len <= SEAL_NAME_MAX);
	if (!at)
		return ERR_LIMIT;
	at[0] = SEAL_VERSION;
	key_id(key, at + 1);
	nonce = at + 1 + CRYPTO_KEY_ID_SIZE;
	random_fill(nonce, NONCE_SIZE);
	crypto_aead_xchacha20poly1305_ietf_encrypt(at + SEAL_HEAD, NULL, bytes_of(plain), plain.len,
		bytes_of(name), name.len, NULL, nonce, key->bytes);
	buf_added(out, plain.len + CRYPTO_SEAL_MORE);
	return OK;
}

enum err
crypto_unseal(const struct crypto_key *key, struct span name, struct span sealed, struct buf *out)
{
	const unsigned char *in = bytes_of(sealed);
	unsigned char id[CRYPTO_KEY_ID_SIZE], *at;

	if (sealed.len < CRYPTO_SEAL_MORE || in[0] != SEAL_VERSION)
		return ERR_CORRUPT;
	key_id(key, id);
	if (!crypto_same(id, in + 1, sizeof(id)))
		return ERR_DENIED;
	at = (unsigned char *)buf_reserve(out, sealed.len - CRYPTO_SEAL_MORE);
	if (!at)
		return ERR_LIMIT;
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(at, NULL, NULL, in + SEAL_HEAD,
		    sealed.len - SEAL_HEAD, bytes_of(name), name.len, in + 1 + CRYPTO_KEY_ID_SIZE,
		    key->bytes) != 0)
		return ERR_CORRUPT;
	buf_added(out, sealed.len - CRYPTO_SEAL_MORE);
	return OK;
}

/* ---- streams (SEC-08) ---- */

void
crypto_derive(const struct crypto_key *key, const char purpose[8], struct crypto_key *out)
{
	_Static_assert(crypto_kdf_CONTEXTBYTES == 8, "a purpose is a context");
	crypto_kdf_derive_from_key(out->bytes, sizeof(out->bytes), 1, purpose, key->bytes);
}

void
crypto_mix(const struct crypto_key *key, const unsigned char nonce[CRYPTO_NONCE_SIZE], char *bytes,
	size_t len)
{
	unsigned char *at = (unsigned char *)bytes;

	_Static_assert(crypto_stream_xchacha20_NONCEBYTES == CRYPTO_NONCE_SIZE, "its nonce");
	crypto_stream_xchacha20_xor(at, at, len, nonce, key->bytes);
}
