/*
 * control_lists.c - cursors: list.open, list.page, list.count, list.close, and get.
 */
#include "server/control/control_lists.h"

#include <stdio.h>
#include <stdlib.h>

#include "proto/base/hash64.h"
#include "server/net/random.h"

struct control_cursor {
	struct list link; /* of the session; the last used stands last */
	uint64_t id;
	struct control_rows rows; /* taken over from the call that gathered them */
	struct arena arena;
	int64_t used_ms;
};

static void
cursor_free(struct control_session *s, struct control_cursor *c)
{
	list_remove(&c->link);
	s->cursor_count--;
	control_rows_fini(&c->rows);
	arena_reset(&c->arena);
	free(c);
}

void
control_cursors_end(struct control_session *s)
{
	struct list *at, *following;

	list_for_each (at, following, &s->cursors)
		cursor_free(s, LIST_ITEM(at, struct control_cursor, link));
}

/* What idled out goes, and the oldest where there are too many. */
static void
cursors_sweep(struct control_session *s, int64_t now_ms, size_t room)
{
	struct list *at, *following;

	list_for_each (at, following, &s->cursors) {
		struct control_cursor *c = LIST_ITEM(at, struct control_cursor, link);

		if (now_ms - c->used_ms < CONTROL_CURSOR_MS &&
			s->cursor_count + room <= CONTROL_CURSORS_MAX)
			break;
		cursor_free(s, c);
	}
}

static struct control_cursor *
cursor_find(struct control_call *call)
{
	int64_t now = loop_now_ms(call->host->loop);
	struct list *at, *following;
	uint64_t id;

	cursors_sweep(call->session, now, 0);
	if (span_u64(control_param(call, "cursor"), UINT64_MAX, &id) == OK)
		list_for_each (at, following, &call->session->cursors) {
			struct control_cursor *c = LIST_ITEM(at, struct control_cursor, link);

			if (c->id != id)
				continue;
			c->used_ms = now;
			list_remove(&c->link);
			list_append(&call->session->cursors, &c->link);
			return c;
		}
	control_fail(
		call, RPC_GONE, "the cursor is no longer there", "open the list again", "cursor");
	return NULL;
}

/* The inner request, checked against its row and the caller's rights; KIND is what it must give. */
static struct rpc_request *
inner_request(struct control_call *call, bool selecting, enum control_reply kind)
{
	struct rpc_request *inner = ARENA_NEW(&call->arena, struct rpc_request);
	struct rpc_error error = {0};

	if (!rpc_request_inner(call->request, selecting, &call->arena, inner, &error) ||
		!control_session_may(call->session, inner->method, &error)) {
		call->failed = true;
		call->error = error;
		return NULL;
	}
	if (inner->method->reply == kind && !control_method_changes(inner->method))
		return inner;
	control_fail(call, RPC_INVALID, "this method is not of the kind that is wanted here", NULL,
		"method");
	return NULL;
}

/* Filter and sort stand beside the inner params: they become the list's own. */
static void
inner_take(struct control_call *call, struct rpc_request *inner, const char *name)
{
	for (size_t i = 0; i < inner->schema.count && rpc_has(call->request, name); i++)
		if (span_eq(inner->schema.items[i].name, span_of(name)))
			inner->values[i] = *rpc_value(call->request, name);
}

static void
open_end(struct control_call *call)
{
	struct control_session *s = call->session;
	struct json_writer *w = &call->json;
	struct control_cursor *c;

	call->request = call->outer;
	if (call->failed || !s) {
		control_call_end(call);
		return;
	}
	json_put_object(w);
	if (call->rows.pinned.key.ptr) {
		json_put_name(w, SPAN("pinned"));
		control_row_put(&call->rows, &call->rows.pinned, w);
	}
	cursors_sweep(s, loop_now_ms(call->host->loop), 1);
	c = calloc(1, sizeof(*c));
	ENSURE(c);
	arena_init(&c->arena, NULL);
	control_rows_move(&c->rows, &call->rows, &c->arena);
	c->id = ++s->cursor_last;
	c->used_ms = loop_now_ms(call->host->loop);
	list_append(&s->cursors, &c->link);
	s->cursor_count++;
	json_put_member_string(
		w, SPAN("cursor"), arena_printf(&call->arena, "%llu", (unsigned long long)c->id));
	json_put_member_u64(w, SPAN("total"), c->rows.count);
	json_put_member_bool(w, SPAN("approx"), false);
	json_put_close(w);
	control_call_end(call);
}

static void
list_open(struct control_call *call)
{
	struct rpc_request *inner = inner_request(call, false, CONTROL_REPLY_ROWS);

	if (!inner) {
		control_call_end(call);
		return;
	}
	inner_take(call, inner, "filter");
	inner_take(call, inner, "sort");
	call->outer = call->request;
	control_call_run(call, inner, open_end);
}

const struct control_handler control_do_list_open = {.start = list_open};

static void
count_end(struct control_call *call)
{
	struct json_writer *w = &call->json;

	call->request = call->outer;
	if (!call->failed) {
		json_put_object(w);
		json_put_member_u64(w, SPAN("count"), call->rows.count);
		json_put_member_bool(w, SPAN("approx"), false);
		json_put_close(w);
	}
	control_call_end(call);
}

