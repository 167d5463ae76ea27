/*
 * stage_mapping.c - whom a recipient means: mappings, groups, users, the rest (RTE-01).
 *
 *     mappings that fit (all of them)  ->  group  ->  user  ->  postmaster, abuse  ->  ~@domain
 *
 * The first that recognises the address settles it; a mapping's target enters behind the mappings, so
 * mappings never chain.
 */
#include "server/pipeline/stages.h"

#include <stdio.h>

#include "server/pipeline/names.h"
#include "store/mappings.h"
#include "store/names.h"

/* The mappings that fit one recipient, copied out of the snapshot. */
struct match {
	struct match *next;
	struct span pattern, target;
};

struct matches {
	struct arena *arena;
	struct match *first, **end;
	bool exact_only; /* a foreign address: contract 8 */
	size_t count, max;
};

static enum err
match_keep(void *arg, const struct mapping *mapping)
{
	struct matches *matches = arg;
	struct match *match;

	if (matches->exact_only && (mapping->when != MAPPING_ALWAYS ||
		span_find_any(mapping->pattern, SPAN("*?")) < mapping->pattern.len))
		return OK;
	if (matches->count >= matches->max)
		return ERR_LIMIT;
	match = ARENA_NEW(matches->arena, struct match);
	match->pattern = arena_copy(matches->arena, mapping->pattern);
	match->target = arena_copy(matches->arena, mapping->target);
	*matches->end = match;
	matches->end = &match->next;
	matches->count++;
	return OK;
}

static struct mapping_query
query_of(const struct pipeline_ask *ask)
{
	return (struct mapping_query){
		.local_part = ask->recipient.local_part,
		.domain = ask->recipient.domain,
		.domain_is_valid = ask->is_local,
		.from = ask->mail->via == MAIL_VIA_POP3 ? MAPPING_POP3 : MAPPING_SMTP,
	};
}

static bool
is_role(const struct pipeline_ask *ask) /* RFC 5321, 4.5.1; RFC 2142 */
{
	return span_eq_nocase(ask->recipient.local_part, SPAN("postmaster")) ||
		span_eq_nocase(ask->recipient.local_part, SPAN("abuse"));
}

static enum verdict
refuse_unknown(struct plan *plan)
{
	plan->unknown++;
	plan_refuse(plan, 550, "5.1.1", "No such user here");
	return STAGE_REJECT;
}

/* USR-26: for outside mail he counts as unrecognised; also through a mapping (contract 8). */
static bool
takes_mail(struct pipeline_ask *ask, const struct user *user, struct plan *plan)
{
	if (user->receive_internet || plan->standing == STANDING_USER || is_role(ask))
		return true;
	plan_note(plan, NOTE_NAME_INTERNAL, user->name, SPAN_NONE);
	return false;
}

static enum err
add_user(struct pipeline_ask *ask, const struct user *user)
{
	return names_add(ask->names, &(struct name){ .target = TARGET_USER,
					     .user_id = user->user_id, .user = user->name });
}

static enum err
add_elsewhere(struct pipeline_ask *ask, struct span address, const char *why)
{
	return names_add(ask->names,
		&(struct name){ .target = TARGET_ADDRESS, .address = address, .why = why });
}

/* A name from step 2 on: a group (GRP-08: not for strangers), then a user. */
static enum err
find_name(struct pipeline_ask *ask, struct span name, bool by_mapping, struct plan *plan)
{
	struct name_row row;
	struct user user;
	enum err err = name_find(ask->snap, name, &row);

	if (err == OK && row.kind == NAME_USER) {
		if ((err = names_user_by_id(ask->snap, row.id, &user)) != OK)
			return err;
		if (!takes_mail(ask, &user, plan))
			return ERR_DENIED;
		plan_note(plan, NOTE_NAME_USER, name, user.name);
		return add_user(ask, &user);
	}
	if (err == OK && row.kind == NAME_GROUP && !by_mapping &&
		plan->standing != STANDING_USER)
		return ERR_NOT_FOUND;
	err = names_expand(ask->snap, name, ask->names);
	if (err == OK)
		plan_note(plan, NOTE_NAME_GROUP, ask->recipient.text, name);
	return err;
}

