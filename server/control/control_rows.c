/*
 * control_rows.c - see control_rows.h; control_rows_put.c makes JSON of them.
 *
 * The open row is built in a scratch arena and copied into the call's only when the filter lets it
 * pass, so a list of three out of a hundred thousand costs the memory of three.
 */
#include "server/control/control_rows.h"

#include <stdlib.h>
#include <string.h>

#include "server/control/control_call.h"

#define ROWS_FIRST 64
#define SCRATCH_CHUNKS 4

static struct control_cell
row_cell(const void *row, size_t column)
{
	const struct control_value *v = &((const struct control_row *)row)->cells[column];

	return (struct control_cell){
		.text = v->list.ptr ? v->list : v->text,
		.number = v->number,
		.present = v->present,
	};
}

static size_t
column_find(const struct control_schema *columns, struct span name)
{
	for (size_t i = 0; i < columns->count; i++)
		if (span_eq(columns->items[i].name, name))
			return i;
	return columns->count;
}

/* "size", "-size" or "size:desc". */
static bool
sort_parse(struct control_rows *rows, struct span text, struct rpc_error *error)
{
	struct span name, order;

	rows->sort_column = rows->columns.count;
	if (text.len == 0)
		return true;
	if (text.ptr[0] == '-') {
		rows->sort_down = true;
		text = span_from(text, 1);
	}
	if (span_cut(text, ':', &name, &order))
		rows->sort_down = span_starts(order, SPAN("desc"));
	rows->sort_column = column_find(&rows->columns, name);
	if (rows->sort_column < rows->columns.count)
		return true;
	*error = (struct rpc_error){.code = RPC_INVALID,
		.field = SPAN("sort"),
		.why = arena_printf(
			rows->arena, "no column \"%.*s\" in this list", SPAN_FMT(name))};
	return false;
}

static bool
filter_parse(struct control_rows *rows, struct span text, int64_t now_s, struct rpc_error *error)
{
	struct control_filter *filter;

	if (span_trim(text).len == 0)
		return true;
	filter = ARENA_NEW(rows->arena, struct control_filter);
	if (control_filter_parse(text, rows->schema, now_s, rows->arena, filter) == OK) {
		rows->filter = filter;
		return true;
	}
	*error = (struct rpc_error){.code = RPC_INVALID,
		.field = SPAN("filter"),
		.why = SPAN("the filter is too long")};
	if (filter->fault_count > 0) {
		const struct control_filter_fault *f = &filter->faults[0];

		error->why = arena_printf(rows->arena, "\"%.*s\": %s",
			SPAN_FMT(span_range(text, f->at, f->at + f->len)), f->why);
	}
	return false;
}

static void
rows_begin(struct control_rows *rows, struct arena *a, const char *schema)
{
	*rows = (struct control_rows){.arena = a, .schema = schema};
	chunk_pool_init(&rows->pool, SCRATCH_CHUNKS);
	arena_init(&rows->scratch, &rows->pool);
	arena_init(&rows->kept, NULL);
	control_schema_parse(schema, &rows->columns);
	rows->limit = CONTROL_ROWS_LIMIT;
	rows->sort_column = rows->columns.count;
	rows->keep_max = rows->whole_max = rows->reply_max = SIZE_MAX;
	rows->used = UINT64_MAX;
}

bool
control_rows_init_view(struct control_rows *rows, struct arena *a, const char *schema,
	struct span filter, int64_t now_s)
{
	struct rpc_error error;

	rows_begin(rows, a, schema);
	rows->keep_max = 0;
	return filter_parse(rows, filter, now_s, &error);
}

bool
control_rows_init(struct control_rows *rows, struct arena *a, const struct rpc_request *request,
	int64_t now_s, struct rpc_error *error)
{
	rows_begin(rows, a, request->method->columns);
	if (request->method->reply != CONTROL_REPLY_ROWS)
		return true;
	rows->limit = rpc_number(request, "limit", CONTROL_ROWS_LIMIT);
	rows->after = rpc_text(request, "after");
	return sort_parse(rows, rpc_text(request, "sort"), error) &&
	       filter_parse(rows, rpc_text(request, "filter"), now_s, error);
}

bool
control_rows_want(const struct control_rows *rows, const char *column)
{
	size_t at = column_find(&rows->columns, span_of(column));

	ENSURE(at < rows->columns.count && at < 64);
	return rows->used >> at & 1;
}

void
control_rows_hide(struct control_rows *rows, const char *column)
{
	size_t at = column_find(&rows->columns, span_of(column));

	ENSURE(at < rows->columns.count && at < 64);
	rows->used &= ~(UINT64_C(1) << at);
}

