/*
 * mapping_patterns.h - what mappings.c asks of patterns.
 */
#ifndef STORE_MAPPING_PATTERNS_H
#define STORE_MAPPING_PATTERNS_H

#include "store/mappings.h"

bool pattern_is_wildcard(struct span pattern);

/* The address as a pattern would spell it: "local@domain", into TEXT. */
struct address_text {
	char bytes[2 * MAPPING_PATTERN_MAX + 2];
	struct span whole, local_part;
};
/* False where the address is longer than any pattern. */
bool address_text(struct address_text *text, struct span local_part, struct span domain);

/* Does PATTERN, which is no catch-all, fit? */
bool pattern_fits(struct span pattern, const struct address_text *text, bool domain_is_valid);

#endif
