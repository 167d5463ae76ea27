/*
 * control_call.c - the steps of a call, one after the other, each on its thread.
 *
 *      call_go(STEP) on the loop
 *        CHECK   at once
 *        WORK    worker: handler->work
 *        READ    worker: handler->read in slices, each under a snapshot of its own
 *        CHANGE  writer: handler->change, or handler->each over slices of the targets
 *        FINISH  at once, then the reply
 */
#include "server/control/control_call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "store/changes.h"

#define OBJECT_TEXT_MAX 200 /* bytes of the object that the audit log names */

enum call_step { CALL_CHECK, CALL_WORK, CALL_READ, CALL_CHANGE, CALL_FINISH, CALL_END };

static void call_go(struct control_call *call, enum call_step step);

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

/* ---- work and read, on a worker ---- */

static void
call_worked(struct work *work, enum err result)
{
	struct control_call *call = LIST_ITEM(work, struct control_call, work);
	bool read = call->handler->read && call->step == CALL_READ;

	if (result != OK)
		control_fail_err(call, result, "the server is busy");
	call_go(call, call->failed ? CALL_END : read ? CALL_CHANGE : CALL_READ);
}

static void
work_run(struct work *work)
{
	struct control_call *call = LIST_ITEM(work, struct control_call, work);

	work->result = OK;
	if (!control_is_cancelled(call))
		(void)call->handler->work(call);
}

static void
read_run(struct work *work)
{
	struct control_call *call = LIST_ITEM(work, struct control_call, work);
	enum step step = STEP_MORE;

	work->result = OK;
	while (step == STEP_MORE && !call->failed) {
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
		step = call->handler->read(call, snap);
		snapshot_close(&snap);
		if (step != STEP_FAIL && call->handler->spill && !call->handler->spill(call))
			return;
	}
	if (step == STEP_FAIL)
		control_fail(call, RPC_INTERNAL, control_why(ERR_IO), NULL, NULL);
	if (call->rows.full)
		control_fail(call, RPC_TOO_LARGE,
			"the list needs more memory than is left for lists",
			"narrow it with --filter", NULL);
	if (!call->failed)
		control_rows_end(&call->rows);
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
	call_go(call, CALL_END);
}

/* ---- change, on the writer ---- */

/* What `each` is called for: the request's own targets, unless `work` found others. */
static void
call_take_targets(struct control_call *call)
{
	const struct rpc_request *r = call->request;

	for (size_t i = 0; i < r->schema.count && !call->targets; i++)
		if (r->schema.items[i].type == CONTROL_TYPE_TARGETS) {
			call->targets = r->values[i].items;
			call->target_count = r->values[i].count;
		}
}

/* What the audit log calls the object: the first words of the parameters, never a secret. */
static struct span
call_object(struct control_call *call)
{
	const struct rpc_request *r = call->request;
	struct span name = SPAN_NONE, item = SPAN_NONE;

	for (size_t i = 0; i < r->schema.count && !name.len; i++) {
		enum control_type type = r->schema.items[i].type;

		if (!r->schema.items[i].option &&
			(type == CONTROL_TYPE_NAME || type == CONTROL_TYPE_TEXT))
			name = r->values[i].text;
	}
	if (call->target_count > 0)
		item = call->targets[0];
	if (call->target_count > 1)
		item = arena_printf(&call->arena, "%.*s and %zu more",
			SPAN_FMT(span_range(item, 0, OBJECT_TEXT_MAX)), call->target_count - 1);
	if (name.len && item.len)
		return arena_printf(&call->arena, "%.*s %.*s",
			SPAN_FMT(span_range(name, 0, OBJECT_TEXT_MAX)), SPAN_FMT(item));
	return name.len ? name : item;
}

/* Records one change around BODY; what it wrote counts only when all of it is well. */
static enum err
call_recorded(struct control_call *call, struct txn *txn,
	enum err (*body)(struct control_call *, struct txn *))
{
	struct change_recorder recorder;
	struct change_start start = {
		.who = span_of(call->who.name),
		.via = span_of(call->who.via),
		.what = span_of(call->request->method->method),
		.object = call_object(call),
		.now_ms = call->now_ms,
		.config_no = call->config_no,
		.cannot = span_of(call->handler->cannot),
	};
	enum err err, ended;

	if (call->undo_id)
		err = change_continue(&recorder, txn, call->undo_id);
	else
		err = change_begin(&recorder, txn, &start);
	if (err != OK)
		return err;
	err = body(call, txn);
	ended = change_end(&recorder);
	if (err == OK)
		err = ended;
	if (err == OK) {
		call->job_change_id = recorder.change_id;
		call->can_undo = !call->handler->cannot && recorder.rows > 0 && !recorder.too_large;
	}
	return err;
}

