/*
 * fields.c - records whose fields are rows of a table.
 *
 * In a record a field is its tag (one byte), a length, and that many bytes; numbers are
 * little-endian without their leading zeros.
 */
#include "store/fields.h"

#include <string.h>

#include "proto/base/ascii.h"

#define NUMBER_BYTES_MAX 8

static bool
is_text(const struct field *field)
{
	return field->kind == FIELD_TEXT || field->kind == FIELD_LIST || field->kind == FIELD_BYTES;
}

static void *
member(const struct field *field, void *object)
{
	return (char *)object + field->offset;
}

static const void *
member_const(const struct field *field, const void *object)
{
	return (const char *)object + field->offset;
}

struct span
field_span(const struct field *field, const void *object)
{
	ENSURE(is_text(field));
	return *(const struct span *)member_const(field, object);
}

uint64_t
field_number(const struct field *field, const void *object)
{
	const void *at = member_const(field, object);

	switch ((enum field_kind)field->kind) {
	case FIELD_FLAG:
		return *(const bool *)at;
	case FIELD_TRI:
	case FIELD_WORD:
		return *(const uint8_t *)at;
	case FIELD_BITS:
		return *(const uint32_t *)at;
	case FIELD_TIME:
		return (uint64_t) * (const int64_t *)at;
	case FIELD_COUNT:
	case FIELD_ID:
		return *(const uint64_t *)at;
	case FIELD_TEXT:
	case FIELD_LIST:
	case FIELD_BYTES:
		break;
	}
	ENSURE(!"a number");
	return 0;
}

static void
put_number(const struct field *field, void *object, uint64_t value)
{
	void *at = member(field, object);

	switch ((enum field_kind)field->kind) {
	case FIELD_FLAG:
		*(bool *)at = value != 0;
		break;
	case FIELD_TRI:
	case FIELD_WORD:
		*(uint8_t *)at = (uint8_t)value;
		break;
	case FIELD_BITS:
		*(uint32_t *)at = (uint32_t)value;
		break;
	case FIELD_TIME:
		*(int64_t *)at = (int64_t)value;
		break;
	case FIELD_COUNT:
	case FIELD_ID:
		*(uint64_t *)at = value;
		break;
	case FIELD_TEXT:
	case FIELD_LIST:
	case FIELD_BYTES:
		ENSURE(!"a number");
	}
}

const struct field *
field_find(const struct field_table *table, struct span name)
{
	for (size_t i = 0; i < table->count; i++) {
		if (span_eq(span_of(table->fields[i].name), name))
			return &table->fields[i];
	}
	return NULL;
}

/* ---- text in ---- */

static const struct flag_word {
	struct span word;
	bool on;
} flag_words[] = {
	{ { "yes", 3 }, true },
	{ { "no", 2 }, false },
	{ { "on", 2 }, true },
	{ { "off", 3 }, false },
	{ { "true", 4 }, true },
	{ { "false", 5 }, false },
	{ { "1", 1 }, true },
	{ { "0", 1 }, false },
};

static enum err
parse_flag(struct span value, uint64_t *out)
{
	for (size_t i = 0; i < COUNT(flag_words); i++) {
		if (span_eq_nocase(flag_words[i].word, value)) {
			*out = flag_words[i].on;
			return OK;
		}
	}
	return ERR_SYNTAX;
}

static const char *const tri_words[] = { "unset", "on", "off", NULL };

static enum err
parse_word(const char *const *words, struct span value, uint64_t *out)
{
	for (size_t i = 0; words[i] != NULL; i++) {
		if (span_eq_nocase(span_of(words[i]), value)) {
			*out = i;
			return OK;
		}
	}
	return ERR_SYNTAX;
}

static size_t
words_count(const char *const *words)
{
	size_t count = 0;

	while (words[count] != NULL)
		count++;
	return count;
}

static uint64_t
bits_all(const char *const *words)
{
	return (UINT64_C(1) << words_count(words)) - 1;
}

