/*
 * control_ids.h - the keys of a long list, eight bytes each, in the order of one column.
 *
 * A list of a million rows is kept as numbers; its rows are read again when a page of them is shown.
 * While it is sorted by a text, the first CONTROL_ID_TEXT bytes of each text are kept as well, so
 * rows that differ only behind those stand in the order of their keys. The memory counts against
 * CONTROL_ROWS_MEMORY.
 */
#ifndef SERVER_CONTROL_CONTROL_IDS_H
#define SERVER_CONTROL_CONTROL_IDS_H

#include <stdint.h>

#include "proto/base/err.h"
#include "proto/base/span.h"

#define CONTROL_ROWS_MEMORY (64 * 1024 * 1024) /* bytes of all lists and cursors together */
#define CONTROL_ID_TEXT 32 /* bytes of a text that decide its place */

enum control_ids_order { IDS_AS_ADDED, IDS_BY_NUMBER, IDS_BY_TEXT };

struct control_ids {
	enum control_ids_order order;
	bool down;
	uint64_t *ids; /* NULL while it is being sorted */
	struct control_id_entry *entries;
	uint64_t newest; /* the highest that was seen, whether it was added or not */
	size_t count, size;
	char *texts; /* each ends in a NUL */
	size_t texts_len, texts_size;
	size_t counted_bytes;
};

void control_ids_init(struct control_ids *ids, enum control_ids_order order, bool down);
void control_ids_fini(struct control_ids *ids);
/* Add ID, with the number or the text it is sorted by. False: no memory is left for lists. */
bool control_ids_add(struct control_ids *ids, uint64_t id, int64_t number, struct span text);
/* After the last: bring them into order. Not on a loop: a million takes a second. */
void control_ids_end(struct control_ids *ids);
size_t control_ids_find(const struct control_ids *ids, uint64_t id); /* count: none */
/* FOUND[i]: where WANTED[i] is, or ids->count; COUNT is CONTROL_KEYS_MAX at most. One pass. */
void control_ids_find_all(
	const struct control_ids *ids, const uint64_t *wanted, size_t count, size_t *found);

/* A share of CONTROL_ROWS_MEMORY, for what is kept elsewhere. False: none is left. Any thread. */
MUST_CHECK bool control_rows_memory_take(size_t bytes);
void control_rows_memory_give(size_t bytes);

#endif
