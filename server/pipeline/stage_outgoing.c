/*
 * stage_outgoing.c - what leaves for the Internet needs the right to, and the size for it.
 *
 * The right is asked for what the peer wrote: an address elsewhere, and one of ours that lives
 * elsewhere (*REMOTE counts as Internet, contract 8). A mapping or list that leads out is the
 * administrator's wish, whoever writes. The size counts for all that leaves by the sender's own wish, and so
 * does the number of recipients an hour of who logged in: a stolen account is not a spammer's for long. What a
 * mailbox sends on (RTE-06) is its user's wish and none of the sender's limits (USR-23).
 */
#include "server/pipeline/stages.h"

#include <stdio.h>

#include "proto/mail/header.h"
#include "server/pipeline/names.h"

/* Why the sender may not reach the Internet; NULL: he may. */
struct right {
	const char *refusal; /* of the reply */
	struct span because; /* of the note */
	enum note_code note;
	struct span who;
};

/* SMT-07, USR-25; OK also where there is no right: then right->refusal is set. */
static enum err
find_right(struct pipeline_ask *ask, const struct plan *plan, struct right *right)
{
	struct user user;
	enum err err;

	*right = (struct right){ 0 };
	if (!plan->may_relay) {
		*right = (struct right){ "Relaying denied", span_of(plan->relay_why),
			NOTE_RELAY_REFUSED, ask->recipient.text };
		return OK;
	}
	if (plan->sender_id == 0)
		return OK;
	err = names_user_by_id(ask->snap, plan->sender_id, &user);
	if (err == OK && !user.send_internet)
		*right = (struct right){ "You may write to colleagues only", ask->recipient.text,
			NOTE_SENDER_INTERNAL, arena_copy(plan->arena, user.name) };
	return err;
}

/* Bytes that the sender may send out (USR-23, GRP-07); 0: any number. */
static enum err
find_size(struct pipeline_ask *ask, const struct plan *plan, uint64_t *max)
{
	struct user user;
	enum err err;

	*max = 0;
	if (plan->sender_id == 0)
		return OK;
	err = names_user_by_id(ask->snap, plan->sender_id, &user);
	if (err == OK)
		*max = user.max_out_kb * 1024;
	return err;
}

static enum verdict
check_size(struct pipeline_ask *ask, struct plan *plan)
{
	uint64_t max;

	if (find_size(ask, plan, &max) != OK)
		return stage_trouble(plan);
	if (max == 0 || ask->mail->size <= max)
		return STAGE_NEXT;
	plan_note_number(plan, NOTE_OUT_SIZE, ask->mail->size, max);
	plan_refuse(plan, 552, "5.3.4", "Message too big for you to send out");
	return STAGE_REJECT;
}

/* Take out what needs the right. */
static void
leave_out(struct names *names, const struct right *right, struct plan *plan)
{
	struct name **at = &names->first;

	while (*at) {
		struct name *name = *at;

		if (!name->needs_right) {
			at = &name->next;
			continue;
		}
		plan_note(plan, NOTE_OUT_LEFT_OUT, name->address, span_of(right->refusal));
		*at = name->next;
		names->count--;
	}
	names->end = at;
}

static size_t
count_needy(const struct names *names)
{
	size_t count = 0;

	for (const struct name *name = names->first; name; name = name->next)
		count += name->needs_right;
	return count;
}

/* What a rule adds does not make a recipient good who is not. */
static size_t
count_own(const struct names *names)
{
	size_t count = 0;

	for (const struct name *name = names->first; name; name = name->next)
		count += !name->by_rule;
	return count;
}

static bool
leaves(const struct names *names)
{
	for (const struct name *name = names->first; name; name = name->next)
		if (name->target == TARGET_ADDRESS && name->route.len == 0)
			return true;
	return false;
}

/* Who has no right keeps what stays here; where nothing does, the recipient is refused. */
static enum verdict
check_right(struct pipeline_ask *ask, struct plan *plan)
{
	size_t needy = count_needy(ask->names);
	struct right right;

	if (needy == 0)
		return STAGE_NEXT;
	if (find_right(ask, plan, &right) != OK)
		return stage_trouble(plan);
	if (!right.refusal)
		return STAGE_NEXT;
	plan_note(plan, right.note, right.who, right.because);
	if (needy < count_own(ask->names)) {
		leave_out(ask->names, &right, plan);
		return STAGE_NEXT;
	}
	plan_refuse(plan, 550, "5.7.1", right.refusal);
	return STAGE_REJECT;
}

static enum verdict
at_rcpt(struct pipeline_ask *ask, struct plan *plan)
{
	enum verdict verdict = check_right(ask, plan);

	if (verdict != STAGE_NEXT || !leaves(ask->names))
		return verdict;
	return check_size(ask, plan); /* by what the peer announced; at the end by what came */
}

/* limits.user_recipients_hour: what is beyond is taken, and held for an administrator to look at. */
static void
hold_beyond(struct pipeline_ask *ask, struct plan *plan)
{
	uint64_t max = (uint64_t)ask->conf->limits_user_recipients_hour;
	uint64_t sent = ask->mail->user_sent, held = 0;
	char count[24], why[NOTE_VALUE_MAX];

	for (struct plan_copy *copy = plan->copies; copy; copy = copy->next) {
		bool out = copy_is_outgoing(copy) && !copy->passed;

		copy->held = out && max > 0 && ask->mail->user_id != 0 && sent >= max;
		sent += out;
		held += copy->held;
	}
	if (held == 0)
		return;
	snprintf(count, sizeof(count), "%llu", (unsigned long long)held);
	snprintf(why, sizeof(why), OUT_HELD_WHY, (long long)max);
	plan_note(plan, NOTE_OUT_HELD, span_of(count), span_of(why));
}

/* The first line of headers.priority that HEADER fulfils; empty: it is not urgent (HDR-04). */
static struct span
find_urgency(const struct conf *conf, struct span header)
{
	const struct conf_list *lines = &conf->headers_priority;

	for (size_t i = 0; i < lines->count; i++) {
		struct span name, text, rest = header;
		struct header_field field;

		if (!span_cut(lines->items[i], ':', &name, &text))
			continue;
		text = span_trim(text);
		while (header_next(&rest, &field))
			if (span_eq_nocase(field.name, span_trim(name)) &&
				span_find_span_nocase(field.value, text) < field.value.len)
				return lines->items[i];
	}
	return SPAN("");
}

/* HDR-03. */
static void
note_urgency(struct pipeline_ask *ask, struct plan *plan)
{
	struct span line = ask->conf->scheduling_priority ?
		find_urgency(ask->conf, ask->mail->header) : SPAN("");

	plan->urgent = line.len > 0;
	if (plan->urgent)
		plan_note(plan, NOTE_OUT_URGENT, line, SPAN(""));
}

/* Does a copy go out that no mailbox sent on? */
static bool
sends_out(const struct plan *plan)
{
	for (const struct plan_copy *copy = plan->copies; copy; copy = copy->next)
		if (copy_is_outgoing(copy) && !copy->passed)
			return true;
	return false;
}

static enum verdict
at_end(struct pipeline_ask *ask, struct plan *plan)
{
	if (plan_outgoing_count(plan) == 0)
		return STAGE_NEXT;
	hold_beyond(ask, plan);
	note_urgency(ask, plan);
	return sends_out(plan) ? check_size(ask, plan) : STAGE_NEXT;
}

enum verdict
stage_outgoing(struct pipeline_ask *ask, enum phase phase, struct plan *plan)
{
	return phase == AT_RCPT ? at_rcpt(ask, plan) : at_end(ask, plan);
}
