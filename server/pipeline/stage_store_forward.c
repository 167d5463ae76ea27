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
queue_pair(struct pipeline_ask *ask, struct plan_copy *kept, const struct user *user, struct plan *plan)
{
	struct plan_copy copy = { .kind = COPY_REMOTE, .recipient_no = kept->recipient_no,
		.recipient = kept->recipient, .user_id = user->user_id, .user = kept->user,
		.target = user->store_forward_address, .why = NOTE_FORWARD_QUEUED, .found = kept->user,
		.because = server_words(plan, user->store_forward_server), .quiet = kept->quiet };

	copy.route = arena_printf(
		plan->arena, FORWARD_ROUTE_PREFIX "%llu", (unsigned long long)user->user_id);
	return plan_copy_add(plan, &copy, (size_t)ask->conf->limits_expansion_recipients);
}

static enum err
forward(struct pipeline_ask *ask, struct plan_copy *kept, struct plan *plan)
{
	struct user user;
	enum err err;

	kept->forwards = false;
	if (ask->mail->stays) {
		plan_note(plan, NOTE_FORWARD_NOT, kept->user,
			SPAN("it is a notice about store and forward"));
		return OK;
	}
	err = names_user_by_id(ask->snap, kept->user_id, &user);
	if (err == ERR_NOT_FOUND)
		return OK;
	if (err != OK || !forward_acts(&user))
		return err;
	kept->forwards = true;
	return queue_pair(ask, kept, &user, plan);
}

/* The copies that stay in a mailbox. What is added comes behind them, and is none of these. */
static enum verdict
at_end(struct pipeline_ask *ask, struct plan *plan)
{
	for (struct plan_copy *copy = plan->copies; copy; copy = copy->next)
		if (copy->kind == COPY_FOLDER && copy->forwards && forward(ask, copy, plan) != OK)
			return stage_trouble(plan);
	return STAGE_NEXT;
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
	if (phase == AT_END)
		return at_end(ask, plan);
	for (const struct name *name = ask->names->first; name; name = name->next)
		if (name->target == TARGET_ADDRESS)
			note_bypassed(ask, name, plan);
	return STAGE_NEXT;
}
