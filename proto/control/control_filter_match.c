/*
 * control_filter_match.c - does a row pass a filter?
 */
#include "proto/base/ascii.h"
#include "proto/control/control_filter.h"

/* All of the cell, or one value of a list. */
static bool
is_value(struct span cell, struct span text, bool list)
{
	struct span value;

	if (span_eq_nocase(cell, text))
		return true;
	while (list && cell.len > 0) {
		span_cut(cell, ' ', &value, &cell);
		if (span_eq_nocase(value, text))
			return true;
	}
	return false;
}

/* Anywhere in the cell; with wildcards the whole cell, so `*@x.test` means what it says. */
static bool
text_fits(struct span cell, const struct control_choice *choice, bool list)
{
	if (span_find_any(choice->text, SPAN("*?")) < choice->text.len)
		return span_match_wildcard(choice->text, cell);
	if (choice->whole)
		return is_value(cell, choice->text, list);
	return span_find_span_nocase(cell, choice->text) < cell.len;
}

static bool
choice_fits(const struct control_param *column, const struct control_cell *cell,
	const struct control_choice *choice, bool every_column)
{
	switch (column->type) {
	case CONTROL_TYPE_NUMBER:
	case CONTROL_TYPE_COUNT:
	case CONTROL_TYPE_SIZE:
	case CONTROL_TYPE_DURATION:
	case CONTROL_TYPE_TIME:
	case CONTROL_TYPE_FLAG:
		return !every_column && cell->number >= choice->low && cell->number <= choice->high;
	default:
		return text_fits(cell->text, choice, column->type == CONTROL_TYPE_LIST);
	}
}

struct row {
	const struct control_filter *filter;
	control_cell_fn *cell;
	const void *row;
};

static bool
column_fits(const struct row *r, const struct control_filter_word *word, size_t column)
{
	struct control_cell cell = r->cell(r->row, column);

	for (size_t i = 0; cell.present && i < word->choice_count; i++)
		if (choice_fits(&r->filter->columns.items[column], &cell, &word->choices[i],
			    word->every_column))
			return true;
	return false;
}

static bool
word_fits(const struct row *r, const struct control_filter_word *word)
{
	size_t count = word->every_column ? r->filter->columns.count : word->column_count;

	for (size_t i = 0; i < count; i++)
		if (column_fits(r, word, word->every_column ? i : word->columns[i]))
			return true;
	return false;
}

bool
control_filter_match(const struct control_filter *filter, control_cell_fn *cell, const void *row)
{
	struct row r = { filter, cell, row };

	for (size_t i = 0; i < filter->word_count; i++)
		if (word_fits(&r, &filter->words[i]) == filter->words[i].negate)
			return false;
	return true;
}
