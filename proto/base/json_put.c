/*
 * json_put.c - the writer of JSON.
 */
#include <string.h>

#include "proto/base/json.h"
#include "proto/base/utf8.h"

void
json_writer_init(struct json_writer *w, struct buf *out)
{
	*w = (struct json_writer){ .out = out };
}

enum err
json_writer_end(struct json_writer *w)
{
	ENSURE(w->err != OK || (w->depth == 0 && !w->after_name));
	return w->err;
}

static void
put(struct json_writer *w, struct span bytes)
{
	if (w->err == OK)
		w->err = buf_put(w->out, bytes);
}

static void
put_comma(struct json_writer *w)
{
	if (w->not_first & 1u << w->depth)
		put(w, SPAN(","));
	w->not_first |= 1u << w->depth;
}

/* What comes before any value: a comma, unless a name stands there. */
static void
begin_value(struct json_writer *w)
{
	ENSURE(w->after_name || !(w->in_object & 1u << w->depth));
	if (!w->after_name)
		put_comma(w);
	w->after_name = false;
}

static void
open_value(struct json_writer *w, struct span bracket, bool object)
{
	begin_value(w);
	put(w, bracket);
	ENSURE(w->depth < JSON_PUT_DEPTH_MAX);
	w->depth++;
	w->not_first &= ~(1u << w->depth);
	w->in_object &= ~(1u << w->depth);
	w->in_object |= (uint32_t)object << w->depth;
}

void
json_put_object(struct json_writer *w)
{
	open_value(w, SPAN("{"), true);
}

void
json_put_array(struct json_writer *w)
{
	open_value(w, SPAN("["), false);
}

void
json_put_close(struct json_writer *w)
{
	ENSURE(w->depth > 0 && !w->after_name);
	put(w, w->in_object & 1u << w->depth ? SPAN("}") : SPAN("]"));
	w->depth--;
}

static void
put_escaped(struct json_writer *w, char c)
{
	static const char from[] = "\"\\\b\f\n\r\t", into[] = "\"\\bfnrt";
	const char *hit = memchr(from, c, sizeof(from) - 1);

	if (w->err != OK)
		return;
	if (hit)
		put(w, (struct span){ (const char[]){ '\\', into[hit - from] }, 2 });
	else
		w->err = buf_printf(w->out, "\\u%04x", (unsigned)(unsigned char)c);
}

/* Bytes at the front of valid ASCII that need no escape. */
static size_t
plain_length(struct span s)
{
	size_t i = 0;

	while (i < s.len && s.ptr[i] >= 0x20 && s.ptr[i] < 0x7f && s.ptr[i] != '"' &&
		s.ptr[i] != '\\')
		i++;
	return i;
}

static void
put_quoted(struct json_writer *w, struct span text)
{
	put(w, SPAN("\""));
	while (text.len > 0 && w->err == OK) {
		size_t plain = plain_length(text);
		struct span rest = span_from(text, plain);
		uint32_t code;

		put(w, span_range(text, 0, plain));
		text = rest;
		if (rest.len == 0)
			break;
		if (!utf8_next(&rest, &code) || code == 0) /* json_parse() takes no NUL */
			put(w, SPAN("\xef\xbf\xbd"));	   /* U+FFFD */
		else if (code < 0x80)
			put_escaped(w, (char)code);
		else
			put(w, span_range(text, 0, text.len - rest.len));
		text = rest;
	}
	put(w, SPAN("\""));
}

void
json_put_name(struct json_writer *w, struct span name)
{
	ENSURE(w->in_object & 1u << w->depth && !w->after_name);
	put_comma(w);
	put_quoted(w, name);
	put(w, SPAN(":"));
	w->after_name = true;
}

void
json_put_string(struct json_writer *w, struct span text)
{
	begin_value(w);
	put_quoted(w, text);
}

void
json_put_u64(struct json_writer *w, uint64_t value)
{
	begin_value(w);
	if (w->err == OK)
		w->err = buf_put_u64(w->out, value);
}

void
json_put_i64(struct json_writer *w, int64_t value)
{
	begin_value(w);
	if (value < 0)
		put(w, SPAN("-"));
	if (w->err == OK)
		w->err = buf_put_u64(w->out, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void
json_put_bool(struct json_writer *w, bool value)
{
	begin_value(w);
	put(w, value ? SPAN("true") : SPAN("false"));
}

void
json_put_null(struct json_writer *w)
{
	begin_value(w);
	put(w, SPAN("null"));
}

void
json_put_raw(struct json_writer *w, struct span json)
{
	begin_value(w);
	put(w, json);
}

static void
put_scalar(struct json_writer *w, const struct json *value)
{
	if (!value || value->kind == JSON_NULL)
		json_put_null(w);
	else if (value->kind == JSON_BOOL)
		json_put_bool(w, value->truth);
	else if (value->kind == JSON_NUMBER)
		json_put_raw(w, value->text);
	else
		json_put_string(w, value->text);
}

static bool
is_open(const struct json *value)
{
	return json_is(value, JSON_ARRAY) || json_is(value, JSON_OBJECT);
}

void
json_put_json(struct json_writer *w, const struct json *value)
{
	const struct json *stack[JSON_DEPTH_MAX];
	size_t depth = 0;

	for (;;) {
		if (is_open(value)) {
			ENSURE(depth < JSON_DEPTH_MAX); /* the reader built no deeper tree */
			if (value->kind == JSON_OBJECT)
				json_put_object(w);
			else
				json_put_array(w);
			stack[depth++] = value;
			value = value->first;
		} else {
			put_scalar(w, value);
			value = depth > 0 ? value->next : NULL;
		}
		for (; !value && depth > 0; value = depth > 0 ? stack[depth]->next : NULL) {
			json_put_close(w);
			depth--;
		}
		if (!value)
			return;
		if (stack[depth - 1]->kind == JSON_OBJECT)
			json_put_name(w, value->name);
	}
}

void
json_put_member_string(struct json_writer *w, struct span name, struct span text)
{
	json_put_name(w, name);
	json_put_string(w, text);
}

void
json_put_member_u64(struct json_writer *w, struct span name, uint64_t value)
{
	json_put_name(w, name);
	json_put_u64(w, value);
}

void
json_put_member_i64(struct json_writer *w, struct span name, int64_t value)
{
	json_put_name(w, name);
	json_put_i64(w, value);
}

void
json_put_member_bool(struct json_writer *w, struct span name, bool value)
{
	json_put_name(w, name);
	json_put_bool(w, value);
}
