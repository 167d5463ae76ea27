/*
 * stage_place.c - the last stage: names become copies, and the header gets its final form.
 */
#include "server/pipeline/stages.h"

#include <stdio.h>
#include <string.h>

#include "proto/base/version.h"
#include "proto/mail/message_no.h"
#include "proto/mail/received.h"
#include "server/pipeline/blocklist.h"
#include "server/pipeline/journal.h"
#include "server/pipeline/global_signature.h"
#include "server/pipeline/names.h"
#include "server/pipeline/outgoing_header.h"
#include "server/pipeline/receipt_wish.h"

#define OWN_FIELDS_MAX  16384 /* bytes of the fields that we add to one header */
#define PLACES_NOTED    8    /* copies of one recipient that leave a note each */
#define FRONT_LINE_MAX  1200 /* bytes of Return-Path */

static enum err
place_user(struct pipeline_ask *ask, const struct name *name, bool quiet, struct plan *plan)
{
	struct span target = arena_printf(plan->arena, "%.*s/INBOX", SPAN_FMT(name->user));
	struct plan_copy copy = { .kind = COPY_FOLDER, .recipient_no = ask->recipient_no,
		.by_rule = name->by_rule, .ruled = ask->ruled,
		.recipient = ask->recipient.text, .user_id = name->user_id, .user = name->user,
		.watch = name->watch,
		.folder = SPAN("INBOX"), .target = target, .why = NOTE_PLACE_INBOX,
		.forwards = name->forwards && !journal_is_mailbox(ask->conf, name->user), .settled = !name->acts,
		.found = ask->recipient.text, .because = name->user, .member = name->member, .quiet = quiet };

	return plan_copy_add(plan, &copy, (size_t)ask->conf->limits_expansion_recipients);
}

static enum err
place_elsewhere(struct pipeline_ask *ask, const struct name *name, bool quiet, struct plan *plan)
{
	struct plan_copy copy = { .kind = COPY_REMOTE, .recipient_no = ask->recipient_no,
		.by_rule = name->by_rule, .ruled = ask->ruled,
		.recipient = ask->recipient.text, .target = name->address, .route = name->route,
		.why = NOTE_PLACE_QUEUED, .found = name->address, .because = span_of(name->why), .quiet = quiet };

	return plan_copy_add(plan, &copy, (size_t)ask->conf->limits_expansion_recipients);
}

static enum err
place_nowhere(struct pipeline_ask *ask, const struct name *name, struct plan *plan)
{
	struct plan_copy copy = { .kind = COPY_DISCARD, .recipient_no = ask->recipient_no,
		.lives_elsewhere = name->lives_elsewhere, .by_rule = name->by_rule, .ruled = ask->ruled,
		.recipient = ask->recipient.text, .target = SPAN("No-one"),
		.why = NOTE_PLACE_NOBODY, .found = ask->recipient.text, .because = span_of(name->why) };

	return plan_copy_add(plan, &copy, (size_t)ask->conf->limits_expansion_recipients);
}

/* Its address is the target: each that is unknown is named in the report. */
static enum err
place_back(struct pipeline_ask *ask, const struct name *name, struct plan *plan)
{
	struct plan_copy copy = { .kind = COPY_BOUNCE, .recipient_no = ask->recipient_no,
		.by_rule = name->by_rule, .ruled = ask->ruled,
		.recipient = ask->recipient.text, .target = name->address,
		.why = NOTE_PLACE_BACK, .found = name->address, .because = span_of(name->why) };

	return plan_copy_add(plan, &copy, (size_t)ask->conf->limits_expansion_recipients);
}

/* All of what a recipient means, or nothing: who is refused will be sent to again. */
static bool
has_room(const struct pipeline_ask *ask, const struct plan *plan)
{
	return plan_counted(plan) + ask->names->count <=
		(size_t)ask->conf->limits_expansion_recipients;
}

