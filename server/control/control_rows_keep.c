/*
 * control_rows_keep.c - how much of a list is kept while it is gathered; see control_rows.h.
 */
#include "server/control/control_rows.h"

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
