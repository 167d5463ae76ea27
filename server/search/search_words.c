/*
 * search_words.c - where a word ends.
 */
#include "server/search/search_words.h"

#include <string.h>

#include "proto/base/ascii.h"

/* How many bytes at the front of TEXT are one mark or blank beyond ASCII; 0: they are of a word. */
static size_t
mark_length(struct span text)
{
	const unsigned char *at = (const unsigned char *)text.ptr;

	if (text.len >= 2 && at[0] == 0xc2 && at[1] != 0xaa && at[1] != 0xb5 && at[1] != 0xba)
		return 2; /* U+0080 to U+00BF: blanks, quotes, signs */
	if (text.len < 3)
		return 0;
	if (at[0] == 0xe2 && (at[1] == 0x80 || (at[1] == 0x81 && at[2] < 0xb0)))
		return 3; /* U+2000 to U+206F: blanks, dashes, quotes */
	if (at[0] == 0xe3 && at[1] == 0x80)
		return 3; /* U+3000 to U+303F: marks of Chinese and Japanese */
	if (at[0] == 0xef && at[1] == 0xbf && at[2] == 0xbd)
		return 3; /* U+FFFD */
	return 0;
}

/* How many bytes at the front of TEXT are between words. */
static size_t
gap_length(struct span text)
{
	size_t n = 0;

	while (n < text.len) {
		char c = text.ptr[n];
		size_t mark = ascii_is_8bit(c) ? mark_length(span_from(text, n)) : !ascii_is_alnum(c);

		if (mark == 0)
			break;
		n += mark;
	}
	return n;
}

/* How many bytes at the front of TEXT are of a word. */
static size_t
word_length(struct span text)
{
	size_t n = 0;

	for (; n < text.len; n++) {
		char c = text.ptr[n];

		if (ascii_is_8bit(c) ? mark_length(span_from(text, n)) > 0 : !ascii_is_alnum(c))
			break;
	}
	return n;
}

/* ---- into the index ---- */

static void
put_word(struct search_words *w, unsigned where)
{
	search_build_word(w->builder, (struct span){ w->word, w->len }, where);
}

static void
add_bytes(struct search_words *w, unsigned where, struct span bytes)
{
	for (size_t i = 0; i < bytes.len; i++) {
		if (w->len == SEARCH_WORD_MAX) {
			put_word(w, where);
			memmove(w->word, w->word + SEARCH_WORD_MAX - SEARCH_WORD_OVERLAP,
				SEARCH_WORD_OVERLAP);
			w->len = w->old = SEARCH_WORD_OVERLAP;
		}
		w->word[w->len++] = ascii_lower(bytes.ptr[i]);
	}
}

static void
end_word(struct search_words *w, unsigned where)
{
	if (w->len > w->old)
		put_word(w, where);
	w->len = w->old = 0;
}

bool
search_words_piece(void *arg, unsigned where, struct span text, bool ends)
{
	struct search_words *w = arg;

	while (text.len > 0) {
		size_t n = word_length(text);

		add_bytes(w, where, span_range(text, 0, n));
		text = span_from(text, n);
		if (text.len > 0) {
			end_word(w, where);
			text = span_from(text, gap_length(text));
		}
	}
	if (ends)
		end_word(w, where);
	return true;
}

/* ---- out of a needle ---- */

/* Among the pieces of Q, longest first, the shortest goes where there are too many. */
static void
add_piece(struct search_question *q, struct span word)
{
	size_t i = q->count < SEARCH_PIECES_MAX ? q->count++ : SEARCH_PIECES_MAX;

	for (; i > 0 && (i == SEARCH_PIECES_MAX || q->pieces[i - 1].len < word.len); i--) {
		if (q->pieces[i - 1].len >= word.len)
			return;
		if (i < SEARCH_PIECES_MAX)
			q->pieces[i] = q->pieces[i - 1];
	}
	q->pieces[i] = word;
}

bool
search_words_question(struct span needle, struct search_question *q, bool *exact)
{
	size_t words = 0, gap = gap_length(needle);

	q->count = 0;
	*exact = gap == 0;
	needle = span_from(needle, gap);
	while (needle.len > 0) {
		size_t n = word_length(needle);

		*exact &= n <= SEARCH_WORD_OVERLAP && ++words == 1;
		add_piece(q, span_range(needle, 0, n < SEARCH_WORD_OVERLAP ? n : SEARCH_WORD_OVERLAP));
		needle = span_from(needle, n);
		gap = gap_length(needle);
		*exact &= gap == 0;
		needle = span_from(needle, gap);
	}
	return q->count > 0;
}
