/*
 * control_lists.c - cursors: list.open, list.count, list.close, and get; control_page.c has list.page.
 */
#include <stdio.h>
#include <stdlib.h>

#include "server/control/control_cursor.h"
#include "server/control/control_guard.h"
#include "server/control/control_lists.h"

static void
cursor_let_go(void *arg)
{
	struct control_cursor *c = arg;

	if (--c->holds > 0)
		return;
	control_rows_drop(&c->rows, c->workers);
	arena_reset(&c->arena);
	free(c);
}

static void
cursor_free(struct control_session *s, struct control_cursor *c)
{
	list_remove(&c->link);
	s->cursor_count--;
	cursor_let_go(c); /* a page that is read of it has its own hold */
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

struct control_cursor *
control_cursor_find(struct control_call *call)
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
			if (!call->is_locked || !control_guard_has_method(c->method))
				return c;
			control_guard_refuse(&call->error, c->method);
			call->failed = true;
			return NULL;
		}
	control_fail(
		call, RPC_GONE, "the cursor is no longer there", "open the list again", "cursor");
	return NULL;
}

struct control_cursor *
control_cursor_hold(struct control_call *call)
{
	struct control_cursor *c = control_cursor_find(call);

	if (c) {
		c->holds++;
		arena_on_reset(&call->arena, cursor_let_go, c);
	}
	return c;
}

/* The inner request, checked against its row and the caller's rights; KIND is what it must give. */
static struct rpc_request *
inner_request(struct control_call *call, bool selecting, enum control_reply kind)
{
	struct rpc_request *inner = ARENA_NEW(&call->arena, struct rpc_request);
	struct rpc_error error = {0};

	if (!rpc_request_inner(call->request, selecting, &call->arena, inner, &error) ||
		!control_session_may(call->session, inner, &error)) {
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

/* A cursor over the rows that the call has gathered. */
static struct control_cursor *
cursor_new(struct control_call *call, const struct rpc_request *inner)
{
	struct control_session *s = call->session;
	struct control_cursor *c = calloc(1, sizeof(*c));

	ENSURE(c);
	arena_init(&c->arena, NULL);
	c->holds = 1;
	c->workers = call->host->workers;
	c->method = inner->method;
	c->filter = arena_copy(&c->arena, rpc_text(inner, "filter"));
	control_rows_move(&c->rows, &call->rows, &c->arena);
	c->newest = c->rows.ids ? c->rows.ids->newest : 0;
	c->id = ++s->cursor_last;
	c->used_ms = loop_now_ms(call->host->loop);
	list_append(&s->cursors, &c->link);
	s->cursor_count++;
	return c;
}

static void
open_end(struct control_call *call)
{
	const struct rpc_request *inner = call->request;
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
	c = cursor_new(call, inner);
	json_put_member_string(
		w, SPAN("cursor"), arena_printf(&call->arena, "%llu", (unsigned long long)c->id));
	json_put_member_u64(w, SPAN("total"), c->rows.count);
	json_put_member_bool(w, SPAN("approx"), false);
	json_put_member_bool(w, SPAN("fresh"), c->rows.ids != NULL);
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
	call->keep = control_handlers[inner->method->id]->keyed ? CONTROL_KEEP_IDS
								: CONTROL_KEEP_ALL;
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
		json_put_member_u64(w, SPAN("count"), call->rows.total);
		json_put_member_bool(w, SPAN("approx"), call->rows.approx);
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
	call->keep = CONTROL_KEEP_NONE;
	call->estimates = true;
	call->outer = call->request;
	control_call_run(call, inner, count_end);
}

const struct control_handler control_do_list_count = {.start = list_count};

static void
list_close(struct control_call *call)
{
	struct control_cursor *c = control_cursor_find(call);

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
