/*
 * control_ids.c - see control_ids.h.
 */
#include "server/control/control_ids.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/ascii.h"
#include "proto/control/control_method.h"

#define IDS_FIRST 1024
#define TEXTS_FIRST (64 * 1024)
#define SLOTS_BITS 11 /* more than twice CONTROL_KEYS_MAX */

static _Atomic size_t rows_memory; /* of all lists together */

bool
control_rows_memory_take(size_t bytes)
{
	if (atomic_fetch_add(&rows_memory, bytes) + bytes <= CONTROL_ROWS_MEMORY)
		return true;
	atomic_fetch_sub(&rows_memory, bytes);
	return false;
}

void
control_rows_memory_give(size_t bytes)
{
	atomic_fetch_sub(&rows_memory, bytes);
}

struct control_id_entry {
	uint64_t id;
	int64_t value; /* a number, or the place of a text */
};

void
control_ids_init(struct control_ids *ids, enum control_ids_order order, bool down)
{
	*ids = (struct control_ids){.order = order, .down = down};
}

void
control_ids_fini(struct control_ids *ids)
{
	control_rows_memory_give(ids->counted_bytes);
	free(ids->ids);
	free(ids->entries);
	free(ids->texts);
	*ids = (struct control_ids){0};
}

/* Make *room larger, from SIZE bytes to TO. */
static bool
grow(struct control_ids *ids, void *room, size_t size, size_t to)
{
	void **at = room, *grown;

	if (!control_rows_memory_take(to - size))
		return false;
	grown = realloc(*at, to);
	ENSURE(grown);
	ids->counted_bytes += to - size;
	*at = grown;
	return true;
}

/* A quarter more, not twice as much: a list of a million is most of what all lists may have. */
static bool
make_room(struct control_ids *ids)
{
	size_t size = ids->size ? ids->size + ids->size / 4 : IDS_FIRST;
	bool sorted = ids->order != IDS_AS_ADDED;
	size_t each = sorted ? sizeof(*ids->entries) : sizeof(*ids->ids);

	if (ids->count < ids->size)
		return true;
	if (!grow(ids, sorted ? (void *)&ids->entries : (void *)&ids->ids, ids->size * each,
		    size * each))
		return false;
	ids->size = size;
	return true;
}

/* The front of TEXT, in lower case. */
static bool
keep_text(struct control_ids *ids, struct span text, int64_t *place)
{
	size_t len = text.len < CONTROL_ID_TEXT ? text.len : CONTROL_ID_TEXT;
	size_t size = ids->texts_size ? ids->texts_size + ids->texts_size / 4 : TEXTS_FIRST;

	if (ids->texts_len + len + 1 > ids->texts_size) {
		if (!grow(ids, &ids->texts, ids->texts_size, size))
			return false;
		ids->texts_size = size;
	}
	*place = (int64_t)ids->texts_len;
	for (size_t i = 0; i < len; i++)
		ids->texts[ids->texts_len++] = ascii_lower(text.ptr[i]);
	ids->texts[ids->texts_len++] = '\0';
	return true;
}

bool
control_ids_add(struct control_ids *ids, uint64_t id, int64_t number, struct span text)
{
	if (!make_room(ids))
		return false;
	if (ids->order == IDS_BY_TEXT && !keep_text(ids, text, &number))
		return false;
	if (ids->order == IDS_AS_ADDED)
		ids->ids[ids->count++] = id;
	else
		ids->entries[ids->count++] = (struct control_id_entry){id, number};
	return true;
}

static int
entry_compare(const void *a, const void *b, void *arg)
{
	const struct control_ids *ids = arg;
	const struct control_id_entry *x = a, *y = b;
	int c;

	if (ids->order == IDS_BY_TEXT)
		c = strcmp(ids->texts + x->value, ids->texts + y->value);
	else
		c = (x->value > y->value) - (x->value < y->value);
	if (c == 0)
		c = (x->id > y->id) - (x->id < y->id);
	return ids->down ? -c : c;
}

/* The entries become their ids, in the front half of the same memory. */
static void
keep_ids(struct control_ids *ids)
{
	struct control_id_entry *entries = ids->entries;
	size_t before = ids->size * sizeof(*entries) + ids->texts_size;
	size_t after = ids->count * sizeof(*ids->ids);
	uint64_t *out = (uint64_t *)(void *)entries;

	for (size_t i = 0; i < ids->count; i++)
		out[i] = entries[i].id;
	out = realloc(out, after ? after : 1);
	ENSURE(out);
	ids->entries = NULL;
	ids->ids = out;
	ids->size = ids->count;
	free(ids->texts);
	ids->texts = NULL;
	ids->texts_len = ids->texts_size = 0;
	control_rows_memory_give(before - after);
	ids->counted_bytes = after;
}

void
control_ids_end(struct control_ids *ids)
{
	if (ids->order == IDS_AS_ADDED || !ids->entries)
		return;
	qsort_r(ids->entries, ids->count, sizeof(*ids->entries), entry_compare, ids);
	keep_ids(ids);
}

size_t
control_ids_find(const struct control_ids *ids, uint64_t id)
{
	size_t at = 0;

	while (at < ids->count && ids->ids[at] != id)
		at++;
	return at;
}

/* By the last bits of a product: the ids are ours, nobody chooses them. */
static size_t
slot_of(uint64_t id)
{
	return (size_t)((id * UINT64_C(0x9E3779B97F4A7C15)) >> (64 - SLOTS_BITS));
}

void
control_ids_find_all(
	const struct control_ids *ids, const uint64_t *wanted, size_t count, size_t *found)
{
	uint16_t slots[1u << SLOTS_BITS] = {0}; /* place in WANTED + 1 */

	ENSURE(count <= CONTROL_KEYS_MAX);
	for (size_t i = 0; i < count; i++) {
		size_t at = slot_of(wanted[i]);

		while (slots[at])
			at = (at + 1) % COUNT(slots);
		slots[at] = (uint16_t)(i + 1);
		found[i] = ids->count;
	}
	for (size_t row = 0; row < ids->count; row++)
		for (size_t at = slot_of(ids->ids[row]); slots[at]; at = (at + 1) % COUNT(slots))
			if (wanted[slots[at] - 1] == ids->ids[row])
				found[slots[at] - 1] = row;
}
