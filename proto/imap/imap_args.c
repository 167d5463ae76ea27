/*
 * imap_args.c - the basic values: atoms, strings, numbers, sets, lists. Flags and dates are in
 * imap_args_flags.c and imap_date.c.
 */
#include "proto/imap/imap_args.h"

#include <string.h>

#include "proto/base/ascii.h"

void
imap_cursor_init(struct imap_cursor *c, struct span text, struct arena *a)
{
	*c = (struct imap_cursor){ .rest = text, .arena = a };
}

enum err
imap_cursor_err(const struct imap_cursor *c)
{
	return c->over ? ERR_LIMIT : ERR_SYNTAX;
}

#define LITERAL_HEAD_MAX 32 /* bytes of "{123}CRLF" that are looked at */

/* ---- characters ---- */

bool
imap_is_atom_char(char c)
{
	return !ascii_is_control(c) && !ascii_is_8bit(c) && !memchr("(){ %*\"\\]", c, 9);
}

static bool
is_astring_char(char c)
{
	return imap_is_atom_char(c) || c == ']';
}

static bool
is_list_char(char c)
{
	return is_astring_char(c) || c == '%' || c == '*';
}

bool
imap_next_is(const struct imap_cursor *c, char want)
{
	return c->rest.len > 0 && c->rest.ptr[0] == want;
}

bool
imap_at_end(const struct imap_cursor *c)
{
	return c->rest.len == 0;
}

bool
imap_take_end(const struct imap_cursor *c)
{
	return imap_at_end(c) && !c->over;
}

bool
imap_take_char(struct imap_cursor *c, char want)
{
	if (c->over || !imap_next_is(c, want))
		return false;
	c->rest = span_from(c->rest, 1);
	return true;
}

bool
imap_take_space(struct imap_cursor *c)
{
	return imap_take_char(c, ' ');
}

bool
imap_take_open(struct imap_cursor *c)
{
	if (!imap_take_char(c, '('))
		return false;
	c->depth++;
	c->over |= c->depth > IMAP_DEPTH_MAX;
	return !c->over;
}

bool
imap_take_close(struct imap_cursor *c)
{
	if (c->depth == 0 || !imap_take_char(c, ')'))
		return false;
	c->depth--;
	return true;
}

/* One more argument, which is LEN bytes long. */
static bool
count_argument(struct imap_cursor *c, size_t len)
{
	c->arguments++;
	c->over |= c->arguments > IMAP_ARGUMENTS_MAX;
	if (c->over)
		return false;
	c->rest = span_from(c->rest, len);
	return true;
}

/* ---- words ---- */

static bool
take_run(struct imap_cursor *c, bool (*is_in)(char), struct span *out)
{
	size_t len = 0;

	while (len < c->rest.len && is_in(c->rest.ptr[len]))
		len++;
	*out = span_range(c->rest, 0, len);
	return len > 0 && count_argument(c, len);
}

bool
imap_take_word(struct imap_cursor *c, struct span word)
{
	if (c->over || !span_starts_nocase(c->rest, word))
		return false;
	if (c->rest.len > word.len && imap_is_atom_char(c->rest.ptr[word.len]))
		return false;
	return count_argument(c, word.len);
}

bool
imap_take_atom(struct imap_cursor *c, struct span *out)
{
	return take_run(c, imap_is_atom_char, out);
}

/* ---- strings ---- */

/* The length of the quoted string at the front, with its quotes; 0: there is none. */
static size_t
quoted_length(struct span s, bool *escapes)
{
	*escapes = false;
	for (size_t i = 1; i < s.len; i++) {
		char c = s.ptr[i];

		if (c == '"')
			return i + 1;
		if (c == '\r' || c == '\n' || c == '\0')
			return 0;
		if (c != '\\')
			continue;
		*escapes = true;
		i++;
		if (i == s.len || (s.ptr[i] != '"' && s.ptr[i] != '\\')) /* RFC 9051, QUOTED-CHAR */
			return 0;
	}
	return 0;
}

/* A string as it stands in the command. */
struct raw_string {
	struct span text;
	size_t used;  /* with quotes, or with the literal's head */
	bool escapes; /* backslashes are in the text */
};

/* "{5}CRLF", "{5+}CRLF": the head of a literal; its length, 0 for none. */
static size_t
literal_head(struct span s, uint64_t *size)
{
	size_t end = span_find(s, '}');
	struct span digits = span_range(s, 1, end);

	if (end == s.len || s.len < end + 3 || s.ptr[end + 1] != '\r' || s.ptr[end + 2] != '\n')
		return 0;
	if (digits.len > 0 && digits.ptr[digits.len - 1] == '+')
		digits.len--;
	return span_u64(digits, UINT64_MAX, size) == OK ? end + 3 : 0;
}

