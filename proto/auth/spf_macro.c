/*
 * spf_macro.c - macro-strings of SPF: are they right, and what do they say (RFC 7208, 7).
 */
#include "proto/auth/spf.h"

#include <string.h>

#include "proto/base/ascii.h"

#define PARTS_TOP 1000 /* a number of parts over it says: all */
#define VALUE_MAX 512  /* bytes of one value: a mailbox and its '@' */

struct macro {
	char letter;
	bool escape; /* an upper case letter: as in a URL */
	bool reverse;
	unsigned parts; /* the last ones; 0: all */
	struct span delimiters;
};

/* ---- reading ---- */

static size_t
take_digits(struct span text, size_t at, unsigned *value)
{
	*value = 0;
	for (; at < text.len && ascii_is_digit(text.ptr[at]); at++)
		if (*value < PARTS_TOP)
			*value = *value * 10 + (unsigned)(text.ptr[at] - '0');
	return at;
}

/* What stands between "%{" and "}" (RFC 7208, 7.1). */
static bool
read_macro(struct span inside, struct macro *m)
{
	size_t at, digits;

	if (inside.len == 0)
		return false;
	m->letter = ascii_lower(inside.ptr[0]);
	m->escape = m->letter != inside.ptr[0];
	if (span_find(SPAN("slodiphv"), m->letter) == 8)
		return false;
	digits = take_digits(inside, 1, &m->parts);
	if (digits > 1 && m->parts == 0)
		return false;
	at = digits;
	m->reverse = at < inside.len && ascii_lower(inside.ptr[at]) == 'r';
	at += m->reverse;
	m->delimiters = span_from(inside, at);
	for (size_t i = 0; i < m->delimiters.len; i++)
		if (span_find(SPAN(".-+,/_="), m->delimiters.ptr[i]) == 7)
			return false;
	if (m->delimiters.len == 0)
		m->delimiters = SPAN(".");
	return true;
}

/* One piece of *rest: a literal, or a macro. PARSE_DONE: *literal, or *macro where that is NULL. */
static enum parse
take_piece(struct span *rest, struct span *literal, struct macro *macro)
{
	size_t len = span_find(*rest, '%'), end;

	if (rest->len == 0)
		return PARSE_MORE;
	*literal = span_range(*rest, 0, len);
	if (len > 0) {
		*rest = span_from(*rest, len);
		return PARSE_DONE;
	}
	if (rest->len < 2)
		return PARSE_BAD;
	end = 2;
	switch (rest->ptr[1]) {
	case '%':
		*literal = SPAN("%");
		break;
	case '_':
		*literal = SPAN(" ");
		break;
	case '-':
		*literal = SPAN("%20");
		break;
	case '{':
		*literal = SPAN_NONE;
		end = span_find(*rest, '}') + 1;
		if (end > rest->len || !read_macro(span_range(*rest, 2, end - 1), macro))
			return PARSE_BAD;
		break;
	default:
		return PARSE_BAD;
	}
	*rest = span_from(*rest, end);
	return PARSE_DONE;
}

static bool
is_literal(struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] < 0x21 || text.ptr[i] > 0x7e)
			return false;
	return true;
}

/* Right, and does it end with a macro? */
static bool
check(struct span text, bool *macro_at_end)
{
	struct span before, literal;
	struct macro macro;
	enum parse parse;

	*macro_at_end = false;
	while (before = text, (parse = take_piece(&text, &literal, &macro)) == PARSE_DONE) {
		*macro_at_end = before.ptr[0] == '%';
		if (!*macro_at_end && !is_literal(literal))
			return false;
	}
	return parse == PARSE_MORE;
}

bool
spf_macro_is_valid(struct span text)
{
	bool macro_at_end;

	return check(text, &macro_at_end);
}

/* toplabel of RFC 7208, 7.1: letters, digits and '-' inside, and not digits alone. */
static bool
is_toplabel(struct span label)
{
	bool other = false;

	if (label.len == 0 || !ascii_is_alnum(label.ptr[0]) ||
		!ascii_is_alnum(label.ptr[label.len - 1]))
		return false;
	for (size_t i = 0; i < label.len; i++) {
		if (!ascii_is_alnum(label.ptr[i]) && label.ptr[i] != '-')
			return false;
		other |= !ascii_is_digit(label.ptr[i]);
	}
	return other;
}

bool
spf_domain_is_valid(struct span text)
{
	bool macro_at_end;
	size_t dot;

	if (text.len == 0 || !check(text, &macro_at_end))
		return false;
	if (macro_at_end)
		return true;
	if (text.ptr[text.len - 1] == '.')
		text.len--;
	dot = span_find_last(text, '.');
	return dot < text.len && is_toplabel(span_from(text, dot + 1));
}

