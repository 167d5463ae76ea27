/*
 * smtp_answer.c - see smtp_answer.h (RFC 5321, 4.2.1).
 */
#include "proto/smtp/smtp_answer.h"

#include "proto/base/ascii.h"
#include "proto/sasl/sasl_client.h"

#define WORD(lit) { (lit), sizeof(lit) - 1 }

enum err
smtp_answer_line_parse(struct span line, struct smtp_answer_line *out)
{
	*out = (struct smtp_answer_line){ 0 };
	if (line.len < 3)
		return ERR_SYNTAX;
	for (size_t i = 0; i < 3; i++) {
		if (!ascii_is_digit(line.ptr[i]))
			return ERR_SYNTAX;
		out->code = out->code * 10 + (unsigned)(line.ptr[i] - '0');
	}
	if (out->code < 200 || out->code > 599)
		return ERR_SYNTAX;
	if (line.len > 3 && line.ptr[3] != ' ' && line.ptr[3] != '-')
		return ERR_SYNTAX;
	out->is_last = line.len == 3 || line.ptr[3] == ' ';
	out->text = span_from(line, 4);
	return OK;
}

/* "5.1.1" from the front of TEXT: class, subject, detail (RFC 3463, 2). */
static struct span
enhanced_of(unsigned code, struct span text)
{
	static const struct {
		size_t min, max;
	} digits[] = { { 1, 1 }, { 1, 3 }, { 1, 3 } };
	size_t at = 0;

	if (text.len == 0 || (unsigned)(text.ptr[0] - '0') != code / 100)
		return SPAN("");
	for (size_t part = 0; part < COUNT(digits); part++) {
		size_t count = 0;

		if (part > 0 && (at == text.len || text.ptr[at++] != '.'))
			return SPAN("");
		while (at < text.len && ascii_is_digit(text.ptr[at])) {
			at++;
			count++;
		}
		if (count < digits[part].min || count > digits[part].max)
			return SPAN("");
	}
	return at == text.len || text.ptr[at] == ' ' ? span_range(text, 0, at) : SPAN("");
}

static void
keep(struct smtp_answer_reader *r, struct span text)
{
	if (r->len > 0 && r->len < sizeof(r->text))
		r->text[r->len++] = ' ';
	r->len += span_copy_clean(text, r->text + r->len, sizeof(r->text) - r->len);
}

enum parse
smtp_answer_take(struct smtp_answer_reader *r, struct span in, size_t *used, struct span *line,
	struct smtp_answer *out, enum err *why)
{
	size_t end = span_find(in, '\n');
	struct smtp_answer_line parsed;
	struct span text;

	*used = 0;
	if (span_range(in, 0, end).len > SMTP_ANSWER_LINE + 1)
		return parse_bad(why, ERR_LIMIT);
	if (end == in.len)
		return PARSE_MORE;
	text = span_range(in, 0, end > 0 && in.ptr[end - 1] == '\r' ? end - 1 : end);
	if (smtp_answer_line_parse(text, &parsed) != OK || (r->code && r->code != parsed.code))
		return parse_bad(why, ERR_SYNTAX);
	if (++r->lines > SMTP_ANSWER_LINES)
		return parse_bad(why, ERR_LIMIT);
	*used = end + 1;
	*line = parsed.text;
	r->code = parsed.code;
	keep(r, parsed.text);
	if (!parsed.is_last)
		return PARSE_MORE;
	*out = (struct smtp_answer){ .code = r->code, .text = { r->text, r->len } };
	out->enhanced = enhanced_of(out->code, out->text);
	r->code = r->lines = 0;
	r->len = 0;
	return PARSE_DONE;
}

/* ---- EHLO ---- */

static void
take_size(struct smtp_extensions *e, struct span argument)
{
	if (span_u64(argument, UINT64_MAX, &e->size) != OK)
		e->size = 0;
}

static void
take_auth(struct smtp_extensions *e, struct span argument)
{
	e->auth = true;
	while (argument.len > 0) {
		struct span word;
		enum sasl_client_mechanism mechanism;

		span_cut(argument, ' ', &word, &argument);
		mechanism = sasl_client_find(word);
		if (mechanism != SASL_CLIENT_NONE)
			e->mechanisms |= SASL_CLIENT_BIT(mechanism);
	}
}

void
smtp_extensions_take(struct smtp_extensions *e, struct span line)
{
	static const struct {
		struct span name;
		unsigned bit;
		void (*take)(struct smtp_extensions *, struct span);
	} known[] = {
		{ WORD("PIPELINING"), SMTP_EXT_PIPELINING, NULL },
		{ WORD("SIZE"), SMTP_EXT_SIZE, take_size },
		{ WORD("8BITMIME"), SMTP_EXT_8BITMIME, NULL },
		{ WORD("SMTPUTF8"), SMTP_EXT_SMTPUTF8, NULL },
		{ WORD("CHUNKING"), SMTP_EXT_CHUNKING, NULL },
		{ WORD("DSN"), SMTP_EXT_DSN, NULL },
		{ WORD("STARTTLS"), SMTP_EXT_STARTTLS, NULL },
		{ WORD("ENHANCEDSTATUSCODES"), SMTP_EXT_ENHANCED, NULL },
		{ WORD("AUTH"), 0, take_auth },
	};
	struct span name, argument;

	line = span_trim(line);
	if (span_starts_nocase(line, SPAN("AUTH="))) { /* as some said before RFC 2554 */
		take_auth(e, span_from(line, 5));
		return;
	}
	span_cut(line, ' ', &name, &argument);
	for (size_t i = 0; i < COUNT(known); i++) {
		if (!span_eq_nocase(name, known[i].name))
			continue;
		e->offered |= known[i].bit;
		if (known[i].take)
			known[i].take(e, span_trim(argument));
	}
}