/* A local address as a target: from step 2 on; elsewhere: through the queue. */
static enum err
find_target_address(struct pipeline_ask *ask, struct span target, struct plan *plan)
{
	struct address address;

	if (address_parse(plan->arena, target, &address) != OK)
		return ERR_NOT_FOUND;
	if (!conf_is_local(ask->conf, address.local_part, address.domain))
		return add_elsewhere(ask, address.text, "a mapping sends it there");
	return find_name(ask, address.local_part, true, plan);
}

static enum err
find_target(struct pipeline_ask *ask, struct span target, struct plan *plan)
{
	if (span_eq_nocase(target, MAPPING_REMOTE)) {
		plan_note(plan, NOTE_MAPPING_REMOTE, ask->recipient.text, SPAN_NONE);
		return add_elsewhere(ask, ask->recipient.text, "*REMOTE");
	}
	if (span_eq_nocase(target, SPAN("No-one")))
		return names_add(ask->names, &(struct name){ .target = TARGET_NOONE });
	if (span_find(target, '@') < target.len)
		return find_target_address(ask, target, plan);
	return find_name(ask, target, true, plan);
}

/*
 * All targets of all mappings that fit (MAP-04). A target that nobody is or that may not take the mail is left
 * out; ERR_NOT_FOUND where that leaves none.
 */
static enum err
find_targets(struct pipeline_ask *ask, const struct matches *matches, struct plan *plan)
{
	enum err err;

	for (const struct match *match = matches->first; match; match = match->next) {
		plan_note(plan, NOTE_MAPPING_FITS, match->pattern, match->target);
		err = find_target(ask, match->target, plan);
		if (err == ERR_NOT_FOUND)
			plan_note(plan, NOTE_MAPPING_LOST, match->pattern, match->target);
		else if (err != OK && err != ERR_DENIED)
			return err;
	}
	return ask->names->count > 0 ? OK : ERR_NOT_FOUND;
}

typedef enum err mapping_walk(
	struct snapshot *snap, const struct mapping_query *query, mapping_fn *fn, void *arg);

/* ERR_NOT_FOUND: no mapping of that kind, or none that leads anywhere. *fits: whether one fitted. */
static enum err
ask_mappings(struct pipeline_ask *ask, mapping_walk *walk, struct plan *plan, bool *fits)
{
	struct mapping_query query = query_of(ask);
	struct matches matches = { .arena = plan->arena, .exact_only = !ask->is_local,
		.max = ask->names->max };
	enum err err;

	matches.end = &matches.first;
	err = walk(ask->snap, &query, match_keep, &matches);
	*fits = matches.count > 0;
	if (err != OK)
		return err;
	return *fits ? find_targets(ask, &matches, plan) : ERR_NOT_FOUND;
}

/* LOC-05: with default_user_mapping off only mappings and groups resolve. */
static enum err
ask_names(struct pipeline_ask *ask, struct plan *plan)
{
	struct name_row row;

	if (!ask->conf->domains_default_user_mapping &&
		name_find(ask->snap, ask->recipient.local_part, &row) == OK &&
		row.kind == NAME_USER) {
		plan_note(plan, NOTE_NAME_DEFAULT_OFF, ask->recipient.local_part, SPAN_NONE);
		return ERR_NOT_FOUND;
	}
	return find_name(ask, ask->recipient.local_part, false, plan);
}

/* postmaster and abuse are somebody on every host (RFC 5321, 4.5.1; ADM-13). */
static enum err
ask_role(struct pipeline_ask *ask, struct plan *plan)
{
	struct user user;
	enum err err;

	if (!is_role(ask))
		return ERR_NOT_FOUND;
	err = names_main_administrator(ask->conf, ask->snap, &user);
	if (err != OK)
		return err;
	plan_note(plan, NOTE_NAME_ADMIN, ask->recipient.text, user.name);
	return add_user(ask, &user);
}

