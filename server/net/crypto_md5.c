/*
 * crypto_md5.c - MD5 by mbedTLS, and HMAC-MD5 from kept states (RFC 2104, 4).
 */
#include <mbedtls/md5.h>
#include <string.h>

#include "server/net/crypto.h"

#define MD5_BLOCK 64

/* The functions fail with hardware alone, and there is none behind them. */
#define MUST(call) ENSURE((call) == 0)

void
crypto_md5(struct span first, struct span second, unsigned char out[CRYPTO_MD5_SIZE])
{
	mbedtls_md5_context md5;

	mbedtls_md5_init(&md5);
	MUST(mbedtls_md5_starts_ret(&md5));
	MUST(mbedtls_md5_update_ret(&md5, (const unsigned char *)first.ptr, first.len));
	MUST(mbedtls_md5_update_ret(&md5, (const unsigned char *)second.ptr, second.len));
	MUST(mbedtls_md5_finish_ret(&md5, out));
	mbedtls_md5_free(&md5);
}

/* The state behind one block, as the bytes a digest would have. */
static void
state_after(const unsigned char block[MD5_BLOCK], unsigned char out[CRYPTO_MD5_SIZE])
{
	mbedtls_md5_context md5;

	mbedtls_md5_init(&md5);
	MUST(mbedtls_md5_starts_ret(&md5));
	MUST(mbedtls_md5_update_ret(&md5, block, MD5_BLOCK));
	for (size_t i = 0; i < CRYPTO_MD5_SIZE; i++)
		out[i] = (unsigned char)(md5.state[i / 4] >> (8 * (i % 4)));
	mbedtls_md5_free(&md5);
}

static void
finish_from(const unsigned char state[CRYPTO_MD5_SIZE], struct span text,
	unsigned char out[CRYPTO_MD5_SIZE])
{
	mbedtls_md5_context md5;

	mbedtls_md5_init(&md5);
	MUST(mbedtls_md5_starts_ret(&md5));
	for (size_t i = 0; i < CRYPTO_MD5_SIZE; i += 4)
		md5.state[i / 4] = (uint32_t)state[i] | (uint32_t)state[i + 1] << 8 |
				   (uint32_t)state[i + 2] << 16 | (uint32_t)state[i + 3] << 24;
	md5.total[0] = MD5_BLOCK;
	MUST(mbedtls_md5_update_ret(&md5, (const unsigned char *)text.ptr, text.len));
	MUST(mbedtls_md5_finish_ret(&md5, out));
	mbedtls_md5_free(&md5);
}

void
crypto_hmac_md5_key(struct span key, struct crypto_hmac_md5 *out)
{
	unsigned char block[MD5_BLOCK] = { 0 };

	if (key.len > MD5_BLOCK)
		crypto_md5(key, SPAN_NONE, block);
	else if (key.len > 0)
		memcpy(block, key.ptr, key.len);
	for (size_t i = 0; i < MD5_BLOCK; i++)
		block[i] ^= 0x36;
	state_after(block, out->inner);
	for (size_t i = 0; i < MD5_BLOCK; i++)
		block[i] ^= 0x36 ^ 0x5c;
	state_after(block, out->outer);
	explicit_bzero(block, sizeof(block));
}

void
crypto_hmac_md5(const struct crypto_hmac_md5 *key, struct span text,
	unsigned char out[CRYPTO_MD5_SIZE])
{
	unsigned char inner[CRYPTO_MD5_SIZE];

	finish_from(key->inner, text, inner);
	finish_from(key->outer, (struct span){ (const char *)inner, sizeof(inner) }, out);
}
