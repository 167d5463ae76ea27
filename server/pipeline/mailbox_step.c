/*
 * mailbox_step.c - the steps of one mailbox, in the order of RTE-10.
 *
 *     script         what it said when it ran: redirect, copy, discard (RTE-12); the next are asked all the same, but
 *                    of what it throws away
 *     size rules     each that fits: a copy or a redirect (RTE-09); assistants are asked all the same
 *     assistants     a copy for each, or a redirect (RTE-02, RTE-04), but of a message that one of them wrote
 *                    (RTE-03) and of reports and the server's own letters (RTE-05, Q-11)
 *     forwarding     a redirect, of what no step redirected before (RTE-06, RTE-07)
 *
 * A target is a mailbox or an address elsewhere, never a list or a mapping (RTE-01, Q-10):
 *
 *     SMTP:user@domain@host:port     straight to that server (RTE-11)
 *     a name or address of ours      that user; else where the LAN rules send the address
 *     any other address              by the queue; the user's wish, so the sender needs no right to it
 */
#include "server/pipeline/mailbox_step.h"

#include "proto/mail/lan_target.h"
#include "server/pipeline/script_answer.h"
#include "server/pipeline/stages.h"
#include "store/fields.h"

#define SENDS_IT "a mailbox sends it on"
#define KB 1024u

struct asking {
	struct pipeline_ask *ask;
	struct plan *plan;
	const struct user *user;
	const struct plan_copy *copy;
	struct mailbox_answer *out;
	bool quiet;
};

bool
mailbox_acts(const struct user *user)
{
	return (user->size_over_kb > 0 && user->size_over_to.len > 0) ||
		(user->size_under_kb > 0 && user->size_under_to.len > 0) ||
		user->assistants.len > 0 || (user->forward && user->forward_to.len > 0);
}

static void
say(struct asking *a, enum note_code code, struct span because)
{
	if (!a->quiet)
		plan_note(a->plan, code, a->user->name, because);
}

/* ---- targets ---- */

static enum err
find_server(struct asking *a, struct span text, struct name *out)
{
	struct lan_target target;
	struct address to;
	enum err err = lan_forward_parse(a->plan->arena, text, &to, &target);

	if (err != OK)
		return err;
	*out = (struct name){ .target = TARGET_ADDRESS, .address = to.text, .why = SENDS_IT };
	out->route = arena_printf(a->plan->arena, LAN_ROUTE_PREFIX "%.*s",
		SPAN_FMT(lan_target_format(a->plan->arena, &target)));
	return OK;
}

/* USR-26 holds on this way too: who takes no mail from outside is left out. */
static enum err
find_user(struct asking *a, struct span name, struct name *out)
{
	struct user user;
	enum err err = names_user(a->ask->snap, name, &user);

	if (err == ERR_LIMIT || err == ERR_SYNTAX)
		return ERR_NOT_FOUND;
	if (err != OK)
		return err;
	if (!user.receive_internet && a->plan->standing != STANDING_USER) {
		plan_note(a->plan, NOTE_NAME_INTERNAL, user.name, SPAN_NONE);
		return ERR_NOT_FOUND;
	}
	*out = (struct name){ .target = TARGET_USER, .user_id = user.user_id,
		.user = arena_copy(a->plan->arena, user.name) };
	return OK;
}

static enum err
find_address(struct asking *a, struct span text, struct name *out)
{
	struct address to;
	enum err err;

	if (address_parse(a->plan->arena, text, &to) != OK)
		return ERR_NOT_FOUND;
	if (conf_is_local(a->ask->conf, to.local_part, to.domain)) {
		err = find_user(a, to.local_part, out);
		if (err != ERR_NOT_FOUND)
			return err;
	}
	*out = (struct name){ .target = TARGET_ADDRESS, .address = to.text, .why = SENDS_IT };
	if (lan_look_again(a->ask, out, true, a->plan) != OK)
		return ERR_NOT_FOUND;
	return out->route.len > 0 || !conf_is_local(a->ask->conf, to.local_part, to.domain)
		? OK : ERR_NOT_FOUND;
}

static enum err
find_target(struct asking *a, struct span text, struct name *out)
{
	enum err err = find_server(a, text, out);

	if (err == ERR_SYNTAX)
		return ERR_NOT_FOUND;
	if (err != ERR_NOT_FOUND)
		return err;
	return span_find(text, '@') < text.len ? find_address(a, text, out)
					       : find_user(a, text, out);
}

static void
add_target(struct asking *a, const struct name *name, bool instead)
{
	struct mailbox_target *target = ARENA_NEW(a->plan->arena, struct mailbox_target);

	target->name = *name;
	target->instead = instead;
	*a->out->end = target;
	a->out->end = &target->next;
}

/* TEXT, one target. */
static enum err
send_to_one(struct asking *a, struct span text, bool instead)
{
	struct name name;
	enum err err = find_target(a, text, &name);

	if (err == OK)
		add_target(a, &name, instead);
	else if (err == ERR_NOT_FOUND)
		say(a, NOTE_FORWARD_LOST, text);
	return err == ERR_NOT_FOUND ? OK : err;
}

/* A redirect to nobody is none: then the next step is asked. */
static void
end_targets(struct asking *a, struct mailbox_target **before, bool instead)
{
	if (instead && a->out->end == before)
		say(a, NOTE_MAILBOX_KEEPS, SPAN("nobody it would go to instead is known"));
	a->out->redirects |= instead && a->out->end != before;
}

