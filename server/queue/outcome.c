/*
 * outcome.c - rows of the queue and the trace after a try, on the writer thread.
 *
 * apply() may run again (commit.h): it uses nothing up.
 */
#include "server/queue/outcome.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "server/host.h"
#include "server/metrics.h"
#include "server/queue/outgoing.h"
#include "server/queue/store_forward_end.h"
#include "store/queued.h"
#include "store/traces.h"

#define TEXT_SIZE (QUEUED_ERROR_MAX + 1)
#define TRACE_LIST_MAX TRACE_RECIPIENTS_MAX

struct outcome *
outcome_new(struct host *host, size_t rows)
{
	struct outcome *o = calloc(1, sizeof(*o));

	ENSURE(o);
	arena_init(&o->arena, NULL);
	o->host = host;
	o->rows = ARENA_ARRAY(&o->arena, struct outcome_row, rows + 1);
	return o;
}

void
outcome_drop(struct outcome **o)
{
	if ((*o)->ground.generation)
		bounce_ground_fini(&(*o)->ground);
	arena_reset(&(*o)->arena);
	free(*o);
	*o = NULL;
}

void
outcome_text(const struct outcome *o, const struct outcome_row *row, char *text, size_t size)
{
	int n = snprintf(text, size, "%.*s%s%s%s", SPAN_FMT(o->remote), o->remote.len > 0 ? ": " : "",
		row->stage ? row->stage : "", row->stage ? ": " : "");

	if (n < 0 || (size_t)n >= size)
		return;
	if (row->code != 0)
		n += snprintf(text + n, size - (size_t)n, "%u ", row->code);
	if ((size_t)n < size)
		snprintf(text + n, size - (size_t)n, "%.*s", SPAN_FMT(row->text));
}

/* ---- on the writer thread ---- */

/* The trace of one entry, as it grows. */
struct report {
	char notes[TRACE_NOTES_MAX];
	size_t notes_len, left_out;
	struct buf recipients;
	unsigned code;
	char text[TEXT_SIZE];
};

static void
report_note(struct report *r, enum note_code code, struct span found, struct span because)
{
	if (r->notes_len + 2 * NOTE_SIZE_MAX > sizeof(r->notes))
		r->left_out++;
	else
		r->notes_len += note_encode(r->notes + r->notes_len, code, found, because);
}

/* One row as it is decided upon, with copies of what lies in the map until the first write. */
struct decided {
	const struct outcome_row *row;
	struct bounce_recipient recipient;
	enum outcome_kind kind;
	bool skip; /* it is gone already */
	bool forwards; /* store and forward: nobody is told by a report (store_forward.h) */
	bool warns;
	int64_t next_try_ms;
};

static enum err
decide(struct txn *txn, struct outcome *o, const struct queued *q, struct arena *a,
	struct decided *d)
{
	const struct outcome_row *row = d->row;
	int64_t age_ms = queued_age_ms(q, o->ground.now_ms), wait_ms;
	struct queued_recipient r;
	enum err err = queued_recipient_find(txn_view(txn), row->queue_id, row->recipient_no, &r);

	d->skip = err != OK || r.state == QUEUED_GONE;
	if (d->skip)
		return err == ERR_NOT_FOUND ? OK : err;
	d->forwards = forward_route_is(r.route);
	wait_ms = schedule_next_ms(&o->schedule, r.tries + 1, age_ms);
	d->kind = row->kind == OUTCOME_DEFERRED && wait_ms == 0 ? OUTCOME_FAILED : row->kind;
	d->warns = d->kind == OUTCOME_DEFERRED && !q->warned && schedule_warns(&o->schedule, age_ms);
	d->next_try_ms = o->ground.now_ms + wait_ms;
	if (d->next_try_ms < o->not_before_ms && age_ms + wait_ms != o->schedule.warn_ms &&
		age_ms + wait_ms != o->schedule.give_up_ms) /* nobody is told too late (OUT-17) */
		d->next_try_ms = o->not_before_ms;
	d->recipient = (struct bounce_recipient){ .address = arena_copy(a, r.address),
		.orcpt = arena_copy(a, r.orcpt), .notify = r.notify, .code = row->code,
		.status = row->enhanced, .reply = row->text, .remote = o->remote,
		.transport = row->code == 0, .last_try_ms = o->ground.now_ms };
	if (d->kind == OUTCOME_FAILED && row->kind == OUTCOME_DEFERRED)
		d->recipient.status = SPAN("4.4.7"); /* contract 8: its time is over */
	if (d->kind != OUTCOME_SENT && (o->next_try_ms == 0 || d->next_try_ms < o->next_try_ms))
		o->next_try_ms = d->next_try_ms;
	return OK;
}

