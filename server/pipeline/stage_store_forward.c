/*
 * stage_store_forward.c - store and forward: what is kept in a mailbox is queued for the user's other server
 * too (SNF-01).
 *
 * Every copy for the mailbox counts, whatever led to it: his own address, a mapping, a list, a report. Only a
 * notice about store and forward itself stays. Where LAN forwarding takes the mail away before it is his, that is
 * noted: one of the two has to go (SNF-08).
 */
#include "server/pipeline/stages.h"

#include "server/pipeline/names.h"
#include "store/forwards.h"

#define FORWARDS_NOTED 8 /* of one recipient */

/* "host:port", without the account (H66). */
static struct span
server_words(struct plan *plan, struct span text)
{
	struct forward_server server;

	return forward_server_parse(text, &server) == OK
		? lan_target_format(plan->arena, &server.target)
		: SPAN("");
}

static enum err
forward(struct pipeline_ask *ask, const struct name *name, bool quiet, struct plan *plan)
{
	struct plan_copy copy = { .kind = COPY_REMOTE, .recipient_no = plan->recipients,
		.recipient = ask->recipient.text, .user_id = name->user_id, .user = name->user,
		.target = name->forward_address, .why = NOTE_FORWARD_QUEUED, .found = name->user,
		.because = server_words(plan, name->forward_server), .quiet = true };
	size_t before = plan->copy_count;
	enum err err;

	copy.route = arena_printf(
		plan->arena, FORWARD_ROUTE_PREFIX "%llu", (unsigned long long)name->user_id);
	err = plan_copy_add(plan, &copy, (size_t)ask->conf->limits_expansion_recipients);
	if (err == OK && plan->copy_count > before && !quiet) /* else he has it by another way */
		plan_note(plan, copy.why, copy.found, copy.because);
	return err;
}

/* A rule took the mail for a user here whose server waits for it. */
static void
note_bypassed(struct pipeline_ask *ask, const struct name *name, struct plan *plan)
{
	struct user user;

	if (!ask->is_local || !route_is_lan(name->route) ||
		names_user(ask->snap, ask->recipient.local_part, &user) != OK || !forward_acts(&user))
		return;
	plan_note(plan, NOTE_FORWARD_BYPASSED, user.name, span_of(name->why));
}

enum verdict
stage_store_forward(struct pipeline_ask *ask, enum phase phase, struct plan *plan)
{
	size_t done = 0;

	(void)phase;
	for (const struct name *name = ask->names->first; name; name = name->next) {
		if (name->target == TARGET_ADDRESS)
			note_bypassed(ask, name, plan);
		if (name->target != TARGET_USER || name->forward_address.len == 0)
			continue;
		if (ask->mail->stays)
			plan_note(plan, NOTE_FORWARD_NOT, name->user,
				SPAN("it is a notice about store and forward"));
		else if (forward(ask, name, done++ >= FORWARDS_NOTED, plan) != OK)
			return stage_trouble(plan);
	}
	return STAGE_NEXT;
}
