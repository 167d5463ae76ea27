/*
 * json.c - the reader: one pass over the text, a stack of open arrays and objects, no recursion.
 */
#include "proto/base/json.h"

#include <string.h>

#include "proto/base/ascii.h"
#include "proto/base/hex.h"
#include "proto/base/utf8.h"

struct open_value {
	struct json *value;
	struct json *last; /* of its items */
};

struct reader {
	struct arena *arena;
	struct span text;
	size_t at;
	size_t items;
	struct open_value stack[JSON_DEPTH_MAX];
	size_t depth;
};

static char
peek(const struct reader *r)
{
	return r->at < r->text.len ? r->text.ptr[r->at] : '\0';
}

static void
skip_blanks(struct reader *r)
{
	while (ascii_is_blank(peek(r)) || peek(r) == '\n' || peek(r) == '\r')
		r->at++;
}

static bool
take_char(struct reader *r, char c)
{
	if (peek(r) != c)
		return false;
	r->at++;
	return true;
}

static enum err
take_word(struct reader *r, struct span word)
{
	if (!span_starts(span_from(r->text, r->at), word))
		return ERR_SYNTAX;
	r->at += word.len;
	return OK;
}

static size_t
take_digits(struct reader *r)
{
	size_t from = r->at;

	while (ascii_is_digit(peek(r)))
		r->at++;
	return r->at - from;
}

/* RFC 8259, 6 */
static enum err
take_number(struct reader *r, struct json *value)
{
	size_t from = r->at;

	take_char(r, '-');
	if (peek(r) == '0')
		r->at++;
	else if (take_digits(r) == 0)
		return ERR_SYNTAX;
	if (take_char(r, '.') && take_digits(r) == 0)
		return ERR_SYNTAX;
	if (peek(r) == 'e' || peek(r) == 'E') {
		r->at++;
		if (peek(r) == '+' || peek(r) == '-')
			r->at++;
		if (take_digits(r) == 0)
			return ERR_SYNTAX;
	}
	value->kind = JSON_NUMBER;
	value->text = arena_copy(r->arena, span_range(r->text, from, r->at));
	return OK;
}

/* Four hexadecimal digits. */
static enum err
take_unit(struct reader *r, uint32_t *unit)
{
	*unit = 0;
	for (int i = 0; i < 4; i++, r->at++) {
		int digit = hex_digit(peek(r));

		if (digit < 0)
			return ERR_SYNTAX;
		*unit = *unit << 4 | (uint32_t)digit;
	}
	return OK;
}

/* What follows \u; a pair of surrogates is one code point. */
static enum err
take_code(struct reader *r, uint32_t *code)
{
	uint32_t low;

	if (take_unit(r, code) != OK || *code == 0 || (*code >= 0xdc00 && *code <= 0xdfff))
		return ERR_SYNTAX;
	if (*code < 0xd800 || *code > 0xdbff)
		return OK;
	if (take_word(r, SPAN("\\u")) != OK || take_unit(r, &low) != OK || low < 0xdc00 ||
		low > 0xdfff)
		return ERR_SYNTAX;
	*code = 0x10000 + ((*code - 0xd800) << 10) + (low - 0xdc00);
	return OK;
}

static enum err
take_escape(struct reader *r, char **to)
{
	static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
	struct buf code_bytes = { .bytes = *to, .size = 4, .max = 4 };
	const char *hit = memchr(from, peek(r), sizeof(from) - 1);
	uint32_t code;

	if (hit) {
		r->at++;
		*(*to)++ = into[hit - from];
		return OK;
	}
	if (!take_char(r, 'u') || take_code(r, &code) != OK || utf8_put(&code_bytes, code) != OK)
		return ERR_SYNTAX;
	*to += code_bytes.len; /* at most 4 bytes for 6 of text */
	return OK;
}

/* The closing quote of a string that begins at FROM, or the end of the text. */
static size_t
string_end(const struct reader *r, size_t from, bool *escaped)
{
	size_t at = from;

	*escaped = false;
	while (at < r->text.len && r->text.ptr[at] != '"') {
		if ((unsigned char)r->text.ptr[at] < 0x20)
			return r->text.len; /* RFC 8259, 7: controls must be escaped */
		if (r->text.ptr[at] == '\\') {
			*escaped = true;
			at++;
		}
		at++;
	}
	return at;
}

static enum err
take_string(struct reader *r, struct span *out)
{
	bool escaped;
	size_t end;
	char *to;

	if (!take_char(r, '"'))
		return ERR_SYNTAX;
	end = string_end(r, r->at, &escaped);
	if (end >= r->text.len)
		return ERR_SYNTAX;
	*out = arena_copy(r->arena, span_range(r->text, r->at, end));
	to = (char *)out->ptr;
	if (!escaped)
		r->at = end;
	while (r->at < end) {
		if (!take_char(r, '\\'))
			*to++ = r->text.ptr[r->at++];
		else if (take_escape(r, &to) != OK)
			return ERR_SYNTAX;
	}
	if (escaped) { /* what is left of the text as written may be the end of a password (H66) */
		explicit_bzero(to, (size_t)(out->ptr + out->len - to));
		out->len = (size_t)(to - out->ptr);
	}
	r->at = end + 1;
	return OK;
}

