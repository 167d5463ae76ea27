/*
 * intake_report.c - from the copies of a plan to outcomes for bounce.c.
 *
 * Prepared in the arena of the intake on the loop; apply() only reads it.
 */
#include "server/queue/intake_report.h"

#include <string.h>

#include "conf/conf.h"
#include "server/pipeline/forged.h"
#include "server/queue/bounce.h"
#include "store/bodies.h"

enum told { TOLD_UNKNOWN, TOLD_DELIVERED, TOLD_EXPANDED, TOLD_COUNT };

struct intake_reports {
	struct bounce_ground ground;
	struct bounce_recipient *recipients[TOLD_COUNT];
	size_t counts[TOLD_COUNT];
	bool *expanded; /* by recipient_no */
	struct queued queued;
	struct span front; /* of the body, where it was held in memory */
};

/* Copies of one recipient of the envelope. */
struct spread {
	size_t folders, remote, unknown, discarded;
};

static bool
wants_any(const struct intake *in)
{
	struct list *at, *following;

	for (const struct plan_copy *copy = in->plan.copies; copy; copy = copy->next)
		if (copy->kind == COPY_BOUNCE)
			return true;
	list_for_each(at, following, &in->mail.envelope.recipients)
		if (LIST_ITEM(at, struct recipient, link)->options.notify & DSN_NOTIFY_SUCCESS)
			return true;
	return false;
}

static void
add(struct intake_reports *r, enum told told, const struct recipient *recipient)
{
	static const struct {
		struct span status, reply;
	} words[] = {
		[TOLD_UNKNOWN] = { SPAN("5.1.1"), SPAN("No such user here") },
		[TOLD_DELIVERED] = { SPAN("2.1.5"), SPAN_NONE },
		[TOLD_EXPANDED] = { SPAN("2.1.5"), SPAN_NONE },
	};

	r->recipients[told][r->counts[told]++] = (struct bounce_recipient){
		.address = recipient->address.text, .orcpt = recipient->options.orcpt,
		.notify = recipient->options.notify, .status = words[told].status,
		.reply = words[told].reply, .last_try_ms = r->ground.now_ms };
}

static struct spread *
spread_of(struct intake *in)
{
	size_t count = in->mail.envelope.recipient_count;
	struct spread *all = ARENA_ARRAY(&in->arena, struct spread, count + 1);

	for (const struct plan_copy *copy = in->plan.copies; copy; copy = copy->next) {
		if (copy->recipient_no >= count || copy->role != COPY_DELIVERY)
			continue; /* of the others nobody is told */
		all[copy->recipient_no].folders += copy->kind == COPY_FOLDER;
		all[copy->recipient_no].remote += copy->kind == COPY_REMOTE && !copy_is_forward(copy);
		all[copy->recipient_no].unknown += copy->kind == COPY_BOUNCE;
		all[copy->recipient_no].discarded += copy->kind == COPY_DISCARD;
	}
	return all;
}

static void
sort_out(struct intake *in, struct intake_reports *r)
{
	const struct spread *spread = spread_of(in);
	struct list *at, *following;
	size_t no = 0;

	list_for_each(at, following, &in->mail.envelope.recipients) {
		const struct recipient *recipient = LIST_ITEM(at, struct recipient, link);
		const struct spread *s = &spread[no];

		if (recipient->options.notify & DSN_NOTIFY_SUCCESS) {
			r->expanded[no] = s->folders + s->remote > 1;
			if (r->expanded[no])
				add(r, TOLD_EXPANDED, recipient);
			else if (s->remote + s->unknown + s->discarded == 0) /* no copy: he has it already */
				add(r, TOLD_DELIVERED, recipient);
		}
		if (s->unknown > 0)
			add(r, TOLD_UNKNOWN, recipient);
		no++;
	}
}

