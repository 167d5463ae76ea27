/*
 * print_reply.c - each kind of answer in its form.
 */
#include "tui/print_reply.h"

#include "tui/print_status.h"

#define LABEL_WIDTH 22
#define BRIEF_WIDTH 16 /* of service and session in a brief line of the log */
#define NEST_MAX    4 /* objects inside each other that are shown as name.member */

static bool
has_text(const struct json *object, struct span name)
{
	return json_text(json_find(object, name)).len > 0;
}

void
print_json_rows(struct buf *out, const struct json *rows, const char *columns)
{
	for (const struct json *row = rows->first; row; row = row->next) {
		struct span rest = span_of(columns), name;

		if (!columns) {
			print_json(out, row);
			print_put(out, SPAN("\n"));
			continue;
		}
		print_put(out, SPAN("{"));
		while (rest.len > 0) {
			(void)span_cut(rest, ',', &name, &rest);
			print_put(out, SPAN("\""));
			print_put(out, name);
			print_put(out, SPAN("\":"));
			print_json(out, json_find(row, name));
			print_put(out, rest.len > 0 ? SPAN(",") : SPAN(""));
		}
		print_put(out, SPAN("}\n"));
	}
}

/* "00:43:00 W listen   s12  ": what a narrow view has room for. */
static void
put_brief(struct buf *out, const struct json *row, const struct print_style *style)
{
	struct span level = json_text(json_find(row, SPAN("level"))), name;
	struct buf cell;

	print_clock(out, json_text(json_find(row, SPAN("time"))), style);
	print_put(out, span_starts(level, SPAN("e")) ? SPAN(" E ") :
			span_starts(level, SPAN("w")) ? SPAN(" W ") : SPAN(" i "));
	buf_init(&cell, PRINT_MAX);
	print_member(&cell, row, SPAN("service"), style);
	print_put(&cell, SPAN(" "));
	name = json_text(json_find(row, SPAN("session")));
	if (name.len > 0 && !span_eq(name, SPAN("-")))
		print_clean(&cell, name, style);
	print_cell(out, buf_span(&cell), BRIEF_WIDTH, false);
	buf_fini(&cell);
}

static void
put_columns(struct buf *out, const struct json *row, const struct print_style *style)
{
	static const struct {
		struct span name;
		size_t width;
	} fields[] = {
		{ { "level", 5 }, 7 },
		{ { "service", 7 }, 10 },
		{ { "session", 7 }, 8 },
		{ { "message", 7 }, 0 },
	};
	struct buf cell;

	print_time(out, json_text(json_find(row, SPAN("time"))), style);
	buf_init(&cell, PRINT_MAX);
	for (size_t i = 0; i < COUNT(fields); i++) {
		print_put(out, SPAN(" "));
		buf_clear(&cell);
		print_member(&cell, row, fields[i].name, style);
		if (fields[i].width > 0)
			print_cell(out, buf_span(&cell), fields[i].width, false);
		else
			print_put(out, buf_span(&cell));
	}
	buf_fini(&cell);
}

void
print_log_line(struct buf *out, const struct json *row, const struct print_style *style)
{
	if (style->brief)
		put_brief(out, row, style);
	else
		put_columns(out, row, style);
	print_put(out, SPAN(" "));
	print_clean(out, json_text(json_find(row, SPAN("text"))), style);
	print_put(out, SPAN("\n"));
}

void
print_skipped(struct buf *out, const struct json *data)
{
	uint64_t skipped = 0;

	if (json_u64(json_find(data, SPAN("skipped")), UINT64_MAX, &skipped) != OK || skipped == 0)
		return;
	out->overflow |= buf_printf(out, "%llu lines skipped\n", (unsigned long long)skipped) != OK;
}

static void
put_labelled(struct buf *out, struct span label, const struct json *value,
	const struct control_schema *schema, const struct print_style *style)
{
	const struct control_param *column = control_schema_find(schema, label);
	struct buf name;

	buf_init(&name, PRINT_MAX);
	print_clean(&name, label, style);
	if (print_width(buf_span(&name)) < LABEL_WIDTH)
		print_cell(out, buf_span(&name), LABEL_WIDTH, false);
	else
		print_put(out, buf_span(&name));
	buf_fini(&name);
	print_put(out, SPAN("  "));
	if (json_is(value, JSON_STRING) && value->text.len == 0)
		print_put(out, SPAN("-"));
	else
		print_value(out, value, column ? column->type : print_type_of(label, value), style);
	print_put(out, SPAN("\n"));
}

static void
put_member_line(struct buf *out, struct span label, const struct json *value,
	const struct control_schema *schema, const struct print_style *style)
{
	if (value->kind != JSON_ARRAY || !value->first || value->first->kind != JSON_OBJECT) {
		put_labelled(out, label, value, schema, style);
		return;
	}
	for (const struct json *at = value->first; at; at = at->next)
		put_labelled(out, at == value->first ? label : SPAN_NONE, at, schema, style);
}

/* Where we are in an object inside an object. */
struct nest {
	const struct json *at;
	struct span prefix;
};

