/*
 * delivery_mail.c - one message: from the store to the wire, and what was said of it.
 *
 * The header is copied for the time of the transaction; the body stays in the store and is pinned meanwhile
 * (house, section 6, Q3).
 */
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "server/generation.h"
#include "server/host.h"
#include "server/metrics.h"
#include "server/queue/delivery.h"
#include "server/queue/outgoing_address.h"
#include "server/queue/store_forward.h"
#include "store/bodies.h"
#include "store/contents.h"
#include "store/queued.h"
#include "store/store.h"

/* ---- loading ---- */

/* LAN targets get the envelope as it is. */
bool
delivery_is_lan(const struct delivery *d)
{
	return route_is_lan(d->route.name);
}

/* An address as this server takes it. */
static enum err
to_wire(struct delivery *d, struct span *address)
{
	if (span_is_ascii(*address))
		return OK;
	if (d->smtp.extensions.offered & SMTP_EXT_SMTPUTF8) {
		d->asks_utf8 = true;
		return OK;
	}
	return outgoing_ascii(*address, &d->mail_arena, address);
}

static void
refuse_recipient(struct delivery *d, struct outcome_row *row, enum err why)
{
	row->kind = OUTCOME_FAILED;
	row->code = 550;
	row->enhanced = why == ERR_DENIED ? SPAN("5.6.7") : SPAN("5.1.2");
	row->text = why == ERR_DENIED ? SPAN("5.6.7 the address needs SMTPUTF8, which the server does not take")
				      : SPAN("5.1.2 the address has no valid domain");
	row->stage = smtp_stage_name(SMTP_STAGE_RCPT);
	d->refused[d->refused_count++] = *row;
}

static void
add_recipient(struct delivery *d, const struct queued_recipient *r)
{
	struct smtp_client_recipient *to =
		(struct smtp_client_recipient *)&d->mail.recipients[d->mail.count];
	struct outcome_row row = { .queue_id = r->queue_id, .recipient_no = r->recipient_no,
		.kind = OUTCOME_DEFERRED };
	struct span address = arena_copy(&d->mail_arena, r->address);
	enum err err;

	if (!delivery_is_lan(d))
		address = outgoing_recipient(
			generation_conf(d->generation), address, &d->mail_arena);
	err = to_wire(d, &address);
	if (err != OK) {
		refuse_recipient(d, &row, err);
		return;
	}
	to->address = address;
	to->options.notify = r->notify;
	if (r->orcpt.len > 0)
		to->options.orcpt = arena_copy(&d->mail_arena, r->orcpt);
	d->outcome->rows[d->mail.count++] = row;
}

/* What cannot be said here comes behind what can be. */
static void
add_refused(struct delivery *d)
{
	for (size_t i = 0; i < d->refused_count; i++)
		d->outcome->rows[d->mail.count + i] = d->refused[i];
	d->outcome->count = d->mail.count + d->refused_count;
}

static enum err
load_recipients(struct delivery *d, struct snapshot *snap)
{
	int64_t now_ms = host_now_ms(d->host);

	for (const struct item *item = d->batch; item; item = item->next) {
		struct queued_recipient r;
		enum err err = queued_recipient_find(snap, item->queue_id, item->recipient_no, &r);

		if (err == OK && r.state != QUEUED_GONE && r.next_try_ms <= now_ms &&
			store_forward_goes_by(snap, &r, d->route.name, d->hop))
			add_recipient(d, &r);
		else if (err != OK && err != ERR_NOT_FOUND && err != ERR_CORRUPT)
			return err;
	}
	add_refused(d);
	return d->outcome->count > 0 ? OK : ERR_NOT_FOUND;
}

static enum err
load_text(struct delivery *d, struct snapshot *snap, uint64_t content_id)
{
	struct content content;
	enum err err = content_get(snap, content_id, &content);

	if (err != OK)
		return err;
	if (content.veiled)
		return ERR_DENIED; /* no key to read it with */
	d->content_id = content_id;
	d->header = arena_copy(&d->mail_arena, content.header);
	d->body_id = content.body_id;
	d->body_size = d->sent_body_size = content.body_size;
	d->lines_at = d->header_at = d->body_at = d->warming.until = 0;
	body_pin(d->host->store, d->body_id);
	d->body_pinned = true;
	return OK;
}

static enum err
load(struct delivery *d, struct snapshot *snap)
{
	struct queued q;
	enum err err = queued_find(snap, d->batch->queue_id, &q);

	if (err == OK && (q.held || q.bin_until_ms != 0))
		err = ERR_NOT_FOUND;
	if (err != OK)
		return err;
	d->mail.reverse_path = arena_copy(&d->mail_arena, q.sender);
	if (!delivery_is_lan(d))
		d->mail.reverse_path = outgoing_sender(generation_conf(d->generation), &d->route,
			d->mail.reverse_path, &d->mail_arena);
	d->ours = q.ours;
	d->mail.is_8bit = q.eightbit;
	d->asks_utf8 = q.utf8;
	d->sender_err = to_wire(d, &d->mail.reverse_path);
	d->mail.ret = (enum dsn_ret)q.ret;
	if (q.envid.len > 0)
		d->mail.envid = arena_copy(&d->mail_arena, q.envid);
	err = load_recipients(d, snap);
	return err == OK ? load_text(d, snap, q.content_id) : err;
}