/* The front of what is held of the body; one that went to the store in pieces is read there. */
static struct span
front_of(struct intake *in)
{
	size_t max = (size_t)in->host->conf->limits_bounce_body, size = 0, len = 0;
	char *front;

	for (size_t i = 0; i < in->span_count; i++)
		size += in->spans[i].len;
	if (in->flushed > 0)
		return SPAN_NONE;
	if (size > max + 1)
		size = max + 1;
	front = arena_alloc(&in->arena, size + 1);
	for (size_t i = 0; i < in->span_count && len < size; i++) {
		struct span part = span_range(in->spans[i], 0, size - len);

		if (part.len > 0)
			memcpy(front + len, part.ptr, part.len);
		len += part.len;
	}
	return (struct span){ front, len };
}

void
intake_report_prepare(struct intake *in)
{
	const struct mail *mail = &in->mail;
	size_t count = mail->envelope.recipient_count + 1;
	struct intake_reports *r;

	intake_report_end(in); /* of a plan that was given up */
	if (!wants_any(in))
		return;
	r = ARENA_NEW(&in->arena, struct intake_reports);
	bounce_ground_init(&r->ground, in->host);
	r->expanded = ARENA_ARRAY(&in->arena, bool, count);
	for (size_t i = 0; i < TOLD_COUNT; i++)
		r->recipients[i] = ARENA_ARRAY(&in->arena, struct bounce_recipient, count);
	r->queued = (struct queued){ .queue_id = mail->message_no,
		.sender = mail->envelope.reverse_path.text, .received_ms = mail->arrived_ms,
		.auth_user = mail->user, .ret = (uint8_t)mail->envelope.options.ret,
		.envid = mail->envelope.options.envid, .forged = mail_is_forged(mail) };
	r->front = front_of(in);
	sort_out(in, r);
	in->reports = r;
}

bool
intake_report_expanded(const struct intake *in, size_t recipient_no)
{
	return in->reports && in->reports->expanded[recipient_no];
}

/* ---- on the writer thread ---- */

static struct span
stored_front(struct txn *txn, const struct intake *in)
{
	size_t max = (size_t)in->reports->ground.host.conf->limits_bounce_body;
	struct span piece, front;
	struct buf out;

	buf_init(&out, max + BODY_PIECE_DATA);
	while (buf_span(&out).len <= max &&
		body_read(txn_view(txn), in->body_id, buf_span(&out).len, &piece) == OK)
		if (buf_put(&out, piece) != OK)
			break;
	front = arena_copy(txn_arena(txn), buf_span(&out));
	buf_fini(&out);
	return front;
}

static enum err
tell(struct txn *txn, struct intake *in, enum told told, const struct bounce_original *original)
{
	static const enum bounce_kind kinds[] = { [TOLD_UNKNOWN] = BOUNCE_FAILED,
		[TOLD_DELIVERED] = BOUNCE_DELIVERED, [TOLD_EXPANDED] = BOUNCE_EXPANDED };
	const struct intake_reports *r = in->reports;
	enum err err = OK;

	for (size_t i = 0; i < r->counts[told] && err == OK; i += BOUNCE_RECIPIENTS_MAX) {
		struct bounce b = { .kind = kinds[told], .queued = &r->queued,
			.recipients = r->recipients[told] + i, .count = r->counts[told] - i,
			.unknown = told == TOLD_UNKNOWN, .original = original };

		if (b.count > BOUNCE_RECIPIENTS_MAX)
			b.count = BOUNCE_RECIPIENTS_MAX;
		err = bounce_for(txn, &r->ground, &b);
		in->reports_queued += b.queued_count;
	}
	return err;
}

enum err
intake_report_write(struct txn *txn, struct intake *in)
{
	struct bounce_original original = { .header = in->plan.header, .body_size = in->body_size };
	enum err err = OK;

	in->reports_queued = 0;
	if (!in->reports)
		return OK;
	original.body = in->flushed > 0 ? stored_front(txn, in) : in->reports->front;
	for (unsigned told = 0; told < TOLD_COUNT && err == OK; told++)
		err = tell(txn, in, (enum told)told, &original);
	return err;
}

void
intake_report_end(struct intake *in)
{
	if (in->reports)
		bounce_ground_fini(&in->reports->ground);
	in->reports = NULL;
}
