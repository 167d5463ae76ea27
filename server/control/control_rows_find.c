/*
 * control_rows_find.c - rows by their key; see control_rows.h.
 */
#include "proto/base/hash64.h"
#include "server/control/control_call.h"
#include "server/net/random.h"

size_t
control_rows_find(const struct control_rows *rows, struct span key)
{
	for (size_t i = 0; i < rows->count; i++)
		if (span_eq(rows->rows[i].key, key))
			return i;
	return rows->count;
}

#define WANTED_SLOTS 1024 /* twice CONTROL_KEYS_MAX and more: a power of two */

void
control_rows_find_all(
	const struct control_rows *rows, const struct span *keys, size_t count, size_t *found)
{
	uint16_t slots[WANTED_SLOTS] = {0}; /* place in KEYS + 1 */
	struct hash64_key secret;

	ENSURE(count <= CONTROL_KEYS_MAX);
	random_fill(&secret, sizeof(secret));
	for (size_t i = 0; i < count; i++) {
		size_t at = (size_t)hash64(secret, keys[i]) % WANTED_SLOTS;

		while (slots[at])
			at = (at + 1) % WANTED_SLOTS;
		slots[at] = (uint16_t)(i + 1);
		found[i] = rows->count;
	}
	for (size_t row = 0; row < rows->count; row++) {
		size_t at = (size_t)hash64(secret, rows->rows[row].key) % WANTED_SLOTS;

		for (; slots[at]; at = (at + 1) % WANTED_SLOTS)
			if (span_eq(keys[slots[at] - 1], rows->rows[row].key))
				found[slots[at] - 1] = row;
	}
}
