/*
 * control_rows_put.c - the rows of a list as JSON; see control_rows.h.
 */
#include "server/control/control_rows.h"

static void
cell_put(const struct control_value *v, enum control_type type, struct json_writer *w)
{
	if (!v->present)
		json_put_null(w);
	else if (type == CONTROL_TYPE_FLAG)
		json_put_bool(w, v->number != 0);
	else if (type == CONTROL_TYPE_LIST)
		json_put_raw(w, v->text);
	else if (type != CONTROL_TYPE_TIME && control_type_is_number(type))
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