static enum err
parse_bits(const char *const *words, struct span value, uint64_t *out)
{
	struct span part, rest = value;
	uint64_t bit;

	*out = 0;
	if (span_eq_nocase(value, SPAN("none")) || value.len == 0)
		return OK;
	if (span_eq_nocase(value, SPAN("all"))) {
		*out = bits_all(words);
		return OK;
	}
	for (bool more = true; more;) {
		more = span_cut(rest, ',', &part, &rest);
		if (parse_word(words, span_trim(part), &bit) != OK)
			return ERR_SYNTAX;
		*out |= UINT64_C(1) << bit;
	}
	return OK;
}

static enum err
parse_number(const struct field *field, struct span value, uint64_t *out)
{
	switch ((enum field_kind)field->kind) {
	case FIELD_FLAG:
		return parse_flag(value, out);
	case FIELD_TRI:
		return parse_word(tri_words, value, out);
	case FIELD_WORD:
		return parse_word(field->words, value, out);
	case FIELD_BITS:
		return parse_bits(field->words, value, out);
	case FIELD_COUNT:
	case FIELD_TIME:
		return span_u64(value, field->max, out);
	default:
		return ERR_DENIED;
	}
}

static bool
has_control(struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (ascii_is_control(s.ptr[i]))
			return true;
	}
	return false;
}

static enum err
check_text(const struct field *field, struct span value)
{
	if (value.len > field->max)
		return ERR_LIMIT;
	if (field->kind != FIELD_BYTES && has_control(value))
		return ERR_SYNTAX;
	return OK;
}

bool
field_list_next(struct span *rest, struct span *part)
{
	while (rest->len > 0) {
		struct span head;

		span_cut(*rest, ';', &head, rest);
		*part = span_trim(head);
		if (part->len > 0)
			return true;
	}
	return false;
}

/* "a ; b;;" becomes "a;b". */
static struct span
list_tidy(struct span value, struct arena *arena)
{
	struct span part, rest = value;
	char *out = arena_alloc(arena, value.len + 1);
	size_t len = 0;

	while (field_list_next(&rest, &part)) {
		if (len > 0)
			out[len++] = ';';
		memcpy(out + len, part.ptr, part.len);
		len += part.len;
	}
	return (struct span){ out, len };
}

static enum err
set_text(const struct field *field, void *object, struct span value, struct arena *arena)
{
	struct span text = field->kind == FIELD_LIST ? list_tidy(value, arena) :
						       span_trim(value);
	enum err err = check_text(field, text);

	if (err != OK)
		return err;
	*(struct span *)member(field, object) = arena_copy(arena, text);
	return OK;
}

enum err
field_set(const struct field *field, void *object, struct span value, struct arena *arena)
{
	uint64_t number;
	enum err err;

	if (!(field->flags & FIELD_SETTABLE) || field->kind == FIELD_ID ||
		field->kind == FIELD_BYTES)
		return ERR_DENIED;
	if (is_text(field))
		return set_text(field, object, value, arena);
	err = parse_number(field, span_trim(value), &number);
	if (err == OK)
		put_number(field, object, number);
	return err;
}

/* ---- text out ---- */

static enum err
put_bits(const struct field *field, uint64_t bits, struct buf *out)
{
	enum err err = OK;
	bool first = true;

	if (bits == 0)
		return buf_put(out, SPAN("none"));
	for (size_t i = 0; field->words[i] != NULL && err == OK; i++) {
		if (!(bits & (UINT64_C(1) << i)))
			continue;
		if (!first)
			err = buf_put_char(out, ',');
		if (err == OK)
			err = buf_put(out, span_of(field->words[i]));
		first = false;
	}
	return err;
}

enum err
field_put_text(const struct field *field, const void *object, struct buf *out)
{
	uint64_t number;

	if ((field->flags & FIELD_SECRET) || field->kind == FIELD_BYTES)
		return OK;
	if (is_text(field))
		return buf_put(out, field_span(field, object));
	number = field_number(field, object);
	switch ((enum field_kind)field->kind) {
	case FIELD_FLAG:
		return buf_put(out, number ? SPAN("yes") : SPAN("no"));
	case FIELD_TRI:
		return buf_put(out, span_of(tri_words[number]));
	case FIELD_WORD:
		return buf_put(out, span_of(field->words[number]));
	case FIELD_BITS:
		return put_bits(field, number, out);
	default:
		return buf_put_u64(out, number);
	}
}

/* ---- bounds ---- */

