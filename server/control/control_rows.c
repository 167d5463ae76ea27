/*
 * control_rows.c - see control_rows.h.
 *
 * The open row is built in a scratch arena and copied into the call's only when the filter lets it
 * pass, so a list of three out of a hundred thousand costs the memory of three.
 */
#include "server/control/control_rows.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "server/control/control_call.h"

#define ROWS_FIRST 64
#define SCRATCH_CHUNKS 4

static _Atomic size_t rows_memory; /* of all lists together */

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
filter_parse(struct control_rows *rows, const struct rpc_request *request, struct span text,
	int64_t now_s, struct rpc_error *error)
{
	struct control_filter *filter;

	if (span_trim(text).len == 0)
		return true;
	filter = ARENA_NEW(rows->arena, struct control_filter);
	if (control_filter_parse(text, request->method->columns, now_s, rows->arena, filter) ==
		OK) {
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

bool
control_rows_init(struct control_rows *rows, struct arena *a, const struct rpc_request *request,
	int64_t now_s, struct rpc_error *error)
{
	*rows = (struct control_rows){.arena = a, .schema = request->method->columns};
	chunk_pool_init(&rows->pool, SCRATCH_CHUNKS);
	arena_init(&rows->scratch, &rows->pool);
	control_schema_parse(request->method->columns, &rows->columns);
	rows->limit = CONTROL_ROWS_LIMIT;
	rows->sort_column = rows->columns.count;
	if (request->method->reply != CONTROL_REPLY_ROWS)
		return true;
	rows->limit = rpc_number(request, "limit", CONTROL_ROWS_LIMIT);
	rows->after = rpc_text(request, "after");
	return sort_parse(rows, rpc_text(request, "sort"), error) &&
	       filter_parse(rows, request, rpc_text(request, "filter"), now_s, error);
}

void
control_rows_fini(struct control_rows *rows)
{
	if (!rows->arena)
		return;
	atomic_fetch_sub(&rows_memory, rows->counted_bytes);
	rows->counted_bytes = 0;
	free(rows->rows);
	rows->rows = NULL;
	arena_reset(&rows->scratch);
	chunk_pool_fini(&rows->pool);
	rows->arena = NULL;
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
		.sort_column = from->columns.count,
		.rows = from->rows,
		.count = from->count,
		.size = from->size,
		.counted_bytes = from->counted_bytes};
	chunk_pool_init(&to->pool, 0);
	arena_init(&to->scratch, &to->pool);
	to->schema = from->schema; /* of the table of methods: it stays */
	control_schema_parse(to->schema, &to->columns);
	for (size_t i = 0; i < to->count; i++)
		row_copy(&to->rows[i], &from->rows[i], to->columns.count, a);
	from->rows = NULL;
	from->count = from->size = from->counted_bytes = 0;
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

static void
row_keep(struct control_rows *rows)
{
	size_t before = rows->arena->total;
	struct control_row *to;

	if (!rows_room(rows) || atomic_load(&rows_memory) > CONTROL_ROWS_MEMORY) {
		rows->full = true;
		return;
	}
	to = &rows->rows[rows->count++];
	row_copy(to, &rows->open, rows->columns.count, rows->arena);
	before = rows->arena->total - before + sizeof(*to);
	rows->counted_bytes += before;
	atomic_fetch_add(&rows_memory, before);
}

static void
row_close(struct control_rows *rows)
{
	if (!rows->is_open)
		return;
	ENSURE(rows->next_cell == rows->columns.count);
	rows->is_open = false;
	if (rows->pins) {
		rows->pins = false;
		row_copy(&rows->pinned, &rows->open, rows->columns.count, rows->arena);
		return;
	}
	if (!rows->filter || control_filter_match(rows->filter, row_cell, &rows->open))
		row_keep(rows);
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

void
control_put_text(struct control_rows *rows, struct span text)
{
	struct control_value *v = next_cell(rows);

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
	struct control_value *v = next_cell(rows);

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

void
control_put_list(struct control_rows *rows, const struct span *items, size_t count)
{
	struct control_value *v = next_cell(rows);
	struct json_writer w;
	struct buf json, flat;

	buf_init(&json, JSON_TEXT_MAX);
	buf_init(&flat, JSON_TEXT_MAX);
	json_writer_init(&w, &json);
	json_put_array(&w);
	for (size_t i = 0; i < count; i++) {
		json_put_string(&w, items[i]);
		if ((i > 0 && buf_put_char(&flat, ' ') != OK) || buf_put(&flat, items[i]) != OK)
			break;
	}
	json_put_close(&w);
	if (json_writer_end(&w) == OK)
		*v = (struct control_value){.text = arena_copy(&rows->scratch, buf_span(&json)),
			.list = arena_copy(&rows->scratch, buf_span(&flat)),
			.present = true};
	buf_fini(&json);
	buf_fini(&flat);
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

static bool
type_is_number(enum control_type type)
{
	return type == CONTROL_TYPE_NUMBER || type == CONTROL_TYPE_COUNT ||
	       type == CONTROL_TYPE_SIZE || type == CONTROL_TYPE_DURATION ||
	       type == CONTROL_TYPE_TIME || type == CONTROL_TYPE_FLAG;
}

void
control_rows_end(struct control_rows *rows)
{
	struct row_order order = {.column = rows->sort_column, .down = rows->sort_down};

	row_close(rows);
	if (rows->sort_column >= rows->columns.count)
		return;
	order.numbers = type_is_number(rows->columns.items[rows->sort_column].type);
	if (rows->count > 1)
		qsort_r(rows->rows, rows->count, sizeof(*rows->rows), row_compare, &order);
}

size_t
control_rows_find(const struct control_rows *rows, struct span key)
{
	for (size_t i = 0; i < rows->count; i++)
		if (span_eq(rows->rows[i].key, key))
			return i;
	return rows->count;
}

static void
cell_put(const struct control_value *v, enum control_type type, struct json_writer *w)
{
	if (!v->present)
		json_put_null(w);
	else if (type == CONTROL_TYPE_FLAG)
		json_put_bool(w, v->number != 0);
	else if (type == CONTROL_TYPE_LIST)
		json_put_raw(w, v->text);
	else if (type != CONTROL_TYPE_TIME && type_is_number(type))
		json_put_i64(w, v->number);
	else
		json_put_string(w, v->text);
}

void
control_row_put(
	const struct control_rows *rows, const struct control_row *row, struct json_writer *w)
{
	json_put_object(w);
	for (size_t i = 0; i < rows->columns.count; i++) {
		json_put_name(w, rows->columns.items[i].name);
		cell_put(&row->cells[i], rows->columns.items[i].type, w);
	}
	json_put_close(w);
}

/* One row; false, and nothing put, where it does not fit. */
static bool
row_append(const struct control_rows *rows, const struct control_row *row, struct json_writer *w)
{
	struct json_writer one;
	struct buf text;
	bool fits;

	buf_init(&text, CONTROL_REPLY_BYTES);
	json_writer_init(&one, &text);
	control_row_put(rows, row, &one);
	fits = json_writer_end(&one) == OK &&
	       buf_span(w->out).len + buf_span(&text).len < CONTROL_REPLY_BYTES;
	if (fits)
		json_put_raw(w, buf_span(&text));
	buf_fini(&text);
	return fits;
}

void
control_rows_put(const struct control_rows *rows, size_t from, size_t n, struct json_writer *w,
	struct span *next)
{
	size_t i;

	*next = SPAN_NONE;
	for (i = from; i < rows->count && i - from < n; i++)
		if (!row_append(rows, &rows->rows[i], w))
			break;
	if (i < rows->count && i > from)
		*next = rows->rows[i - 1].key;
}
