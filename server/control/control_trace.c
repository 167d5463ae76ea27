/*
 * control_trace.c - where messages went, and why (H88): traces newest first, then refusals by the
 * hour; with an id all parts of one message in order.
 */
#include <stdio.h>
#include <string.h>

#include "proto/mail/message_no.h"
#include "server/control/control_notes.h"
#include "server/queue/refusals.h"
#include "store/traces.h"

#define TRACE_ROWS_MAX 10000 /* looked at where a filter or an order wants all */
#define STEPS_MAX 64
#define RECIPIENTS_SHOWN 50
#define RESULT_SIZE 160

struct trace_walk {
	struct trace_query query;
	uint64_t one; /* of this message only */
	uint32_t part;
	bool has_part, in_refusals, with_steps;
	struct refusal_at refusal;
	uint64_t refusal_no;
	size_t enough; /* rows */
};

static bool
trace_check(struct control_call *call)
{
	struct trace_walk *walk = ARENA_NEW(&call->arena, struct trace_walk);
	struct span message = control_param(call, "message");
	int64_t from_s, to_s;

	call->state = walk;
	walk->with_steps = rpc_has(call->request, "steps") || message.len > 0;
	walk->query.from = control_param(call, "from");
	walk->query.to = control_param(call, "to");
	if (span_find(message, '@') < message.len || span_starts(message, SPAN("<")))
		walk->query.message_id = message;
	else if (message.len && message_no_parse(message, &walk->one) != OK)
		return control_failf(
			call, RPC_INVALID, "message", "%.*s is no message id", SPAN_FMT(message));
	if (rpc_has(call->request, "since")) {
		if (control_parse_time(control_param(call, "since"), call->now_ms / 1000, &from_s,
			    &to_s) != OK)
			return control_fail(call, RPC_INVALID, "this is no time", NULL, "since");
		walk->query.since_ms = from_s * 1000;
	}
	walk->enough = TRACE_ROWS_MAX;
	if (!call->rows.filter && call->rows.sort_column == call->rows.columns.count &&
		call->rows.after.len == 0 && call->rows.limit < TRACE_ROWS_MAX)
		walk->enough = call->rows.limit + 1;
	return true;
}

static void
put_recipients(struct control_rows *rows, struct span list)
{
	struct span items[RECIPIENTS_SHOWN], address;
	size_t n = 0;

	while (n < COUNT(items) && trace_recipient_next(&list, &address))
		items[n++] = address;
	control_put_list(rows, items, n);
}

static struct span
text_or_empty(struct span s)
{
	return s.ptr ? s : SPAN("");
}

/*
 * "because" is what decided: where the last copy went, or that it answered a question (DLR-07), else what refused the message, which is the
 * last sentence that is not about header fields.
 */
static bool
decides(enum note_code code, bool placed)
{
	if (code == NOTE_PLACE_INBOX || code == NOTE_PLACE_QUEUED || code == NOTE_PLACE_NOBODY ||
		code == NOTE_WRITE_GONE || code == NOTE_WRITE_REFUSED || code == NOTE_ASK_ANSWERED)
		return true;
	return !placed && code != NOTE_HEADER_ADDED && code != NOTE_HEADER_REMOVED;
}

static void
put_tail(struct control_rows *rows, const struct trace *t, bool with_steps)
{
	struct span steps[STEPS_MAX], notes = t->notes, because = SPAN("");
	bool placed = false, good = t->code == 0 || t->code < 400;
	struct arena a;
	struct note note;
	size_t n = 0;

	arena_init(&a, NULL);
	while (n < STEPS_MAX && note_take(&notes, &note) == PARSE_DONE) {
		steps[n++] = control_note_line(&a, &note);
		if (!decides(note.code, placed))
			continue;
		because = steps[n - 1];
		placed = placed || (good && note.code >= NOTE_PLACE_INBOX);
	}
	control_put_text(rows, because);
	control_put_text(rows, text_or_empty(t->message_id));
	control_put_text(rows, text_or_empty(t->session));
	if (with_steps)
		control_put_list(rows, steps, n);
	else
		control_put_null(rows);
	arena_reset(&a);
}

static void
trace_row(struct control_rows *rows, const struct trace *t, bool with_steps)
{
	char no[MESSAGE_NO_SIZE], key[MESSAGE_NO_SIZE + 16], result[RESULT_SIZE];
	struct span id = message_no_format(t->message_no, no);

	snprintf(key, sizeof(key), "%s.%u", no, t->part);
	if (t->code)
		snprintf(result, sizeof(result), "%llu %.*s", (unsigned long long)t->code,
			SPAN_FMT(span_range(t->text, 0, 140)));
	else
		snprintf(result, sizeof(result), "%.*s", SPAN_FMT(span_range(t->text, 0, 150)));
	control_row(rows, span_of(key));
	control_put_time_ms(rows, t->time_ms);
	control_put_text(rows, id);
	control_put_text(rows, text_or_empty(t->sender));
	put_recipients(rows, t->recipients);
	control_put_number(rows, (int64_t)t->size_bytes);
	control_put_text(rows, span_of(result));
	control_put_text(rows, text_or_empty(t->subject));
	put_tail(rows, t, with_steps);
}

