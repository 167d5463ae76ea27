/*
 * print_steps.c - trace, explain and mapping test: the way of a message as lines that can be read
 * aloud.
 */
#include "tui/print_reply.h"

#define LABEL_WIDTH 12

static void
put_cell(struct buf *out, struct span text, size_t width)
{
	if (print_width(text) < width)
		print_cell(out, text, width, false);
	else
		print_put(out, text);
}

/* "Size        12k"; a value that is not there, or is empty, takes no line. */
static void
put_line(struct buf *out, const char *label, const struct json *value, enum control_type type,
	const struct print_style *style)
{
	bool empty = !value || value->kind == JSON_NULL ||
		(value->kind == JSON_ARRAY && !value->first) ||
		(value->kind == JSON_STRING && value->text.len == 0);

	if (empty)
		return;
	put_cell(out, span_of(label), LABEL_WIDTH);
	print_value(out, value, type, style);
	print_put(out, SPAN("\n"));
}

/* ---- steps ---- */

/* What the sentence "place: anna@example.org goes to ..." is about, if that is one of ADDRESSES. */
static const struct json *
about(struct span step, const struct json *addresses)
{
	struct span stage, sentence, first, rest;

	if (!span_cut(step, ':', &stage, &sentence))
		return NULL;
	(void)span_cut(span_trim(sentence), ' ', &first, &rest);
	for (const struct json *at = addresses ? addresses->first : NULL; at; at = at->next)
		if (span_eq_nocase(at->text, first))
			return at;
	return NULL;
}

/* Steps about header fields are about the message again. */
static bool
is_about_message(struct span step)
{
	return span_starts(step, SPAN("place: ")) &&
		(span_find_span(step, SPAN(" is added: ")) < step.len ||
			span_find_span(step, SPAN(" is removed: ")) < step.len);
}

/* The steps, numbered, with a heading where the talk turns to another of ADDRESSES. */
static void
put_steps(struct buf *out, const struct json *steps, const struct json *addresses,
	const struct print_style *style)
{
	const struct json *now = NULL, *next;
	unsigned number = 0;

	for (const struct json *at = steps ? steps->first : NULL; at; at = at->next) {
		next = is_about_message(at->text) ? NULL : about(at->text, addresses);
		if (next && next != now) {
			print_put(out, SPAN("  for "));
			print_clean(out, next->text, style);
			print_put(out, SPAN("\n"));
		} else if (now && is_about_message(at->text)) {
			print_put(out, SPAN("  for the message\n"));
		}
		if (next || is_about_message(at->text))
			now = next;
		out->overflow |= buf_printf(out, "  %2u. ", ++number) != OK;
		print_value(out, at, CONTROL_TYPE_TEXT, style);
		print_put(out, SPAN("\n"));
	}
}

void
print_trace(struct buf *out, const struct json *row, const struct print_style *style)
{
	static const struct {
		const char *label;
		struct span name;
		enum control_type type;
	} lines[] = {
		{ "Session", { "session", 7 }, CONTROL_TYPE_TEXT },
		{ "Message-ID", { "message_id", 10 }, CONTROL_TYPE_TEXT },
		{ "From", { "from", 4 }, CONTROL_TYPE_TEXT },
		{ "To", { "to", 2 }, CONTROL_TYPE_LIST },
		{ "Subject", { "subject", 7 }, CONTROL_TYPE_TEXT },
		{ "Size", { "size", 4 }, CONTROL_TYPE_SIZE },
		{ "Result", { "result", 6 }, CONTROL_TYPE_TEXT },
		{ "Because", { "because", 7 }, CONTROL_TYPE_TEXT },
	};

	print_value(out, json_find(row, SPAN("time")), CONTROL_TYPE_TIME, style);
	print_put(out, SPAN("  "));
	print_member(out, row, SPAN("id"), style);
	print_put(out, SPAN("\n"));
	for (size_t i = 0; i < COUNT(lines); i++)
		put_line(out, lines[i].label, json_find(row, lines[i].name), lines[i].type, style);
	put_steps(out, json_find(row, SPAN("steps")), json_find(row, SPAN("to")), style);
}

/* ---- explain ---- */

static void
put_asked(struct buf *out, const struct json *asked, const struct print_style *style)
{
	put_line(out, "From", json_find(asked, SPAN("from")), CONTROL_TYPE_TEXT, style);
	put_line(out, "To", json_find(asked, SPAN("to")), CONTROL_TYPE_LIST, style);
	put_line(out, "Via", json_find(asked, SPAN("via")), CONTROL_TYPE_TEXT, style);
	put_line(out, "Logged in", json_find(asked, SPAN("auth")), CONTROL_TYPE_TEXT, style);
	put_line(out, "Size", json_find(asked, SPAN("size")), CONTROL_TYPE_SIZE, style);
}