static bool
number_fits(const struct field *field, uint64_t number)
{
	switch ((enum field_kind)field->kind) {
	case FIELD_FLAG:
		return number <= 1;
	case FIELD_TRI:
		return number <= TRI_OFF;
	case FIELD_WORD:
		return number < words_count(field->words);
	case FIELD_BITS:
		return field->words == NULL ? number <= field->max :
					      (number & ~bits_all(field->words)) == 0;
	default:
		return number <= field->max;
	}
}

enum err
fields_check(const struct field_table *table, const void *object, const struct field **which)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct field *field = &table->fields[i];
		enum err err;

		if (is_text(field))
			err = check_text(field, field_span(field, object));
		else
			err = number_fits(field, field_number(field, object)) ? OK : ERR_LIMIT;
		if (err != OK) {
			if (which != NULL)
				*which = field;
			return err;
		}
	}
	return OK;
}

/* ---- records ---- */

size_t
fields_size_max(const struct field_table *table, const void *object)
{
	size_t size = 0;

	for (size_t i = 0; i < table->count; i++) {
		size += 1 + 10; /* tag, length or number */
		if (is_text(&table->fields[i]))
			size += field_span(&table->fields[i], object).len;
	}
	return size;
}

static void
encode_text(const struct field *field, const void *object, struct record_out *out)
{
	struct span text = field_span(field, object);

	if (text.len == 0)
		return;
	record_put_u8(out, field->tag);
	record_put_span(out, text);
}

static void
encode_number(const struct field *field, uint64_t number, struct record_out *out)
{
	char bytes[NUMBER_BYTES_MAX];
	size_t len = 0;

	for (; number != 0; number >>= 8)
		bytes[len++] = (char)(number & 0xff);
	record_put_u8(out, field->tag);
	record_put_span(out, (struct span){ bytes, len });
}

void
fields_encode(const struct field_table *table, const void *object, struct record_out *out)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct field *field = &table->fields[i];
		uint64_t number;

		if (is_text(field)) {
			encode_text(field, object, out);
			continue;
		}
		number = field_number(field, object);
		if (number != field_number(field, table->defaults))
			encode_number(field, number, out);
	}
}

/* Fields lie in the order of the table, so the search begins where the last one was found. */
static const struct field *
field_by_tag(const struct field_table *table, uint8_t tag, size_t *from)
{
	for (size_t i = 0; i < table->count; i++) {
		size_t at = (*from + i) % table->count;

		if (table->fields[at].tag == tag) {
			*from = at + 1;
			return &table->fields[at];
		}
	}
	return NULL;
}

static enum err
decode_number(const struct field *field, struct span bytes, void *object)
{
	uint64_t number = 0;

	if (bytes.len > NUMBER_BYTES_MAX)
		return ERR_CORRUPT;
	for (size_t i = bytes.len; i > 0; i--)
		number = number << 8 | (unsigned char)bytes.ptr[i - 1];
	if (!number_fits(field, number))
		return ERR_CORRUPT;
	put_number(field, object, number);
	return OK;
}

enum err
fields_decode(const struct field_table *table, struct record_in *in, void *object)
{
	size_t from = 0;

	memcpy(object, table->defaults, table->size);
	while (record_left(in) > 0 && !in->bad) {
		const struct field *field = field_by_tag(table, record_take_u8(in), &from);
		struct span bytes = record_take_span(in);

		if (field == NULL || in->bad)
			return ERR_CORRUPT;
		if (is_text(field))
			*(struct span *)member(field, object) = bytes;
		else if (decode_number(field, bytes, object) != OK)
			return ERR_CORRUPT;
	}
	return record_end(in);
}

void
fields_copy(const struct field_table *table, void *object, struct arena *arena)
{
	for (size_t i = 0; i < table->count; i++) {
		struct span *text;

		if (!is_text(&table->fields[i]))
			continue;
		text = member(&table->fields[i], object);
		*text = arena_copy(arena, *text);
	}
}

size_t
field_characters(struct span text)
{
	size_t count = 0;

	for (size_t i = 0; i < text.len; i++)
		count += ((unsigned char)text.ptr[i] & 0xc0) != 0x80; /* not one that continues */
	return count;
}
