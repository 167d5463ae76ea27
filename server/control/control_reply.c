/*
 * control_reply.c - how a call answers: its errors, its result, its words.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/mail/mail_date.h"
#include "server/control/control_call.h"

/* ---- errors and words ---- */

const char *
control_why(enum err err)
{
	static const char *const words[] = {
		[ERR_SYNTAX] = "not what is allowed here",
		[ERR_LIMIT] = "over a limit",
		[ERR_NOT_FOUND] = "not found",
		[ERR_EXISTS] = "exists already, or was changed by somebody else",
		[ERR_DENIED] = "not allowed",
		[ERR_BUSY] = "not now, try again",
		[ERR_FULL] = "no room on disk",
		[ERR_IO] = "local trouble, the log says more",
		[ERR_CORRUPT] = "damaged, run postroom check",
	};

	return err < COUNT(words) && words[err] ? words[err] : "failed";
}

bool
control_fail(struct control_call *call, enum rpc_code code, const char *why, const char *hint,
	const char *field)
{
	const struct control_method *m = call->request->method;

	if (call->failed)
		return false;
	call->failed = true;
	call->error = (struct rpc_error){.code = code,
		.what = span_of(m->words[0] ? m->words : m->method),
		.why = arena_copy(&call->arena, span_of(why)),
		.hint = arena_copy(&call->arena, span_of(hint)),
		.field = arena_copy(&call->arena, span_of(field))};
	return false;
}

bool
control_failf(
	struct control_call *call, enum rpc_code code, const char *field, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return control_fail(call, code, text, NULL, field);
}

bool
control_fail_err(struct control_call *call, enum err err, const char *object)
{
	char why[200];

	if (err == OK)
		return true;
	if (err == ERR_NOT_FOUND)
		snprintf(why, sizeof(why), "no such %s", object);
	else
		snprintf(why, sizeof(why), "%s: %s", object, control_why(err));
	return control_fail(call, rpc_code_of(err), why, NULL, NULL);
}

void
control_skip(struct control_call *call, struct span key, const char *why)
{
	struct rpc_skipped *grown;

	if (call->skipped_count == CONTROL_TARGETS_MAX) {
		call->skipped_more++;
		return;
	}
	if (call->skipped_count == call->skipped_size) {
		size_t size = call->skipped_size ? 2 * call->skipped_size : 16;

		grown = ARENA_ARRAY(&call->arena, struct rpc_skipped, size);
		if (call->skipped_count)
			memcpy(grown, call->skipped, call->skipped_count * sizeof(*grown));
		call->skipped = grown;
		call->skipped_size = size;
	}
	call->skipped[call->skipped_count++] =
		(struct rpc_skipped){.key = arena_copy(&call->arena, key), .why = span_of(why)};
}

struct span
control_time(struct arena *a, int64_t ms)
{
	struct span text = SPAN_NONE;
	struct buf b;

	buf_init(&b, 64);
	if (mail_date_put_rfc3339(&b, (struct mail_date){.seconds = ms / 1000}) == OK)
		text = arena_copy(a, buf_span(&b));
	buf_fini(&b);
	return text;
}

void
control_put_time(struct json_writer *w, struct span name, int64_t ms)
{
	struct arena a;

	json_put_name(w, name);
	if (ms <= 0) {
		json_put_null(w);
		return;
	}
	arena_init(&a, NULL);
	json_put_string(w, control_time(&a, ms));
	arena_reset(&a);
}

void
control_put_text_or_null(struct json_writer *w, struct span name, struct span text)
{
	json_put_name(w, name);
	if (text.ptr)
		json_put_string(w, text);
	else
		json_put_null(w);
}

int
control_fd(struct control_call *call, const char *param)
{
	uint64_t place;

	if (!rpc_has(call->request, param))
		return -1;
	place = rpc_number(call->request, param, 0);
	return place < call->fd_count ? call->fds[place] : -1;
}

bool
control_write(struct control_call *call, int fd, struct buf *from)
{
	while (buf_span(from).len > 0) {
		ssize_t n = write(fd, buf_span(from).ptr, buf_span(from).len);

		if (n < 0 && errno == EINTR && !control_is_cancelled(call))
			continue;
		if (n <= 0)
			return control_failf(call, RPC_REFUSED, NULL,
				"the file cannot be written: %s", strerror(errno));
		buf_consume(from, (size_t)n);
	}
	return true;
}

/* ---- the reply ---- */