/* All of LIST. */
static enum err
send_to(struct asking *a, struct span list, bool instead)
{
	struct mailbox_target **before = a->out->end;
	struct span part;
	enum err err = OK;

	while (err == OK && field_list_next(&list, &part))
		err = send_to_one(a, part, instead);
	if (err == OK)
		end_targets(a, before, instead);
	return err;
}

/* ---- the script ---- */

/* *go_on false: it throws the message away, and nothing else is asked. */
static enum err
ask_script(struct asking *a, bool *go_on)
{
	const struct script_answer *answer = mail_script(a->ask->mail, a->user->user_id);
	struct mailbox_target **before = a->out->end;
	bool instead;
	enum err err = OK;

	*go_on = true;
	if (!answer)
		return OK;
	if (!a->quiet)
		script_answer_note(a->plan, answer);
	if (answer->failed.len > 0) /* RTE-13 */
		return OK;
	instead = answer->redirects && !answer->keeps;
	for (size_t i = 0; i < answer->count && err == OK; i++) {
		const struct script_action *action = &answer->actions[i];

		if (action->kind == SCRIPT_REDIRECT || action->kind == SCRIPT_COPY)
			err = send_to_one(a, action->text, instead && action->kind == SCRIPT_REDIRECT);
	}
	if (err != OK)
		return err;
	end_targets(a, before, instead);
	a->out->discards = answer->discards && !answer->keeps;
	*go_on = !a->out->discards;
	return OK;
}

/* ---- size rules ---- */

static enum err
ask_size(struct asking *a, bool over, uint64_t kb, uint8_t action, struct span to)
{
	bool fits = over ? a->ask->mail->size >= kb * KB : a->ask->mail->size <= kb * KB;

	if (kb == 0 || to.len == 0 || !fits)
		return OK;
	say(a, NOTE_SIZE_RULE, arena_printf(a->plan->arena, "%s %llu kB, %s to %.*s",
		over ? "at least" : "at most", (unsigned long long)kb, user_size_actions[action],
		SPAN_FMT(to)));
	return send_to(a, to, action == USER_SIZE_REDIRECT);
}

/* ---- assistants ---- */

/* Is PART, one of the assistants, who sends the message? By login, or by the return address. */
static bool
is_sender(struct asking *a, struct span part)
{
	const struct address *from = &a->ask->mail->envelope.reverse_path;
	struct arena *arena = a->plan->arena;
	struct lan_target target;
	struct user user;
	struct address to;

	if (lan_forward_parse(arena, part, &to, &target) != OK && address_parse(arena, part, &to) != OK)
		return false;
	if ((to.flags & ADDRESS_NO_DOMAIN) &&
		address_with_domain(arena, &to, conf_default_domain(a->ask->conf), &to) != OK)
		return false;
	if (span_eq_nocase(to.key, from->key))
		return true;
	if (!conf_is_local(a->ask->conf, to.local_part, to.domain))
		return false;
	if (a->plan->sender_id != 0 && names_user(a->ask->snap, to.local_part, &user) == OK)
		return user.user_id == a->plan->sender_id;
	/* one mailbox, whichever of our domains is written behind it */
	return span_eq_nocase(to.local_part, from->local_part) &&
		conf_is_local(a->ask->conf, from->local_part, from->domain);
}

/* Why the assistants get nothing; NULL: they get it. */
static const char *
why_passed(struct asking *a)
{
	const struct address *from = &a->ask->mail->envelope.reverse_path;
	struct span list = a->user->assistants, part;

	if (address_is_null(from) || (a->copy->own_sender && a->copy->sender.len == 0))
		return "it has no return address, as reports have";
	if (names_is_robot(from->local_part) &&
		conf_is_local(a->ask->conf, from->local_part, from->domain))
		return "this server wrote it";
	while (field_list_next(&list, &part))
		if (is_sender(a, part))
			return "one of them sends it";
	return NULL;
}

static enum err
ask_assistants(struct asking *a)
{
	const char *passed;

	if (a->user->assistants.len == 0)
		return OK;
	if ((passed = why_passed(a)) != NULL) {
		say(a, NOTE_ASSISTANT_PASSED, span_of(passed));
		return OK;
	}
	say(a, a->user->assistant_redirect ? NOTE_ASSISTANT_INSTEAD : NOTE_ASSISTANT_COPY,
		a->user->assistants);
	return send_to(a, a->user->assistants, a->user->assistant_redirect);
}

/* ---- forwarding ---- */

static enum err
ask_forwarding(struct asking *a)
{
	if (!a->user->forward || a->user->forward_to.len == 0 || a->out->redirects)
		return OK;
	say(a, NOTE_FORWARD_GOES, a->user->forward_to);
	return send_to(a, a->user->forward_to, true);
}

enum err
mailbox_ask(struct pipeline_ask *ask, const struct mailbox_question *question, struct plan *plan,
	struct mailbox_answer *out)
{
	const struct user *user = question->user;
	struct asking a = { .ask = ask, .plan = plan, .user = user, .copy = question->copy, .out = out,
		.quiet = question->quiet };
	bool go_on;
	enum err err;

	*out = (struct mailbox_answer){ 0 };
	out->end = &out->first;
	err = ask_script(&a, &go_on);
	if (err != OK || !go_on)
		return err;
	err = ask_size(&a, true, user->size_over_kb, user->size_over_action, user->size_over_to);
	if (err == OK)
		err = ask_size(&a, false, user->size_under_kb, user->size_under_action,
			user->size_under_to);
	if (err == OK)
		err = ask_assistants(&a);
	return err == OK ? ask_forwarding(&a) : err;
}
