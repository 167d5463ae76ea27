/*
 * control_call.c - the steps of a call, one after the other, each on its thread.
 *
 *      control_call_go(STEP) on the loop
 *        CHECK   at once
 *        WORK    worker: handler->work
 *        READ    worker: handler->read in slices, each under a snapshot of its own
 *        CHANGE  writer: handler->change, or handler->each over slices of the targets
 *        FINISH  at once, then the reply
 */
#include "server/control/control_call.h"
#include "server/control/control_guard.h"

#include "server/generation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---- slices ---- */

static int64_t
monotonic_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

struct control_slice
control_slice_begin(void)
{
	return (struct control_slice){.end_us = monotonic_us() + CONTROL_SLICE_MS * 1000};
}

bool
control_slice_is_over(struct control_slice *slice)
{
	return (++slice->count & 15) == 0 && monotonic_us() >= slice->end_us;
}

bool
control_slice_is_over_now(const struct control_slice *slice)
{
	return monotonic_us() >= slice->end_us;
}

/* ---- work and read, on a worker ---- */

static void
call_worked(struct work *work, enum err result)
{
	struct control_call *call = LIST_ITEM(work, struct control_call, work);
	bool read = call->step == CALL_READ;
	enum control_step after = call->foresees ? CALL_END : CALL_CHANGE;

	if (result != OK)
		control_fail_err(call, result, "the server is busy");
	control_call_go(call, call->failed ? CALL_END : read ? after : CALL_ASK);
}

static void
look_whether_full(struct control_call *call)
{
	if (call->rows.full)
		control_fail(call, RPC_TOO_LARGE,
			"the list needs more memory than is left for lists",
			"narrow it with --filter", NULL);
}

static void
work_run(struct work *work)
{
	struct control_call *call = LIST_ITEM(work, struct control_call, work);

	work->result = OK;
	if (control_is_cancelled(call))
		return;
	(void)call->handler->work(call);
	look_whether_full(call);
	if (!call->handler->ask && !call->handler->read)
		control_call_put_rows(call);
}

/* A count while a filter is typed: people want it soon more than to the last row. */
static bool
is_enough(const struct control_call *call, int64_t began_us)
{
	return call->estimates && call->rows.expected > 0 &&
	       monotonic_us() - began_us > CONTROL_COUNT_MS * 1000;
}

static void
read_run(struct work *work)
{
	struct control_call *call = LIST_ITEM(work, struct control_call, work);
	const struct control_handler *h = call->handler;
	enum step step = STEP_MORE;
	int64_t began_us = monotonic_us();

	work->result = OK;
	while (step == STEP_MORE && !call->failed && !is_enough(call, began_us)) {
		struct snapshot *snap;
		enum err err;

		if (control_is_cancelled(call)) {
			control_fail(call, RPC_REFUSED, "cancelled", NULL, NULL);
			return;
		}
		err = snapshot_open(call->host->store, &snap);
		if (err != OK) {
			control_fail_err(call, err, "the store");
			return;
		}
		step = call->foresees ? h->foresee(call, snap) : h->read(call, snap);
		snapshot_close(&snap);
		if (step != STEP_FAIL && !call->foresees && h->spill && !h->spill(call))
			return;
	}
	if (step == STEP_FAIL)
		control_fail(call, RPC_INTERNAL, control_why(ERR_IO), NULL, NULL);
	look_whether_full(call);
	if (!call->failed && !call->foresees)
		control_rows_end(&call->rows);
	if (step == STEP_MORE)
		control_rows_estimate(&call->rows);
	control_call_put_rows(call);
}

static void
call_submit_work(struct control_call *call, enum work_kind kind, void (*run)(struct work *))
{
	enum err err;

	call->work = (struct work){
		.loop = call->host->loop, .kind = kind, .run = run, .done = call_worked};
	err = workers_submit(call->host->workers, &call->work);
	if (err == OK)
		return;
	control_fail(call, RPC_BUSY, "too much work is waiting", "try again in a moment", NULL);
	call->error.retry_after_s = 1;
	control_call_go(call, CALL_END);
}

