/*
 * table_rows.c - see table_rows.h.
 */
#include "tui/table_rows.h"
#include "tui/params.h"

#include <stdio.h>
#include <string.h>

static void
pages_free(struct table_rows *r)
{
	r->turned++;
	while (r->page_count > 0)
		arena_reset(&r->pages[--r->page_count].arena);
}

void
table_rows_init(struct table_rows *r, struct screen *screen)
{
	*r = (struct table_rows){ .screen = screen };
	buf_init(&r->filter, LINE_EDIT_MAX);
	buf_init(&r->sort, CONSOLE_TEXT_MAX);
	buf_init(&r->anchor, JSON_TEXT_MAX);
}

static void
close_cursor(struct table_rows *r, char *cursor)
{
	struct arena a;

	arena_init(&a, NULL);
	if (cursor[0])
		(void)server_link_call(&r->screen->console->link, "list.close",
			arena_printf(&a, "{\"cursor\":\"%s\"}", cursor), NULL, NULL);
	cursor[0] = '\0';
	arena_reset(&a);
}

void
table_rows_fini(struct table_rows *r)
{
	server_link_forget(&r->screen->console->link, r);
	close_cursor(r, r->cursor);
	close_cursor(r, r->fresh);
	pages_free(r);
	buf_fini(&r->filter);
	buf_fini(&r->sort);
	buf_fini(&r->anchor);
}

void
table_rows_lost(struct table_rows *r)
{
	r->cursor[0] = r->fresh[0] = '\0';
	r->opening = r->paging = r->looking = false;
}

const struct table_row *
table_rows_at(const struct table_rows *r, uint64_t rank)
{
	for (size_t i = 0; i < r->page_count; i++) {
		const struct table_page *p = &r->pages[i];

		if (rank >= p->first && rank - p->first < p->count)
			return &p->rows[rank - p->first];
	}
	return NULL;
}

/* ---- pages ---- */

static uint64_t
distance(const struct table_page *p, uint64_t first)
{
	return p->first > first ? p->first - first : first - p->first;
}

/* Room for one more page: that which is farthest from FIRST leaves. */
static struct table_page *
page_room(struct table_rows *r, uint64_t first)
{
	size_t far = 0;

	if (r->page_count < TABLE_PAGES)
		return &r->pages[r->page_count++];
	for (size_t i = 1; i < TABLE_PAGES; i++)
		if (distance(&r->pages[i], first) > distance(&r->pages[far], first))
			far = i;
	arena_reset(&r->pages[far].arena);
	return &r->pages[far];
}

static void
page_fill(struct table_page *page, const struct json *rows)
{
	page->count = 0;
	page->rows = ARENA_ARRAY(&page->arena, struct table_row, rows->count ? rows->count : 1);
	for (const struct json *at = rows->first; at; at = at->next)
		page->rows[page->count++] = (struct table_row){
			.key = json_text(json_find(at, SPAN("key"))),
			.cells = json_find(at, SPAN("cells")),
			.gone = json_find(at, SPAN("gone")) != NULL,
		};
}

static void
page_take(struct table_rows *r, struct link_reply *reply)
{
	const struct json *rows = json_find(reply->result, SPAN("rows"));
	struct table_page *page;
	uint64_t rank = 0;

	rank = json_number_or(json_find(reply->result, SPAN("rank")), rank);
	r->total = json_number_or(json_find(reply->result, SPAN("total")), r->total);
	if (!rows || rows->count == 0)
		return;
	page = page_room(r, rank);
	r->turned++;
	*page = (struct table_page){ .first = rank };
	link_reply_keep(reply, &page->arena);
	page_fill(page, rows);
}

static void
fail(struct table_rows *r, const struct rpc_error *error)
{
	struct console *c = r->screen->console;

	if (error->code == RPC_GONE && c->state == CONSOLE_UP) {
		table_rows_lost(r); /* the cursor idled out: it is cheap to lose */
		table_rows_open(r, buf_span(&r->anchor));
	} else if (c->state == CONSOLE_UP) {
		r->known = false; /* not asked over and over: r asks again */
		console_say_error(c, error);
	}
}

static void
paged(void *owner, struct link_reply *reply)
{
	struct table_rows *r = owner;
	struct screen *s = r->screen;

	r->paging = false;
	if (reply->error)
		fail(r, reply->error);
	else
		page_take(r, reply);
	r->changed(s);
}

static void
ask_page(struct table_rows *r, struct span where, link_done *done)
{
	struct arena a;

	arena_init(&a, NULL);
	r->paging = server_link_call(&r->screen->console->link, "list.page",
			    arena_printf(&a, "{\"cursor\":\"%s\",\"n\":%d%.*s}", r->cursor,
				    TABLE_PAGE, SPAN_FMT(where)),
			    done, r) != 0;
	arena_reset(&a);
}

