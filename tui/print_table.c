/*
 * print_table.c - rows in aligned columns.
 *
 * All cells are laid out as text first, then columns that are too wide for the terminal are cut,
 * the widest first.
 */
#include <string.h>

#include "proto/base/ascii.h"
#include "tui/print_reply.h"

#define GAP          2 /* blanks between columns */
#define NARROWEST    8 /* columns of text that a cut cell keeps */

struct table {
	struct control_param columns[PRINT_COLUMNS_MAX];
	size_t width[PRINT_COLUMNS_MAX];
	size_t count;
	struct span *cells; /* row by row */
	size_t rows;
	struct arena arena;
	const struct print_style *style;
};

bool
print_columns_known(const struct control_method *m, const char *columns, struct span *wrong)
{
	struct control_schema schema;
	struct span rest = span_of(columns);

	control_schema_parse(m->columns, &schema);
	while (rest.len > 0) {
		(void)span_cut(rest, ',', wrong, &rest);
		if (schema.count > 0 && !control_schema_find(&schema, *wrong))
			return false;
	}
	return true;
}

static void
choose_columns(struct table *t, const struct control_method *m, const char *columns)
{
	struct control_schema schema;
	struct span rest = span_of(columns), name;

	control_schema_parse(m->columns, &schema);
	for (size_t i = 0; !columns && i < schema.count; i++)
		if (!schema.items[i].option)
			t->columns[t->count++] = schema.items[i];
	while (rest.len > 0 && t->count < PRINT_COLUMNS_MAX) {
		const struct control_param *known;

		(void)span_cut(rest, ',', &name, &rest);
		known = control_schema_find(&schema, name);
		t->columns[t->count++] = known ? *known : (struct control_param){ .name = name };
	}
}

static bool
is_right(enum control_type type)
{
	return type == CONTROL_TYPE_NUMBER || type == CONTROL_TYPE_SIZE ||
		type == CONTROL_TYPE_DURATION;
}

static struct span
cell_text(struct table *t, const struct json *row, const struct control_param *column)
{
	struct buf room;
	struct span text;

	buf_init(&room, PRINT_MAX);
	if (column->type == CONTROL_TYPE_TIME && t->style->width > 0)
		print_time_short(&room, json_find(row, column->name), t->style);
	else
		print_value(&room, json_find(row, column->name), column->type, t->style);
	text = arena_copy(&t->arena, buf_span(&room));
	buf_fini(&room);
	return text;
}

/* "next_try" is "NEXT TRY" at the head of its column. */
static struct span
title(struct table *t, struct span name)
{
	char *copy = arena_alloc(&t->arena, name.len + 1);

	for (size_t i = 0; i < name.len; i++)
		copy[i] = name.ptr[i] == '_' ? ' ' : ascii_upper(name.ptr[i]);
	return (struct span){ copy, name.len };
}

static void
lay_out(struct table *t, const struct json *rows)
{
	size_t at = 0;

	t->rows = rows->count + 1;
	t->cells = ARENA_ARRAY(&t->arena, struct span, t->rows * (t->count + 1));
	for (size_t i = 0; i < t->count; i++)
		t->cells[at++] = title(t, t->columns[i].name);
	for (const struct json *row = rows->first; row; row = row->next)
		for (size_t i = 0; i < t->count; i++)
			t->cells[at++] = cell_text(t, row, &t->columns[i]);
	for (size_t i = 0; i < at; i++) {
		size_t width = print_width(t->cells[i]);

		if (width > t->width[i % t->count])
			t->width[i % t->count] = width;
	}
}

static size_t
total_width(const struct table *t)
{
	size_t total = 0;

	for (size_t i = 0; i < t->count; i++)
		total += t->width[i] + (i > 0 ? GAP : 0);
	return total;
}

/* Take what is too much from the widest columns; a number or a time is never cut. */
static void
fit(struct table *t)
{
	size_t total = total_width(t);

	while (t->style->width > 0 && total > t->style->width) {
		size_t widest = t->count;

		for (size_t i = 0; i < t->count; i++)
			if (!is_right(t->columns[i].type) &&
				t->columns[i].type != CONTROL_TYPE_TIME &&
				t->width[i] > NARROWEST &&
				(widest == t->count || t->width[i] > t->width[widest]))
				widest = i;
		if (widest == t->count)
			return;
		t->width[widest]--;
		total--;
	}
}

static void
put_row(struct buf *out, const struct table *t, const struct span *cells)
{
	struct buf line;
	struct span text;

	buf_init(&line, PRINT_MAX);
	for (size_t i = 0; i < t->count; i++) {
		print_put(&line, i > 0 ? SPAN("  ") : SPAN(""));
		print_cell(&line, cells[i], t->width[i], is_right(t->columns[i].type));
	}
	text = buf_span(&line);
	while (text.len > 0 && text.ptr[text.len - 1] == ' ')
		text.len--;
	print_put(out, text);
	print_put(out, SPAN("\n"));
	buf_fini(&line);
}

void
print_table(struct buf *out, const struct control_method *m, const char *columns,
	const struct json *rows, const struct print_style *style)
{
	struct table t = { .style = style };

	arena_init(&t.arena, NULL);
	choose_columns(&t, m, columns);
	if (t.count > 0) {
		lay_out(&t, rows);
		fit(&t);
		for (size_t i = style->no_titles; i < t.rows; i++)
			put_row(out, &t, t.cells + i * t.count);
	}
	arena_reset(&t.arena);
}