/* A value without what it may hold: an array or object is opened. */
static enum err
take_value(struct reader *r, struct json *value)
{
	switch (peek(r)) {
	case '{':
	case '[':
		if (r->depth == JSON_DEPTH_MAX)
			return ERR_LIMIT;
		value->kind = take_char(r, '{') ? JSON_OBJECT : JSON_ARRAY;
		if (value->kind == JSON_ARRAY)
			r->at++;
		r->stack[r->depth++] = (struct open_value){ .value = value };
		return OK;
	case '"':
		value->kind = JSON_STRING;
		return take_string(r, &value->text);
	case 't':
		value->kind = JSON_BOOL;
		value->truth = true;
		return take_word(r, SPAN("true"));
	case 'f':
		value->kind = JSON_BOOL;
		return take_word(r, SPAN("false"));
	case 'n':
		return take_word(r, SPAN("null"));
	default:
		return take_number(r, value);
	}
}

static enum err
take_name(struct reader *r, const struct json *object, struct span *name)
{
	enum err err = take_string(r, name);

	if (err != OK)
		return err;
	if (object->count < JSON_UNIQUE_MAX && json_find(object, *name))
		return ERR_SYNTAX;
	skip_blanks(r);
	if (!take_char(r, ':'))
		return ERR_SYNTAX;
	skip_blanks(r);
	return OK;
}

static enum err
take_item(struct reader *r, struct open_value *open)
{
	struct json *item = ARENA_NEW(r->arena, struct json);
	enum err err;

	if (++r->items > JSON_ITEMS_MAX)
		return ERR_LIMIT;
	if (open->value->kind == JSON_OBJECT) {
		err = take_name(r, open->value, &item->name);
		if (err != OK)
			return err;
	}
	if (open->last)
		open->last->next = item;
	else
		open->value->first = item;
	open->last = item;
	open->value->count++;
	return take_value(r, item);
}

/* The next step inside the innermost open value: its end, or one more item. */
static enum err
step(struct reader *r)
{
	struct open_value *open = &r->stack[r->depth - 1];

	skip_blanks(r);
	if (take_char(r, open->value->kind == JSON_OBJECT ? '}' : ']')) {
		r->depth--;
		return OK;
	}
	if (open->value->count > 0) {
		if (!take_char(r, ','))
			return ERR_SYNTAX;
		skip_blanks(r);
	}
	return take_item(r, open);
}

static enum err
read_document(struct reader *r, struct json *root)
{
	enum err err;

	if (r->text.len > JSON_TEXT_MAX)
		return ERR_LIMIT;
	if (!utf8_is_valid(r->text))
		return ERR_SYNTAX;
	skip_blanks(r);
	err = take_value(r, root);
	while (err == OK && r->depth > 0)
		err = step(r);
	skip_blanks(r);
	if (err == OK && r->at < r->text.len)
		err = ERR_SYNTAX;
	return err;
}

enum err
json_parse(struct arena *a, struct span text, const struct json **out, size_t *at)
{
	struct reader r = { .arena = a, .text = text };
	struct json *root = ARENA_NEW(a, struct json);
	enum err err = read_document(&r, root);

	if (at)
		*at = r.at < text.len ? r.at : text.len;
	*out = err == OK ? root : NULL;
	return err;
}

const struct json *
json_find(const struct json *object, struct span name)
{
	if (!json_is(object, JSON_OBJECT))
		return NULL;
	for (const struct json *member = object->first; member; member = member->next)
		if (span_eq(member->name, name))
			return member;
	return NULL;
}

const struct json *
json_item(const struct json *array, size_t index)
{
	const struct json *item = json_is(array, JSON_ARRAY) ? array->first : NULL;

	while (item && index-- > 0)
		item = item->next;
	return item;
}

bool
json_is(const struct json *value, enum json_kind kind)
{
	return value && value->kind == kind;
}

struct span
json_text(const struct json *value)
{
	return json_is(value, JSON_STRING) ? value->text : SPAN_NONE;
}

bool
json_truth(const struct json *value)
{
	return json_is(value, JSON_BOOL) && value->truth;
}

enum err
json_u64(const struct json *value, uint64_t max, uint64_t *out)
{
	if (!value)
		return ERR_NOT_FOUND;
	return value->kind == JSON_NUMBER ? span_u64(value->text, max, out) : ERR_SYNTAX;
}

enum err
json_i64(const struct json *value, int64_t *out)
{
	bool negative;
	uint64_t size;
	enum err err;

	if (!value)
		return ERR_NOT_FOUND;
	if (value->kind != JSON_NUMBER)
		return ERR_SYNTAX;
	negative = span_starts(value->text, SPAN("-"));
	err = span_u64(span_from(value->text, negative), (uint64_t)INT64_MAX + negative, &size);
	if (err == OK)
		*out = negative ? (int64_t)(0 - size) : (int64_t)size;
	return err;
}
