/*
 * table_marks.c - which rows of a table an act is for: the marked ones, all, or the one under the cursor.
 */
#include "tui/table_inside.h"

void
table_mark_here(struct table *t)
{
	const struct table_row *row = table_rows_at(&t->rows, t->at);

	if (!row || row->gone)
		return;
	t->mark_all = false;
	if (keyset_has(&t->marks, row->key))
		keyset_remove(&t->marks, row->key);
	else if (t->marks.count < CONTROL_TARGETS_MAX)
		keyset_add(&t->marks, row->key);
}

/* V once: from here; V again: all between, as far as they are held. */
void
table_mark_range(struct table *t)
{
	uint64_t from, to;

	if (!t->ranging) {
		t->ranging = true;
		t->range_from = t->at;
		console_say(t->screen->console, STYLE_DIM, "go to the last row and press V again");
		return;
	}
	t->ranging = false;
	from = t->at < t->range_from ? t->at : t->range_from;
	to = t->at < t->range_from ? t->range_from : t->at;
	for (; from <= to && t->marks.count < CONTROL_TARGETS_MAX; from++) {
		const struct table_row *row = table_rows_at(&t->rows, from);

		if (row && !row->gone)
			keyset_add(&t->marks, row->key);
	}
}

void
table_unmark(struct table *t)
{
	keyset_fini(&t->marks);
	t->mark_all = t->ranging = false;
}

bool
table_selection(struct screen *s, struct selection *out)
{
	struct table *t = s->state;
	const struct table_row *row;

	*out = (struct selection){ 0 };
	if (screen_panel(s) != &table_panel)
		return false;
	row = table_rows_at(&t->rows, t->at);
	if (row && !row->gone) {
		out->row = row->cells;
		out->key = row->key;
		out->count = 1;
	}
	out->filter = buf_span(&t->rows.filter);
	out->all = t->mark_all;
	if (t->mark_all)
		out->count = t->rows.total;
	else if (t->marks.count > 0)
		out->count = t->marks.count;
	return true;
}

void
table_put_keys(struct screen *s, struct json_writer *w)
{
	struct table *t = s->state;
	const struct table_row *row = table_rows_at(&t->rows, t->at);
	struct span key;
	size_t at = 0;

	json_put_array(w);
	while (keyset_next(&t->marks, &at, &key))
		json_put_string(w, key);
	if (t->marks.count == 0 && row && !row->gone)
		json_put_string(w, row->key);
	json_put_close(w);
}

/* ---- rows for elsewhere ---- */

void
table_put_row(struct screen *s, const struct json *cells, struct buf *out)
{
	for (const struct column *col = s->class->columns; col->title; col++) {
		const struct json *cell = json_find(cells, span_of(col->field));

		if (cell && cell->kind != JSON_NULL)
			print_value(out, cell, screen_column_type(s, col->field), &s->console->style);
		if (col[1].title)
			print_put(out, SPAN("\t"));
	}
}

bool
table_put_call(struct screen *s, struct buf *out)
{
	struct table *t = s->state;
	const struct {
		struct span name, value;
	} more[] = { { SPAN("filter"), buf_span(&t->rows.filter) },
		{ SPAN("sort"), buf_span(&t->rows.sort) } };
	struct span params;
	struct arena a;

	if (!console_put_params(s, s->method, NULL, NULL, out))
		return false;
	arena_init(&a, NULL);
	params = arena_copy(&a, buf_span(out));
	params.len--;
	buf_clear(out);
	print_put(out, params);
	if (params.len > 1)
		print_put(out, SPAN(","));
	for (size_t i = 0; i < COUNT(more); i++) {
		struct json_writer w;

		if (more[i].value.len == 0)
			continue;
		out->overflow |= buf_printf(out, "\"%.*s\":", SPAN_FMT(more[i].name)) != OK;
		json_writer_init(&w, out);
		json_put_string(&w, more[i].value);
		out->overflow |= json_writer_end(&w) != OK;
		print_put(out, SPAN(","));
	}
	arena_reset(&a);
	return !out->overflow;
}