static void
row_copy(struct control_row *to, const struct control_row *from, size_t cells, struct arena *a)
{
	struct control_row old = *from; /* TO may be FROM */

	*to = old;
	to->key = arena_copy(a, old.key);
	to->cells = ARENA_ARRAY(a, struct control_value, cells);
	for (size_t i = 0; i < cells; i++) {
		to->cells[i] = old.cells[i];
		to->cells[i].list = SPAN_NONE; /* only the filter wanted it */
		if (to->cells[i].text.ptr)
			to->cells[i].text = arena_copy(a, old.cells[i].text);
	}
}

void
control_rows_move(struct control_rows *to, struct control_rows *from, struct arena *a)
{
	*to = (struct control_rows){.arena = a,
		.kept = from->kept,
		.rows = from->rows,
		.count = from->count,
		.size = from->size,
		.total = from->total,
		.counted_bytes = from->counted_bytes};
	chunk_pool_init(&to->pool, 0);
	arena_init(&to->scratch, &to->pool);
	to->schema = from->schema; /* of the table of methods: it stays */
	control_schema_parse(to->schema, &to->columns);
	to->sort_column = to->columns.count;
	if (from->ids) {
		to->ids = ARENA_NEW(a, struct control_ids);
		*to->ids = *from->ids;
	}
	from->ids = NULL;
	from->rows = NULL;
	from->count = from->size = from->counted_bytes = 0;
	arena_init(&from->kept, NULL);
}

static bool
rows_room(struct control_rows *rows)
{
	struct control_row *grown;
	size_t size = rows->size ? 2 * rows->size : ROWS_FIRST;

	if (rows->count < rows->size)
		return true;
	grown = realloc(rows->rows, size * sizeof(*grown));
	if (!grown)
		return false;
	rows->rows = grown;
	rows->size = size;
	return true;
}

static bool
row_keep(struct control_rows *rows)
{
	size_t before = rows->kept.total, bytes;
	struct control_row *to;

	if (!rows_room(rows))
		return false;
	to = &rows->rows[rows->count++];
	if (rows->count <= rows->whole_max)
		row_copy(to, &rows->open, rows->columns.count, &rows->kept);
	else
		*to = (struct control_row){.key = arena_copy(&rows->kept, rows->open.key)};
	bytes = rows->kept.total - before + sizeof(*to);
	if (!control_rows_memory_take(bytes))
		return false;
	rows->counted_bytes += bytes;
	if (rows->reply_max != SIZE_MAX && (rows->count > 1 || rows->after.len == 0)) /* `after` was shown before */
		rows->reply_least += control_row_least(rows, to);
	return true;
}

static bool
id_keep(struct control_rows *rows)
{
	struct control_value sorted = {0};
	uint64_t id;

	if (!rows->id_of(rows->open.key, &id))
		return true; /* no row of this list: nobody could ask for it */
	if (rows->sort_column < rows->columns.count)
		sorted = rows->open.cells[rows->sort_column];
	return control_ids_add(
		rows->ids, id, sorted.number, sorted.list.ptr ? sorted.list : sorted.text);
}

static uint64_t
size_of_open(const struct control_rows *rows)
{
	for (size_t i = 0; i < rows->columns.count; i++)
		if (span_eq(rows->columns.items[i].name, SPAN("size")))
			return (uint64_t)rows->open.cells[i].number;
	return 0;
}

/* A row that passes: counted, and kept as far as is wanted. */
static void
row_pass(struct control_rows *rows)
{
	rows->total++;
	if (rows->whole_max != SIZE_MAX)
		rows->bytes += size_of_open(rows);
	if (rows->skips && span_eq(rows->open.key, rows->after))
		rows->skips = false;
	if (rows->skips || rows->full || rows->count >= rows->keep_max || rows->reply_least > rows->reply_max)
		return;
	rows->full = !(rows->ids ? id_keep(rows) : row_keep(rows));
}

bool
control_rows_passes(const struct control_rows *rows)
{
	return !rows->filter || control_filter_match(rows->filter, row_cell, &rows->open);
}

static void
row_close(struct control_rows *rows)
{
	uint64_t id;

	if (!rows->is_open)
		return;
	ENSURE(rows->next_cell == rows->columns.count);
	rows->is_open = false;
	if (rows->pins) {
		rows->pins = false;
		row_copy(&rows->pinned, &rows->open, rows->columns.count, rows->arena);
		return;
	}
	if (rows->ids && rows->id_of(rows->open.key, &id) && id > rows->ids->newest)
		rows->ids->newest = id;
	rows->looked++;
	if (control_rows_passes(rows))
		row_pass(rows);
}

