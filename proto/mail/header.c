/*
 * header.c - walking, checking and writing header fields.
 */
#include "proto/mail/header.h"

#include "proto/base/ascii.h"
#include "proto/base/utf8.h"

#define ROW(text) { (text), sizeof(text) - 1 }

/* Patterns for span_match_wildcard(). */
const struct span header_trust_names[] = {
	ROW("Authentication-Results"),
	ROW("Delivered-To"),
	ROW("Received-SPF"),
	ROW("Return-Path"),
	ROW("X-Blocklist"),
	ROW("X-Original-To"),
	ROW("X-Postroom-*"),
	ROW("X-Spam-*"),
};
const size_t header_trust_count = COUNT(header_trust_names);

size_t
header_end_find(struct header_end *end, struct span piece)
{
	static const char want[] = "\r\n\r\n";
	size_t i = 0;

	if (!end->started) {
		end->started = true;
		end->matched = 2; /* as if a line had just ended */
	}
	while (i < piece.len && !end->found) {
		if (end->matched == 0)
			i += span_find(span_from(piece, i), '\r');
		if (i == piece.len)
			break;
		if (piece.ptr[i] == want[end->matched])
			end->matched++;
		else
			end->matched = piece.ptr[i] == '\r';
		end->found = end->matched == 4;
		i++;
	}
	return i;
}

static bool
is_empty_line(struct span rest)
{
	return span_starts(rest, SPAN("\n")) || span_starts(rest, SPAN("\r\n"));
}

/* A line with those that continue it (RFC 5322, 2.2.3). *rest must not be empty. */
static struct span
take_unit(struct span *rest)
{
	struct span all = *rest;
	size_t len = 0;

	do
		len += span_find(span_from(all, len), '\n') + 1;
	while (len < all.len && ascii_is_blank(all.ptr[len]));
	*rest = span_from(all, len);
	return span_range(all, 0, len);
}

static bool
is_field_name(struct span name)
{
	for (size_t i = 0; i < name.len; i++)
		if (name.ptr[i] <= ' ' || name.ptr[i] >= 0x7f || name.ptr[i] == ':')
			return false;
	return name.len > 0;
}

static bool
unit_is_field(struct span raw, struct header_field *field)
{
	struct span name, value;

	if (!span_cut(raw, ':', &name, &value))
		return false;
	name = ascii_is_blank(raw.ptr[0]) ? SPAN_NONE : span_trim(name);
	if (!is_field_name(name))
		return false;
	*field = (struct header_field){ .name = name, .value = span_trim_folds(value), .raw = raw };
	return true;
}

bool
header_next(struct span *rest, struct header_field *field)
{
	while (rest->len > 0 && !is_empty_line(*rest))
		if (unit_is_field(take_unit(rest), field))
			return true;
	return false;
}

/* Which fields are counted, noticed and kept, and where. */
static void
note_field(struct header_facts *facts, const struct header_field *field)
{
	const struct {
		struct span name;
		struct span *first;
		size_t *count;
		bool *has;
	} rows[] = {
		{ SPAN("Received"), NULL, &facts->received, NULL },
		{ SPAN("From"), &facts->from, &facts->from_fields, NULL },
		{ SPAN("To"), &facts->to, NULL, NULL },
		{ SPAN("Subject"), &facts->subject, NULL, NULL },
		{ SPAN("Date"), &facts->date, NULL, &facts->has_date },
		{ SPAN("Message-ID"), &facts->message_id, NULL, &facts->has_message_id },
		{ SPAN("Sender"), &facts->sender, NULL, NULL },
		{ SPAN("Bcc"), NULL, NULL, &facts->has_bcc },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		if (!span_eq_nocase(field->name, rows[i].name))
			continue;
		if (rows[i].first && !rows[i].first->ptr)
			*rows[i].first = field->value;
		if (rows[i].count)
			++*rows[i].count;
		if (rows[i].has)
			*rows[i].has = true;
		return;
	}
}

enum err
header_check(struct span header, const struct header_limits *limits, struct header_facts *facts)
{
	static const struct header_limits usual = { HEADER_SIZE_MAX, HEADER_FIELDS_MAX,
		HEADER_FIELD_SIZE_MAX };
	struct header_field field;

	*facts = (struct header_facts){ .fields = 0 };
	if (!limits)
		limits = &usual;
	if (header.len > limits->size)
		return ERR_LIMIT;
	while (header_next(&header, &field)) {
		if (++facts->fields > limits->fields || field.raw.len > limits->field_size)
			return ERR_LIMIT;
		note_field(facts, &field);
	}
	return OK;
}

struct span
header_find(struct span header, struct span name)
{
	struct header_field field;

	while (header_next(&header, &field))
		if (span_eq_nocase(field.name, name))
			return field.value;
	return SPAN_NONE;
}

size_t
header_count(struct span header, struct span name)
{
	struct header_field field;
	size_t count = 0;

	while (header_next(&header, &field))
		count += span_eq_nocase(field.name, name);
	return count;
}

enum err
header_unfold(struct buf *out, struct span value)
{
	while (value.len > 0) {
		size_t len = span_find_any(value, SPAN("\r\n"));

		if (buf_put(out, span_range(value, 0, len)) != OK)
			return ERR_LIMIT;
		value = span_from(value, len + 1);
	}
	return OK;
}

static bool
is_safe_value(struct span value)
{
	return !span_has_control(value, SPAN("\t")) && utf8_is_valid(value);
}

enum err
header_put(struct buf *out, struct span name, struct span value)
{
	size_t len = name.len + 2 + value.len;
	char *room;

	if (!is_field_name(name) || !is_safe_value(value))
		return ERR_SYNTAX;
	if (len > HEADER_LINE_MAX)
		return ERR_LIMIT;
	room = buf_reserve(out, len + 2); /* whole or not at all */
	if (!room || buf_put(out, name) != OK || buf_put(out, SPAN(": ")) != OK ||
		buf_put(out, value) != OK || buf_put(out, SPAN("\r\n")) != OK)
		return ERR_LIMIT;
	return OK;
}

static bool
is_named(struct span name, const struct span *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (span_match_wildcard(names[i], name))
			return true;
	return false;
}

enum err
header_put_without(
	struct buf *out, struct span header, const struct span *names, size_t name_count)
{
	struct span rest = header, kept = span_range(header, 0, 0); /* a run that grows */
	struct header_field field;

	while (rest.len > 0 && !is_empty_line(rest)) {
		struct span raw = take_unit(&rest);

		if (!unit_is_field(raw, &field) || !is_named(field.name, names, name_count)) {
			kept.len += raw.len;
			continue;
		}
		if (buf_put(out, kept) != OK)
			return ERR_LIMIT;
		kept = span_range(rest, 0, 0);
	}
	kept.len += rest.len;
	return buf_put(out, kept);
}