static void
put_copies(struct buf *out, const struct json *copies, const struct print_style *style)
{
	if (!copies || !copies->first)
		print_put(out, SPAN("Copies      none\n"));
	for (const struct json *at = copies ? copies->first : NULL; at; at = at->next) {
		print_put(out, SPAN("Copy        "));
		print_member(out, at, SPAN("kind"), style);
		print_put(out, SPAN(" "));
		print_member(out, at, SPAN("target"), style);
		print_put(out, SPAN(", because "));
		print_member(out, at, SPAN("because"), style);
		print_put(out, SPAN("\n"));
	}
}

/* "and 8999 more", where the reply does not show all. */
static void
put_more(struct buf *out, const struct json *object, const struct print_style *style)
{
	const struct json *more = json_find(object, SPAN("more"));

	if (!more || more->kind != JSON_NUMBER || span_eq(more->text, SPAN("0")))
		return;
	print_put(out, SPAN("            and "));
	print_member(out, object, SPAN("more"), style);
	print_put(out, SPAN(" more\n"));
}

static void
put_reply(struct buf *out, const struct json *reply, const struct print_style *style)
{
	print_put(out, SPAN("Reply       "));
	print_member(out, reply, SPAN("code"), style);
	print_put(out, SPAN(" "));
	print_member(out, reply, SPAN("text"), style);
	print_put(out, SPAN(" (at "));
	print_member(out, reply, SPAN("stage"), style);
	print_put(out, SPAN(")\n"));
}

static void
put_refused(struct buf *out, const struct json *refused, const struct print_style *style)
{
	for (const struct json *at = refused ? refused->first : NULL; at; at = at->next) {
		print_put(out, SPAN("Refused     "));
		print_member(out, at, SPAN("recipient"), style);
		print_put(out, SPAN(": "));
		print_member(out, at, SPAN("code"), style);
		print_put(out, SPAN(" "));
		print_member(out, at, SPAN("text"), style);
		print_put(out, SPAN("\n"));
	}
}

void
print_explain(struct buf *out, const struct json *object, const struct print_style *style)
{
	const struct json *asked = json_find(object, SPAN("asked"));

	put_asked(out, asked, style);
	print_put(out, SPAN("Steps\n"));
	put_steps(out, json_find(object, SPAN("steps")), json_find(asked, SPAN("to")), style);
	put_copies(out, json_find(object, SPAN("copies")), style);
	put_more(out, object, style);
	put_refused(out, json_find(object, SPAN("refused")), style);
	put_reply(out, json_find(object, SPAN("reply")), style);
}

/* "By smtp     anna, bert (250)" for each way that mail can come. */
static void
put_ways(struct buf *out, const struct json *ways, const struct print_style *style)
{
	for (const struct json *at = ways ? ways->first : NULL; at; at = at->next) {
		const struct json *targets = json_find(at, SPAN("targets"));

		print_put(out, SPAN("By "));
		print_member(out, at, SPAN("way"), style);
		print_put(out, SPAN(": "));
		if (targets && targets->first)
			print_value(out, targets, CONTROL_TYPE_LIST, style);
		else
			print_put(out, SPAN("none"));
		print_put(out, SPAN(" ("));
		print_member(out, json_find(at, SPAN("reply")), SPAN("code"), style);
		print_put(out, SPAN(")\n"));
	}
}

void
print_mapping_test(struct buf *out, const struct json *object, const struct print_style *style)
{
	const struct json *targets = json_find(object, SPAN("targets"));

	put_line(out, "Address", json_find(object, SPAN("address")), CONTROL_TYPE_TEXT, style);
	put_line(out, "Matched", json_find(object, SPAN("matched")), CONTROL_TYPE_LIST, style);
	put_line(out, "Targets", targets, CONTROL_TYPE_LIST, style);
	if (!targets || !targets->first)
		print_put(out, SPAN("Targets     none\n"));
	put_more(out, object, style);
	put_reply(out, json_find(object, SPAN("reply")), style);
	print_put(out, SPAN("Reasons\n"));
	put_steps(out, json_find(object, SPAN("reasons")), NULL, style);
	put_ways(out, json_find(object, SPAN("ways")), style);
}