static struct span
key_member(struct arena *a, const char *name, struct span key)
{
	struct json_writer w;
	struct span out;
	struct buf text;

	buf_init(&text, JSON_TEXT_MAX);
	json_writer_init(&w, &text);
	json_put_string(&w, key);
	out = json_writer_end(&w) == OK ?
		arena_printf(a, ",\"%s\":%.*s", name, SPAN_FMT(buf_span(&text))) :
		SPAN("");
	buf_fini(&text);
	return out;
}

/* Near RANK: a little before it, since a fraction is rounded down and the view has rows above. */
static struct span
fraction_member(struct arena *a, const struct table_rows *r, uint64_t rank)
{
	uint64_t from = rank > TABLE_PAGE / 4 ? rank - TABLE_PAGE / 4 : 0;

	return arena_printf(a, ",\"at_fraction\":%llu",
		(unsigned long long)(r->total ? from * 1000000 / r->total : 0));
}

void
table_rows_want(struct table_rows *r, uint64_t first, uint64_t last)
{
	const struct table_row *beside;
	struct span where;
	struct arena a;

	if (!r->known || r->total == 0 || r->paging || r->opening || !r->cursor[0])
		return;
	if (last >= r->total)
		last = r->total - 1;
	while (first < last && table_rows_at(r, first))
		first++;
	if (first > last || table_rows_at(r, first))
		return;
	arena_init(&a, NULL);
	if (first > 0 && (beside = table_rows_at(r, first - 1)) != NULL)
		where = key_member(&a, "after", beside->key);
	else if ((beside = table_rows_at(r, last + 1)) != NULL || (beside = table_rows_at(r, last)) != NULL)
		where = key_member(&a, "before", beside->key);
	else
		where = fraction_member(&a, r, first);
	ask_page(r, where, paged);
	arena_reset(&a);
}

/* ---- opening ---- */

void
table_rows_put_list(struct table_rows *r, struct span filter, struct json_writer *w)
{
	const struct screen *s = r->screen;
	struct buf params;

	buf_init(&params, CONTROL_LINE_MAX);
	json_put_member_string(w, SPAN("method"), span_of(s->class->method));
	if (console_put_params(r->screen, s->method, NULL, NULL, &params)) {
		json_put_name(w, SPAN("params"));
		json_put_raw(w, buf_span(&params));
	}
	if (filter.len > 0)
		json_put_member_string(w, SPAN("filter"), filter);
	buf_fini(&params);
}

static bool
ask_open(struct table_rows *r, link_done *done)
{
	struct params p;

	params_begin(&p);
	table_rows_put_list(r, buf_span(&r->filter), &p.w);
	if (buf_span(&r->sort).len > 0)
		json_put_member_string(&p.w, SPAN("sort"), buf_span(&r->sort));
	return params_send(&p, &r->screen->console->link, "list.open", done, r);
}

static void
take_cursor(char *cursor, const struct json *result)
{
	snprintf(cursor, TABLE_CURSOR_SIZE, "%.*s",
		SPAN_FMT(json_text(json_find(result, SPAN("cursor")))));
}

static void
first_page(void *owner, struct link_reply *reply)
{
	struct table_rows *r = owner;
	struct screen *s = r->screen;
	const struct json *rows = json_find(reply->result, SPAN("rows"));
	struct arena a;

	r->paging = false;
	if (reply->error) {
		fail(r, reply->error);
		r->changed(s);
		return;
	}
	r->anchored = rows && rows->count > 0 && buf_span(&r->anchor).len > 0;
	r->anchor_rank = json_number_or(json_find(reply->result, SPAN("rank")), r->anchor_rank);
	page_take(r, reply);
	if (!r->anchored && r->page_count == 0 && r->total > 0) { /* it left: begin near its rank */
		arena_init(&a, NULL);
		ask_page(r, fraction_member(&a, r, r->anchor_rank), paged);
		arena_reset(&a);
	}
	r->changed(s);
}

static void
opened(void *owner, struct link_reply *reply)
{
	struct table_rows *r = owner;
	struct screen *s = r->screen;
	struct arena a;

	r->opening = false;
	if (reply->error) {
		fail(r, reply->error);
		return;
	}
	r->took_ms = r->open_ms = s->console->now_ms - r->asked_ms;
	r->looked_ms = r->opened_ms = s->console->now_ms;
	close_cursor(r, r->cursor);
	take_cursor(r->cursor, reply->result);
	r->is_fresh = json_truth(json_find(reply->result, SPAN("fresh")));
	pages_free(r);
	r->known = true;
	r->came = 0;
	r->total = json_number_or(json_find(reply->result, SPAN("total")), r->total);
	arena_init(&a, NULL);
	ask_page(r,
		buf_span(&r->anchor).len > 0 ? key_member(&a, "at_key", buf_span(&r->anchor)) :
					       SPAN(""),
		first_page);
	arena_reset(&a);
	r->changed(s);
}

