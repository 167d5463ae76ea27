/*
 * fuzz_mapping.c - "PATTERN LF ADDRESS LF TARGET": a pattern fits as a plain table of all prefixes says it does, whatever the
 * letter case, and a target that is an address is one (MAP-02, MAP-03, MAP-06).
 */
#include "proto/base/ascii.h"
#include "proto/mail/address.h"
#include "store/mappings.h"
#include "tests/fuzz/fuzz.h"

#define TEXT_MAX ADDRESS_DOMAIN_MAX

/* Wildcards the slow way: fits[j] tells whether what was read of the pattern fits the first j bytes. */
static bool
fits_slowly(struct span pattern, struct span text)
{
	static bool fits[TEXT_MAX + 1], next[TEXT_MAX + 1];

	memset(fits, 0, sizeof(fits));
	fits[0] = true;
	for (size_t i = 0; i < pattern.len; i++) {
		char p = pattern.ptr[i];

		next[0] = p == '*' && fits[0];
		for (size_t j = 1; j <= text.len; j++)
			next[j] = p == '*' ? fits[j] || next[j - 1]
				  : fits[j - 1] && (p == '?' || ascii_lower(p) == ascii_lower(text.ptr[j - 1]));
		memcpy(fits, next, sizeof(fits));
	}
	return fits[text.len];
}

static bool
matches_slowly(struct span pattern, const struct address *address, bool valid)
{
	size_t at = span_find(pattern, '@');

	if (span_starts(pattern, SPAN("~@")))
		return span_eq_nocase(span_from(pattern, 2), address->domain);
	if (at < pattern.len)
		return fits_slowly(span_range(pattern, 0, at), address->local_part) &&
			fits_slowly(span_from(pattern, at + 1), address->domain);
	return valid && fits_slowly(pattern, address->local_part);
}

FUZZ(in, a, out)
{
	struct span pattern, rest, text, target;
	struct address address, other;

	(void)span_cut(in, '\n', &pattern, &rest);
	(void)span_cut(rest, '\n', &text, &target);
	if (address_parse(a, target, &other) == OK)
		ENSURE(address_is_valid(&other));
	if (mapping_pattern_check(pattern) != OK || address_parse(a, text, &address) != OK)
		return;
	for (int valid = 0; valid < 2; valid++)
		ENSURE(mapping_pattern_matches(pattern, address.local_part, address.domain, valid) ==
			matches_slowly(pattern, &address, valid));
}
