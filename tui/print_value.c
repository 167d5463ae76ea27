/*
 * print_value.c - JSON values for people and for programs.
 */
#include "proto/base/ascii.h"
#include "proto/base/utf8.h"
#include "tui/print.h"

enum control_type
print_type_of(struct span name, const struct json *value)
{
	static const char shape[] = "0000-00-00T00:00:00Z";
	struct span text = json_text(value);

	if (span_eq(name, SPAN("size")) || span_ends_nocase(name, SPAN("bytes")))
		return CONTROL_TYPE_SIZE;
	if (text.len != sizeof(shape) - 1)
		return CONTROL_TYPE_TEXT;
	for (size_t i = 0; i < text.len; i++)
		if (shape[i] == '0' ? !ascii_is_digit(text.ptr[i]) : text.ptr[i] != shape[i])
			return CONTROL_TYPE_TEXT;
	return CONTROL_TYPE_TIME;
}

/* "stage=..., text=..." of an object inside a table's cell. */
static void
put_members(struct buf *out, const struct json *object, const struct print_style *style)
{
	for (const struct json *at = object->first; at; at = at->next) {
		print_put(out, at == object->first ? SPAN("") : SPAN(" "));
		print_clean(out, at->name, style);
		print_put(out, SPAN("="));
		if (at->kind == JSON_ARRAY || at->kind == JSON_OBJECT)
			print_json(out, at);
		else
			print_value(out, at, print_type_of(at->name, at), style);
	}
}

static void
put_items(struct buf *out, const struct json *array, const struct print_style *style)
{
	if (!array->first)
		print_put(out, SPAN("-"));
	for (const struct json *at = array->first; at; at = at->next) {
		print_put(out, at == array->first ? SPAN("") : SPAN(", "));
		if (at->kind == JSON_OBJECT)
			put_members(out, at, style);
		else if (at->kind == JSON_ARRAY)
			print_json(out, at);
		else
			print_value(out, at, CONTROL_TYPE_TEXT, style);
	}
}

static void
put_number(struct buf *out, const struct json *value, enum control_type type)
{
	uint64_t number;

	if (json_u64(value, UINT64_MAX, &number) != OK)
		print_put(out, value->text);
	else if (type == CONTROL_TYPE_SIZE)
		print_size(out, number);
	else if (type == CONTROL_TYPE_DURATION)
		print_duration(out, number);
	else
		print_put(out, value->text);
}

void
print_value(struct buf *out, const struct json *value, enum control_type type,
	const struct print_style *style)
{
	if (!value || value->kind == JSON_NULL)
		print_put(out, SPAN("-"));
	else if (value->kind == JSON_BOOL)
		print_put(out, json_truth(value) ? SPAN("yes") : SPAN("no"));
	else if (value->kind == JSON_NUMBER)
		put_number(out, value, type);
	else if (value->kind == JSON_ARRAY)
		put_items(out, value, style);
	else if (value->kind == JSON_OBJECT)
		put_members(out, value, style);
	else if (type == CONTROL_TYPE_TIME)
		print_time(out, value->text, style);
	else
		print_clean(out, value->text, style);
}

void
print_member(struct buf *out, const struct json *object, struct span name,
	const struct print_style *style)
{
	print_value(out, json_find(object, name), CONTROL_TYPE_TEXT, style);
}

/* The writer's JSON with \u in place of what may not be shown; still the same JSON. */
static void
put_shown(struct buf *out, struct span json)
{
	while (json.len > 0) {
		struct span before = json;
		uint32_t code;
		bool ok = true;

		(void)utf8_next(&json, &code);
		if (utf8_is_printable(code))
			ok = buf_put(out, span_range(before, 0, before.len - json.len)) == OK;
		else if (code < 0x10000)
			ok = buf_printf(out, "\\u%04x", (unsigned)code) == OK;
		else
			ok = buf_printf(out, "\\u%04x\\u%04x",
				     0xd800 + (unsigned)((code - 0x10000) >> 10),
				     0xdc00 + (unsigned)((code - 0x10000) & 0x3ff)) == OK;
		out->overflow |= !ok;
	}
}

void
print_json(struct buf *out, const struct json *value)
{
	struct buf text;
	struct json_writer w;

	buf_init(&text, PRINT_MAX);
	json_writer_init(&w, &text);
	json_put_json(&w, value);
	if (json_writer_end(&w) != OK)
		out->overflow = true;
	put_shown(out, buf_span(&text));
	buf_fini(&text);
}
