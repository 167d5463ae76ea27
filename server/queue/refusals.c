/*
 * refusals.c - one loop's table of refusals that wait for a commit.
 */
#include "server/queue/refusals.h"

#include <stdlib.h>
#include <string.h>

#include "store/ids.h"
#include "store/table.h"
#include "store/traces.h"

#define REASON_MAX 128 /* bytes of the reason kept; it is one of ours */

struct refusal_row {
	struct list link;
	uint64_t count;
	struct trace trace; /* of the first of its kind; spans in `bytes` */
	struct buf bytes;
};

struct refusals {
	struct list rows;
	size_t count;
	uint64_t dropped;
};

struct refusals_batch {
	struct list rows;
};

struct refusals *
refusals_open(void)
{
	struct refusals *r = calloc(1, sizeof(*r));

	ENSURE(r);
	list_init(&r->rows);
	return r;
}

static void
rows_free(struct list *rows)
{
	struct list *link;

	while ((link = list_take_first(rows))) {
		struct refusal_row *row = LIST_ITEM(link, struct refusal_row, link);

		buf_fini(&row->bytes);
		free(row);
	}
}

void
refusals_close(struct refusals **r)
{
	if (!*r)
		return;
	rows_free(&(*r)->rows);
	free(*r);
	*r = NULL;
}

static struct refusals *
refusals_of(struct host *host)
{
	if (!host->refusals)
		host->refusals = refusals_open();
	return host->refusals;
}

static struct refusal_row *
row_find(struct refusals *r, const struct trace *t)
{
	struct list *at, *following;

	list_for_each(at, following, &r->rows) {
		struct refusal_row *row = LIST_ITEM(at, struct refusal_row, link);

		if (span_eq(row->trace.peer, t->peer) && span_eq(row->trace.service, t->service) &&
			span_eq(row->trace.text, t->text))
			return row;
	}
	return NULL;
}

/* Copy the bytes of one span behind those already kept; only its length is set now. */
static void
span_keep(struct buf *bytes, struct span *span)
{
	span->len = buf_put(bytes, *span) == OK ? span->len : 0;
}

/* BYTES has its final place: let the spans point into it, in the order in which they were kept. */
static void
span_settle(const struct buf *bytes, size_t *at, struct span *span)
{
	span->ptr = buf_span(bytes).ptr + *at;
	*at += span->len;
}

static void
row_keep(struct refusal_row *row, const struct trace *t)
{
	struct trace *kept = &row->trace;
	struct span *spans[] = { &kept->session, &kept->peer, &kept->service, &kept->auth_user,
		&kept->sender, &kept->recipients, &kept->text, &kept->notes };
	size_t at = 0;

	*kept = *t;
	buf_init(&row->bytes, 8192);
	for (size_t i = 0; i < COUNT(spans); i++)
		span_keep(&row->bytes, spans[i]);
	for (size_t i = 0; i < COUNT(spans); i++)
		span_settle(&row->bytes, &at, spans[i]);
}

static void
row_add(struct refusals *r, const struct trace *t)
{
	struct refusal_row *row = row_find(r, t);

	if (row) {
		row->count++;
		return;
	}
	if (r->count >= REFUSALS_WAITING_MAX) {
		r->dropped++;
		return;
	}
	row = calloc(1, sizeof(*row));
	ENSURE(row);
	row->count = 1;
	row_keep(row, t);
	list_append(&r->rows, &row->link);
	r->count++;
}

void
refusals_note(struct host *host, const struct mail *mail, const struct plan *plan,
	struct span recipient)
{
	struct trace t = { .time_ms = host_now_ms(host), .session = mail->session,
		.peer = span_of(mail->peer.text), .service = span_of(mail->service),
		.auth_user = mail->user, .sender = mail->envelope.reverse_path.text,
		.size_bytes = mail->size, .code = plan->reply.code, .text = plan->reply.text,
		.notes = plan_notes(plan) };
	struct buf recipients;

	buf_init(&recipients, 1024);
	if (recipient.len > 0 && trace_recipient_put(&recipients, recipient) == OK) {
		t.recipients = buf_span(&recipients);
		t.recipient_count = 1;
	}
	row_add(refusals_of(host), &t);
	buf_fini(&recipients);
}

size_t
refusals_waiting(const struct refusals *r)
{
	return r->count;
}

uint64_t
refusals_dropped(const struct refusals *r)
{
	return r->dropped;
}

struct refusals_batch *
refusals_take(struct host *host)
{
	struct refusals *r = host->refusals;
	struct refusals_batch *batch;

	if (!r || r->count == 0)
		return NULL;
	batch = calloc(1, sizeof(*batch));
	ENSURE(batch);
	list_init(&batch->rows);
	list_move_all(&batch->rows, &r->rows);
	r->count = 0;
	return batch;
}

enum err
refusals_write(struct txn *txn, const struct refusals_batch *batch)
{
	struct list *at, *following;
	bool in_full;
	enum err err;

	if (!batch)
		return OK;
	list_for_each(at, following, &batch->rows) {
		const struct refusal_row *row = LIST_ITEM(at, struct refusal_row, link);
		struct trace t = row->trace;

		if (message_no_next(txn_store(txn), &t.message_no) != OK)
			return OK; /* none to be had now: a refusal is not worth a failed message */
		if ((err = trace_refuse(txn, &t, row->count, &in_full)) != OK)
			return err;
	}
	return OK;
}

void
refusals_batch_free(struct refusals_batch **batch)
{
	if (!*batch)
		return;
	rows_free(&(*batch)->rows);
	free(*batch);
	*batch = NULL;
}
