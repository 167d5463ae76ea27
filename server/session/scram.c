/*
 * scram.c - the arithmetic of RFC 5802, 3.
 */
#include "server/session/scram.h"

#include <stdlib.h>
#include <string.h>
#include <uninorm.h>

#include "proto/base/ascii.h"
#include "server/net/random.h"

_Static_assert(USER_SCRAM_SIZE == SCRAM_SALT_SIZE + 4 + 2 * CRYPTO_SHA256_SIZE, "a key fits");

static struct span
digest(const unsigned char bytes[CRYPTO_SHA256_SIZE])
{
	return (struct span){ (const char *)bytes, CRYPTO_SHA256_SIZE };
}

void
scram_key_put(const struct scram_key *key, char out[USER_SCRAM_SIZE])
{
	memcpy(out, key->salt, SCRAM_SALT_SIZE);
	out += SCRAM_SALT_SIZE;
	for (int i = 0; i < 4; i++)
		*out++ = (char)(key->iterations >> (8 * i));
	memcpy(out, key->stored, sizeof(key->stored));
	memcpy(out + sizeof(key->stored), key->server, sizeof(key->server));
}

bool
scram_key_take(struct span bytes, struct scram_key *out)
{
	const char *at = bytes.ptr;

	if (bytes.len != USER_SCRAM_SIZE)
		return false;
	memcpy(out->salt, at, SCRAM_SALT_SIZE);
	at += SCRAM_SALT_SIZE;
	out->iterations = 0;
	for (int i = 0; i < 4; i++)
		out->iterations |= (uint32_t)(unsigned char)*at++ << (8 * i);
	memcpy(out->stored, at, sizeof(out->stored));
	memcpy(out->server, at + sizeof(out->stored), sizeof(out->server));
	return out->iterations > 0;
}

/* SASLprep as far as it matters (RFC 4013, 2.2): clients send NFKC. NULL where it is not UTF-8. */
static char *
normalise(struct span password, size_t *len)
{
	return (char *)u8_normalize(UNINORM_NFKC, (const uint8_t *)password.ptr, password.len, NULL,
		len);
}

void
scram_key_from(struct span password, struct scram_key *key)
{
	unsigned char salted[CRYPTO_SHA256_SIZE], client[CRYPTO_SHA256_SIZE];
	size_t len = 0;
	char *text = normalise(password, &len);

	if (text)
		password = (struct span){ text, len };
	crypto_pbkdf2_sha256(password, (struct span){ key->salt, sizeof(key->salt) },
		key->iterations, salted);
	crypto_hmac_sha256(digest(salted), SPAN("Client Key"), client);
	crypto_sha256(digest(client), key->stored);
	crypto_hmac_sha256(digest(salted), SPAN("Server Key"), key->server);
	explicit_bzero(salted, sizeof(salted));
	explicit_bzero(client, sizeof(client));
	if (text)
		explicit_bzero(text, len);
	free(text);
}

void
scram_key_make(struct span password, struct scram_key *out)
{
	random_fill(out->salt, sizeof(out->salt));
	out->iterations = SCRAM_ITERATIONS;
	scram_key_from(password, out);
}

bool
scram_proof_is_right(const struct scram_key *key, struct span auth_message, struct span proof,
	unsigned char signature[CRYPTO_SHA256_SIZE])
{
	unsigned char client[CRYPTO_SHA256_SIZE], hash[CRYPTO_SHA256_SIZE];
	bool same;

	ENSURE(proof.len == CRYPTO_SHA256_SIZE);
	crypto_hmac_sha256(digest(key->stored), auth_message, client);
	for (size_t i = 0; i < sizeof(client); i++)
		client[i] ^= (unsigned char)proof.ptr[i];
	crypto_sha256(digest(client), hash);
	crypto_hmac_sha256(digest(key->server), auth_message, signature);
	same = crypto_same(hash, key->stored, sizeof(hash));
	explicit_bzero(client, sizeof(client)); /* ClientKey: as good as the password */
	return same;
}

void
scram_fake_salt(const struct crypto_key *secret, struct span name, char out[SCRAM_SALT_SIZE])
{
	unsigned char hash[CRYPTO_SHA256_SIZE];
	struct buf text;

	buf_init(&text, 1024);
	ENSURE(buf_put(&text, SPAN("postroom scram salt ")) == OK);
	for (size_t i = 0; i < name.len && i < 255; i++)
		ENSURE(buf_put_char(&text, ascii_lower(name.ptr[i])) == OK);
	crypto_hmac_sha256(
		(struct span){ (const char *)secret->bytes, sizeof(secret->bytes) }, buf_span(&text), hash);
	buf_fini(&text);
	memcpy(out, hash, SCRAM_SALT_SIZE);
}