/* The steps of RTE-01 one after another, until one recognises the recipient. */
static enum err
find_recipient(struct pipeline_ask *ask, struct plan *plan)
{
	bool fits;
	enum err err;

	if (ask->mail->to_users)
		return find_name(ask, ask->recipient.local_part, true, plan);
	err = ask_mappings(ask, mapping_each_match, plan, &fits);
	if (fits || err != ERR_NOT_FOUND)
		return fits && err == ERR_NOT_FOUND ? ask_role(ask, plan) : err;
	if (!ask->is_local)
		return add_elsewhere(ask, ask->recipient.text, plan->relay_why);
	if ((err = ask_names(ask, plan)) != ERR_NOT_FOUND)
		return err;
	if ((err = ask_role(ask, plan)) != ERR_NOT_FOUND)
		return err;
	return ask_mappings(ask, mapping_each_catch_all, plan, &fits);
}

/* What goes elsewhere needs the right to send there: *REMOTE counts as Internet (contract 8). */
static enum verdict
check_elsewhere(struct pipeline_ask *ask, struct plan *plan)
{
	struct user user;
	enum err err;

	if (!plan->may_relay) {
		plan_note(plan, NOTE_RELAY_REFUSED, ask->recipient.text, span_of(plan->relay_why));
		plan_refuse(plan, 550, "5.7.1", "Relaying denied");
		return STAGE_REJECT;
	}
	if (ask->mail->user_id == 0)
		return STAGE_NEXT;
	err = names_user_by_id(ask->snap, ask->mail->user_id, &user);
	if (err != OK)
		return stage_trouble(plan);
	if (user.send_internet)
		return STAGE_NEXT;
	plan_note(plan, NOTE_SENDER_INTERNAL, user.name, ask->recipient.text); /* USR-25 */
	plan_refuse(plan, 550, "5.7.1", "You may write to colleagues only");
	return STAGE_REJECT;
}

/*
 * The right is asked for the address that the peer wrote: a mapping that leads from an address of
 * ours to one elsewhere is the administrator's wish, whoever writes.
 */
static bool
goes_elsewhere(const struct pipeline_ask *ask)
{
	for (const struct name *name = ask->names->first; name; name = name->next)
		if (name->target == TARGET_ADDRESS &&
			(!ask->is_local || span_eq(name->address, ask->recipient.text)))
			return true;
	return false;
}

/* RFC 5321, 4.5.1: never 550 to postmaster; whoever repairs it by making an administrator gets it. */
static enum verdict
put_off_role(struct pipeline_ask *ask, struct plan *plan)
{
	plan_note(plan, NOTE_NAME_NO_ADMIN, ask->recipient.text, SPAN_NONE);
	plan_refuse(plan, 450, "4.3.0", "Nobody reads this now, please try later");
	return STAGE_DEFER;
}

static enum verdict
unknown(struct pipeline_ask *ask, enum err err, struct plan *plan)
{
	if (ask->is_local && is_role(ask))
		return put_off_role(ask, plan);
	if (err == ERR_NOT_FOUND)
		plan_note(plan, NOTE_NAME_UNKNOWN, ask->recipient.text, SPAN_NONE);
	if (err == ERR_DENIED || ask->conf->smtp_reject_unknown || ask->mail->via == MAIL_VIA_LMTP)
		return refuse_unknown(plan); /* LMTP: the sender in front is told (RFC 2033, 3) */
	/* SMT-12, off: taken, and the queue tells the sender later */
	if (add_elsewhere(ask, ask->recipient.text, "nobody has that name: to be bounced") != OK)
		return stage_trouble(plan);
	return STAGE_NEXT;
}

enum verdict
stage_mapping(struct pipeline_ask *ask, enum phase phase, struct plan *plan)
{
	enum err err;

	(void)phase;
	plan_note(plan, ask->is_local ? NOTE_DOMAIN_LOCAL : NOTE_DOMAIN_FOREIGN,
		ask->recipient.text, SPAN_NONE);
	err = find_recipient(ask, plan);
	switch (err) {
	case OK:
		return goes_elsewhere(ask) ? check_elsewhere(ask, plan) : STAGE_NEXT;
	case ERR_NOT_FOUND:
	case ERR_DENIED:
		return unknown(ask, err, plan);
	case ERR_LIMIT:
		plan_note_number(plan, NOTE_RECIPIENTS_OVER, ask->names->count, ask->names->max);
		plan_refuse(plan, 550, "5.4.6", "Address expands to too many recipients");
		return STAGE_REJECT;
	default:
		return stage_trouble(plan);
	}
}
