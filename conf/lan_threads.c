/*
 * lan_threads.c - entries of lan.threads.
 */
#include "conf/lan_threads.h"

static bool
next_entry(struct span *rest, struct span *entry)
{
	*rest = span_trim(*rest);
	if (rest->len == 0)
		return false;
	*entry = span_range(*rest, 0, span_find_any(*rest, SPAN(" \t")));
	*rest = span_from(*rest, entry->len);
	return true;
}

static enum err
parse_entry(struct span entry, struct lan_target *target, uint64_t *max)
{
	size_t dash = span_find_last(entry, '-');

	if (dash == entry.len ||
		span_u64(span_from(entry, dash + 1), LAN_THREADS_TARGET_MAX, max) != OK || *max == 0)
		return ERR_SYNTAX;
	return lan_target_parse(span_range(entry, 0, dash), target);
}

enum err
lan_threads_check(struct span threads, struct span *bad)
{
	struct lan_target target;
	uint64_t max;

	while (next_entry(&threads, bad))
		if (parse_entry(*bad, &target, &max) != OK)
			return ERR_SYNTAX;
	return OK;
}

unsigned
lan_threads_max(struct span threads, const struct lan_target *target)
{
	struct lan_target named;
	struct span entry;
	uint64_t max;

	while (next_entry(&threads, &entry))
		if (parse_entry(entry, &named, &max) == OK && named.port == target->port &&
			span_eq_nocase(named.host, target->host))
			return (unsigned)max;
	return 0;
}
