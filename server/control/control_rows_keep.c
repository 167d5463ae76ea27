/*
 * control_rows_keep.c - how much of a list is kept while it is gathered, and how it is given back; see control_rows.h.
 */
#include "server/control/control_rows.h"

#include <stdlib.h>

#include "server/net/work.h"

#define ESTIMATE_TELLS 1000 /* an estimate has three digits, the others are 0 */

/* Of the columns: those that decide whether a row stays, and where. */
static uint64_t
columns_used(const struct control_rows *rows)
{
	uint64_t used = 0;

	if (rows->sort_column < rows->columns.count)
		used |= UINT64_C(1) << rows->sort_column;
	for (size_t i = 0; rows->filter && i < rows->filter->word_count; i++) {
		const struct control_filter_word *word = &rows->filter->words[i];

		if (word->every_column)
			return UINT64_MAX;
		for (size_t j = 0; j < word->column_count; j++)
			used |= UINT64_C(1) << word->columns[j];
	}
	return used;
}

bool
control_type_is_number(enum control_type type)
{
	return type == CONTROL_TYPE_NUMBER || type == CONTROL_TYPE_COUNT ||
	       type == CONTROL_TYPE_SIZE || type == CONTROL_TYPE_DURATION ||
	       type == CONTROL_TYPE_TIME || type == CONTROL_TYPE_FLAG;
}

static enum control_ids_order
ids_order(const struct control_rows *rows)
{
	if (rows->sort_column >= rows->columns.count)
		return IDS_AS_ADDED;
	return control_type_is_number(rows->columns.items[rows->sort_column].type) ? IDS_BY_NUMBER
									   : IDS_BY_TEXT;
}

void
control_rows_keep(struct control_rows *rows, enum control_keep keep,
	bool (*id_of)(struct span key, uint64_t *id))
{
	bool sorted = rows->sort_column < rows->columns.count;

	switch (keep) {
	case CONTROL_KEEP_PAGE:
		if (!sorted && rows->limit < SIZE_MAX - 2) {
			rows->keep_max = rows->limit + 2; /* the row before, and one that says: more */
			rows->skips = rows->after.len > 0;
			rows->reply_max = CONTROL_REPLY_BYTES;
		}
		break;
	case CONTROL_KEEP_IDS:
		rows->unseen = true;
		rows->ids = ARENA_NEW(rows->arena, struct control_ids);
		rows->id_of = id_of;
		control_ids_init(rows->ids, ids_order(rows), rows->sort_down);
		rows->used = columns_used(rows);
		break;
	case CONTROL_KEEP_TARGETS:
		rows->whole_max = CONTROL_SAMPLE;
		break;
	case CONTROL_KEEP_NONE:
		rows->keep_max = 0;
		rows->unseen = true;
		rows->used = columns_used(rows);
		break;
	case CONTROL_KEEP_ALL:
		break;
	}
}

void
control_rows_estimate(struct control_rows *rows)
{
	uint64_t round;

	if (rows->looked == 0 || rows->expected <= rows->looked)
		return;
	rows->total = (uint64_t)(
		(double)rows->total * (double)rows->expected / (double)rows->looked);
	for (round = 1; rows->total / round >= ESTIMATE_TELLS; round *= 10)
		;
	rows->total = rows->total / round * round;
	rows->approx = true;
}

/* ---- a page ---- */

size_t
control_row_least(const struct control_rows *rows, const struct control_row *row)
{
	size_t bytes = 0;

	for (size_t i = 0; i < rows->columns.count; i++)
		bytes += rows->columns.items[i].name.len + sizeof("\"\":1") - 1 + row->cells[i].text.len;
	return bytes;
}

/* ---- given back ---- */

static void
free_rows(struct control_rows *rows)
{
	free(rows->rows);
	if (rows->ids)
		control_ids_fini(rows->ids);
	arena_reset(&rows->kept);
}

void
control_rows_fini(struct control_rows *rows)
{
	if (!rows->arena)
		return;
	control_rows_memory_give(rows->counted_bytes);
	rows->counted_bytes = 0;
	free_rows(rows);
	rows->rows = NULL;
	rows->ids = NULL;
	arena_reset(&rows->scratch);
	chunk_pool_fini(&rows->pool);
	rows->arena = NULL;
}

struct dropped {
	struct work work;
	struct control_rows rows;
	struct control_ids ids;
};

static void
free_dropped(struct work *work)
{
	struct dropped *d = LIST_ITEM(work, struct dropped, work);

	free_rows(&d->rows);
	free(d);
}

/* The share of the limit is free at once: the next list does not wait for a worker. */
static void
take_rows(struct dropped *d, struct control_rows *rows)
{
	control_rows_memory_give(rows->counted_bytes);
	d->rows = (struct control_rows){.rows = rows->rows, .kept = rows->kept};
	if (rows->ids) {
		control_rows_memory_give(rows->ids->counted_bytes);
		d->ids = *rows->ids;
		d->ids.counted_bytes = 0;
		d->rows.ids = &d->ids;
	}
	rows->counted_bytes = 0;
	rows->rows = NULL;
	rows->ids = NULL;
	arena_init(&rows->kept, NULL);
}

void
control_rows_drop(struct control_rows *rows, struct workers *workers)
{
	size_t bytes = rows->arena ? rows->counted_bytes + (rows->ids ? rows->ids->counted_bytes : 0) : 0;
	struct dropped *d;

	if (bytes > CONTROL_ROWS_AT_ONCE) {
		d = calloc(1, sizeof(*d));
		ENSURE(d);
		take_rows(d, rows);
		d->work = (struct work){.kind = WORK_GENERAL, .run = free_dropped};
		if (workers_submit(workers, &d->work) != OK)
			free_dropped(&d->work);
	}
	control_rows_fini(rows);
}
