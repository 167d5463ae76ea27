/*
 * delivery_prepare.c - what is done to a message between the store and MAIL.
 *
 * It is known now which server will take it. Signing is the last step: what is signed is what is sent.
 */
#include "server/queue/delivery.h"

/* ---- begun ---- */

static void
begin(struct delivery *d)
{
	d->preparing = false;
	d->mail.size = d->lines.len + d->header.len + d->body_size;
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

	if (delivery_is_lan(d)) {
		begin(d);
		return;
	}
	d->signing.done = on_signed;
	if (signing_ask(d->host, &d->signing, &request) != SIGNING_WAIT)
		use_signature(d);
}

void
delivery_prepare(struct delivery *d)
{
	d->preparing = true;
	sign(d);
}
