/*
 * header_decode.c - encoded words (RFC 2047) to UTF-8, for display.
 *
 * Not for deciding anything: what cannot be decoded stays as it was written.
 */
#include "proto/base/base64.h"
#include "proto/base/hex.h"
#include "proto/base/utf8.h"
#include "proto/mail/header.h"

#define ENCODED_WORD_MAX 512 /* bytes; RFC 2047 allows 75, some writers more */

struct encoded_word {
	struct span charset;
	char encoding; /* 'b' or 'q' */
	struct span text;
	size_t len; /* of all, from "=?" to "?=" */
};

/* The encoded word at the front of S. */
static bool
take_encoded_word(struct span s, struct encoded_word *word)
{
	struct span rest = span_range(s, 2, ENCODED_WORD_MAX), encoding;
	size_t end;

	if (!span_starts(s, SPAN("=?")))
		return false;
	if (!span_cut(rest, '?', &word->charset, &rest) || word->charset.len == 0)
		return false;
	if (!span_cut(rest, '?', &encoding, &rest) || encoding.len != 1)
		return false;
	word->encoding = encoding.ptr[0] | 0x20;
	if (word->encoding != 'b' && word->encoding != 'q')
		return false;
	end = span_find(rest, '?');
	if (end + 1 >= rest.len || rest.ptr[end + 1] != '=')
		return false;
	(void)span_cut(word->charset, '*', &word->charset, &(struct span){ 0 }); /* RFC 2231, 5 */
	word->text = span_range(rest, 0, end);
	word->len = (size_t)(word->text.ptr + end - s.ptr) + 2;
	return span_find_any(word->text, SPAN(" \t\r\n")) == word->text.len;
}

/* RFC 2047, 4.2 */
static enum err
decode_q(struct span text, struct buf *out)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (c == '_')
			c = ' ';
		if (c == '=') {
			if (i + 2 >= text.len ||
				hex_decode(span_range(text, i + 1, i + 3), out) != OK)
				return ERR_SYNTAX;
			i += 2;
		} else if (buf_put_char(out, c) != OK) {
			return ERR_LIMIT;
		}
	}
	return OK;
}

static enum err
put_latin1(struct buf *out, struct span bytes)
{
	for (size_t i = 0; i < bytes.len; i++)
		if (utf8_put(out, (unsigned char)bytes.ptr[i]) != OK)
			return ERR_LIMIT;
	return OK;
}

/* Holds a control (C0, DEL, C1) once it is decoded; no writer of mail means one. */
static bool
has_control(struct span bytes, bool latin1)
{
	for (size_t i = 0; i < bytes.len; i++) {
		unsigned char c = (unsigned char)bytes.ptr[i];

		if (c < 0x20 || c == 0x7f)
			return true;
		if (c >= 0x80 && c <= 0x9f &&
			(latin1 || (i > 0 && (unsigned char)bytes.ptr[i - 1] == 0xc2)))
			return true;
	}
	return false;
}

/* ERR_SYNTAX: not one that we can decode, or that hides a control (H70). */
static enum err
put_word(struct buf *out, const struct encoded_word *word)
{
	char room[ENCODED_WORD_MAX];
	struct buf bytes = { .bytes = room, .size = sizeof(room), .max = sizeof(room) };
	bool latin1 = span_eq_nocase(word->charset, SPAN("iso-8859-1"));
	enum err err;

	if (!latin1 && !span_eq_nocase(word->charset, SPAN("utf-8")) &&
		!span_eq_nocase(word->charset, SPAN("us-ascii")))
		return ERR_SYNTAX;
	err = word->encoding == 'b' ? base64_decode(word->text, &bytes)
				    : decode_q(word->text, &bytes);
	if (err != OK || has_control(buf_span(&bytes), latin1))
		return ERR_SYNTAX;
	return latin1 ? put_latin1(out, buf_span(&bytes)) : buf_put(out, buf_span(&bytes));
}

static size_t
blanks_length(struct span s)
{
	size_t i = 0;

	while (i < s.len && (s.ptr[i] == ' ' || s.ptr[i] == '\t' || s.ptr[i] == '\r' ||
				s.ptr[i] == '\n'))
		i++;
	return i;
}

/* Bytes before the next place where a word may begin, the first byte not looked at. */
static size_t
word_distance(struct span s)
{
	size_t at = 1;

	for (; at < s.len; at++) {
		at += span_find(span_from(s, at), '=');
		if (at + 1 < s.len && s.ptr[at + 1] == '?')
			return at;
	}
	return s.len;
}

/* One encoded word, or the bytes up to where the next may begin. */
static enum err
put_piece(struct buf *out, struct span *value)
{
	struct encoded_word word, next;
	enum err err = ERR_SYNTAX;
	size_t len, blanks;

	if (take_encoded_word(*value, &word))
		err = put_word(out, &word);
	if (err == OK) {
		*value = span_from(*value, word.len);
		blanks = blanks_length(*value);
		if (blanks > 0 && take_encoded_word(span_from(*value, blanks), &next))
			*value = span_from(*value, blanks); /* RFC 2047, 6.2 */
	}
	if (err != ERR_SYNTAX)
		return err;
	len = word_distance(*value);
	err = header_unfold(out, span_range(*value, 0, len));
	*value = span_from(*value, len);
	return err;
}

enum err
header_decode(struct buf *out, struct span value)
{
	while (value.len > 0)
		if (put_piece(out, &value) != OK)
			return ERR_LIMIT;
	return OK;
}
