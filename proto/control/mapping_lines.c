/*
 * mapping_lines.c - see mapping_lines.h.
 */
#include "proto/control/mapping_lines.h"

#include "proto/base/utf8.h"
#include "proto/mail/address.h"

#define MAPPING_FIELDS_MAX 5

static enum err
bad(const char **why, const char *text)
{
	*why = text;
	return ERR_SYNTAX;
}

/* ---- mappings ---- */

enum err
mapping_line_parse(
	struct arena *a, struct span line, struct mapping_line *out, const char **why)
{
	struct span fields[CSV_FIELDS_MAX] = { { 0 } };
	size_t count = 0;
	enum err err = csv_parse(a, line, fields, &count);

	*out = (struct mapping_line){ .address = SPAN_NONE };
	if (err == ERR_LIMIT || count > MAPPING_FIELDS_MAX)
		return bad(why, "has more than address,target,when,collect,comment");
	if (err != OK || count < 2)
		return bad(why, "is not address,target");
	for (size_t i = 0; i < count; i++)
		if (!utf8_is_valid(fields[i]) || span_has_control(fields[i], SPAN_NONE))
			return bad(why, "has a control character, or is no UTF-8");
	*out = (struct mapping_line){ fields[0], fields[1], fields[2], fields[3], fields[4] };
	if (out->address.len == 0)
		return bad(why, "has no address");
	return out->target.len == 0 ? bad(why, "has no target") : OK;
}

enum err
mapping_line_put(struct buf *out, const struct mapping_line *line, bool full)
{
	enum err err = csv_put(out, line->address, false);

	if (err == OK)
		err = csv_put(out, line->target, true);
	if (err == OK && full)
		err = csv_put(out, line->when, true);
	if (err == OK && full)
		err = csv_put(out, line->collect, true);
	if (err == OK && full)
		err = csv_put(out, line->comment, true);
	return err == OK ? buf_put_char(out, '\n') : err;
}

/* ---- forwardings ---- */

enum err
forwarding_line_parse(
	struct arena *a, struct span line, struct forwarding_line *out, const char **why)
{
	struct span text = span_trim(line), rest;
	size_t end = span_find_any(text, SPAN(" \t"));
	struct address address;

	*out = (struct forwarding_line){ .name = span_range(text, 0, end) };
	rest = span_trim(span_from(text, end));
	if (rest.len == 0 || span_has_control(out->name, SPAN_NONE))
		return bad(why, "is not a name and an address");
	out->address = rest;
	if (span_find(rest, '@') == rest.len)
		return span_find_any(rest, SPAN(" \t")) == rest.len &&
				       !span_has_control(rest, SPAN_NONE)
			       ? OK
			       : bad(why, "has more than a name and an address");
	if (address_parse(a, rest, &address) != OK)
		return bad(why, "wants one address behind the name, and nothing else");
	out->address = address.text;
	return OK;
}

enum err
forwarding_line_put(struct buf *out, const struct forwarding_line *line)
{
	enum err err = buf_put(out, line->name);

	if (err == OK)
		err = buf_put_char(out, '\t');
	if (err == OK)
		err = buf_put(out, line->address);
	return err == OK ? buf_put_char(out, '\n') : err;
}

bool
forwarding_leads_to(struct span address, struct span to)
{
	size_t at = span_find_last(address, '@');

	if (span_find(to, '@') < to.len)
		return span_eq_nocase(address, to);
	return at < address.len && span_eq_nocase(span_from(address, at + 1), to);
}
