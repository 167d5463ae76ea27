/*
 * journal_report_read.c - a journal report and a plain copy, read.
 *
 * What comes is another server's, and may be anybody's: no line is trusted to be well formed, and an address that
 * is none is passed over.
 */
#include "proto/mail/journal_report.h"

#include "proto/mail/address.h"
#include "proto/mail/header.h"

#define RECIPIENTS_FIRST 16

/* Recipients as they are found: an array that doubles. */
struct found {
	struct arena *a;
	struct journal_recipient *items;
	size_t count, size;
};

static void
add(struct found *f, const struct journal_recipient *r)
{
	struct journal_recipient *larger;

	if (f->count >= JOURNAL_RECIPIENTS_MAX)
		return;
	if (f->count == f->size) {
		f->size = f->size ? 2 * f->size : RECIPIENTS_FIRST;
		larger = ARENA_ARRAY(f->a, struct journal_recipient, f->size);
		for (size_t i = 0; i < f->count; i++)
			larger[i] = f->items[i];
		f->items = larger;
	}
	f->items[f->count++] = *r;
}

/* ERR_SYNTAX: TEXT is no address. *out is empty for the null one. */
static enum err
take_address(struct arena *a, struct span text, struct span *out)
{
	struct header_mailbox mailbox;
	struct address address;

	*out = SPAN("");
	if (span_eq(span_trim(text), SPAN("<>")))
		return OK;
	if (!header_next_mailbox(&text, &mailbox) ||
		address_parse(a, mailbox.address, &address) != OK || address_is_null(&address))
		return ERR_SYNTAX;
	*out = address.text;
	return OK;
}

/* ---- the report ---- */

/* Cut ", Expanded: list@x" off VALUE. */
static void
take_way(struct arena *a, struct span *value, struct journal_recipient *r)
{
	static const struct {
		struct span mark;
		enum journal_way way;
	} ways[] = { { SPAN(", Expanded:"), JOURNAL_EXPANDED }, { SPAN(", Forwarded:"), JOURNAL_FORWARDED } };

	for (size_t i = 0; i < COUNT(ways); i++) {
		size_t at = span_find_span_nocase(*value, ways[i].mark);

		if (at == value->len)
			continue;
		if (take_address(a, span_from(*value, at + ways[i].mark.len), &r->source) == OK &&
			r->source.len > 0)
			r->way = ways[i].way;
		*value = span_range(*value, 0, at);
		return;
	}
}

static void
take_recipient(struct found *f, enum journal_word word, struct span value)
{
	struct journal_recipient r = { .word = word };

	take_way(f->a, &value, &r);
	if (take_address(f->a, value, &r.address) == OK && r.address.len > 0)
		add(f, &r);
}

static bool
word_of(struct span name, enum journal_word *out)
{
	for (int i = 0; i < JOURNAL_WORDS; i++)
		if (span_eq_nocase(name, span_of(journal_word_texts[i]))) {
			*out = (enum journal_word)i;
			return true;
		}
	return false;
}

enum err
journal_envelope_parse(struct arena *a, struct span text, struct journal_envelope *out)
{
	struct found f = { .a = a };
	struct span line, name, value;
	bool has_sender = false;

	*out = (struct journal_envelope){ .sender = SPAN("") };
	text = span_range(text, 0, JOURNAL_TEXT_MAX);
	while (span_next_line(&text, &line)) {
		enum journal_word word;

		if (!span_cut(line, ':', &name, &value))
			continue;
		name = span_trim(name);
		value = span_trim(value);
		if (word_of(name, &word))
			take_recipient(&f, word, value);
		else if (span_eq_nocase(name, SPAN("Sender")) && !has_sender)
			has_sender = take_address(a, value, &out->sender) == OK;
		else if (span_eq_nocase(name, SPAN("Subject")) && out->subject.len == 0)
			out->subject = value;
		else if (span_eq_nocase(name, SPAN("Message-Id")) && out->message_id.len == 0)
			out->message_id = value;
	}
	out->recipients = f.items;
	out->count = f.count;
	return has_sender && f.count > 0 ? OK : ERR_SYNTAX;
}

/* ---- the plain copy ---- */

enum plain_line { LINE_OTHER, LINE_TRACE, LINE_FROM, LINE_TO, LINE_COUNT };

static enum plain_line
plain_line(struct span name)
{
	static const struct {
		struct span name;
		enum plain_line line;
	} lines[] = {
		{ SPAN("Received"), LINE_TRACE }, { SPAN("Return-Path"), LINE_TRACE },
		{ SPAN("Delivered-To"), LINE_TRACE },
		{ SPAN("X-Envelope-From"), LINE_FROM }, { SPAN("X-Envelope-Sender"), LINE_FROM },
		{ SPAN("X-Journal-Sender"), LINE_FROM },
		{ SPAN("X-Envelope-To"), LINE_TO }, { SPAN("X-Envelope-Recipient"), LINE_TO },
		{ SPAN("X-Envelope-Recipients"), LINE_TO }, { SPAN("X-Journal-Recipient"), LINE_TO },
		{ SPAN("X-Envelope-Count"), LINE_COUNT },
	};

	for (size_t i = 0; i < COUNT(lines); i++)
		if (span_eq_nocase(name, lines[i].name))
			return lines[i].line;
	return LINE_OTHER;
}

static void
take_recipients(struct found *f, struct span value)
{
	struct header_mailbox mailbox;

	while (f->count < JOURNAL_RECIPIENTS_MAX && header_next_mailbox(&value, &mailbox)) {
		struct journal_recipient r = { .word = JOURNAL_RECIPIENT };

		if (take_address(f->a, mailbox.address, &r.address) == OK && r.address.len > 0)
			add(f, &r);
	}
}

struct plain {
	struct found found;
	bool has_from, has_count;
	uint64_t left; /* X-Envelope-To lines that are still ours */
};

/* False: the field is not one of those lines, or one more than there are. */
static bool
take_plain(struct plain *p, const struct header_field *field, struct journal_envelope *out)
{
	switch (plain_line(field->name)) {
	case LINE_FROM:
		if (p->has_from || take_address(p->found.a, field->value, &out->sender) != OK)
			return false;
		p->has_from = true;
		return true;
	case LINE_COUNT:
		if (p->has_count || span_u64(field->value, JOURNAL_RECIPIENTS_MAX, &p->left) != OK)
			return false;
		p->has_count = true;
		return true;
	case LINE_TO:
		if (p->has_count && p->left-- == 0)
			return false;
		take_recipients(&p->found, field->value);
		return true;
	default:
		return false;
	}
}

enum err
journal_plain_parse(struct arena *a, struct span header, struct journal_envelope *out,
	size_t *from, size_t *to)
{
	struct plain p = { .found = { .a = a } };
	struct span rest = header;
	struct header_field field;
	size_t fields = 0;

	*out = (struct journal_envelope){ .sender = SPAN("") };
	*from = *to = 0;
	while (header_next(&rest, &field) && fields++ < JOURNAL_RECIPIENTS_MAX) {
		size_t begin = (size_t)(field.raw.ptr - header.ptr);

		if (*to == 0 && plain_line(field.name) == LINE_TRACE && fields < JOURNAL_PLAIN_LINES)
			continue;
		if (!take_plain(&p, &field, out))
			break;
		*from = *to == 0 ? begin : *from;
		*to = begin + field.raw.len;
	}
	out->recipients = p.found.items;
	out->count = p.found.count;
	return p.has_from && p.found.count > 0 ? OK : ERR_SYNTAX;
}
