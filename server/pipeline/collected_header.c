/*
 * collected_header.c - see collected_header.h.
 */
#include "server/pipeline/collected_header.h"

#include <stdlib.h>

#include "proto/base/ascii.h"
#include "proto/mail/header.h"
#include "server/net/crypto.h"

enum parse
collected_from_line(struct span text, size_t *used)
{
	static const char *const begins[] = { "From ", ">From " };
	size_t end = span_find(text, '\n'), at = 0;

	*used = 0;
	for (size_t i = 0; i < COUNT(begins) && at == 0; i++) {
		struct span begin = span_of(begins[i]);

		if (text.len < begin.len && span_starts(begin, text))
			return PARSE_MORE;
		if (span_starts(text, begin))
			at = begin.len;
	}
	while (at > 0 && at < text.len && ascii_is_blank(text.ptr[at]))
		at++;
	if (at == 0 || (at < text.len && text.ptr[at] == ':') || end > COLLECTED_FROM_LINE_MAX)
		return PARSE_BAD; /* "From :" is a field too (RFC 5322, 4.5.8) */
	if (end == text.len)
		return PARSE_MORE;
	*used = end + 1;
	return PARSE_DONE;
}

enum err
collected_received_date(struct span header, struct mail_date *out)
{
	struct span value = header_find(header, SPAN("Received"));
	size_t at = span_find_last(value, ';');

	if (!value.ptr || at == value.len || mail_date_parse(span_trim_folds(span_from(value, at + 1)), out) != OK)
		return ERR_NOT_FOUND;
	return OK;
}

/* ---- doubles ---- */

/* Each with its length before it, so that no two lists of them are one text. */
static void
add(struct crypto_mark_stream *state, struct span value)
{
	uint64_t len = value.ptr ? value.len : UINT64_MAX; /* a field that is not there is not an empty one */

	crypto_mark_feed(state, (struct span){ (const char *)&len, sizeof(len) });
	crypto_mark_feed(state, value);
}

static int
by_key(const void *one, const void *other)
{
	const struct address *const *a = one, *const *b = other;

	return span_cmp((*a)->key, (*b)->key);
}

void
collected_double_key(struct span header, const struct address *recipients, size_t count, bool ignore_id,
	unsigned char key[COLLECTED_DOUBLE_SIZE])
{
	static const char *const names[] = { "From", "Date", "Subject", "Message-Id" };
	struct crypto_mark_stream state;
	struct arena arena;
	const struct address **sorted;

	arena_init(&arena, NULL);
	sorted = ARENA_ARRAY(&arena, const struct address *, count);
	for (size_t i = 0; i < count; i++)
		sorted[i] = &recipients[i];
	qsort(sorted, count, sizeof(*sorted), by_key);
	crypto_mark_begin(&state);
	for (size_t i = 0; i < COUNT(names) - ignore_id; i++)
		add(&state, header_find(header, span_of(names[i])));
	for (size_t i = 0; i < count; i++)
		add(&state, sorted[i]->key);
	crypto_mark_end(&state, key);
	arena_reset(&arena);
}
