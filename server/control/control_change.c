/*
 * control_change.c - the step of a call that writes: one store_job, or one for every few targets.
 *
 * All jobs of a call are one change in the log, so that one undo takes all of it back. What a
 * target's handler refuses is skipped with its reason; the others go on.
 */
#include "server/control/control_call.h"
#include "store/changes.h"

#define OBJECT_TEXT_MAX 200 /* bytes of the object that the audit log names */

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

/*
 * The targets in a few words, without those that were refused by now, which `skipped` has in the order
 * of the targets; lines of a file by their number.
 */
static struct span
targets_text(struct control_call *call)
{
	size_t first = 0, skipped = call->skipped_count;

	while (first < skipped && first < call->target_count &&
		span_eq(call->skipped[first].key, call->targets[first]))
		first++;
	if (skipped >= call->target_count) /* nothing could be done */
		first = skipped = 0;
	if (call->target_count == 0)
		return SPAN_NONE;
	if (span_starts(call->targets[first], SPAN("line ")))
		return arena_printf(&call->arena, "%zu line%s", call->target_count - skipped,
			call->target_count - skipped == 1 ? "" : "s");
	if (call->target_count - skipped == 1)
		return call->targets[first];
	return arena_printf(&call->arena, "%.*s and %zu more",
		SPAN_FMT(span_range(call->targets[first], 0, OBJECT_TEXT_MAX)),
		call->target_count - skipped - 1);
}

/* What the audit log calls the object: the first words of the parameters, never a secret. */
static struct span
call_object(struct control_call *call)
{
	const struct rpc_request *r = call->request;
	struct span name = SPAN_NONE, folder = SPAN_NONE, item;

	for (size_t i = 0; i < r->schema.count && !name.len; i++) {
		enum control_type type = r->schema.items[i].type;

		if (!r->schema.items[i].option &&
			(type == CONTROL_TYPE_NAME || type == CONTROL_TYPE_TEXT))
			name = r->values[i].text;
	}
	for (size_t i = 0; i < r->schema.count; i++)
		if (!r->schema.items[i].option && span_eq(r->schema.items[i].name, SPAN("folder")))
			folder = r->values[i].text;
	item = folder.len > 0 ? folder : targets_text(call);
	if (name.len && item.len)
		return arena_printf(&call->arena, "%.*s %.*s",
			SPAN_FMT(span_range(name, 0, OBJECT_TEXT_MAX)), SPAN_FMT(item));
	return name.len ? name : item;
}

