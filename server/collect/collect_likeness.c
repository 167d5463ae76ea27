/*
 * collect_likeness.c - hashes of unique ids, headers and texts; each kind begins with a word of its own.
 *
 * Ids and headers are in rows that earlier versions wrote: they stay what they are, SHA-256. All of a text is long, and seldom
 * tells; that is BLAKE2b.
 */
#include "server/collect/collect_likeness.h"

#include <string.h>

#include "proto/mail/header.h"

/* What servers write into a header as they like: of mbox files, of themselves. */
static const struct span passing[] = {
	SPAN("Status"), SPAN("X-Status"), SPAN("X-UIDL"), SPAN("X-UID"), SPAN("X-IMAP"),
	SPAN("X-IMAPbase"), SPAN("X-Keywords"), SPAN("Content-Length"), SPAN("Lines"), SPAN("X-Mozilla-Status"),
	SPAN("X-Mozilla-Status2"),
};

static bool
is_passing(struct span name)
{
	for (size_t i = 0; i < COUNT(passing); i++)
		if (span_eq_nocase(name, passing[i]))
			return true;
	return false;
}

_Static_assert(CRYPTO_MARK_SIZE == FETCHED_HASH_SIZE, "a hash");

static void
end(struct crypto_sha256_stream *stream, unsigned char hash[FETCHED_HASH_SIZE])
{
	unsigned char whole[CRYPTO_SHA256_SIZE];

	crypto_sha256_end(stream, whole);
	memcpy(hash, whole, FETCHED_HASH_SIZE);
}

void
collect_like_unique(struct span unique, unsigned char hash[FETCHED_HASH_SIZE])
{
	struct crypto_sha256_stream stream;

	crypto_sha256_begin(&stream);
	crypto_sha256_feed(&stream, SPAN("unique\n"));
	crypto_sha256_feed(&stream, unique);
	end(&stream, hash);
}

bool
collect_like_header(struct span header, unsigned char hash[FETCHED_HASH_SIZE])
{
	struct crypto_sha256_stream stream;
	struct header_field field;
	bool tells = false;

	crypto_sha256_begin(&stream);
	crypto_sha256_feed(&stream, SPAN("header\n"));
	while (header_next(&header, &field)) {
		if (is_passing(field.name))
			continue;
		tells = tells || ((span_eq_nocase(field.name, SPAN("Message-Id")) ||
			span_eq_nocase(field.name, SPAN("Received"))) &&
			span_trim_folds(field.value).len > 0);
		crypto_sha256_feed(&stream, field.raw);
	}
	end(&stream, hash);
	return tells;
}

uint64_t
collect_like_mark(const unsigned char hash[FETCHED_HASH_SIZE])
{
	uint64_t mark;

	memcpy(&mark, hash, sizeof(mark));
	return mark + (mark == 0);
}

void
collect_like_begin(struct collect_likeness *l)
{
	crypto_mark_begin(&l->stream);
	crypto_mark_feed(&l->stream, SPAN("text\n"));
	l->begun = true;
}

void
collect_like_feed(struct collect_likeness *l, struct span text)
{
	if (l->begun)
		crypto_mark_feed(&l->stream, text);
}

void
collect_like_end(struct collect_likeness *l, unsigned char hash[FETCHED_HASH_SIZE])
{
	crypto_mark_end(&l->stream, hash);
	l->begun = false;
}

/* Cheap, for it is done to a whole list; whoever makes two of the same makes his own message wait for a day. */
uint64_t
collect_like_sizes(uint64_t before, uint64_t size)
{
	uint64_t mixed = (before ^ size) * UINT64_C(0x9e3779b97f4a7c15);

	return mixed ^ (mixed >> 29);
}

void
collect_like_place(uint32_t number, uint64_t sizes, unsigned char hash[FETCHED_HASH_SIZE])
{
	uint64_t place[2] = { number, sizes };
	struct crypto_mark_stream stream;

	crypto_mark_begin(&stream);
	crypto_mark_feed(&stream, SPAN("place\n"));
	crypto_mark_feed(&stream, (struct span){ (const char *)place, sizeof(place) });
	crypto_mark_end(&stream, hash);
}

void
collect_like_again(unsigned char hash[FETCHED_HASH_SIZE])
{
	struct crypto_sha256_stream stream;

	crypto_sha256_begin(&stream);
	crypto_sha256_feed(&stream, SPAN("again\n"));
	crypto_sha256_feed(&stream, (struct span){ (const char *)hash, FETCHED_HASH_SIZE });
	end(&stream, hash);
}
