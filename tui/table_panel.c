/*
 * table_panel.c - a list of the server as a table: cursor, marks, filter, sort, search.
 *
 * Cursor and marks are keys: they stay on their rows whatever comes and goes. Drawing is in
 * table_draw.c.
 */
#include "tui/table_panel.h"

#include <stdio.h>
#include <string.h>

#include "tui/params.h"
#include "tui/table_inside.h"

static uint64_t
last_rank(const struct table *t)
{
	return t->rows.total ? t->rows.total - 1 : 0;
}

static int
view_rows(const struct table *t)
{
	return t->shown > 0 ? t->shown : 1;
}

/* Put the cursor at RANK and the view around it, and ask for what is missing. */
static void
move_to(struct table *t, uint64_t rank)
{
	uint64_t shown = (uint64_t)view_rows(t);
	const struct table_row *row;

	if (rank > last_rank(t))
		rank = last_rank(t);
	t->at = rank;
	if (t->top > t->at)
		t->top = t->at;
	if (t->at >= t->top + shown)
		t->top = t->at - shown + 1;
	row = table_rows_at(&t->rows, rank);
	if (row) {
		buf_clear(&t->key);
		t->lost_key = buf_put(&t->key, row->key) != OK;
	}
	table_rows_want(&t->rows, t->top > shown ? t->top - shown : 0, t->top + 2 * shown);
	t->screen->console->dirty = true;
}

static void
move_by(struct table *t, int64_t rows)
{
	t->moved = true;
	if (rows < 0 && (uint64_t)-rows > t->at)
		move_to(t, 0);
	else
		move_to(t, (uint64_t)((int64_t)t->at + rows));
}

/* ---- search ---- */

static bool
row_matches(const struct table *t, const struct json *cells, struct span word)
{
	struct buf text;
	bool found = false;

	buf_init(&text, PRINT_MAX);
	for (size_t i = 0; t->screen->class->columns[i].title && !found; i++) {
		const struct column *col = &t->screen->class->columns[i];

		buf_clear(&text);
		print_value(&text, json_find(cells, span_of(col->field)),
			screen_column_type(t->screen, col->field), &t->screen->console->style);
		found = span_find_span_nocase(buf_span(&text), word) < buf_span(&text).len;
	}
	buf_fini(&text);
	return found;
}

/* Walk on, past the end to the begin, as far as rows are held; what is missing is asked for, and we
 * come back. */
static void
search_on(struct table *t)
{
	struct console *c = t->screen->console;
	uint64_t total = t->rows.total;

	while (t->searching) {
		const struct table_row *row;

		if (t->search_left == 0 || total == 0) {
			t->searching = false;
			console_say(c, STYLE_WARNING, "no match");
			return;
		}
		t->search_at %= total;
		row = table_rows_at(&t->rows, t->search_at);
		if (!row) {
			table_rows_want(&t->rows,
				t->search_step > 0 || t->search_at < TABLE_PAGE ?
					t->search_at :
					t->search_at - TABLE_PAGE + 1,
				t->search_at);
			return;
		}
		if (row_matches(t, row->cells, buf_span(&t->search))) {
			t->searching = false;
			t->moved = true;
			move_to(t, t->search_at);
			return;
		}
		t->search_at = (t->search_at + total + (uint64_t)(int64_t)t->search_step) % total;
		t->search_left--;
	}
}

static void
search_begin(struct table *t, int step, uint64_t from)
{
	if (buf_span(&t->search).len == 0 || t->rows.total == 0)
		return;
	t->search_step = step;
	t->search_at = (from + t->rows.total) % t->rows.total;
	t->search_left = t->rows.total;
	t->searching = true;
	search_on(t);
}

static void
search_done(struct screen *s, struct span word)
{
	struct table *t = s->state;

	buf_clear(&t->search);
	if (buf_put(&t->search, word) == OK)
		search_begin(t, 1, t->at);
}

/* ---- filter, sort ---- */

static void
filter_done(struct screen *s, struct span text)
{
	struct table *t = s->state;

	buf_clear(&t->rows.filter);
	if (buf_put(&t->rows.filter, span_trim(text)) != OK)
		buf_clear(&t->rows.filter);
	t->mark_all = false;
	t->moved = false;
	t->top = t->at = 0;
	buf_clear(&t->key);
	table_rows_open(&t->rows, SPAN(""));
}

void
table_filter(struct screen *s, struct span filter)
{
	if (screen_panel(s) == &table_panel)
		filter_done(s, filter);
}

struct span
table_filter_now(struct screen *s)
{
	const struct table *t = s->state;

	return screen_panel(s) == &table_panel ? buf_span(&t->rows.filter) : SPAN("");
}