void
control_row(struct control_rows *rows, struct span key)
{
	row_close(rows);
	arena_reset(&rows->scratch);
	rows->open = (struct control_row){.key = arena_copy(&rows->scratch, key),
		.cells = ARENA_ARRAY(&rows->scratch, struct control_value, rows->columns.count)};
	rows->next_cell = 0;
	rows->is_open = true;
}

void
control_row_pin(struct control_rows *rows, struct span key)
{
	control_row(rows, key);
	rows->pins = true;
}

static struct control_value *
next_cell(struct control_rows *rows)
{
	ENSURE(rows->is_open && rows->next_cell < rows->columns.count);
	return &rows->open.cells[rows->next_cell++];
}

/* Nobody looks at the next cell: it stays empty. */
static bool
cell_skip(struct control_rows *rows)
{
	if (rows->used >> (rows->next_cell & 63) & 1)
		return false;
	(void)next_cell(rows);
	return true;
}

void
control_put_text(struct control_rows *rows, struct span text)
{
	struct control_value *v;

	if (cell_skip(rows))
		return;
	v = next_cell(rows);
	if (text.ptr)
		*v = (struct control_value){
			.text = arena_copy(&rows->scratch, text), .present = true};
}

void
control_put_number(struct control_rows *rows, int64_t number)
{
	*next_cell(rows) = (struct control_value){.number = number, .present = true};
}

void
control_put_null(struct control_rows *rows)
{
	(void)next_cell(rows);
}

void
control_put_time_ms(struct control_rows *rows, int64_t ms)
{
	struct control_value *v;

	if (cell_skip(rows))
		return;
	v = next_cell(rows);
	if (ms > 0)
		*v = (struct control_value){.text = control_time(&rows->scratch, ms),
			.number = ms / 1000,
			.present = true};
}

void
control_put_time_text(struct control_rows *rows, struct span text, int64_t seconds)
{
	*next_cell(rows) = (struct control_value){
		.text = arena_copy(&rows->scratch, text), .number = seconds, .present = true};
}

/* The values with blanks between: what filters and orders look at. */
static struct span
list_flat(struct arena *a, const struct span *items, size_t count)
{
	size_t len = 0;
	char *flat, *at;

	for (size_t i = 0; i < count; i++)
		len += items[i].len + 1;
	flat = at = arena_alloc(a, len + 1);
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			*at++ = ' ';
		if (items[i].len > 0)
			memcpy(at, items[i].ptr, items[i].len);
		at += items[i].len;
	}
	return (struct span){flat, (size_t)(at - flat)};
}

static struct span
list_json(struct arena *a, const struct span *items, size_t count)
{
	struct span text = SPAN_NONE;
	struct json_writer w;
	struct buf json;

	buf_init(&json, JSON_TEXT_MAX);
	json_writer_init(&w, &json);
	json_put_array(&w);
	for (size_t i = 0; i < count; i++)
		json_put_string(&w, items[i]);
	json_put_close(&w);
	if (json_writer_end(&w) == OK)
		text = arena_copy(a, buf_span(&json));
	buf_fini(&json);
	return text;
}

void
control_put_list(struct control_rows *rows, const struct span *items, size_t count)
{
	struct control_value *v;

	if (cell_skip(rows))
		return;
	v = next_cell(rows);
	v->list = list_flat(&rows->scratch, items, count);
	v->text = rows->unseen && !rows->pins ? SPAN("[]") : list_json(&rows->scratch, items, count);
	v->present = v->text.ptr != NULL;
}

struct row_order {
	size_t column;
	bool down, numbers;
};

static int
row_compare(const void *a, const void *b, void *arg)
{
	const struct row_order *order = arg;
	const struct control_value *x = &((const struct control_row *)a)->cells[order->column];
	const struct control_value *y = &((const struct control_row *)b)->cells[order->column];
	int c;

	if (order->numbers)
		c = (x->number > y->number) - (x->number < y->number);
	else
		c = span_cmp_nocase(x->text, y->text);
	if (c == 0)
		c = span_cmp(
			((const struct control_row *)a)->key, ((const struct control_row *)b)->key);
	return order->down ? -c : c;
}

void
control_rows_end(struct control_rows *rows)
{
	struct row_order order = {.column = rows->sort_column, .down = rows->sort_down};

	row_close(rows);
	if (rows->ids) {
		control_ids_end(rows->ids);
		rows->count = rows->ids->count;
		return;
	}
	if (rows->sort_column >= rows->columns.count)
		return;
	order.numbers = control_type_is_number(rows->columns.items[rows->sort_column].type);
	if (rows->count > 1)
		qsort_r(rows->rows, rows->count, sizeof(*rows->rows), row_compare, &order);
}
