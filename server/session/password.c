/*
 * password.c - Argon2id by libsodium.
 */
#include "server/session/password.h"

#include <sodium.h>
#include <string.h>

/* A hash that belongs to nobody; checking against it costs what checking against a real one costs. */
static char dummy_hash[crypto_pwhash_STRBYTES];

_Static_assert(crypto_pwhash_STRBYTES <= PASSWORD_HASH_SIZE, "a hash fits");

static enum err
hash_make(const char *password, size_t len, char *out)
{
	if (crypto_pwhash_str_alg(out, password, len, PASSWORD_PASSES, PASSWORD_MEMORY,
		    crypto_pwhash_ALG_ARGON2ID13) != 0)
		return ERR_IO;
	return OK;
}

enum err
password_init(void)
{
	char random[32];

	if (sodium_init() < 0)
		return ERR_IO;
	if (dummy_hash[0] != '\0')
		return OK;
	randombytes_buf(random, sizeof(random));
	return hash_make(random, sizeof(random), dummy_hash);
}

enum err
password_hash(struct span password, char out[PASSWORD_HASH_SIZE])
{
	if (password.len == 0 || password.len > PASSWORD_MAX)
		return ERR_LIMIT;
	memset(out, 0, PASSWORD_HASH_SIZE);
	return hash_make(password.ptr, password.len, out);
}

/* HASH as the library wants it: 0-terminated. */
static enum err
hash_text(struct span hash, char out[crypto_pwhash_STRBYTES])
{
	if (hash.len >= crypto_pwhash_STRBYTES || !span_starts(hash, SPAN("$argon2id$")))
		return ERR_CORRUPT;
	memset(out, 0, crypto_pwhash_STRBYTES);
	memcpy(out, hash.ptr, hash.len);
	return OK;
}

enum err
password_check(struct span hash, struct span password)
{
	char text[crypto_pwhash_STRBYTES];
	bool nobody = hash.len == 0 || password.len > PASSWORD_MAX;

	password = span_range(password, 0, PASSWORD_MAX);
	if (nobody)
		hash = span_of(dummy_hash);
	if (hash_text(hash, text) != OK)
		return ERR_CORRUPT;
	if (crypto_pwhash_str_verify(text, password.ptr ? password.ptr : "", password.len) != 0)
		return ERR_DENIED;
	return nobody ? ERR_DENIED : OK;
}

bool
password_is_old(struct span hash)
{
	char text[crypto_pwhash_STRBYTES];

	if (hash_text(hash, text) != OK)
		return true;
	return crypto_pwhash_str_needs_rehash(text, PASSWORD_PASSES, PASSWORD_MEMORY) != 0;
}