/* ---- expanding ---- */

bool
spf_is_v4(const struct spf_sender *who)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };

	return memcmp(who->ip, mapped, sizeof(mapped)) == 0;
}

static enum err
put_ip(const struct spf_sender *who, struct buf *out)
{
	const unsigned char *ip = who->ip;
	enum err err = OK;

	if (spf_is_v4(who))
		return buf_printf(out, "%u.%u.%u.%u", ip[12], ip[13], ip[14], ip[15]);
	for (size_t i = 0; i < 16 && err == OK; i++)
		err = buf_printf(out, "%s%x.%x", i ? "." : "", ip[i] >> 4, ip[i] & 15);
	return err;
}

static enum err
put_value(char letter, const struct spf_sender *who, struct span domain, struct buf *out)
{
	struct span local = who->local_part.len > 0 ? who->local_part : SPAN("postmaster");

	switch (letter) {
	case 's':
		return buf_printf(out, "%.*s@%.*s", SPAN_FMT(local), SPAN_FMT(who->domain));
	case 'l':
		return buf_put(out, local);
	case 'o':
		return buf_put(out, who->domain);
	case 'd':
		return buf_put(out, domain);
	case 'i':
		return put_ip(who, out);
	case 'v':
		return buf_put(out, spf_is_v4(who) ? SPAN("in-addr") : SPAN("ip6"));
	case 'h':
		return buf_put(out, who->helo);
	default: /* p */
		return buf_put(out, SPAN("unknown"));
	}
}

static enum err
put_part(struct span part, bool escape, struct buf *out)
{
	enum err err = OK;

	if (!escape)
		return buf_put(out, part);
	for (size_t i = 0; i < part.len && err == OK; i++) {
		char c = part.ptr[i];
		bool plain = ascii_is_alnum(c) || span_find(SPAN("-._~"), c) < 4;

		err = plain ? buf_put_char(out, c) : buf_printf(out, "%%%02X", (unsigned char)c);
	}
	return err;
}

/* The Nth part of VALUE, from 0. */
static struct span
part_at(struct span value, struct span delimiters, size_t n)
{
	for (; n > 0; n--)
		value = span_from(value, span_find_any(value, delimiters) + 1);
	return span_range(value, 0, span_find_any(value, delimiters));
}

/* The one before PART of VALUE; there is one. */
static struct span
part_before(struct span value, struct span delimiters, struct span part)
{
	size_t end = (size_t)(part.ptr - value.ptr) - 1, begin = end;

	while (begin > 0 && span_find(delimiters, value.ptr[begin - 1]) == delimiters.len)
		begin--;
	return span_range(value, begin, end);
}

/* And the one behind it. */
static struct span
part_behind(struct span value, struct span delimiters, struct span part)
{
	return part_at(span_from(value, (size_t)(part.ptr - value.ptr) + part.len), delimiters, 1);
}

static enum err
put_parts(const struct macro *m, struct span value, struct buf *out)
{
	size_t count = 1, first;
	struct span part;
	enum err err;

	for (size_t i = 0; i < value.len; i++)
		count += span_find(m->delimiters, value.ptr[i]) < m->delimiters.len;
	first = m->parts > 0 && m->parts < count ? count - m->parts : 0;
	part = part_at(value, m->delimiters, m->reverse ? count - 1 - first : first);
	err = put_part(part, m->escape, out);
	while (++first < count && err == OK) {
		part = m->reverse ? part_before(value, m->delimiters, part) :
				    part_behind(value, m->delimiters, part);
		err = buf_put_char(out, '.');
		if (err == OK)
			err = put_part(part, m->escape, out);
	}
	return err;
}

static enum err
put_macro(const struct macro *m, const struct spf_sender *who, struct span domain, struct buf *out)
{
	struct buf value;
	enum err err;

	buf_init(&value, VALUE_MAX);
	err = put_value(m->letter, who, domain, &value);
	if (err == OK)
		err = put_parts(m, buf_span(&value), out);
	buf_fini(&value);
	return err;
}

enum err
spf_macro_expand(struct span text, const struct spf_sender *who, struct span domain, struct buf *out)
{
	struct span literal;
	struct macro macro;
	enum parse parse;
	enum err err = OK;

	while (err == OK && (parse = take_piece(&text, &literal, &macro)) != PARSE_MORE) {
		if (parse == PARSE_BAD)
			err = ERR_SYNTAX;
		else if (literal.ptr)
			err = buf_put(out, literal);
		else
			err = put_macro(&macro, who, domain, out);
	}
	return err;
}