/* Those of KIND as one report (OUT-19). *held: nobody could be told, so they stay. */
static enum err
report_kind(struct txn *txn, struct outcome *o, struct bounce *b, const struct decided *all,
	size_t count)
{
	static const enum outcome_kind kinds[] = { [BOUNCE_FAILED] = OUTCOME_FAILED,
		[BOUNCE_DELAYED] = OUTCOME_DEFERRED, [BOUNCE_SENT] = OUTCOME_SENT };
	struct arena a;
	struct bounce_recipient *recipients;
	enum err err = OK;

	arena_init(&a, NULL);
	recipients = ARENA_ARRAY(&a, struct bounce_recipient, count);
	b->recipients = recipients;
	b->count = 0;
	for (size_t i = 0; i < count; i++)
		if (!all[i].skip && !all[i].forwards && all[i].kind == kinds[b->kind] &&
			(b->kind != BOUNCE_DELAYED || all[i].warns))
			recipients[b->count++] = all[i].recipient;
	if (b->count > 0 && bounce_is_wanted(o->ground.host.conf, b))
		err = bounce_for(txn, &o->ground, b);
	arena_reset(&a);
	return err;
}

static enum err
report_all(struct txn *txn, struct outcome *o, const struct queued *q, const struct decided *all,
	size_t count, bool *held)
{
	static const enum bounce_kind kinds[] = { BOUNCE_FAILED, BOUNCE_DELAYED, BOUNCE_SENT };
	enum err err = OK;

	*held = false;
	for (size_t i = 0; i < COUNT(kinds) && err == OK; i++) {
		struct bounce b = { .kind = kinds[i], .queued = q,
			.remote_has_dsn = o->remote_has_dsn, .lan = route_is_lan(o->route),
			.retry_until_ms = q->received_ms + q->held_total_ms +
				o->schedule.give_up_ms };

		err = report_kind(txn, o, &b, all, count);
		*held |= b.held;
		o->reports_queued |= b.queued_count > 0;
	}
	return err;
}

static enum err
note_recipient(struct txn *txn, struct outcome *o, const struct decided *d, bool held,
	struct report *report)
{
	static const enum note_code codes[] = { [OUTCOME_SENT] = NOTE_SEND_TAKEN,
		[OUTCOME_DEFERRED] = NOTE_SEND_LATER, [OUTCOME_FAILED] = NOTE_SEND_FAILED };
	struct queued_outcome noted = { .state = QUEUED_GONE, .now_ms = o->ground.now_ms,
		.next_try_ms = d->next_try_ms };
	char text[TEXT_SIZE];
	bool gone;

	outcome_text(o, d->row, text, sizeof(text));
	report_note(report, codes[d->kind], d->recipient.address, span_of(text));
	if (trace_recipient_put(&report->recipients, d->recipient.address) != OK)
		report->recipients.overflow = false; /* what fits is enough */
	report->code = d->row->code;
	snprintf(report->text, sizeof(report->text), "%.*s", SPAN_FMT(d->row->text));
	noted.text = span_of(text);
	if (d->kind == OUTCOME_DEFERRED || (d->kind == OUTCOME_FAILED && held && !d->forwards))
		noted.state = QUEUED_DEFERRED;
	return queued_note(txn, d->row->queue_id, d->row->recipient_no, &noted, &gone);
}

/* What becomes of the copies in mailboxes, while the pairs still stand. */
static enum err
end_forwards(struct txn *txn, struct outcome *o, const struct queued *q, const struct decided *all,
	size_t count)
{
	enum err err = OK;

	for (size_t i = 0; i < count && err == OK; i++) {
		char text[TEXT_SIZE];
		struct store_forward_end end = { .queued = q, .kind = all[i].kind,
			.recipient_no = all[i].row->recipient_no, .address = all[i].recipient.address };

		if (all[i].skip || !all[i].forwards || all[i].kind == OUTCOME_DEFERRED)
			continue;
		outcome_text(o, all[i].row, text, sizeof(text));
		end.text = span_of(text);
		err = store_forward_end(txn, &o->ground, &end);
	}
	return err;
}

static enum err
trace_entry(struct txn *txn, struct outcome *o, uint64_t queue_id, struct report *report)
{
	struct trace t = { .message_no = queue_id, .time_ms = o->ground.now_ms,
		.service = SPAN("queue"), .peer = o->remote, .code = report->code,
		.text = span_of(report->text), .recipients = buf_span(&report->recipients) };
	char more[24];
	enum err err;

	if (report->left_out > 0) {
		snprintf(more, sizeof(more), "%zu", report->left_out);
		report->notes_len += note_encode(report->notes + report->notes_len, NOTE_SEND_MORE,
			span_of(more), SPAN(""));
	}
	t.notes = (struct span){ report->notes, report->notes_len };
	err = trace_append(txn, &t);
	return err == ERR_NOT_FOUND ? OK : err; /* an old one is gone by age */
}

static struct queued
entry_copy(struct arena *a, const struct queued *q)
{
	struct queued copy = *q;

	copy.sender = arena_copy(a, q->sender);
	copy.auth_user = arena_copy(a, q->auth_user);
	copy.source = arena_copy(a, q->source);
	copy.peer = arena_copy(a, q->peer);
	copy.session = arena_copy(a, q->session);
	copy.subject = arena_copy(a, q->subject);
	copy.envid = arena_copy(a, q->envid);
	copy.held_why = arena_copy(a, q->held_why);
	return copy;
}