static void
counted(void *owner, struct link_reply *reply)
{
	struct screen *s = owner;
	const struct json *approx = json_find(reply->result, SPAN("approx"));
	uint64_t count;

	if (json_u64(json_find(reply->result, SPAN("count")), UINT64_MAX, &count) == OK)
		snprintf(s->console->prompt.note, sizeof(s->console->prompt.note), "%s%llu rows",
			json_is(approx, JSON_BOOL) && approx->truth ? "about " : "",
			(unsigned long long)count);
	else if (reply->error && reply->error->code != RPC_GONE)
		snprintf(s->console->prompt.note, sizeof(s->console->prompt.note), "%.*s",
			SPAN_FMT(span_range(reply->error->why, 0, 60)));
	s->console->dirty = true;
}

/* While it is typed: how many rows would be left. */
static void
filter_changed(struct screen *s, struct span text)
{
	struct table *t = s->state;
	struct params p;

	params_begin(&p);
	table_rows_put_list(&t->rows, text, &p.w);
	(void)params_send(&p, &s->console->link, "list.count", counted, s);
}

void
table_sort(struct screen *s, struct span field)
{
	struct table *t = s->state;

	if (screen_panel(s) != &table_panel)
		return;
	buf_clear(&t->rows.sort);
	if (buf_put(&t->rows.sort, field) != OK)
		buf_clear(&t->rows.sort);
	table_rows_open(&t->rows, buf_span(&t->key));
}

static void
sort_back(struct table *t)
{
	struct span sort = buf_span(&t->rows.sort);
	struct arena a;

	if (sort.len == 0)
		return;
	arena_init(&a, NULL);
	table_sort(t->screen, sort.ptr[0] == '-' ? arena_copy(&a, span_from(sort, 1)) :
						   arena_printf(&a, "-%.*s", SPAN_FMT(sort)));
	arena_reset(&a);
}

void
table_renew(struct screen *s)
{
	struct table *t = s->state;

	if (screen_panel(s) != &table_panel)
		return;
	table_unmark(t);
	table_above_ask(t);
	table_rows_open(&t->rows, buf_span(&t->key));
}

/* Load anew around the row of that key. */
static void
go_to_key(struct table *t, struct span key)
{
	t->moved = true;
	buf_clear(&t->key);
	if (buf_put(&t->key, key) == OK)
		table_rows_open(&t->rows, buf_span(&t->key));
}

void
table_go(struct screen *s, struct span key)
{
	struct table *t = s->state;

	if (screen_panel(s) != &table_panel)
		return;
	table_unmark(t);
	go_to_key(t, key);
}

static void
bookmark_set(struct table *t)
{
	buf_clear(&t->bookmark);
	if (t->rows.total > 0 && buf_put(&t->bookmark, buf_span(&t->key)) == OK)
		console_say(t->screen->console, STYLE_DIM, "bookmark at %.*s; ' comes back to it",
			SPAN_FMT(buf_span(&t->bookmark)));
}

static void
bookmark_go(struct table *t)
{
	if (buf_span(&t->bookmark).len > 0)
		go_to_key(t, buf_span(&t->bookmark));
	else
		console_say(t->screen->console, STYLE_WARNING, "there is no bookmark; m sets one");
}

/* ---- the panel ---- */

/* Rows came: keep the cursor on its row. */
static void
rows_came(struct screen *s)
{
	struct table *t = s->state;

	if (t->rows.anchored) {
		uint64_t above = t->at > t->top ? t->at - t->top : 0;

		t->rows.anchored = false;
		t->at = t->rows.anchor_rank;
		t->top = t->at > above ? t->at - above : 0;
		if (t->rows.total <= (uint64_t)view_rows(t))
			t->top = 0; /* all of them fit */
	}
	if (t->searching)
		search_on(t);
	move_to(t, t->at);
}

static void
table_open(struct screen *s)
{
	struct table *t = s->state;

	t->screen = s;
	arena_init(&t->above.arena, NULL);
	table_rows_init(&t->rows, s);
	t->rows.changed = rows_came;
	buf_init(&t->key, JSON_TEXT_MAX);
	buf_init(&t->search, LINE_EDIT_MAX);
	buf_init(&t->bookmark, JSON_TEXT_MAX);
	if (s->class->sort && buf_put(&t->rows.sort, span_of(s->class->sort)) != OK)
		buf_clear(&t->rows.sort);
	if (s->class->filter && buf_printf(&t->rows.filter, "%s%.*s", s->class->filter,
					SPAN_FMT(s->place->key)) != OK)
		buf_clear(&t->rows.filter);
}

static void
table_close(struct screen *s)
{
	struct table *t = s->state;

	table_above_close(t);
	table_rows_fini(&t->rows);
	buf_fini(&t->key);
	buf_fini(&t->search);
	buf_fini(&t->bookmark);
	keyset_fini(&t->marks);
}

static void
table_enter(struct screen *s)
{
	struct table *t = s->state;

	table_above_ask(t);
	if (strcmp(t->epoch, s->console->epoch) != 0 || t->lost != s->console->lost_ms) {
		snprintf(t->epoch, sizeof(t->epoch), "%s", s->console->epoch);
		t->lost = s->console->lost_ms;
		table_rows_lost(&t->rows);
		table_rows_open(&t->rows, buf_span(&t->key));
	} else if (!t->rows.known && !t->rows.opening) {
		table_rows_open(&t->rows, SPAN(""));
	} else {
		t->stale = true;
	}
}

