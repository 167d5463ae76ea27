/*
 * mapping_patterns.c - the forms of a mapping's pattern, and what each fits (MAP-02, MAP-03). Pure.
 */
#include "store/mapping_patterns.h"

#include "proto/base/ascii.h"

bool
pattern_is_wildcard(struct span pattern)
{
	return span_find_any(pattern, SPAN("*?")) < pattern.len;
}

static bool
is_catch_all(struct span pattern)
{
	return span_starts(pattern, SPAN("~@"));
}

enum err
mapping_pattern_check(struct span pattern)
{
	size_t at = span_find(pattern, '@');

	if (pattern.len == 0)
		return ERR_SYNTAX;
	if (pattern.len > MAPPING_PATTERN_MAX)
		return ERR_LIMIT;
	for (size_t i = 0; i < pattern.len; i++) {
		char c = pattern.ptr[i];

		if (ascii_is_control(c) || c == ' ' || c == ';' || c == ',' || c == '<' || c == '>')
			return ERR_SYNTAX;
	}
	if (at == 0 || at + 1 == pattern.len || span_find_last(pattern, '@') != at)
		return ERR_SYNTAX;
	if (pattern.ptr[0] == '~' && (!is_catch_all(pattern) || pattern_is_wildcard(pattern)))
		return ERR_SYNTAX; /* MAP-02: the first two forms take wildcards */
	return OK;
}

bool
address_text(struct address_text *text, struct span local_part, struct span domain)
{
	size_t len = 0;

	if (local_part.len + domain.len + 1 > sizeof(text->bytes))
		return false;
	for (size_t i = 0; i < local_part.len; i++)
		text->bytes[len++] = ascii_lower(local_part.ptr[i]);
	text->bytes[len++] = '@';
	for (size_t i = 0; i < domain.len; i++)
		text->bytes[len++] = ascii_lower(domain.ptr[i]);
	text->whole = (struct span){ text->bytes, len };
	text->local_part = (struct span){ text->bytes, local_part.len };
	return true;
}

bool
pattern_fits(struct span pattern, const struct address_text *text, bool domain_is_valid)
{
	struct span domain = span_from(text->whole, text->local_part.len + 1);
	size_t at = span_find(pattern, '@');

	if (!span_match_wildcard(span_range(pattern, 0, at), text->local_part))
		return false;
	if (at == pattern.len)
		return domain_is_valid;
	/* each side by itself: a local-part may hold an '@' in quotes (H9) */
	return span_match_wildcard(span_from(pattern, at + 1), domain);
}

bool
mapping_pattern_matches(
	struct span pattern, struct span local_part, struct span domain, bool domain_is_valid)
{
	struct address_text text;

	if (!address_text(&text, local_part, domain))
		return false;
	if (is_catch_all(pattern))
		return span_eq_nocase(span_from(pattern, 2), domain);
	return pattern_fits(pattern, &text, domain_is_valid);
}