/* A later count cancels an earlier one. */
static void
list_count(struct control_call *call)
{
	struct rpc_request *inner = inner_request(call, false, CONTROL_REPLY_ROWS);
	struct list *at, *following;

	list_for_each (at, following, &call->session->calls) {
		struct control_call *other = LIST_ITEM(at, struct control_call, link);

		if (other != call && other->outer && other->outer->method->id == CONTROL_list_count)
			control_call_cancel(other);
	}
	if (!inner) {
		control_call_end(call);
		return;
	}
	inner_take(call, inner, "filter");
	call->outer = call->request;
	control_call_run(call, inner, count_end);
}

const struct control_handler control_do_list_count = {.start = list_count};

/* ---- pages ---- */

/* Where the page begins; rows->count: nowhere. */
static size_t
page_from(struct control_call *call, const struct control_rows *rows, uint64_t n)
{
	size_t at;

	if (rpc_has(call->request, "after")) {
		at = control_rows_find(rows, control_param(call, "after"));
		return at < rows->count ? at + 1 : rows->count;
	}
	if (rpc_has(call->request, "before")) {
		at = control_rows_find(rows, control_param(call, "before"));
		return at == rows->count ? at : at > n ? at - n : 0;
	}
	if (rpc_has(call->request, "at_key"))
		return control_rows_find(rows, control_param(call, "at_key"));
	if (rpc_has(call->request, "at_fraction"))
		return (size_t)((double)rows->count *
				((double)rpc_number(call->request, "at_fraction", 0) / 1e6));
	return 0;
}

static void
put_row(const struct control_rows *rows, size_t i, struct json_writer *w)
{
	json_put_object(w);
	json_put_member_string(w, SPAN("key"), rows->rows[i].key);
	json_put_member_u64(w, SPAN("revision"), rows->rows[i].revision);
	json_put_name(w, SPAN("cells"));
	control_row_put(rows, &rows->rows[i], w);
	json_put_close(w);
}

static void
put_page(struct control_call *call, const struct control_rows *rows, size_t from, uint64_t n)
{
	struct json_writer *w = &call->json;

	json_put_object(w);
	json_put_name(w, SPAN("rows"));
	json_put_array(w);
	for (size_t i = from; i < rows->count && i - from < n; i++)
		put_row(rows, i, w);
	json_put_close(w);
	json_put_member_u64(w, SPAN("rank"), from);
	json_put_member_u64(w, SPAN("total"), rows->count);
	json_put_close(w);
}

#define PAGE_SLOTS 1024 /* twice CONTROL_KEYS_MAX and more: a power of two */

/* Where the rows with the wanted keys are: by the place of the key; count where there is none. */
static void
find_keys(struct control_call *call, const struct control_rows *rows, const struct rpc_value *keys,
	size_t *found)
{
	uint16_t *slots = ARENA_ARRAY(&call->arena, uint16_t, PAGE_SLOTS);
	struct hash64_key secret;
	size_t open = 0;

	random_fill(&secret, sizeof(secret));
	for (size_t i = 0; i < keys->count; i++) {
		size_t at = (size_t)hash64(secret, keys->items[i]) % PAGE_SLOTS;

		while (slots[at])
			at = (at + 1) % PAGE_SLOTS;
		slots[at] = (uint16_t)(i + 1);
		found[i] = rows->count;
		open++;
	}
	for (size_t row = 0; row < rows->count && open > 0; row++) {
		size_t at = (size_t)hash64(secret, rows->rows[row].key) % PAGE_SLOTS;

		for (; slots[at]; at = (at + 1) % PAGE_SLOTS) {
			size_t i = slots[at] - 1u;

			if (found[i] == rows->count &&
				span_eq(keys->items[i], rows->rows[row].key)) {
				found[i] = row;
				open--;
				break;
			}
		}
	}
}

static void
put_keyed(struct control_call *call, const struct control_rows *rows, const struct rpc_value *keys)
{
	size_t *found = ARENA_ARRAY(&call->arena, size_t, keys->count ? keys->count : 1);
	struct json_writer *w = &call->json;

	find_keys(call, rows, keys, found);
	json_put_object(w);
	json_put_name(w, SPAN("rows"));
	json_put_array(w);
	for (size_t i = 0; i < keys->count; i++)
		if (found[i] < rows->count)
			put_row(rows, found[i], w);
	json_put_close(w);
	json_put_member_u64(w, SPAN("rank"), 0);
	json_put_member_u64(w, SPAN("total"), rows->count);
	json_put_close(w);
}

static void
list_page(struct control_call *call)
{
	const struct rpc_value *keys = rpc_value(call->request, "keys");
	uint64_t n = rpc_number(call->request, "n", CONTROL_PAGE_MAX);
	struct control_cursor *c = cursor_find(call);

	if (n > CONTROL_PAGE_MAX)
		n = CONTROL_PAGE_MAX;
	if (c && keys->count > CONTROL_KEYS_MAX)
		control_failf(call, RPC_TOO_LARGE, "keys", "at most %d keys", CONTROL_KEYS_MAX);
	else if (c && keys->present)
		put_keyed(call, &c->rows, keys);
	else if (c)
		put_page(call, &c->rows, page_from(call, &c->rows, n), n);
	control_call_end(call);
}

const struct control_handler control_do_list_page = {.start = list_page};

static void
list_close(struct control_call *call)
{
	struct control_cursor *c = cursor_find(call);

	if (c) {
		cursor_free(call->session, c);
		call->done = 1;
	}
	control_call_end(call);
}

const struct control_handler control_do_list_close = {.start = list_close};

static void
get_start(struct control_call *call)
{
	struct rpc_request *inner = inner_request(call, false, CONTROL_REPLY_OBJECT);

	if (inner)
		control_call_run(call, inner, NULL);
	else
		control_call_end(call);
}

const struct control_handler control_do_get = {.start = get_start};