/* Reports first, for they read the text of the entry; then the rows, then the trace. */
static enum err
settle(struct txn *txn, struct outcome *o, const struct queued *q, const struct decided *all,
	size_t count)
{
	struct report report = { .notes_len = 0 };
	bool held;
	enum err err = report_all(txn, o, q, all, count, &held);

	if (err == OK)
		err = end_forwards(txn, o, q, all, count);
	buf_init(&report.recipients, TRACE_LIST_MAX);
	report_note(&report, NOTE_SEND_TRY, o->remote.len > 0 ? o->remote : SPAN("no server"),
		o->route.len > 0 ? o->route : SPAN("none"));
	if (o->tls.len > 0)
		report_note(&report, NOTE_SEND_TLS, o->remote, o->tls);
	for (size_t i = 0; i < o->note_count; i++)
		report_note(&report, o->notes[i].code, o->notes[i].found, o->notes[i].because);
	for (size_t i = 0; i < count && err == OK; i++)
		if (!all[i].skip)
			err = note_recipient(txn, o, &all[i], held, &report);
	if (err == OK)
		err = trace_entry(txn, o, q->queue_id, &report);
	buf_fini(&report.recipients);
	return err;
}

/* COUNT rows of one entry. An entry that was removed meanwhile has nothing to be noted. */
static enum err
note_entry(struct txn *txn, struct outcome *o, const struct outcome_row *rows, size_t count)
{
	struct decided *all;
	struct arena a;
	struct queued q;
	enum err err = queued_find(txn_view(txn), rows[0].queue_id, &q);

	if (err != OK)
		return err == ERR_NOT_FOUND ? OK : err;
	arena_init(&a, NULL);
	q = entry_copy(&a, &q);
	all = ARENA_ARRAY(&a, struct decided, count);
	for (size_t i = 0; i < count && err == OK; i++) {
		all[i].row = &rows[i];
		err = decide(txn, o, &q, &a, &all[i]);
	}
	if (err == OK)
		err = settle(txn, o, &q, all, count);
	arena_reset(&a);
	return err;
}

static enum step
outcome_apply(struct store_job *job, struct txn *txn)
{
	struct outcome *o = LIST_ITEM(job, struct outcome, job);
	enum err err = OK;

	o->next_try_ms = 0;
	o->reports_queued = false;
	for (size_t i = 0, next; i < o->count && err == OK; i = next) {
		for (next = i + 1; next < o->count; next++)
			if (o->rows[next].queue_id != o->rows[i].queue_id)
				break;
		err = note_entry(txn, o, &o->rows[i], next - i);
		if (err == ERR_CORRUPT) /* it was logged; a check of the store mends it */
			err = OK;
	}
	return step_of(job, err);
}

/* ---- on the loop ---- */

static void
count_rows(struct outcome *o)
{
	struct metrics *m = o->host->metrics;
	bool lan = route_is_lan(o->route) && !route_is_journal(o->route); /* LAN-12 */

	for (size_t i = 0; i < o->count; i++) {
		metric_add(m, sent, o->rows[i].kind == OUTCOME_SENT);
		metric_add(m, lan_sent, lan && o->rows[i].kind == OUTCOME_SENT);
		metric_add(m, deferred, o->rows[i].kind == OUTCOME_DEFERRED);
		metric_add(m, failed, o->rows[i].kind == OUTCOME_FAILED);
		if (o->rows[i].kind == OUTCOME_SENT)
			metric_raise(&m->last_sent_ms, o->ground.now_ms);
	}
}

static void
submit_later(struct outcome *o)
{
	loop_timer_set(o->host->loop, &o->again, OUTCOME_AGAIN_MS);
}

static void
outcome_done(struct store_job *job, enum err result)
{
	struct outcome *o = LIST_ITEM(job, struct outcome, job);

	if (result != OK && !o->host->stopping) {
		submit_later(o);
		return;
	}
	if (result == OK)
		count_rows(o);
	if (result == OK && o->host->outgoing)
		outgoing_record_note(o->host->outgoing, o, o->ground.now_ms);
	if (result == OK && o->reports_queued)
		outgoing_kick(o->host);
	if (o->done)
		o->done(o);
	outcome_drop(&o);
}

static void
submit(struct outcome *o)
{
	o->job = (struct store_job){ .apply = outcome_apply, .done = outcome_done,
		.inbox = o->host->inbox, .size_bytes = 1024 * (o->count + 1) };
	list_init(&o->job.link);
	if (store_submit(o->host->store, &o->job) != OK)
		submit_later(o);
}

static void
on_again(struct loop_timer *timer)
{
	submit(LIST_ITEM(timer, struct outcome, again));
}

void
outcome_submit(struct outcome *o)
{
	bounce_ground_init(&o->ground, o->host);
	o->schedule = schedule_of(o->host->conf, route_is_lan(o->route));
	loop_timer_init(&o->again, on_again);
	submit(o);
}
