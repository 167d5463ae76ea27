/*
 * encoded_word.c - encoded words (RFC 2047) and percent signs (RFC 2231).
 */
#include "proto/mime/encoded_word.h"

#include "proto/base/ascii.h"
#include "proto/base/base64.h"
#include "proto/base/hex.h"
#include "proto/base/utf8.h"
#include "proto/mail/header.h"
#include "proto/mime/mime_charset.h"
#include "proto/mime/mime_decoder.h"

struct word {
	unsigned charset;
	char encoding; /* 'b' or 'q' */
	struct span text;
	size_t len; /* of all, from "=?" to "?=" */
};

/* Words that follow each other in one charset. */
struct joined {
	struct buf *out;
	struct mime_charset charset;
	bool is_open;
};

/* The encoded word at the front of S. */
static bool
take_word(struct span s, struct word *word)
{
	struct span rest = span_range(s, 2, ENCODED_WORD_MAX), encoding, charset;
	size_t end;

	if (!span_starts(s, SPAN("=?")))
		return false;
	if (!span_cut(rest, '?', &charset, &rest) || charset.len == 0)
		return false;
	if (!span_cut(rest, '?', &encoding, &rest) || encoding.len != 1)
		return false;
	word->encoding = ascii_lower(encoding.ptr[0]);
	if (word->encoding != 'b' && word->encoding != 'q')
		return false;
	end = span_find(rest, '?');
	if (end + 1 >= rest.len || rest.ptr[end + 1] != '=')
		return false;
	(void)span_cut(charset, '*', &charset, &(struct span){ 0 }); /* RFC 2231, 5 */
	word->charset = mime_charset_find(charset);
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

/* RFC 2047, 4.1; padding may be wanting, nothing else. */
static enum err
decode_b(struct span text, struct buf *out)
{
	struct mime_decoder d;

	for (size_t i = 0; i < text.len; i++)
		if (!ascii_is_alnum(text.ptr[i]) && text.ptr[i] != '+' && text.ptr[i] != '/' &&
			text.ptr[i] != '=')
			return ERR_SYNTAX;
	mime_decoder_init(&d, MIME_BASE64);
	return mime_decoder_put(&d, text, out);
}

/* A control (C0, DEL, C1) in what was decoded, valid UTF-8; no writer of mail means one. */
static bool
has_control(struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		if (c < 0x20 || c == 0x7f)
			return true;
		if (c >= 0x80 && c <= 0x9f && i > 0 && (unsigned char)text.ptr[i - 1] == 0xc2)
			return true;
	}
	return false;
}

static void
end_joined(struct joined *j)
{
	if (j->is_open)
		(void)!mime_charset_end(&j->charset, j->out);
	j->is_open = false;
}

/* ERR_SYNTAX: not one that we can decode, or that hides a control (H70): OUT is as it was. */
static enum err
put_word(struct joined *j, const struct word *word)
{
	char room[ENCODED_WORD_MAX];
	struct buf bytes = { .bytes = room, .size = sizeof(room), .max = sizeof(room) };
	size_t before;

	if (word->charset == MIME_CHARSET_NONE ||
		(word->encoding == 'b' ? decode_b(word->text, &bytes)
				       : decode_q(word->text, &bytes)) != OK)
		return ERR_SYNTAX;
	if (j->is_open && j->charset.number != word->charset)
		end_joined(j);
	if (!j->is_open && mime_charset_open(&j->charset, word->charset) != OK)
		return ERR_SYNTAX;
	j->is_open = true;
	before = buf_span(j->out).len;
	if (mime_charset_put(&j->charset, buf_span(&bytes), j->out) != OK)
		return ERR_LIMIT;
	if (!has_control(span_from(buf_span(j->out), before)))
		return OK;
	j->out->len = j->out->start + before;
	return ERR_SYNTAX;
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

/* Text as it stands: in UTF-8, without line ends. */
static void
put_text(struct buf *out, struct span text)
{
	while (text.len > 0) {
		size_t len = span_find_any(text, SPAN("\r\n"));

		mime_put_windows_1252(out, span_range(text, 0, len));
		text = span_from(text, len + 1);
	}
}

/* One encoded word, or the bytes up to where the next may begin. */
static void
put_piece(struct joined *j, struct span *value)
{
	struct word word, next;
	size_t len, blanks;

	if (take_word(*value, &word) && put_word(j, &word) == OK) {
		*value = span_from(*value, word.len);
		blanks = blanks_length(*value);
		if (blanks > 0 && take_word(span_from(*value, blanks), &next))
			*value = span_from(*value, blanks); /* RFC 2047, 6.2 */
		return;
	}
	end_joined(j);
	len = word_distance(*value);
	put_text(j->out, span_range(*value, 0, len));
	*value = span_from(*value, len);
}

enum err
encoded_word_decode(struct buf *out, struct span value)
{
	struct joined j = { .out = out };

	while (value.len > 0 && !out->overflow)
		put_piece(&j, &value);
	end_joined(&j);
	return out->overflow ? ERR_LIMIT : OK;
}

bool
encoded_word_is_needed(struct span value)
{
	for (size_t i = 0; i < value.len; i++)
		if (ascii_is_8bit(value.ptr[i]) ||
			(value.ptr[i] == '=' && i + 1 < value.len && value.ptr[i + 1] == '?'))
			return true;
	return false;
}

enum err
rfc2231_decode(struct buf *out, struct span text)
{
	while (text.len > 0) {
		size_t len = span_find(text, '%');

		if (buf_put(out, span_range(text, 0, len)) != OK)
			return ERR_LIMIT;
		text = span_from(text, len);
		if (text.len == 0)
			break;
		if (text.len > 2 && hex_decode(span_range(text, 1, 3), out) == OK)
			text = span_from(text, 3);
		else if (buf_put_char(out, '%') == OK)
			text = span_from(text, 1);
		else
			return ERR_LIMIT;
	}
	return OK;
}