static bool
peek_string(struct span s, struct raw_string *out)
{
	uint64_t size;
	size_t head;

	*out = (struct raw_string){ .used = 0 };
	if (s.len > 0 && s.ptr[0] == '"') {
		out->used = quoted_length(s, &out->escapes);
		out->text = span_range(s, 1, out->used - (out->used > 0));
	} else if (s.len > 0 && s.ptr[0] == '{') {
		head = literal_head(span_range(s, 0, LITERAL_HEAD_MAX), &size);
		if (head > 0 && size <= s.len - head) {
			out->used = head + (size_t)size;
			out->text = span_range(s, head, out->used);
		}
	}
	return out->used > 0;
}

/* Without the backslashes, at TO, which has room for all of it; the length. */
static size_t
copy_unquoted(struct raw_string raw, char *to)
{
	size_t len = 0;

	for (size_t i = 0; i < raw.text.len; i++) {
		if (raw.escapes && raw.text.ptr[i] == '\\')
			i++;
		to[len++] = raw.text.ptr[i];
	}
	return len;
}

bool
imap_take_string(struct imap_cursor *c, struct span *out)
{
	struct raw_string raw;
	char *copy;

	if (c->over || !peek_string(c->rest, &raw) || !count_argument(c, raw.used))
		return false;
	*out = raw.text;
	if (raw.escapes) {
		copy = arena_alloc(c->arena, raw.text.len);
		*out = (struct span){ copy, copy_unquoted(raw, copy) };
	}
	return true;
}

static bool
take_run_or_string(struct imap_cursor *c, bool (*is_in)(char), struct span *out)
{
	return take_run(c, is_in, out) || imap_take_string(c, out);
}

bool
imap_take_astring(struct imap_cursor *c, struct span *out)
{
	return take_run_or_string(c, is_astring_char, out);
}

bool
imap_take_list_mailbox(struct imap_cursor *c, struct span *out)
{
	return take_run_or_string(c, is_list_char, out);
}

bool
imap_take_nstring(struct imap_cursor *c, struct span *out)
{
	*out = SPAN_NONE;
	return imap_take_word(c, SPAN("NIL")) || imap_take_string(c, out);
}

bool
imap_take_secret(struct imap_cursor *c, struct buf *out)
{
	struct raw_string raw = { .escapes = false };
	char *room;

	if (!take_run(c, is_astring_char, &raw.text) &&
		(c->over || !peek_string(c->rest, &raw) || !count_argument(c, raw.used)))
		return false;
	if (raw.text.len == 0)
		return true;
	room = buf_reserve(out, raw.text.len);
	if (!room)
		return false;
	buf_added(out, copy_unquoted(raw, room));
	return true;
}

/* ---- numbers, sets ---- */

static bool
take_digits(struct imap_cursor *c, uint64_t max, uint64_t *out)
{
	size_t len = 0;

	while (len < c->rest.len && ascii_is_digit(c->rest.ptr[len]))
		len++;
	return !c->over && span_u64(span_range(c->rest, 0, len), max, out) == OK &&
		count_argument(c, len);
}

bool
imap_take_number64(struct imap_cursor *c, uint64_t *out)
{
	return take_digits(c, INT64_MAX, out);
}

bool
imap_take_number(struct imap_cursor *c, uint32_t *out)
{
	uint64_t value;

	if (!take_digits(c, UINT32_MAX, &value))
		return false;
	*out = (uint32_t)value;
	return true;
}

bool
imap_take_nz_number(struct imap_cursor *c, uint32_t *out)
{
	return !imap_next_is(c, '0') && imap_take_number(c, out);
}

static bool
is_set_char(char c)
{
	return ascii_is_digit(c) || c == ':' || c == ',' || c == '*' || c == '$';
}

bool
imap_take_seqset(struct imap_cursor *c, struct imap_seqset *out)
{
	struct imap_cursor before = *c;
	struct span text;
	enum err err;

	if (!take_run(c, is_set_char, &text))
		return false;
	err = imap_seqset_parse(c->arena, text, out);
	if (err != OK)
		*c = before;
	c->over |= err == ERR_LIMIT;
	return err == OK;
}

/* ---- anything ---- */

static bool
skip_scalar(struct imap_cursor *c)
{
	struct span text;

	return take_run_or_string(c, is_list_char, &text) ||
		(imap_take_char(c, '\\') && take_run(c, is_list_char, &text));
}

/* Close what ends here; inside a list a space must follow, before the next value. */
static bool
skip_to_next(struct imap_cursor *c, unsigned outside)
{
	while (c->depth > outside && imap_take_close(c))
		;
	return c->depth == outside || imap_take_space(c);
}

static bool
skip_values(struct imap_cursor *c, unsigned outside)
{
	do {
		if (imap_take_open(c)) {
			if (!imap_next_is(c, ')'))
				continue;
		} else if (!skip_scalar(c)) {
			return false;
		}
		if (!skip_to_next(c, outside))
			return false;
	} while (c->depth > outside);
	return true;
}

bool
imap_skip_value(struct imap_cursor *c)
{
	struct imap_cursor before = *c;

	if (skip_values(c, c->depth))
		return true;
	before.over = c->over;
	*c = before;
	return false;
}