/* At the top of a list that nobody moved in, what is new comes into sight; else it is counted. */
static void
table_changed(struct screen *s, bool store)
{
	struct table *t = s->state;

	bool to_top = t->rows.came > 0 && !t->moved && t->top == 0 && t->marks.count == 0 &&
		!t->mark_all; /* also when it may not be opened again at once */

	t->stale |= store;
	if (store)
		table_above_ask(t);
	if (t->hold || s->class->still || !(t->stale || to_top))
		return;
	if (to_top && table_rows_may_open(&t->rows)) {
		table_rows_open(&t->rows, SPAN(""));
		t->stale = false;
		return;
	}
	if (!t->stale || s->console->now_ms - t->rows.looked_ms < TABLE_FRESH_MS)
		return;
	t->stale = false;
	table_rows_look(&t->rows);
}

static bool
table_act(struct screen *s, enum act act)
{
	struct table *t = s->state;
	struct console *c = s->console;

	switch (act) {
	case ACT_DOWN: move_by(t, 1); break;
	case ACT_UP: move_by(t, -1); break;
	case ACT_PAGE_DOWN: move_by(t, view_rows(t)); break;
	case ACT_PAGE_UP: move_by(t, -view_rows(t)); break;
	case ACT_HALF_DOWN: move_by(t, view_rows(t) / 2); break;
	case ACT_HALF_UP: move_by(t, -view_rows(t) / 2); break;
	case ACT_FIRST: move_to(t, 0); t->moved = false; break;
	case ACT_LAST: t->moved = true; move_to(t, last_rank(t)); break;
	case ACT_LEFT: t->left -= t->left > 0; break;
	case ACT_RIGHT: t->left += s->class->columns[t->left + 1].title != NULL; break;
	case ACT_MARK: table_mark_here(t); move_by(t, 1); break;
	case ACT_MARK_RANGE: table_mark_range(t); break;
	case ACT_MARK_ALL: table_unmark(t); t->mark_all = t->rows.total > 0; break;
	case ACT_UNMARK: table_unmark(t); break;
	case ACT_FILTER:
		console_ask(c, "filter", buf_span(&t->rows.filter), filter_changed, filter_done);
		c->prompt.complete = table_filter_complete;
		break;
	case ACT_UNFILTER: filter_done(s, SPAN("")); break;
	case ACT_SEARCH: console_ask(c, "search", buf_span(&t->search), NULL, search_done); break;
	case ACT_SEARCH_NEXT: search_begin(t, 1, t->at + 1); break;
	case ACT_SEARCH_BACK: search_begin(t, -1, t->at + t->rows.total - 1); break;
	case ACT_SORT: menu_open_sort(s); break;
	case ACT_SORT_BACK: sort_back(t); break;
	case ACT_RELOAD: table_rows_open(&t->rows, buf_span(&t->key)); break;
	case ACT_HOLD_VIEW: t->hold = !t->hold; break;
	case ACT_BOOKMARK: bookmark_set(t); break;
	case ACT_BOOKMARK_GO: bookmark_go(t); break;
	case ACT_DETAIL: t->no_detail = !t->no_detail; break;
	default: return false;
	}
	c->dirty = true;
	return true;
}

static bool
table_row(struct screen *s, const struct json **cells, struct span *key)
{
	struct table *t = s->state;
	const struct table_row *row = table_rows_at(&t->rows, t->at);

	if (!row)
		return false;
	*cells = row->cells;
	*key = row->key;
	return true;
}

static void
table_copy(struct screen *s, struct buf *out)
{
	struct table *t = s->state;
	const struct table_row *row = table_rows_at(&t->rows, t->at);

	if (row)
		table_put_row(s, row->cells, out);
}

static const enum act table_acts[] = { ACT_DOWN, ACT_UP, ACT_PAGE_DOWN, ACT_PAGE_UP, ACT_HALF_DOWN,
	ACT_HALF_UP, ACT_FIRST, ACT_LAST, ACT_LEFT, ACT_RIGHT, ACT_MARK, ACT_MARK_RANGE,
	ACT_MARK_ALL, ACT_UNMARK, ACT_FILTER, ACT_UNFILTER, ACT_SEARCH, ACT_SEARCH_NEXT,
	ACT_SEARCH_BACK, ACT_SORT, ACT_SORT_BACK, ACT_RELOAD, ACT_HOLD_VIEW, ACT_DETAIL,
	ACT_COPY, ACT_EXPORT, ACT_BOOKMARK, ACT_BOOKMARK_GO, ACT_NONE };

const struct panel_class table_panel = {
	.size = sizeof(struct table),
	.open = table_open,
	.close = table_close,
	.enter = table_enter,
	.changed = table_changed,
	.act = table_act,
	.draw = table_draw,
	.title = table_title,
	.row = table_row,
	.copy = table_copy,
	.acts = table_acts,
};
