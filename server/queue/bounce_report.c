/*
 * bounce_report.c - one report from values to rows: composed, planned and written.
 */
#include "server/queue/bounce_inside.h"

#include "conf/conf.h"
#include "proto/mail/header.h"
#include "proto/mail/message_no.h"
#include "server/net/random.h"
#include "server/pipeline/note.h"
#include "store/bodies.h"
#include "store/contents.h"
#include "store/traces.h"

#define FRAME_MAX (64 * 1024) /* bytes of header, borders and our words */

void
bounce_original_read(struct snapshot *snap, uint64_t content_id, size_t body_max,
	struct arena *a, struct bounce_original *out)
{
	struct content content;
	struct span piece;
	struct buf body;

	*out = (struct bounce_original){ 0 };
	if (content_get(snap, content_id, &content) != OK || content.veiled)
		return;
	out->header = arena_copy(a, span_range(content.header, 0, BOUNCE_HEADER_MAX + 1));
	out->body_size = content.body_size;
	buf_init(&body, body_max + BODY_PIECE_DATA);
	while (buf_span(&body).len <= body_max &&
		body_read(snap, content.body_id, buf_span(&body).len, &piece) == OK)
		if (buf_put(&body, piece) != OK)
			break;
	out->body = arena_copy(a, buf_span(&body));
	buf_fini(&body);
}

enum err
bounce_note(struct txn *txn, const struct bounce_ground *g, uint64_t message_no,
	enum note_code code, const struct span values[2])
{
	char room[NOTE_SIZE_MAX];
	size_t len = note_encode(room, code, values[0], values[1]);
	struct trace t = { .message_no = message_no, .time_ms = g->now_ms,
		.service = SPAN("queue"), .notes = { room, len } };
	enum err err = trace_append(txn, &t);

	return err == ERR_NOT_FOUND ? OK : err;
}

/* ---- composing ---- */

static void
fill_recipients(struct bounce_report *r, struct delivery_report *report)
{
	struct report_recipient *all = ARENA_ARRAY(r->arena, struct report_recipient, r->count + 1);

	for (size_t i = 0; i < r->count; i++) {
		const struct bounce_recipient *from = &r->recipients[i];

		all[i] = (struct report_recipient){ .action = r->action, .address = from->address,
			.original = from->orcpt, .status = from->status, .reply = from->reply,
			.last_try_s = from->last_try_ms / 1000,
			.retry_until_s = r->retry_until_ms / 1000 };
		if (from->code == 0)
			continue;
		all[i].remote = from->remote;
		all[i].reply = arena_printf(r->arena, "%u %.*s", from->code, SPAN_FMT(from->reply));
	}
	report->recipients = all;
	report->count = r->count;
}

/* H14: the header, and of the body what the setting allows; RFC 3461, 4.3: RET is about failures. */
static void
fill_original(struct bounce_report *r, struct delivery_report *report)
{
	size_t max = (size_t)r->ground->host.conf->limits_bounce_body;

	if (r->without_original)
		return;
	report->original_header = delivery_report_cut(r->original.header, BOUNCE_HEADER_MAX);
	if (!r->with_body || r->queued.ret == QUEUED_RET_HDRS)
		return;
	report->original_body = delivery_report_cut(r->original.body, max);
	report->body_is_whole = report->original_body.len == r->original.body_size;
}

/* The whole message; it lives in the arena. */
static enum err
compose(struct bounce_report *r, struct span to, struct report_letter *letter)
{
	const struct bounce_ground *g = r->ground;
	struct delivery_report report = { .from = g->daemon, .to = to,
		.date = { g->now_ms / 1000, g->zone_minutes }, .subject = r->subject,
		.text = r->text, .host = g->hostname, .envid = r->queued.envid,
		.arrived_s = r->queued.received_ms / 1000,
		.plain = r->plain || !g->host.conf->outgoing_dsn_reports };
	struct header_end end = { 0 };
	struct buf out;
	struct span text;
	size_t head;
	enum err err;

	report.message_id = arena_printf(r->arena, "%016llx%016llx@%.*s",
		(unsigned long long)random_u64(), (unsigned long long)random_u64(),
		SPAN_FMT(g->hostname));
	report.boundary = arena_printf(r->arena, "report%016llx%016llx",
		(unsigned long long)random_u64(), (unsigned long long)random_u64());
	fill_recipients(r, &report);
	fill_original(r, &report);
	buf_init(&out, FRAME_MAX + 2 * BOUNCE_HEADER_MAX + report.original_body.len * 2 +
		r->count * 3 * REPORT_RECIPIENT_SIZE);
	err = delivery_report_put(&out, &report);
	text = arena_copy(r->arena, buf_span(&out));
	buf_fini(&out);
	if (err != OK)
		return err;
	head = header_end_find(&end, text);
	letter->header = span_range(text, 0, head);
	letter->body = span_from(text, head);
	letter->eightbit = delivery_report_is_8bit(&report);
	return OK;
}

static enum err
send_letter(struct bounce_report *r, struct report_letter *letter, struct report_written *out)
{
	enum err err = compose(r, letter->to.text, letter);

	if (err == OK)
		err = report_write(r->txn, r->ground, letter, out);
	return err == ERR_SYNTAX ? ERR_NOT_FOUND : err; /* an address that no header may hold */
}

static enum err
note_sent(struct bounce_report *r, const struct address *to, const struct report_written *w)
{
	char id[MESSAGE_NO_SIZE];
	struct span values[2] = { to->text, message_no_format(w->message_no, id) };

	return bounce_note(r->txn, r->ground, r->queued.queue_id,
		r->without_original ? NOTE_RECEIPT_SENT : NOTE_REPORT_SENT, values);
}

enum err
bounce_report_to(struct bounce_report *r, struct span address, struct report_written *out)
{
	struct report_letter letter = { .report = r->kind };
	enum err err;

	*out = (struct report_written){ .refused = SPAN("its address cannot be read") };
	if (address_parse(r->arena, address, &letter.to) != OK)
		return ERR_NOT_FOUND;
	err = send_letter(r, &letter, out);
	return err == OK ? note_sent(r, &letter.to, out) : err;
}

enum err
bounce_report_to_admin(struct bounce_report *r, struct report_written *out)
{
	struct report_letter letter = { .to_user = true, .report = QUEUED_REPORT_LAST };
	enum err err = report_administrator(r->txn, r->ground, r->arena, &letter.to);

	*out = (struct report_written){ .refused = SPAN("there is no Main Administrator") };
	if (err == OK)
		err = send_letter(r, &letter, out);
	return err == OK ? note_sent(r, &letter.to, out) : err;
}