void
print_object(struct buf *out, const struct control_method *m, const struct json *object,
	const struct print_style *style)
{
	struct nest stack[NEST_MAX] = { { object->first, SPAN_NONE } };
	struct control_schema schema;
	struct arena arena;
	size_t depth = 1;

	arena_init(&arena, NULL);
	control_schema_parse(m->columns, &schema);
	while (depth > 0) {
		struct nest *n = &stack[depth - 1];
		const struct json *at = n->at;
		struct span label;

		if (!at) {
			depth--;
			continue;
		}
		n->at = at->next;
		label = arena_printf(&arena, "%.*s%s%.*s", SPAN_FMT(n->prefix),
			n->prefix.len ? "." : "", SPAN_FMT(at->name));
		if (at->kind == JSON_OBJECT && at->first && depth < NEST_MAX)
			stack[depth++] = (struct nest){ at->first, label };
		else
			put_member_line(out, label, at, &schema, style);
	}
	arena_reset(&arena);
}

/* A text of many lines, each cleaned. */
static void
put_text(struct buf *out, struct span text, const struct print_style *style)
{
	struct span line;

	while (span_next_line(&text, &line)) {
		for (; line.len > 0 && line.ptr[0] == '\t'; line = span_from(line, 1))
			print_put(out, SPAN("        "));
		print_clean(out, line, style);
		print_put(out, SPAN("\n"));
	}
}

/* Members of a message that have a place of their own. */
static bool
is_long(struct span name)
{
	return span_eq(name, SPAN("header")) || span_eq(name, SPAN("body")) ||
		span_eq(name, SPAN("text")) || span_eq(name, SPAN("parts"));
}

/* What could not be decoded is shown as it came. */
static const struct json *
body_of(const struct json *message, unsigned parts)
{
	const struct json *text = parts & MESSAGE_TEXT ? json_find(message, SPAN("text")) : NULL;

	return text ? text : json_find(message, SPAN("body"));
}

/* A line for each; one that is all there is says nothing new. */
static void
print_parts(struct buf *out, const struct json *parts, bool also_one, const struct print_style *style)
{
	const struct json *first = parts ? parts->first : NULL;

	if (!first || (!also_one && !first->next))
		return;
	for (const struct json *at = first; at; at = at->next)
		put_text(out, json_text(at), style);
}

void
print_letter(struct buf *out, const struct control_method *m, const struct json *message,
	unsigned parts, const struct print_style *style)
{
	struct control_schema schema;

	control_schema_parse(m->columns, &schema);
	for (const struct json *at = message->first; at && (parts & MESSAGE_FACTS); at = at->next)
		if (!is_long(at->name))
			put_member_line(out, at->name, at, &schema, style);
	if (parts & MESSAGE_FACTS)
		print_put(out, SPAN("\n"));
	if (parts & MESSAGE_HEADER) {
		put_text(out, span_trim(json_text(json_find(message, SPAN("header")))), style);
		print_put(out, SPAN("\n"));
	}
	if (parts & MESSAGE_PARTS) {
		print_parts(out, json_find(message, SPAN("parts")), !(parts & MESSAGE_TEXT), style);
		if (parts & MESSAGE_TEXT)
			print_put(out, SPAN("\n"));
	}
	if (!(parts & (MESSAGE_BODY | MESSAGE_TEXT)))
		return;
	put_text(out, json_text(body_of(message, parts)), style);
	if (json_truth(json_find(message, SPAN("truncated"))))
		print_put(out, SPAN("... and more: --out FILE takes all of it\n"));
}

void
print_done(struct buf *out, const struct json *done, bool undone, const struct print_style *style)
{
	const struct json *skipped = json_find(done, SPAN("skipped"));

	if (has_text(done, SPAN("note"))) {
		print_member(out, done, SPAN("note"), style);
	} else {
		print_member(out, done, SPAN("done"), style);
		print_put(out, SPAN(" done"));
	}
	if (has_text(done, SPAN("undo"))) {
		print_put(out, SPAN("; postroom undo "));
		print_member(out, done, SPAN("undo"), style);
		print_put(out, undone ? SPAN(" brings it back") : SPAN(" takes it back"));
	}
	if (has_text(done, SPAN("undo")) && has_text(done, SPAN("undo_until"))) {
		print_put(out, SPAN(" until "));
		print_time(out, json_text(json_find(done, SPAN("undo_until"))), style);
	}
	print_put(out, SPAN("\n"));
	if (has_text(done, SPAN("secret"))) {
		print_member(out, done, SPAN("secret"), style);
		print_put(out, SPAN("\n"));
	}
	for (const struct json *at = skipped ? skipped->first : NULL; at; at = at->next) {
		print_put(out, SPAN("skipped "));
		print_member(out, at, SPAN("key"), style);
		print_put(out, SPAN(": "));
		print_member(out, at, SPAN("why"), style);
		print_put(out, SPAN("\n"));
	}
}

static void
put_each(struct buf *out, const char *before, const struct json *array,
	const struct print_style *style)
{
	for (const struct json *at = array ? array->first : NULL; at; at = at->next) {
		print_put(out, span_of(before));
		print_value(out, at, CONTROL_TYPE_TEXT, style);
		print_put(out, SPAN("\n"));
	}
}