static enum err
each_body(struct control_call *call, struct txn *txn)
{
	for (size_t i = call->target_at; i < call->target_end; i++) {
		enum err err;

		call->target_now = i;
		err = call->handler->each(call, txn, call->targets[i]);
		if (err == OK)
			call->job_done++;
		else if (err == ERR_IO || err == ERR_CORRUPT || err == ERR_FULL || call->failed)
			return err;
		else
			control_skip(call, call->targets[i],
				call->skip_why ? call->skip_why : control_why(err));
		call->skip_why = NULL;
	}
	return call->job_done ? OK : ERR_NOT_FOUND; /* nothing changed: nothing is recorded */
}

static enum err
change_body(struct control_call *call, struct txn *txn)
{
	return call->handler->change(call, txn);
}

/* May run again (commit.h): everything it leaves in the call is set anew. */
static enum step
call_apply(struct store_job *job, struct txn *txn)
{
	struct control_call *call = LIST_ITEM(job, struct control_call, job);

	call->failed = false;
	call->job_done = call->job_parts = 0;
	call->skipped_count = call->job_skipped;
	call->skip_why = NULL;
	if (call->handler->unrecorded)
		return step_of(job, change_body(call, txn));
	return step_of(
		job, call_recorded(call, txn, call->handler->each ? each_body : change_body));
}

static enum call_step
call_after_change(struct control_call *call)
{
	if (!call->handler->each || control_is_cancelled(call))
		return CALL_FINISH;
	if (call->target_at < call->target_count)
		return CALL_CHANGE;
	return call->again ? CALL_WORK : CALL_FINISH;
}

static void
call_changed(struct store_job *job, enum err result)
{
	struct control_call *call = LIST_ITEM(job, struct control_call, job);
	bool skipped_all = call->handler->each && result == ERR_NOT_FOUND && !call->failed;

	if (result != OK && !skipped_all) {
		control_fail_err(
			call, result, call->handler->object ? call->handler->object : "object");
		call_go(call, CALL_END);
		return;
	}
	if (result == OK) {
		call->done += call->job_done - call->job_parts;
		call->undo_id = call->job_change_id;
	}
	if (!call->handler->work)
		atomic_store(&call->progress_done, call->done);
	call->job_skipped = call->skipped_count;
	call->target_at = call->target_end;
	call_go(call, call_after_change(call));
}

static void
call_submit_change(struct control_call *call)
{
	enum err err;

	if (call->handler->each) {
		call_take_targets(call);
		if (call->target_at >= call->target_count) {
			call_go(call, call_after_change(call));
			return;
		}
		call->target_end =
			call->target_at + (call->handler->targets_job ? call->handler->targets_job
								      : CONTROL_TARGETS_JOB);
		if (call->target_end > call->target_count)
			call->target_end = call->target_count;
		if (!call->handler->work)
			atomic_store(&call->progress_total, call->target_count);
	}
	call->job = (struct store_job){.apply = call_apply,
		.done = call_changed,
		.inbox = call->host->inbox,
		.size_bytes = 4096};
	err = store_submit(call->host->store, &call->job);
	if (err == OK)
		return;
	control_fail_err(call, err, "the store");
	call_go(call, CALL_END);
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
	call_go(call, CALL_END);
}

static void
call_go(struct control_call *call, enum call_step step)
{
	const struct control_handler *h = call->handler;

	if (step == CALL_WORK && !h->work)
		step = CALL_READ;
	if (step == CALL_READ && !h->read)
		step = CALL_CHANGE;
	if (step == CALL_CHANGE && !h->change && !h->each)
		step = CALL_FINISH;
	call->step = step;
	switch (step) {
	case CALL_CHECK:
		call_go(call, !h->check || h->check(call) ? CALL_WORK : CALL_END);
		break;
	case CALL_WORK:
		call_submit_work(call, h->work_kind, work_run);
		break;
	case CALL_READ:
		call_submit_work(call, WORK_GENERAL, read_run);
		break;
	case CALL_CHANGE:
		call_submit_change(call);
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
	uint64_t total = atomic_load(&call->progress_total);
	struct buf out;

	if (!call->session)
		return;
	if (total > 0) {
		buf_init(&out, 1024);
		if (rpc_put_progress(&out, call->id, atomic_load(&call->progress_done), total) ==
			OK)
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
	json_writer_init(&call->json, &call->out);
	if (call->handler->start)
		call->handler->start(call);
	else
		call_go(call, CALL_CHECK);
}

void
control_call_begin(struct control_session *s, struct control_call *call,
	struct rpc_request *request, const int *fds, unsigned fd_count)
{
	call->session = s;
	call->host = s->base.host;
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
	control_rows_fini(&call->rows);
	buf_wipe(&call->out);
	arena_reset(&call->arena);
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
