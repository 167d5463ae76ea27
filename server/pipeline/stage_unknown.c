/*
 * stage_unknown.c - a recipient whom neither mappings nor lists nor users know.
 *
 *     postmaster, abuse  ->  ~@domain (MAP-05)  ->  ~@domain of the LAN rules (LAN-04)
 *                        ->  out, if the file says so (LOC-07)  ->  refused; collected mail: ADM-02
 */
#include "server/pipeline/stages.h"

#include "server/pipeline/names.h"

bool
recipient_is_role(const struct pipeline_ask *ask)
{
	return ask->is_local && (span_eq_nocase(ask->recipient.local_part, SPAN("postmaster")) ||
		span_eq_nocase(ask->recipient.local_part, SPAN("abuse")));
}

static enum err
find_role(struct pipeline_ask *ask, struct plan *plan)
{
	struct user user;
	enum err err;

	if (!recipient_is_role(ask))
		return ERR_NOT_FOUND;
	err = names_main_administrator(ask->conf, ask->snap, &user);
	if (err != OK)
		return err;
	plan_note(plan, NOTE_NAME_ADMIN, ask->recipient.text, user.name);
	return names_add_user(ask->names, &user, false);
}

/* ERR_NOT_FOUND, ERR_DENIED: nobody takes the rest of the domain either. */
static enum err
find_rest(struct pipeline_ask *ask, struct plan *plan)
{
	enum err err = ask->is_local ? mapping_rest(ask, plan) : ERR_NOT_FOUND;

	return err == OK ? wants_resolve(ask, plan) : err;
}

/* RFC 5321, 4.5.1: never 550 to postmaster; who is made an administrator later gets it. */
static enum verdict
put_off_role(struct pipeline_ask *ask, struct plan *plan)
{
	plan_note(plan, NOTE_NAME_NO_ADMIN, ask->recipient.text, SPAN_NONE);
	plan_refuse(plan, 450, "4.3.0", "Nobody reads this now, please try later");
	return STAGE_DEFER;
}

static enum verdict
refuse(struct plan *plan)
{
	plan->unknown++;
	plan_refuse(plan, 550, "5.1.1", "No such user here");
	return STAGE_REJECT;
}

static enum verdict
take(struct pipeline_ask *ask, const struct name *name, struct plan *plan)
{
	return names_add(ask->names, name) == OK ? STAGE_NEXT : stage_trouble(plan);
}

/* Collected mail was accepted long ago, so nobody is refused: stage_collected.c (ADM-02). */
static enum verdict
take_lost(struct pipeline_ask *ask, struct plan *plan)
{
	struct name name = { .target = TARGET_NOONE, .address = ask->recipient.text,
		.why = "collecting.unknown.do is remote" };

	if (ask->conf->collecting_unknown_do == UNKNOWN_REMOTE) { /* MAP-18; ADM-03: never with a report */
		plan_note(plan, NOTE_UNKNOWN_REMOTE, ask->recipient.text, SPAN_NONE);
		name.lives_elsewhere = true;
		return take(ask, &name, plan);
	}
	plan_note(plan, NOTE_COLLECTED_LOST, ask->recipient.text, SPAN_NONE);
	if (plan->lost.count++ == 0) {
		plan->lost.address = arena_copy(plan->arena, ask->recipient.text);
		plan->lost.recipient_no = plan->recipients;
	}
	if (!ask->conf->collecting_unknown_bounce)
		return STAGE_NEXT;
	name.target = TARGET_BOUNCE;
	name.why = "collecting.unknown.bounce";
	return take(ask, &name, plan);
}

static enum verdict
nobody(struct pipeline_ask *ask, enum err err, struct plan *plan)
{
	const struct conf *conf = ask->conf;
	struct name out = { .target = TARGET_ADDRESS, .address = ask->recipient.text };
	enum err rest;

	if (recipient_is_role(ask) || (ask->is_local && names_is_robot(ask->recipient.local_part)))
		return put_off_role(ask, plan);
	if (err == ERR_DENIED) /* USR-26: he counts as unrecognised */
		return ask->mail->via == MAIL_VIA_POP3 ? take_lost(ask, plan) : refuse(plan);
	rest = lan_rest(ask, plan);
	if (rest != ERR_NOT_FOUND)
		return rest == OK ? STAGE_NEXT : stage_trouble(plan);
	if (plan->standing == STANDING_USER && conf->domains_unknown_to_isp && ask->is_local) {
		plan_note(plan, NOTE_UNKNOWN_OUT, ask->recipient.text, SPAN_NONE); /* LOC-07 */
		out.needs_right = true;
		out.why = "domains.unknown_to_isp";
		return take(ask, &out, plan);
	}
	if (ask->mail->via == MAIL_VIA_POP3)
		return take_lost(ask, plan);
	plan_note(plan, NOTE_NAME_UNKNOWN, ask->recipient.text, SPAN_NONE);
	if (conf->smtp_reject_unknown ||
		ask->mail->via == MAIL_VIA_LMTP || ask->mail->via == MAIL_VIA_LOCAL)
		return refuse(plan); /* LMTP: the sender in front is told (RFC 2033, 3) */
	out.target = TARGET_BOUNCE;
	out.why = "smtp.reject_unknown is off"; /* SMT-12 */
	return take(ask, &out, plan);
}

enum verdict
stage_unknown(struct pipeline_ask *ask, enum phase phase, struct plan *plan)
{
	enum err err = ask->found, rest;

	(void)phase;
	if ((err == ERR_NOT_FOUND || err == ERR_DENIED) && names_target(ask->mail, &ask->recipient))
		return take_lost(ask, plan); /* nobody has the name that was chosen */
	if (err == ERR_NOT_FOUND || err == ERR_DENIED) {
		rest = find_role(ask, plan);
		if (rest == ERR_NOT_FOUND && err == ERR_NOT_FOUND)
			rest = find_rest(ask, plan);
		if (rest != ERR_NOT_FOUND || err != ERR_DENIED)
			err = rest;
	}
	switch (err) {
	case OK:
		return STAGE_NEXT;
	case ERR_NOT_FOUND:
	case ERR_DENIED:
		return nobody(ask, err, plan);
	case ERR_LIMIT:
		plan_note_number(plan, NOTE_RECIPIENTS_OVER, ask->names->count, ask->names->max);
		plan_refuse(plan, 550, "5.4.6", "Address expands to too many recipients");
		return STAGE_REJECT;
	default:
		return stage_trouble(plan);
	}
}
