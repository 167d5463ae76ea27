/*
 * password.c - Argon2id by libsodium.
 */
#include "server/session/password.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define HASH_KIB_MAX (1024 * 1024) /* the highest auth.hash_memory */
#define HASH_PASSES_MAX 100        /* the highest auth.hash_passes */

_Static_assert(crypto_pwhash_STRBYTES <= PASSWORD_HASH_SIZE, "a hash fits");

enum err
password_hash(struct span password, const struct password_cost *cost, char out[PASSWORD_HASH_SIZE])
{
	if (password.len == 0 || password.len > PASSWORD_MAX)
		return ERR_LIMIT;
	if (sodium_init() < 0)
		return ERR_IO;
	memset(out, 0, PASSWORD_HASH_SIZE);
	if (crypto_pwhash_str_alg(out, password.ptr, password.len, cost->passes, cost->memory,
		    crypto_pwhash_ALG_ARGON2ID13) != 0)
		return ERR_IO;
	return OK;
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

/* A hash that no password has, as dear to check as a real one of COST. */
static void
dummy_text(const struct password_cost *cost, char out[crypto_pwhash_STRBYTES])
{
	memset(out, 0, crypto_pwhash_STRBYTES);
	snprintf(out, crypto_pwhash_STRBYTES, "$argon2id$v=19$m=%zu,t=%u,p=1$%s$%s",
		cost->memory / 1024, cost->passes, "cG9zdHJvb20gbm9ib2R5IQ",
		"bm9ib2R5IGlzIGhlcmUsIG5vYm9keSBpcyB0aGVyZSE");
}

enum err
password_check(struct span hash, struct span password, const struct password_cost *cost)
{
	char text[crypto_pwhash_STRBYTES];
	bool nobody = hash.len == 0 || password.len > PASSWORD_MAX;

	if (sodium_init() < 0)
		return ERR_IO;
	if (nobody)
		dummy_text(cost, text);
	else if (hash_text(hash, text) != OK)
		return ERR_CORRUPT;
	password = span_range(password, 0, PASSWORD_MAX);
	if (crypto_pwhash_str_verify(text, password.ptr ? password.ptr : "", password.len) != 0)
		return ERR_DENIED;
	return nobody ? ERR_DENIED : OK;
}

bool
password_is_weak(struct span hash, const struct password_cost *cost)
{
	char text[crypto_pwhash_STRBYTES];
	unsigned long kib, passes;

	if (hash_text(hash, text) != OK ||
		sscanf(text, "$argon2id$v=19$m=%lu,t=%lu,", &kib, &passes) != 2)
		return false;
	return kib < cost->memory / 1024 || passes < cost->passes;
}

bool
password_is_hash(struct span hash)
{
	char text[crypto_pwhash_STRBYTES];
	unsigned long kib, passes;

	return sodium_init() >= 0 && !span_has_control(hash, SPAN_NONE) &&
		hash_text(hash, text) == OK &&
		crypto_pwhash_str_needs_rehash(text, 1, crypto_pwhash_MEMLIMIT_MIN) >= 0 &&
		sscanf(text, "$argon2id$v=19$m=%lu,t=%lu,", &kib, &passes) == 2 &&
		kib <= HASH_KIB_MAX && passes <= HASH_PASSES_MAX;
}