struct span
control_did(struct arena *a, struct span what, struct span object)
{
	static const char *const words[][2] = {
		{"add", "added"},
		{"set", "changed"},
		{"change", "changed"},
		{"remove", "removed"},
		{"rename", "renamed"},
		{"passwd", "given a new password"},
		{"unlock", "unlocked"},
		{"import", "imported"},
		{"bulk", "added"},
		{"hold", "held"},
		{"release", "released"},
		{"move", "moved"},
		{"copy", "copied"},
		{"purge", "removed for good"},
		{"restore", "restored"},
		{"retry", "tried again"},
		{"redirect", "redirected"},
		{"bounce", "returned to the sender"},
		{"edit", "edited"},
		{"lan", "open to our networks"},
		{"undo", "undone"},
		{"legacy", "given other legacy passwords"},
		{"member", "given other members"},
		{"subscribe", "subscribed"},
		{"unsubscribe", "unsubscribed"},
		{"lan.apply", "put in force"},
		{"archive.apply", "put in force"},
		{"smtp.apply", "put in force"},
		{"smtp.on", "switched"},
		{"smtp.off", "switched"},
		{"smtp.move", "put into another order"},
		{"download.apply", "put in force"},
		{"download.on", "switched"},
		{"download.off", "switched"},
		{"download.move", "put into another order"},
		{"download.ask.fetch", "answered: fetch it"},
		{"download.ask.remove", "answered: remove it"},
		{"content.apply", "put in force"},
		{"script.set", "given another script"},
		{"monitor.set", "for monitoring set"},
		{"monitor.remove", "for monitoring removed"},
		{"prune.add", "for pruning added"},
		{"prune.set", "for pruning changed"},
		{"prune.remove", "for pruning removed"},
		{"on", "switched on"},
		{"off", "switched off"},
	};
	struct span noun, verb;

	(void)span_cut(what, '.', &noun, &verb);
	if (span_starts(verb, SPAN("download.ask.")))
		noun = SPAN("question");
	for (size_t i = 0; i < COUNT(words); i++)
		if (span_eq(verb, span_of(words[i][0])))
			verb = span_of(words[i][1]);
	if (span_eq(noun, SPAN("collect")))
		noun = SPAN("collector");
	return arena_printf(a, "%.*s%s%.*s %.*s", SPAN_FMT(noun), object.len ? " " : "",
		SPAN_FMT(object), SPAN_FMT(verb));
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
	recorder.start.object = call_object(call); /* without those that were refused */
	ended = change_end(&recorder);
	if (err == OK)
		err = ended;
	if (err == OK) {
		call->job_change_id = recorder.change_id;
		call->too_large |= recorder.too_large; /* of an earlier job, too */
		call->can_undo = !call->handler->cannot && recorder.rows > 0 && !call->too_large;
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
	enum err err = call->handler->change(call, txn);

	return err == OK && call->failed ? ERR_DENIED : err; /* who was refused has changed nothing */
}

/* May run again (commit.h): everything it leaves in the call is set anew. */
static enum step
call_apply(struct store_job *job, struct txn *txn)
{
	struct control_call *call = LIST_ITEM(job, struct control_call, job);

	call->failed = false;
	call->job_done = call->job_parts = 0;
	call->skipped_count = call->job_skipped;
	call->skipped_more = call->job_skipped_more;
	call->skip_why = NULL;
	if (call->handler->unrecorded)
		return step_of(job, change_body(call, txn));
	return step_of(
		job, call_recorded(call, txn, call->handler->each ? each_body : change_body));
}

static enum control_step
call_after_change(struct control_call *call)
{
	if (!call->handler->each || control_is_cancelled(call))
		return CALL_FINISH;
	if (call->target_at < call->target_count)
		return CALL_CHANGE;
	return call->again ? CALL_WORK : CALL_FINISH;
}

/* A later job failed: what was done stays and is told, the rest is left out with the reason. */
static void
call_give_up(struct control_call *call, enum err why)
{
	call->failed = false;
	call->again = false;
	call->skipped_count = call->job_skipped;
	for (size_t i = call->target_at; i < call->target_count; i++)
		control_skip(call, call->targets[i], control_why(why));
	control_call_go(call, CALL_FINISH);
}

static void
call_changed(struct store_job *job, enum err result)
{
	struct control_call *call = LIST_ITEM(job, struct control_call, job);
	bool skipped_all = call->handler->each && result == ERR_NOT_FOUND && !call->failed;

	if (result != OK && !skipped_all && call->done == 0) {
		control_fail_err(
			call, result, call->handler->object ? call->handler->object : "object");
		control_call_go(call, CALL_END);
		return;
	}
	if (result != OK && !skipped_all) {
		call_give_up(call, result);
		return;
	}
	if (result == OK) {
		call->done += call->job_done - call->job_parts;
		call->undo_id = call->job_change_id;
	}
	call->did = call->undo_id && (call->did || !call->note.len);
	if (call->did) /* after each job anew; undo says it in words of its own */
		call->note = control_did(&call->arena,
			span_of(call->request->method->method), call_object(call));
	if (!call->handler->work)
		atomic_store(&call->progress_done, call->done);
	call->job_skipped = call->skipped_count;
	call->job_skipped_more = call->skipped_more;
	call->target_at = call->target_end;
	control_call_go(call, call_after_change(call));
}

static enum step
try_apply(struct store_job *job, struct txn *txn)
{
	struct control_call *call = LIST_ITEM(job, struct control_call, job);

	call->failed = false;
	call->tried = call->handler->change(call, txn);
	return STEP_FAIL; /* nothing of it stays */
}

static void
try_done(struct store_job *job, enum err result)
{
	struct control_call *call = LIST_ITEM(job, struct control_call, job);

	(void)result;
	control_fail_err(call, call->tried, call->handler->object);
	call->job_done = 0;
	control_call_go(call, CALL_END);
}

void
control_change_try(struct control_call *call)
{
	enum err err;

	call->tried = ERR_BUSY; /* where it does not come so far */
	call->job = (struct store_job){.apply = try_apply, .done = try_done, .inbox = call->host->inbox,
		.size_bytes = 4096};
	err = store_submit(call->host->store, &call->job);
	if (err == OK)
		return;
	control_fail_err(call, err, "the store");
	control_call_go(call, CALL_END);
}

void
control_change_submit(struct control_call *call)
{
	enum err err;

	if (call->handler->each) {
		call_take_targets(call);
		if (call->target_at >= call->target_count) {
			control_call_go(call, call_after_change(call));
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
	control_call_go(call, CALL_END);
}