static enum err
put_done(struct control_call *call, struct buf *out)
{
	char undo[24] = "";
	struct rpc_done done = {.done = call->done,
		.skipped = call->skipped,
		.skipped_count = call->skipped_count,
		.note = call->note,
		.secret = call->secret,
		.collected = call->collected,
		.errors = call->errors};

	if (call->undo_id && call->too_large)
		done.note = arena_printf(&call->arena, "%.*s; undo cannot take it back: too many rows",
			SPAN_FMT(call->note));
	if (call->skipped_more)
		done.note = arena_printf(&call->arena, "%.*s; %zu more were left out",
			SPAN_FMT(done.note), call->skipped_more);
	if (call->undo_id && call->can_undo) {
		snprintf(undo, sizeof(undo), "%llu", (unsigned long long)call->undo_id);
		done.undo = span_of(undo);
		if (call->undo_until_ms)
			done.undo_until = control_time(&call->arena, call->undo_until_ms);
	}
	return rpc_put_done(out, call->id, &done);
}

static enum err
put_rows(struct control_call *call, struct buf *out)
{
	struct control_rows *rows = &call->rows;
	struct json_writer w;
	size_t from = 0;
	struct span next;

	if (rows->after.len > 0) {
		from = control_rows_find(rows, rows->after);
		if (from == rows->count) {
			control_fail(call, RPC_GONE, "the row to go on after is no longer there",
				"begin again without --after", "after");
			return OK;
		}
		from++;
	}
	rpc_begin_rows(&w, out, call->id);
	if (rows->pinned.key.ptr && rows->after.len == 0)
		control_row_put(rows, &rows->pinned, &w);
	control_rows_put(rows, from, rows->limit, &w, &next);
	return rpc_end_rows(&w, next, rows->total);
}

static enum err
put_object(struct control_call *call, struct buf *out)
{
	struct json_writer w;

	rpc_begin_result(&w, out, call->id);
	json_put_raw(&w, buf_span(&call->out));
	return rpc_end_result(&w);
}

static enum err
put_answer(struct control_call *call, struct buf *out)
{
	if (buf_span(&call->out).len > 0)
		return put_object(call, out);
	switch (call->request->method->reply) {
	case CONTROL_REPLY_TEXT:
		return rpc_put_text(out, call->id, call->text);
	case CONTROL_REPLY_DONE:
		return put_done(call, out);
	case CONTROL_REPLY_OBJECT:
		json_put_object(&call->json);
		json_put_close(&call->json);
		return put_object(call, out);
	case CONTROL_REPLY_ROWS:
	case CONTROL_REPLY_FAULTS:
		break;
	}
	return put_rows(call, out);
}

/* A list that nothing is done with but to show it. */
static bool
is_only_shown(struct control_call *call)
{
	const struct control_handler *h = call->handler;

	return call->request->method->reply == CONTROL_REPLY_ROWS && call->keep == CONTROL_KEEP_PAGE &&
	       !call->failed && !call->foresees && !call->on_end && call->id.len > 0 && !h->change &&
	       !h->each && !h->finish && !h->wait && !control_is_cancelled(call);
}

void
control_call_put_rows(struct control_call *call)
{
	if (!is_only_shown(call))
		return;
	buf_init(&call->reply, CONTROL_LINE_MAX);
	if (put_answer(call, &call->reply) == OK && !call->failed)
		control_rows_fini(&call->rows);
	else
		buf_wipe(&call->reply); /* the loop says why */
}

struct dropped_reply {
	struct work work;
	struct buf reply;
};

static void
free_reply(struct work *work)
{
	struct dropped_reply *d = LIST_ITEM(work, struct dropped_reply, work);

	buf_wipe(&d->reply);
	free(d);
}

void
control_call_drop_reply(struct control_call *call)
{
	struct dropped_reply *d;

	if (call->reply.size <= CONTROL_REPLY_AT_ONCE) {
		buf_wipe(&call->reply);
		return;
	}
	d = calloc(1, sizeof(*d));
	ENSURE(d);
	d->reply = call->reply;
	buf_init(&call->reply, 0);
	d->work = (struct work){.kind = WORK_GENERAL, .run = free_reply};
	if (workers_submit(call->host->workers, &d->work) != OK)
		free_reply(&d->work);
}

void
control_call_reply(struct control_call *call)
{
	enum err err = OK;
	struct buf out;

	if (call->id.len == 0)
		return; /* a notification wants no answer */
	if (!call->failed && buf_span(&call->reply).len > 0) {
		control_session_put(call->session, buf_span(&call->reply));
		return;
	}
	buf_init(&out, CONTROL_LINE_MAX);
	if (!call->failed && buf_span(&call->out).len > 0)
		err = json_writer_end(&call->json);
	if (!call->failed && err == OK)
		err = put_answer(call, &out);
	if (call->failed) {
		buf_clear(&out);
		rpc_put_error(&out, call->id, &call->error);
	} else if (err != OK) {
		rpc_reply_cut(&out, 0, call->id);
	}
	control_session_put(call->session, buf_span(&out));
	buf_wipe(&out);
}