static void
unload(struct delivery *d)
{
	if (d->body_pinned)
		body_unpin(d->host->store, d->body_id);
	d->body_pinned = d->preparing = false;
	signing_end(&d->signing);
	downgrade_release(&d->downgrade);
	buf_fini(&d->piece);
	d->refused_count = 0;
	d->lines = d->header = SPAN_NONE;
	d->mail = (struct smtp_client_mail){ .count = 0 };
	arena_reset(&d->mail_arena);
}

void
delivery_mail_drop(struct delivery *d)
{
	unload(d);
	if (d->outcome) {
		free(d->outcome->arg);
		outcome_drop(&d->outcome);
	}
}

void
delivery_mail_put_back(struct delivery *d)
{
	struct outgoing_returned *r = d->outcome->arg;

	d->batch = r->chain;
	delivery_mail_drop(d);
}

void
delivery_mail_note(struct delivery *d, enum note_code code, struct span found, struct span because)
{
	struct outcome *o = d->outcome;

	if (o->note_count < OUTCOME_NOTES_MAX)
		o->notes[o->note_count++] = (struct outcome_note){ code,
			arena_copy(&o->arena, found), arena_copy(&o->arena, because) };
}

static void
on_settled(struct outcome *o)
{
	struct outgoing_returned *r = o->arg;

	r->next_try_ms = o->next_try_ms;
	loop_post(host_of_loop(o->host, 0)->loop, outgoing_on_settled, r);
}

bool
delivery_mail_load(struct delivery *d)
{
	size_t count = items_count(d->batch);
	struct snapshot *snap;
	enum err err = ERR_IO;

	host_snapshot_close(d->host); /* nobody holds it here; what was just committed is seen */
	snap = host_snapshot(d->host);
	d->mail = (struct smtp_client_mail){
		.recipients = ARENA_ARRAY(&d->mail_arena, struct smtp_client_recipient, count)
	};
	d->refused = ARENA_ARRAY(&d->mail_arena, struct outcome_row, count);
	buf_init(&d->piece, MIME_DOWNGRADE_OUT_MAX);
	d->outcome = outcome_new(d->host, count);
	if (snap)
		err = load(d, snap);
	if (err == OK) {
		struct outgoing_returned *r = calloc(1, sizeof(*r));

		ENSURE(r);
		*r = (struct outgoing_returned){ .all = d->all, .chain = d->batch };
		d->batch = NULL;
		d->outcome->arg = r;
		d->outcome->done = on_settled;
		return true;
	}
	unload(d);
	outcome_drop(&d->outcome);
	return false;
}

/* ---- verdicts ---- */

/* "Too many recipients" of RFC 821 is no verdict on the recipient (RFC 5321, 4.5.3.1.10). */
static enum outcome_kind
kind_of(struct smtp_answer answer, enum smtp_stage stage)
{
	if (answer.code == 0 || answer.code == 530 || !smtp_answer_is_final(answer))
		return OUTCOME_DEFERRED;
	if (stage == SMTP_STAGE_RCPT && answer.code == 552)
		return OUTCOME_DEFERRED;
	return OUTCOME_FAILED;
}

static void
judge(struct delivery *d, struct outcome_row *row, struct smtp_answer answer, enum smtp_stage stage)
{
	struct outcome *o = d->outcome;

	row->kind = kind_of(answer, stage);
	row->code = answer.code;
	row->enhanced = arena_copy(&o->arena, answer.enhanced);
	row->text = arena_copy(&o->arena, answer.text);
	row->stage = smtp_stage_name(stage);
}

void
delivery_mail_recipient(struct delivery *d, const struct smtp_client_event *ev)
{
	if (d->outcome && ev->recipient < d->outcome->count && !smtp_answer_is_good(ev->answer))
		judge(d, &d->outcome->rows[ev->recipient], ev->answer, SMTP_STAGE_RCPT);
}

static void
judge_by_failure(struct delivery *d, struct outcome_row *row)
{
	struct outcome *o = d->outcome;

	row->kind = OUTCOME_DEFERRED;
	row->code = d->why.code;
	row->enhanced = arena_copy(&o->arena, d->why.enhanced);
	row->text = arena_copy(&o->arena, d->why.text);
	row->stage = d->why.stage;
}

void
delivery_mail_done(struct delivery *d, struct smtp_answer answer, enum smtp_stage stage)
{
	struct outcome *o = d->outcome;
	bool sent = false;

	if (!o)
		return;
	for (size_t i = 0; i < o->count; i++) {
		struct outcome_row *row = &o->rows[i];

		if (row->stage) /* refused by itself */
			continue;
		if (answer.code == 0)
			judge_by_failure(d, row);
		else
			judge(d, row, answer, stage);
		if (stage == SMTP_STAGE_END && answer.code == 250) {
			row->kind = OUTCOME_SENT;
			sent = true;
		}
	}
	if (sent)
		metric_add(d->host->metrics, sent_bytes, d->mail.size);
	if (sent && delivery_is_lan(d))
		metric_add(d->host->metrics, lan_sent_bytes, d->mail.size);
	o->route = arena_copy(&o->arena, d->route.name);
	o->remote = arena_copy(&o->arena, span_of(d->remote));
	o->tls = arena_copy(&o->arena, span_of(d->tls));
	o->remote_has_dsn = d->smtp.extensions.offered & SMTP_EXT_DSN;
	d->outcome = NULL;
	d->sending = false;
	outcome_submit(o);
	unload(d);
}