/* "Would change 2 objects (694 bytes)", over a list of them. */
static void
put_preview_head(struct buf *out, const struct json *preview, const struct print_style *style)
{
	const struct json *bytes = json_find(preview, SPAN("bytes"));
	uint64_t count = 0, size = 0;

	if (json_u64(json_find(preview, SPAN("count")), UINT64_MAX, &count) != OK)
		return;
	out->overflow |= buf_printf(out, "Would change %llu object%s", (unsigned long long)count,
				 count == 1 ? "" : "s") != OK;
	if (json_u64(bytes, UINT64_MAX, &size) == OK && size > 0) {
		print_put(out, SPAN(" ("));
		print_value(out, bytes, CONTROL_TYPE_SIZE, style);
		print_put(out, size < 1000 ? SPAN(" bytes)") : SPAN(")"));
	}
	print_put(out, SPAN("\n"));
}

void
print_preview(struct buf *out, const struct json *preview, const struct print_style *style)
{
	const struct json *sample = json_find(preview, SPAN("sample"));

	if (!sample || sample->first)
		put_preview_head(out, preview, style);
	put_each(out, "  ", sample, style);
	put_each(out, "", json_find(preview, SPAN("effects")), style);
	put_each(out, "Warning: ", json_find(preview, SPAN("warnings")), style);
	print_put(out, SPAN("Undo: "));
	print_member(out, preview, SPAN("undo"), style);
	print_put(out, SPAN("\n"));
}

static void
print_rows(struct buf *out, const struct control_method *m, const struct json *rows,
	const char *columns, const struct print_style *style)
{
	bool log = m->id == CONTROL_log_tail || m->id == CONTROL_log_show;
	const struct json *way = json_find(rows->first, SPAN("steps"));
	bool steps = m->id == CONTROL_trace && json_is(way, JSON_ARRAY) && way->first;

	if (columns || !(log || steps)) {
		print_table(out, m, columns, rows, style);
		return;
	}
	for (const struct json *row = rows->first; row; row = row->next) {
		if (log)
			print_log_line(out, row, style);
		else
			print_trace(out, row, style);
	}
}

/* One field that is all there is to tell stands by itself: `config get KEY`. */
static void
print_item(struct buf *out, const struct control_method *m, const struct json *object,
	const struct print_style *style)
{
	const struct json *value = json_find(object, SPAN("value"));

	if (m->id == CONTROL_status) {
		print_status(out, object, style);
	} else if (m->id == CONTROL_explain) {
		print_explain(out, object, style);
	} else if (m->id == CONTROL_mapping_test) {
		print_mapping_test(out, object, style);
	} else if (m->id == CONTROL_message_show || m->id == CONTROL_queue_message) {
		print_letter(out, m, object, MESSAGE_FACTS | MESSAGE_HEADER | MESSAGE_TEXT | MESSAGE_PARTS,
			style);
	} else if (m->id == CONTROL_config_get && value) {
		print_value(out, has_text(object, SPAN("text")) ? json_find(object, SPAN("text")) : value,
			CONTROL_TYPE_TEXT, style);
		print_put(out, SPAN("\n"));
	} else {
		print_object(out, m, object, style);
	}
}

void
print_reply(struct buf *out, const struct control_method *m, const struct json *result,
	const char *columns, bool json, const struct print_style *style)
{
	const struct json *rows = json_find(result, SPAN("rows"));
	bool lists = m->reply == CONTROL_REPLY_ROWS || m->reply == CONTROL_REPLY_FAULTS;

	if (lists && json_is(rows, JSON_ARRAY)) {
		if (json)
			print_json_rows(out, rows, columns);
		else
			print_rows(out, m, rows, columns, style);
	} else if (json || !json_is(result, JSON_OBJECT)) {
		print_json(out, result);
		print_put(out, SPAN("\n"));
	} else if (m->reply == CONTROL_REPLY_TEXT) {
		put_text(out, json_text(json_find(result, SPAN("text"))), style);
	} else if (m->reply == CONTROL_REPLY_DONE) {
		print_done(out, result, m->id == CONTROL_undo_apply || m->id == CONTROL_config_undo,
			style);
	} else {
		print_item(out, m, result, style);
	}
}

const struct json *
reply_errors(const struct json *result)
{
	const struct json *errors = json_find(result, SPAN("errors"));

	return json_is(errors, JSON_ARRAY) ? errors->first : NULL;
}

bool
reply_tells_of_faults(const struct control_method *m, const struct json *result)
{
	bool done = m->reply == CONTROL_REPLY_DONE;
	const struct json *faults = json_find(result, done ? SPAN("skipped") : SPAN("rows"));

	if (done && reply_errors(result))
		return true;
	if (!faults || (!done && m->reply != CONTROL_REPLY_FAULTS))
		return false;
	for (const struct json *row = faults->first; row; row = row->next)
		if (!json_truth(json_find(row, SPAN("warning"))))
			return true;
	return false;
}