/* H88: a large list is not spelt out. */
static void
note_many(struct pipeline_ask *ask, size_t done, struct plan *plan)
{
	char more[24];

	if (done <= PLACES_NOTED)
		return;
	snprintf(more, sizeof(more), "%zu", done - PLACES_NOTED);
	plan_note(plan, NOTE_PLACE_MANY, ask->recipient.text, span_of(more));
}

static enum verdict
at_rcpt(struct pipeline_ask *ask, struct plan *plan)
{
	enum err err = has_room(ask, plan) ? OK : ERR_LIMIT;
	size_t done = 0;

	for (const struct name *name = ask->names->first; name && err == OK; name = name->next) {
		bool quiet = done++ >= PLACES_NOTED;

		if (name->target == TARGET_USER)
			err = place_user(ask, name, quiet, plan);
		else if (name->target == TARGET_ADDRESS)
			err = place_elsewhere(ask, name, quiet, plan);
		else if (name->target == TARGET_BOUNCE)
			err = place_back(ask, name, plan);
		else
			err = place_nowhere(ask, name, plan);
	}
	note_many(ask, done, plan);
	if (err == OK)
		return STAGE_NEXT;
	plan_refuse(plan, 452, "4.5.3", "Too many recipients");
	return STAGE_DEFER;
}

/* Mail of our own users: its header is put in order (RFC 6409, 8). */
static bool
is_submission(const struct pipeline_ask *ask, const struct plan *plan)
{
	return plan->standing == STANDING_USER || ask->mail->via == MAIL_VIA_SUBMISSION;
}

/* SMT-17. With several recipients none is named (SMT-21). */
static enum err
put_received(struct pipeline_ask *ask, struct buf *out)
{
	const struct mail *mail = ask->mail;
	struct received received = { .helo = mail->helo,
		.client_address = mail->peer.is_unix ? SPAN_NONE : span_of(mail->peer.text),
		.by = mail->hostname, .id = mail->id, .tls = mail->tls,
		.date = { mail->arrived_ms / 1000, mail->zone_minutes }, .esmtp = mail->esmtp,
		.lmtp = mail->via == MAIL_VIA_LMTP, .encrypted = mail->tls.len > 0,
		.authenticated = mail->user_id != 0,
		.smtputf8 = mail->envelope.options.smtputf8,
		.hide_addresses = ask->conf->privacy_hide_addresses };

	if (mail->via == MAIL_VIA_POP3) {
		received.helo = mail->collect_host;
		received.with = span_of(mail->collect_with);
		received.collector = mail->collect;
	}
	if (mail->came)
		received.date = *mail->came;
	if (mail->envelope.recipient_count == 1)
		received.for_address = LIST_ITEM(mail->envelope.recipients.next, struct recipient,
			link)->address.text;
	return received_put(out, &received);
}

/* RFC 6409, 8: what a program left out. */
static enum err
put_missing(struct pipeline_ask *ask, struct plan *plan, struct buf *out)
{
	const struct mail *mail = ask->mail;
	struct mail_date date = { mail->arrived_ms / 1000, mail->zone_minutes };
	const struct address *sender = &mail->envelope.reverse_path;
	enum err err = OK;

	if (mail->facts.from_fields == 0 && !address_is_null(sender)) {
		plan_note(plan, NOTE_HEADER_ADDED, SPAN("From"), SPAN("the program left it out"));
		err = buf_printf(out, "From: <%.*s>\r\n", SPAN_FMT(sender->text));
	}
	if (!mail->facts.has_date && err == OK) {
		plan_note(plan, NOTE_HEADER_ADDED, SPAN("Date"), SPAN("the program left it out"));
		err = buf_put(out, SPAN("Date: "));
		if (err == OK)
			err = mail_date_put(out, date);
		if (err == OK)
			err = buf_put(out, SPAN("\r\n"));
	}
	if (!mail->facts.has_message_id && err == OK) {
		plan_note(plan, NOTE_HEADER_ADDED, SPAN("Message-ID"),
			SPAN("the program left it out"));
		err = buf_printf(out, "Message-ID: <%.*s.%lld@%.*s>\r\n", SPAN_FMT(mail->id),
			(long long)(mail->arrived_ms / 1000), SPAN_FMT(mail->hostname));
	}
	return err;
}

