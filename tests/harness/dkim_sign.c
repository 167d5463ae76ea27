/*
 * dkim_sign.c - signs the message of its standard input with new keys, RSA and Ed25519, for tests/clients/signatures.py: the
 * records come first, a line each, then an empty line and the signed message.
 */
#include <stdio.h>

#include "proto/auth/dkim.h"
#include "proto/mail/header.h"
#include "server/net/crypto.h"

#define MESSAGE_MAX (4u << 20)

static const struct span oversigned[] = { { "From", 4 }, { "To", 2 }, { "Subject", 7 }, { "Date", 4 } };
static const struct span names[] = { { "List-Id", 7 }, { "X-Long", 6 } };

static void
feed(void *stream, struct span bytes)
{
	crypto_sha256_feed(stream, bytes);
}

static void
hash_body(struct span body, enum dkim_canon canon, unsigned char *out)
{
	struct crypto_sha256_stream stream;
	struct dkim_body b;

	crypto_sha256_begin(&stream);
	dkim_body_init(&b, canon, feed, &stream);
	for (size_t at = 0; at < body.len; at += 7)
		dkim_body_feed(&b, span_range(body, at, at + 7));
	dkim_body_end(&b);
	crypto_sha256_end(&stream, out);
}

static void
sign(enum dkim_algorithm algorithm, enum dkim_canon canon, struct span header, struct span body,
	struct buf *fields)
{
	struct dkim_signing s = { .algorithm = algorithm, .header_canon = canon, .body_canon = canon,
		.domain = SPAN("example.test"), .time_s = 1700000000,
		.selector = algorithm == DKIM_RSA_SHA256 ? SPAN("r") : SPAN("e"),
		.sign = { names, oversigned, COUNT(names), COUNT(oversigned) } };
	unsigned char hash[CRYPTO_SHA256_SIZE];
	struct crypto_sha256_stream stream;
	struct buf private, public, record, signature;

	buf_init(&private, CRYPTO_PRIVATE_MAX);
	buf_init(&public, CRYPTO_PUBLIC_MAX);
	buf_init(&record, DKIM_RECORD_MAX);
	buf_init(&signature, CRYPTO_SIGNATURE_MAX);
	hash_body(body, canon, s.body_hash);
	ENSURE(crypto_signer_make((enum crypto_signer)algorithm, 2048, &private, &public) == OK);
	ENSURE(dkim_record_put(algorithm, buf_span(&public), &record) == OK);
	crypto_sha256_begin(&stream);
	ENSURE(dkim_field_begin(&s, header, fields, feed, &stream) == OK);
	crypto_sha256_end(&stream, hash);
	ENSURE(crypto_signer_sign((enum crypto_signer)algorithm, buf_span(&private), hash,
		       &signature) == OK);
	ENSURE(dkim_field_end(fields, buf_span(&signature)) == OK);
	printf("%.*s\n", SPAN_FMT(buf_span(&record)));
	buf_wipe(&private);
	buf_fini(&public);
	buf_fini(&record);
	buf_fini(&signature);
}

int
main(int argc, char **argv)
{
	static char message[MESSAGE_MAX];
	struct span all = { message, fread(message, 1, sizeof(message), stdin) };
	struct header_end end = { .found = false };
	size_t head = header_end_find(&end, all);
	struct buf fields;

	(void)argv;
	buf_init(&fields, 2 * DKIM_FIELD_MAX);
	for (enum dkim_algorithm i = 0; i < DKIM_ALGORITHMS; i++)
		sign(i, argc > 1 ? DKIM_SIMPLE : DKIM_RELAXED, span_range(all, 0, head),
			span_from(all, head), &fields);
	printf("\n%.*s", SPAN_FMT(buf_span(&fields)));
	fwrite(all.ptr, 1, all.len, stdout);
	buf_fini(&fields);
	return 0;
}