static void
call_finish(struct control_call *call)
{
	/* One object that was named and could not be changed is an error, not "0 done". */
	if (call->handler->each && !call->handler->work && call->done == 0 &&
		call->target_count == 1 && call->skipped_count == 1) {
		bool gone = strcmp(control_why(ERR_NOT_FOUND), call->skipped[0].why.ptr) == 0;

		control_failf(call, gone ? RPC_NOT_FOUND : RPC_REFUSED, NULL, "%.*s: %.*s",
			SPAN_FMT(call->skipped[0].key), SPAN_FMT(call->skipped[0].why));
	} else if (call->handler->finish) {
		call->handler->finish(call);
	}
	if (call->failed || !call->handler->wait || !call->handler->wait(call))
		control_call_go(call, CALL_END);
}

void
control_call_go(struct control_call *call, enum control_step step)
{
	const struct control_handler *h = call->handler;

	if (step == CALL_WORK && !h->work)
		step = CALL_ASK;
	if (step == CALL_ASK && !h->ask)
		step = CALL_READ;
	if (step == CALL_READ && !(call->foresees ? h->foresee : h->read))
		step = !call->foresees ? CALL_CHANGE : h->tries ? CALL_RECORD : CALL_END;
	if (step == CALL_CHANGE && !h->change && !h->each)
		step = CALL_FINISH;
	call->step = step;
	switch (step) {
	case CALL_CHECK:
		control_call_go(call, !h->check || h->check(call) ? CALL_WORK : CALL_END);
		break;
	case CALL_WORK:
		call_submit_work(call, h->work_kind, work_run);
		break;
	case CALL_ASK:
		if (!h->ask(call))
			control_call_go(call, call->failed ? CALL_END : CALL_READ);
		break;
	case CALL_READ:
		/* whoever reads the file may take his time */
		call_submit_work(call, h->spill ? WORK_LONG : WORK_GENERAL, read_run);
		break;
	case CALL_CHANGE:
		if (h->take && !h->take(call))
			control_call_go(call, CALL_END);
		else if (!call->takes)
			control_call_go(call, CALL_RECORD);
		break;
	case CALL_RECORD:
		call->takes = false;
		if (call->foresees)
			control_change_try(call);
		else
			control_change_submit(call);
		break;
	case CALL_FINISH:
		call_finish(call);
		break;
	case CALL_END:
		control_call_end(call);
		break;
	}
}

/* ---- the whole ---- */

static void
call_progress(struct loop_timer *timer)
{
	struct control_call *call = LIST_ITEM(timer, struct control_call, progress);
	const struct rpc_progress progress = { atomic_load(&call->progress_done),
		atomic_load(&call->progress_total), atomic_load(&call->progress_bytes),
		atomic_load(&call->progress_bytes_total) };
	struct buf out;

	if (!call->session)
		return;
	if (progress.total > 0) {
		buf_init(&out, 1024);
		if (rpc_put_progress(&out, call->id, &progress) == OK)
			control_session_put(call->session, buf_span(&out));
		buf_fini(&out);
	}
	loop_timer_set(call->host->loop, &call->progress, CONTROL_PROGRESS_MS);
}

void
control_call_run(struct control_call *call, struct rpc_request *request,
	void (*on_end)(struct control_call *))
{
	call->request = request;
	call->handler = control_handlers[request->method->id];
	call->on_end = on_end;
	call->target_at = call->target_end = 0;
	call->targets = NULL;
	call->target_count = 0;
	call->state = NULL;
	control_rows_fini(&call->rows);
	if (!control_rows_init(
		    &call->rows, &call->arena, request, call->now_ms / 1000, &call->error)) {
		call->failed = true;
		call->error.what = span_of(request->method->method);
		control_call_end(call);
		return;
	}
	control_rows_keep(&call->rows, call->keep,
		call->handler->keyed ? call->handler->keyed->id : NULL);
	call->is_locked = control_guard_is_locked(call->host, call->session);
	if (call->is_locked)
		control_guard_hide(request->method, &call->rows);
	json_writer_init(&call->json, &call->out);
	if (call->handler->start)
		call->handler->start(call);
	else
		control_call_go(call, CALL_CHECK);
}