static bool
refusal_asked(const struct trace_walk *walk, const struct refusal *r)
{
	return r->count > REFUSALS_IN_FULL &&
	       (!walk->query.from.len || span_eq_nocase(walk->query.from, r->sender)) &&
	       (!walk->query.to.len || span_eq_nocase(walk->query.to, r->recipient)) &&
	       (!walk->query.since_ms || r->last_ms >= walk->query.since_ms);
}

/* The first few of an hour are traces already; the row says how many there were in all. */
static void
refusal_row(struct control_rows *rows, struct trace_walk *walk, const struct refusal *r)
{
	char key[32], result[RESULT_SIZE];
	struct span to = r->recipient;

	snprintf(key, sizeof(key), "r%llu", (unsigned long long)++walk->refusal_no);
	snprintf(result, sizeof(result), "refused %llu times in this hour",
		(unsigned long long)r->count);
	control_row(rows, span_of(key));
	control_put_time_ms(rows, r->last_ms);
	control_put_text(rows, SPAN(""));
	control_put_text(rows, text_or_empty(r->sender));
	control_put_list(rows, &to, to.len ? 1 : 0);
	control_put_number(rows, 0);
	control_put_text(rows, span_of(result));
	control_put_text(rows, SPAN(""));
	control_put_text(rows, text_or_empty(r->reason));
	control_put_text(rows, SPAN(""));
	control_put_text(rows, text_or_empty(r->address));
	control_put_list(rows, NULL, 0);
}

static enum err
refusals_read(struct control_call *call, struct snapshot *snap, struct control_slice *slice)
{
	struct trace_walk *walk = call->state;
	struct refusal refusal;
	enum err err;

	while (call->rows.count < walk->enough &&
		(err = refusal_prev(snap, &walk->refusal, &refusal)) == OK) {
		if (refusal_asked(walk, &refusal))
			refusal_row(&call->rows, walk, &refusal);
		if (control_slice_is_over(slice))
			return OK;
	}
	return ERR_NOT_FOUND;
}

/* ERR_NOT_FOUND: no more. OK: the slice is over. */
static enum err
traces_read(struct control_call *call, struct snapshot *snap, struct control_slice *slice)
{
	struct trace_walk *walk = call->state;
	struct trace trace;
	enum err err;

	while (call->rows.count < walk->enough) {
		err = trace_search(snap, &walk->query, &trace);
		if (err != OK)
			return err;
		walk->query.before_ms = trace.time_ms;
		walk->query.before_no = trace.message_no;
		trace_row(&call->rows, &trace, walk->with_steps);
		if (control_slice_is_over(slice))
			return OK;
	}
	return ERR_NOT_FOUND;
}

/* All parts of one message, in order. */
static enum err
parts_read(struct control_call *call, struct snapshot *snap, struct control_slice *slice)
{
	struct trace_walk *walk = call->state;
	struct trace trace;
	enum err err;

	for (;;) {
		err = walk->has_part ? trace_part_next(snap, walk->one, walk->part, &trace)
				     : trace_find(snap, walk->one, &trace);
		if (err == ERR_NOT_FOUND && !walk->has_part)
			control_fail(call, RPC_NOT_FOUND, "no trace of this message",
				"traces are kept for trace.keep", "message");
		if (err != OK)
			return err;
		trace_row(&call->rows, &trace, true);
		walk->has_part = true;
		walk->part = trace.part;
		if (control_slice_is_over(slice))
			return OK;
	}
}

static enum step
trace_read(struct control_call *call, struct snapshot *snap)
{
	struct control_slice slice = control_slice_begin();
	struct trace_walk *walk = call->state;
	enum err err;

	if (walk->one)
		err = parts_read(call, snap, &slice);
	else if (!walk->in_refusals)
		err = traces_read(call, snap, &slice);
	else
		err = refusals_read(call, snap, &slice);
	if (err == OK)
		return STEP_MORE;
	if (err != ERR_NOT_FOUND || call->failed) {
		control_fail_err(call, err, "trace");
		return STEP_FAIL;
	}
	if (walk->one || walk->in_refusals || walk->query.message_id.len)
		return STEP_DONE;
	walk->in_refusals = true;
	return STEP_MORE;
}

static void
trace_settled(void *arg)
{
	control_call_go(arg, CALL_READ);
}

/* What was refused a moment ago is asked for most of all: it must be among the traces. */
static void
trace_start(struct control_call *call)
{
	if (trace_check(call))
		refusals_settle(call->host, trace_settled, call);
	else
		control_call_end(call);
}

const struct control_handler control_do_trace = { .start = trace_start, .read = trace_read };