/* The fields in front of what came. */
static enum err
put_own(struct pipeline_ask *ask, struct plan *plan, struct buf *out)
{
	enum err err = put_received(ask, out);

	if (err == OK)
		err = blocklists_put_marks(ask->conf, ask->mail, out);
	if (err == OK && ask->conf->smtp_x_server && !ask->conf->privacy_anonymise) {
		plan_note(plan, NOTE_HEADER_ADDED, SPAN("X-Server"), SPAN("smtp.x_server"));
		err = buf_put(out, SPAN("X-Server: Postroom " POSTROOM_VERSION "\r\n"));
	}
	return err == OK && is_submission(ask, plan) ? put_missing(ask, plan, out) : err;
}

/* The header as it came, without what nobody may see (SMT-21); in folders nor may it be believed (H13). */
static enum err
put_original(struct pipeline_ask *ask, struct plan *plan, bool in_folder, struct buf *out)
{
	struct span names[32];
	size_t count = 0;

	while (in_folder && count < header_trust_count && count < COUNT(names) - 1) {
		names[count] = header_trust_names[count];
		count++;
	}
	if (is_submission(ask, plan))
		names[count++] = SPAN("Bcc");
	return header_put_without(out, ask->mail->header, names, count);
}

static struct buf *
header_buf(struct pipeline_ask *ask, struct plan *plan)
{
	return plan_buf(plan, ask->mail->header.len + OWN_FIELDS_MAX);
}

/* RFC 5321, 4.4 and 7.2: what goes on to others is not ours to strip. */
static enum err
make_relayed(struct pipeline_ask *ask, struct plan *plan, struct span own)
{
	struct buf *out = header_buf(ask, plan);
	enum err err = buf_put(out, own);

	if (err == OK)
		err = put_original(ask, plan, false, out);
	if (err == OK && buf_span(out).len != plan->header.len)
		plan->header_relayed = buf_span(out);
	return err;
}

static enum err
make_header(struct pipeline_ask *ask, struct plan *plan)
{
	struct buf *out = header_buf(ask, plan);
	enum err err = put_own(ask, plan, out);
	size_t own = buf_span(out).len;

	if (err == OK && is_submission(ask, plan) && ask->mail->facts.has_bcc)
		plan_note(plan, NOTE_HEADER_REMOVED, SPAN("Bcc"), SPAN("nobody may see it"));
	if (err == OK)
		err = put_original(ask, plan, true, out);
	plan->header = buf_span(out);
	if (err == OK && plan_leaves(plan))
		err = make_relayed(ask, plan, span_range(plan->header, 0, own));
	return err;
}

/* RFC 5321, 4.4: the return address, put in front at final delivery. */
static void
make_front(struct pipeline_ask *ask, struct plan *plan)
{
	plan->front = arena_printf(plan->arena, "Return-Path: <%.*s>\r\n",
		SPAN_FMT(ask->mail->envelope.reverse_path.text));
}

static enum err
make_headers(struct pipeline_ask *ask, struct plan *plan)
{
	enum err err = OK;

	if (ask->mail->via == MAIL_VIA_LOCAL)
		plan->header = ask->mail->header;
	else
		err = make_header(ask, plan);
	if (err != OK || plan_outgoing_count(plan) == 0)
		return err;
	err = outgoing_header_make(
		ask, plan->header_relayed.len > 0 ? plan->header_relayed : plan->header, plan);
	return err == OK ? signature_make(ask, plan) : err; /* behind the header's changes */
}

static enum verdict
at_end(struct pipeline_ask *ask, struct plan *plan)
{
	make_front(ask, plan);
	receipt_wish_decide(ask, plan);
	return make_headers(ask, plan) == OK ? STAGE_NEXT : stage_trouble(plan);
}

enum verdict
stage_place(struct pipeline_ask *ask, enum phase phase, struct plan *plan)
{
	return phase == AT_RCPT ? at_rcpt(ask, plan) : at_end(ask, plan);
}
