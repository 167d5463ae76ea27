/*
 * report_write.c - an intake without a loop: all of it happens in one call on the writer thread.
 */
#include "server/queue/report_write.h"

#include "proto/mail/message_no.h"
#include "server/pipeline/names.h"
#include "server/queue/intake_derive.h"
#include "server/queue/intake_write.h"
#include "store/ids.h"

#define HEADER_MAX (256 * 1024) /* bytes of a header of ours */

static void
fill_mail(struct intake *in, const struct bounce_ground *g, const struct report_letter *letter)
{
	static const struct address nobody = { .flags = ADDRESS_NULL };
	struct mail_options options = { .body = letter->eightbit ? BODY_8BITMIME : BODY_UNSAID };
	struct mail *mail = &in->mail;

	mail->arena = &in->arena;
	mail->via = MAIL_VIA_LOCAL;
	mail->service = "local";
	mail->hostname = g->hostname;
	mail->peer.is_unix = true;
	mail->to_users = letter->to_user;
	mail->report = (uint8_t)letter->report;
	mail->stays = letter->stays;
	mail->arrived_ms = g->now_ms;
	mail->zone_minutes = g->zone_minutes;
	mail->header = letter->header;
	mail->size = letter->header.len + letter->body.len;
	envelope_init(&mail->envelope, &in->arena, &nobody, &options);
	pipeline_read_header(g->host.conf, mail);
}

/* As intake_gather() does. ERR_LIMIT: the header is too long. */
static enum err
fill_body(struct intake *in, const struct report_letter *letter)
{
	in->body_size = letter->body.len;
	in->spans = ARENA_NEW(&in->arena, struct span);
	in->spans[0] = letter->body;
	in->span_count = 1;
	in->mail.body = (struct mail_content){ .size = letter->body.len, .spans = in->spans,
		.span_count = 1 };
	if (buf_put(&in->header, letter->header) != OK)
		return ERR_LIMIT;
	intake_derive_put(in, letter->body);
	intake_derive_end(in, letter->header);
	in->mail.derived = arena_copy(&in->arena, buf_span(&in->derived));
	return OK;
}

/* ERR_BUSY: there is no number now. */
static enum err
number_mail(struct intake *in, struct store *store)
{
	char id[MESSAGE_NO_SIZE];

	if (message_no_next(store, &in->mail.message_no) != OK)
		return ERR_BUSY;
	in->mail.id = arena_copy(&in->arena, message_no_format(in->mail.message_no, id));
	return OK;
}

static enum err
write_planned(struct txn *txn, struct intake *in)
{
	enum err err = intake_prepare(in);

	return err == OK ? intake_write(txn, in) : err;
}

static enum err
plan_and_write(struct txn *txn, const struct bounce_ground *g, struct intake *in,
	const struct report_letter *letter, struct report_written *out)
{
	struct pipeline_ask ask = { .conf = g->host.conf, .snap = txn_view(txn), .mail = &in->mail };
	enum phase at;
	enum err err = number_mail(in, g->host.store);

	if (err == OK)
		err = fill_body(in, letter);
	if (err != OK)
		return err;
	if (pipeline_run_all(&ask, &letter->to, 1, NULL, &in->plan, &at) != STAGE_NEXT) {
		out->refused = in->plan.reply.text;
		return ERR_NOT_FOUND;
	}
	err = write_planned(txn, in);
	out->message_no = in->mail.message_no;
	out->placed = in->placed_count;
	out->queued = in->queued_count;
	return err;
}

enum err
report_write(struct txn *txn, const struct bounce_ground *g, const struct report_letter *letter,
	struct report_written *out)
{
	struct intake *in = ARENA_NEW(txn_arena(txn), struct intake);
	struct host host = g->host;
	enum err err;

	*out = (struct report_written){ 0 };
	arena_init(&in->arena, NULL);
	plan_init(&in->plan, &in->arena);
	buf_init(&in->header, HEADER_MAX);
	in->host = &host;
	fill_mail(in, g, letter);
	err = plan_and_write(txn, g, in, letter, out);
	buf_fini(&in->header);
	buf_fini(&in->derived);
	buf_fini(&in->recipients);
	buf_fini(&in->subject);
	arena_reset(&in->arena);
	return err;
}

enum err
report_administrator(struct txn *txn, const struct bounce_ground *g, struct arena *a,
	struct address *out)
{
	struct user user;
	enum err err = names_main_administrator(g->host.conf, txn_view(txn), &user);

	if (err == OK)
		err = address_parse(a, user.name, out);
	if (err == OK)
		err = address_with_domain(a, out, g->domain, out);
	return err == ERR_SYNTAX || err == ERR_LIMIT ? ERR_NOT_FOUND : err;
}
