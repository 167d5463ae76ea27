/*
 * collected_names.c - see collected_who.h: the return path of a collected message, and who would get it.
 */
#include <string.h>

#include "proto/mail/header.h"
#include "proto/mail/recipient_text.h"
#include "server/pipeline/collected_who.h"
#include "server/pipeline/pipeline.h"

/* ---- the return path ---- */

/* The first address of a field; one without a domain gets none, for it is not one of ours. */
static bool
take_field(const struct mail *mail, struct span value, struct address *out)
{
	struct header_mailbox mailbox;

	return header_next_mailbox(&value, &mailbox) &&
		recipient_text_address(mail->arena, mailbox.address, out) == OK &&
		!(out->flags & ADDRESS_NO_DOMAIN);
}

static bool
is_report(struct span header)
{
	struct span automatic = header_find(header, SPAN("Auto-Submitted"));
	struct span type = header_find(header, SPAN("Content-Type"));

	if (automatic.len > 0 && !span_starts_nocase(automatic, SPAN("no"))) /* RFC 3834, 5 */
		return true;
	return span_starts_nocase(type, SPAN("multipart/report"));
}

void
collected_return_path(const struct mail *mail, struct address *out)
{
	struct span left = header_find(mail->header, SPAN("Return-Path"));
	size_t used;

	if (left.len > 0 && address_parse_path(mail->arena, left, out, &used) == OK)
		return;
	if ((left.len > 0 && take_field(mail, left, out)) ||
		(!is_report(mail->header) &&
			(take_field(mail, mail->facts.sender, out) || take_field(mail, mail->facts.from, out))))
		return;
	*out = (struct address){ .flags = ADDRESS_NULL };
}

/* ---- who would get it ---- */

static bool
is_among(const struct span *users, size_t count, struct span user)
{
	for (size_t i = 0; i < count; i++)
		if (span_eq_nocase(users[i], user))
			return true;
	return false;
}

static void
gather(const struct plan *plan, struct arena *arena, struct collected_names *out)
{
	struct span *users;
	size_t room = 0;
	bool elsewhere = plan->recipients > 0;

	for (const struct plan_copy *c = plan->copies; c; c = c->next)
		room += c->kind == COPY_FOLDER && c->role == COPY_DELIVERY;
	room = room > COLLECTED_NAMES_MAX ? COLLECTED_NAMES_MAX : room;
	users = ARENA_ARRAY(arena, struct span, room);
	for (const struct plan_copy *c = plan->copies; c; c = c->next) {
		bool delivery = c->role == COPY_DELIVERY;

		if (delivery && c->kind == COPY_FOLDER && out->count < room && !is_among(users, out->count, c->user))
			users[out->count++] = c->user;
		if (delivery && !(c->kind == COPY_DISCARD && c->lives_elsewhere))
			elsewhere = false;
	}
	out->users = users;
	out->only_elsewhere = elsewhere;
}

enum err
collected_names(const struct collected_ask *ask, struct arena *arena, struct collected_names *out)
{
	static const struct mail_options none;
	struct pipeline_ask question = { .conf = ask->conf, .snap = ask->snap, .mail = ask->mail };
	struct plan *plan = ARENA_NEW(arena, struct plan);
	struct address from, *to;
	enum verdict verdict;
	enum phase at;
	size_t count;
	enum err err;

	*out = (struct collected_names){ .users = NULL };
	plan_init(plan, arena);
	if ((err = collected_who(ask, plan, &to, &count)) != OK)
		return err;
	collected_return_path(ask->mail, &from);
	envelope_init(&ask->mail->envelope, ask->mail->arena, &from, &none);
	verdict = pipeline_run_all(&question, to, count, NULL, plan, &at);
	if (verdict == STAGE_DEFER)
		return ERR_IO;
	if (verdict == STAGE_NEXT)
		gather(plan, arena, out);
	out->notes = plan_notes(plan);
	return OK;
}