void
table_rows_open(struct table_rows *r, struct span anchor)
{
	struct console *c = r->screen->console;
	struct arena a;

	if (r->opening || c->state != CONSOLE_UP)
		return;
	arena_init(&a, NULL); /* ANCHOR may lie in r->anchor, or in a page */
	anchor = arena_copy(&a, anchor);
	buf_clear(&r->anchor);
	if (buf_put(&r->anchor, anchor) != OK)
		buf_clear(&r->anchor);
	arena_reset(&a);
	r->asked_ms = c->now_ms;
	r->opening = ask_open(r, opened);
}

/* ---- a fresh look ---- */

/* A row that left keeps its last cells, in the arena of the new page. */
static const struct json *
row_kept(struct arena *a, const struct json *cells)
{
	const struct json *copy = NULL;
	struct json_writer w;
	struct buf text;

	buf_init(&text, JSON_TEXT_MAX);
	json_writer_init(&w, &text);
	json_put_json(&w, cells);
	if (json_writer_end(&w) != OK || json_parse(a, buf_span(&text), &copy, NULL) != OK)
		copy = NULL;
	buf_fini(&text);
	return copy;
}

/* The rows of PAGE, each as it is now; *news has them in our order, without those that left. */
static size_t
page_refresh(struct table_page *page, const struct json **news, struct arena *a)
{
	struct table_row *made = ARENA_ARRAY(a, struct table_row, page->count);
	size_t gone = 0;

	for (size_t i = 0; i < page->count; i++) {
		const struct table_row *old = &page->rows[i];
		const struct json *cells = NULL;

		if (*news && span_eq(json_text(json_find(*news, SPAN("key"))), old->key)) {
			cells = json_find(*news, SPAN("cells"));
			*news = (*news)->next;
		}
		made[i].key = arena_copy(a, old->key);
		made[i].gone = cells == NULL;
		made[i].cells = row_kept(a, cells ? cells : old->cells);
		gone += made[i].gone;
	}
	page->rows = made;
	return gone;
}

static void
looked(void *owner, struct link_reply *reply)
{
	struct table_rows *r = owner;
	struct screen *s = r->screen;
	const struct json *rows = json_find(reply->result, SPAN("rows"));
	const struct json *news = rows ? rows->first : NULL;
	uint64_t total = r->total;
	size_t gone = 0;

	r->looking = false;
	r->took_ms = s->console->now_ms - r->asked_ms;
	close_cursor(r, r->fresh);
	if (!rows)
		return;
	if (r->turned != r->asked_turned) { /* other rows are held by now */
		r->looked_ms = INT32_MIN;
		table_rows_look(r);
		return;
	}
	total = json_number_or(json_find(reply->result, SPAN("total")), total);
	for (size_t i = 0; i < r->page_count; i++) {
		struct table_page *page = &r->pages[i];
		struct arena a;

		arena_init(&a, NULL);
		gone += page_refresh(page, &news, &a);
		arena_reset(&page->arena);
		page->arena = a;
	}
	r->came = total + gone > r->total ? total + gone - r->total : 0;
	r->changed(s);
}

/* The keys that are held, asked for by CURSOR. */
static bool
ask_keys(struct table_rows *r, const char *cursor)
{
	struct params p;

	params_begin(&p);
	r->asked_turned = r->turned;
	json_put_member_string(&p.w, SPAN("cursor"), span_of(cursor));
	json_put_name(&p.w, SPAN("keys"));
	json_put_array(&p.w);
	for (size_t i = 0; i < r->page_count; i++)
		for (size_t j = 0; j < r->pages[i].count; j++)
			json_put_string(&p.w, r->pages[i].rows[j].key);
	json_put_close(&p.w);
	return params_send(&p, &r->screen->console->link, "list.page", looked, r);
}

static void
look_opened(void *owner, struct link_reply *reply)
{
	struct table_rows *r = owner;
	struct screen *s = r->screen;

	r->looking = false;
	if (reply->error)
		return;
	r->took_ms = s->console->now_ms - r->asked_ms;
	take_cursor(r->fresh, reply->result);
	r->looking = ask_keys(r, r->fresh);
}

void
table_rows_look(struct table_rows *r)
{
	int64_t now = r->screen->console->now_ms;
	int64_t pause = r->took_ms * 5 > TABLE_FRESH_MS ? r->took_ms * 5 : TABLE_FRESH_MS;

	if (!r->known || r->opening || r->looking || now - r->looked_ms < pause ||
		r->screen->console->state != CONSOLE_UP)
		return;
	r->looked_ms = r->asked_ms = now;
	r->looking = r->is_fresh ? ask_keys(r, r->cursor) : ask_open(r, look_opened);
}

bool
table_rows_may_open(const struct table_rows *r)
{
	return r->screen->console->now_ms - r->opened_ms >= 5 * r->open_ms;
}