void
control_call_foresee(struct control_call *call, struct rpc_request *request,
	void (*on_end)(struct control_call *))
{
	call->request = request;
	call->handler = control_handlers[request->method->id];
	call->on_end = on_end;
	call->targets = NULL;
	call->target_count = 0;
	call->state = NULL;
	call->foresees = true;
	control_call_go(call, CALL_CHECK);
}

void
control_foresee(struct control_call *call, struct span line)
{
	size_t n = call->foreseen_count++;

	if (!call->foreseen)
		call->foreseen =
			ARENA_ARRAY(&call->arena, struct span, CONTROL_FORESEEN_MAX);
	if (n < CONTROL_FORESEEN_MAX)
		call->foreseen[n] = arena_copy(&call->arena, line);
}

void
control_call_begin(struct control_session *s, struct control_call *call,
	struct rpc_request *request, const int *fds, unsigned fd_count)
{
	call->session = s;
	call->host = s->base.host;
	call->generation = generation_hold(call->host->generation);
	call->who = s->who;
	call->id = arena_copy(&call->arena, request->id);
	call->now_ms = host_now_ms(call->host);
	for (unsigned i = 0; i < fd_count; i++)
		call->fds[i] = fds[i];
	call->fd_count = fd_count;
	buf_init(&call->out, CONTROL_REPLY_BYTES);
	list_append(&s->calls, &call->link);
	s->call_count++;
	loop_timer_init(&call->progress, call_progress);
	loop_timer_set(call->host->loop, &call->progress, CONTROL_PROGRESS_MS);
	control_call_run(call, request, NULL);
}

struct control_call *
control_call_new(void)
{
	struct control_call *call = calloc(1, sizeof(*call));

	ENSURE(call);
	arena_init(&call->arena, NULL);
	list_init(&call->link);
	loop_timer_init(&call->progress, call_progress);
	return call;
}

static void
wipe(void *arg)
{
	struct span *s = arg;

	explicit_bzero((char *)(uintptr_t)s->ptr, s->len);
}

/* No secret stays in memory after the call (H66). */
void
control_call_wipes(struct control_call *call, struct span secret)
{
	struct span *kept;

	if (secret.len == 0)
		return;
	kept = ARENA_NEW(&call->arena, struct span);
	*kept = secret;
	arena_on_reset(&call->arena, wipe, kept);
}

void
control_call_free(struct control_call *call)
{
	loop_timer_clear(&call->progress);
	for (unsigned i = 0; i < call->fd_count; i++)
		close(call->fds[i]);
	control_rows_drop(&call->rows, call->host ? call->host->workers : NULL);
	control_call_drop_reply(call);
	buf_wipe(&call->out);
	arena_reset(&call->arena);
	generation_release(&call->generation);
	free(call);
}

void
control_call_cancel(struct control_call *call)
{
	atomic_store(&call->cancelled, true);
}

void
control_call_leave(struct control_call *call)
{
	list_remove(&call->link);
	call->session = NULL;
	loop_timer_clear(&call->progress);
	control_call_cancel(call);
}

void
control_call_end(struct control_call *call)
{
	void (*on_end)(struct control_call *) = call->on_end;

	if (on_end) {
		call->on_end = NULL;
		on_end(call);
		return;
	}
	if (call->session) {
		control_call_reply(call);
		list_remove(&call->link);
		call->session->call_count--;
	}
	control_call_free(call);
}
