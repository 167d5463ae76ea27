/*
 * delivery_prepare.c - what is done to a message between the store and MAIL.
 *
 * It is known now which server will take it. Signing is the last step: what is signed is what is sent.
 *
 *     look, where it may have what this server does not take --> refused, or changed --> signed --> MAIL
 */
#include "server/queue/delivery.h"

#include <stdio.h>

/* ---- begun ---- */

static void
begin(struct delivery *d)
{
	d->preparing = false;
	d->mail.size = d->lines.len + d->header.len + d->sent_body_size;
	smtp_client_send(&d->smtp, &d->mail, stream_out(&d->stream));
}

/* Nothing is wrong with it, or with the server: it is tried again. */
static void
defer(struct delivery *d, struct span enhanced, const char *why)
{
	d->preparing = false;
	delivery_blame(d, 0, enhanced, span_of(why), SMTP_STAGE_CONNECT);
	delivery_mail_done(d, (struct smtp_answer){ 0 }, SMTP_STAGE_CONNECT);
	delivery_ready(d);
}

/* This server cannot be given it. */
static void
refuse(struct delivery *d, unsigned code, const char *text)
{
	struct span words = span_of(text);

	d->preparing = false;
	d->sent++;
	delivery_mail_done(d, (struct smtp_answer){ code, words, span_range(words, 0, 5) }, SMTP_STAGE_MAIL);
	delivery_ready(d);
}

/* ---- signing (RFC 6376) ---- */

static void
use_signature(struct delivery *d)
{
	struct span found, because;
	enum note_code code = signing_note(&d->signing, &found, &because);

	if (d->signing.answer == SIGNING_LATER) {
		defer(d, SPAN("4.3.2"), d->signing.why);
		return;
	}
	delivery_mail_note(d, code, found, because);
	d->lines = buf_span(&d->signing.lines);
	begin(d);
}

static void
on_signed(struct signing *s)
{
	struct delivery *d = LIST_ITEM(s, struct delivery, signing);

	use_signature(d);
	delivery_go_on(d);
}

/* What goes to a server of our own is not at the door yet: who lets it out signs it. */
static void
sign(struct delivery *d)
{
	struct signing_request request = { .header = d->header, .body_id = d->body_id,
		.ours = d->ours };

	if (delivery_is_lan(d) || d->route.kind == ROUTE_SPOOL) {
		begin(d);
		return;
	}
	if (d->downgrade)
		request.body = downgrade_signing_body(d->downgrade, d->body_id);
	d->signing.done = on_signed;
	if (signing_ask(d->host, &d->signing, &request) != SIGNING_WAIT)
		use_signature(d);
}

/* ---- what this server does not take (RFC 6152, RFC 6531) ---- */

static bool
offers(const struct delivery *d, enum smtp_extension extension)
{
	return d->smtp.extensions.offered & extension;
}

static void
note_downgrade(struct delivery *d, const struct mime_downgrade *plan)
{
	char text[100];
	int n = snprintf(text, sizeof(text), "%u parts as quoted-printable, %u as base64", plan->printable,
		plan->base64);

	delivery_mail_note(d, NOTE_SEND_7BIT, delivery_host(d), (struct span){ text, (size_t)n });
}

/* It is known what the message has. */
static void
use_look(struct delivery *d, const struct mime_downgrade *plan)
{
	bool takes_8bit = offers(d, SMTP_EXT_8BITMIME);

	if (plan->has_8bit_header && !offers(d, SMTP_EXT_SMTPUTF8) && (d->asks_utf8 || !takes_8bit)) {
		refuse(d, 550, "5.6.7 the header has 8-bit text, and the server takes no SMTPUTF8");
		return;
	}
	if (plan->cannot && !takes_8bit) {
		refuse(d, 554, plan->cannot);
		return;
	}
	if (plan->has_8bit_body && !takes_8bit) {
		note_downgrade(d, plan);
		d->downgrade = downgrade_hold(d->downgrading.made);
		d->header = plan->header;
		d->sent_body_size = plan->body_size;
		mime_downgrade_run_init(&d->run, plan);
	}
	d->mail.is_8bit &= takes_8bit;
	sign(d);
}

void
delivery_on_looked(struct downgrading *g)
{
	struct delivery *d = LIST_ITEM(g, struct delivery, downgrading);

	if (d->next != NEXT_NOTHING || !d->preparing) {
		downgrade_release(&g->made);
		loop_defer(d->host->loop, &d->closing);
		return;
	}
	if (g->err != OK)
		defer(d, SPAN("4.3.2"), "the message could not be read to fit the server");
	else
		use_look(d, &g->made->plan);
	downgrade_release(&g->made);
	delivery_go_on(d);
}

/* Is there, or may there be, what this server was not asked to take? */
static bool
must_look(const struct delivery *d)
{
	if (d->asks_utf8 && !offers(d, SMTP_EXT_SMTPUTF8))
		return true;
	return !offers(d, SMTP_EXT_8BITMIME) && (d->mail.is_8bit || !span_is_ascii(d->header));
}

void
delivery_prepare(struct delivery *d)
{
	d->preparing = true;
	d->mail.smtputf8 = d->asks_utf8 && offers(d, SMTP_EXT_SMTPUTF8);
	if (d->sender_err != OK)
		refuse(d, 550, d->sender_err == ERR_DENIED
				       ? "5.6.7 the return address needs SMTPUTF8, which the server does not take"
				       : "5.1.7 the return address has no valid domain");
	else if (d->mail.count == 0)
		refuse(d, 0, ""); /* each has its own reason */
	else if (must_look(d))
		downgrading_begin(&d->downgrading, d->host, d->content_id, d->body_id);
	else
		sign(d);
}
