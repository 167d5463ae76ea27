/*
 * print_steps.c - trace and explain: the way of a message as lines that can be read aloud.
 */
#include "tui/print_reply.h"

#define STAGE_WIDTH 10

static void
put_stage(struct buf *out, const struct json *step, const struct print_style *style)
{
	struct buf stage;

	buf_init(&stage, PRINT_MAX);
	print_member(&stage, step, SPAN("stage"), style);
	if (print_width(buf_span(&stage)) < STAGE_WIDTH)
		print_cell(out, buf_span(&stage), STAGE_WIDTH, false);
	else
		print_put(out, buf_span(&stage));
	buf_fini(&stage);
}

static void
put_steps(struct buf *out, const struct json *steps, const struct print_style *style)
{
	for (const struct json *at = steps ? steps->first : NULL; at; at = at->next) {
		struct span time = json_text(json_find(at, SPAN("time")));

		print_put(out, SPAN("  "));
		if (time.len > 0) {
			print_time(out, time, style);
			print_put(out, SPAN("  "));
		}
		if (at->kind == JSON_OBJECT) {
			put_stage(out, at, style);
			print_put(out, SPAN(" "));
			print_member(out, at, SPAN("text"), style);
		} else {
			print_value(out, at, CONTROL_TYPE_TEXT, style); /* stage and sentence in one */
		}
		print_put(out, SPAN("\n"));
	}
}

static void
put_line(struct buf *out, const char *label, const struct json *value, enum control_type type,
	const struct print_style *style)
{
	if (!value || value->kind == JSON_NULL)
		return;
	print_put(out, span_of(label));
	print_value(out, value, type, style);
	print_put(out, SPAN("\n"));
}

void
print_trace(struct buf *out, const struct json *row, const struct print_style *style)
{
	static const struct {
		const char *label;
		struct span name;
		enum control_type type;
	} lines[] = {
		{ "  Message-ID  ", { "message_id", 10 }, CONTROL_TYPE_TEXT },
		{ "  Session     ", { "session", 7 }, CONTROL_TYPE_TEXT },
		{ "  From        ", { "from", 4 }, CONTROL_TYPE_TEXT },
		{ "  To          ", { "to", 2 }, CONTROL_TYPE_LIST },
		{ "  Subject     ", { "subject", 7 }, CONTROL_TYPE_TEXT },
		{ "  Size        ", { "size", 4 }, CONTROL_TYPE_SIZE },
		{ "  Result      ", { "result", 6 }, CONTROL_TYPE_TEXT },
		{ "  Because     ", { "because", 7 }, CONTROL_TYPE_TEXT },
	};

	print_value(out, json_find(row, SPAN("time")), CONTROL_TYPE_TIME, style);
	print_put(out, SPAN("  "));
	print_member(out, row, SPAN("id"), style);
	print_put(out, SPAN("\n"));
	for (size_t i = 0; i < COUNT(lines); i++)
		put_line(out, lines[i].label, json_find(row, lines[i].name), lines[i].type, style);
	put_steps(out, json_find(row, SPAN("steps")), style);
}

void
print_explain(struct buf *out, const struct json *object, const struct print_style *style)
{
	const struct json *reply = json_find(object, SPAN("reply"));
	const struct json *copies = json_find(object, SPAN("copies"));

	put_steps(out, json_find(object, SPAN("steps")), style);
	print_put(out, SPAN("Reply: "));
	print_member(out, reply, SPAN("code"), style);
	print_put(out, SPAN(" "));
	print_member(out, reply, SPAN("text"), style);
	print_put(out, SPAN("  (at "));
	print_member(out, reply, SPAN("stage"), style);
	print_put(out, SPAN(")\n"));
	if (copies && !copies->first)
		print_put(out, SPAN("No copy is kept.\n"));
	for (const struct json *at = copies ? copies->first : NULL; at; at = at->next) {
		print_put(out, SPAN("Copy: "));
		print_member(out, at, SPAN("kind"), style);
		print_put(out, SPAN(" "));
		print_member(out, at, SPAN("target"), style);
		print_put(out, SPAN(", because "));
		print_member(out, at, SPAN("because"), style);
		print_put(out, SPAN("\n"));
	}
}
