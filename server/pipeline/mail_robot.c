/*
 * mail_robot.c - see mail_robot.h.
 */
#include "server/pipeline/mail_robot.h"

#include "proto/mail/header.h"

static const struct span bulk_words[] = { { "bulk", 4 }, { "list", 4 }, { "junk", 4 }, { "auto_reply", 10 } };

static bool
is_bulk(struct span precedence)
{
	for (size_t i = 0; i < COUNT(bulk_words); i++)
		if (span_eq_nocase(precedence, bulk_words[i]))
			return true;
	return false;
}

/* RFC 3834, 5: "no", with what may stand behind it. */
static bool
is_automatic(struct span value)
{
	size_t end = span_find_any(value, SPAN(" \t\r\n;("));

	return value.len > 0 && !span_eq_nocase(span_range(value, 0, end), SPAN("no"));
}

static const char *
why_field(const struct header_field *field)
{
	if (span_eq_nocase(field->name, SPAN("Auto-Submitted")) && is_automatic(field->value))
		return "a program sent it";
	if (span_eq_nocase(field->name, SPAN("X-Autoreply")) || span_eq_nocase(field->name, SPAN("X-Autorespond")))
		return "a program sent it";
	if (span_eq_nocase(field->name, SPAN("Content-Type")) && span_starts_nocase(field->value, SPAN("multipart/report")))
		return "it is a report";
	if (span_starts_nocase(field->name, SPAN("List-")))
		return "it came over a list";
	if (span_eq_nocase(field->name, SPAN("Precedence")) && is_bulk(field->value))
		return "it is bulk mail";
	return NULL;
}

const char *
mail_robot_why(const struct mail *mail)
{
	struct span rest = mail->header;
	struct header_field field;
	const char *why = NULL;

	if (mail->report || address_is_null(&mail->envelope.reverse_path))
		return "it is a report";
	while (!why && header_next(&rest, &field))
		why = why_field(&field);
	return why;
}
