/*
 * stage_mapping.c - step 1 of RTE-01: which mappings fit, and so which names are looked up.
 *
 *     all mail of users goes out (LOC-08)?      the queue
 *     a mapping fits the sender (MAP-10)?       its targets, whoever the recipient is
 *     mappings fit the recipient (MAP-04)?      the targets of all of them
 *     a valid domain (LOC-03)?                  the local-part
 *     else                                      the queue; collected mail is passed over (LOC-04)
 *
 * A target enters behind the mappings, so mappings never chain. What the names mean is the
 * next stage's; ~@domain is asked for when that found nobody (stage_unknown.c).
 */
#include "server/pipeline/stages.h"

#include "server/pipeline/names.h"
#include "store/mappings.h"
#include "store/names.h"

struct keeper {
	struct name_wants *wants;
	enum want_by by;
	bool exact_only; /* a foreign address: contract 8 */
	size_t max;
};

static enum err
keep(void *arg, const struct mapping *mapping)
{
	struct keeper *keeper = arg;

	if (keeper->exact_only &&
		span_find_any(mapping->pattern, SPAN("*?")) < mapping->pattern.len)
		return OK;
	if (keeper->wants->count >= keeper->max)
		return ERR_LIMIT;
	wants_add(keeper->wants, keeper->by, mapping->target, mapping->pattern);
	return OK;
}

static struct mapping_query
query_of(const struct pipeline_ask *ask)
{
	bool collected = ask->mail->via == MAIL_VIA_POP3;

	return (struct mapping_query){
		.local_part = ask->recipient.local_part,
		.domain = ask->recipient.domain,
		.domain_is_valid = ask->is_local,
		.from = collected ? MAPPING_POP3 : MAPPING_SMTP,
		.collect = ask->mail->collect,
	};
}

static enum err
ask_mappings(struct pipeline_ask *ask)
{
	struct mapping_query query = query_of(ask);
	struct keeper keeper = { ask->wants, WANT_MAPPED, !ask->is_local, ask->names->max };

	return mapping_each_match(ask->snap, &query, keep, &keeper);
}

enum err
mapping_rest(struct pipeline_ask *ask, struct plan *plan)
{
	struct mapping_query query = query_of(ask);
	struct keeper keeper = { ask->wants, WANT_REST, false, ask->names->max };

	wants_init(ask->wants, plan->arena);
	return mapping_each_catch_all(ask->snap, &query, keep, &keeper);
}

/* ---- the sender ---- */

/* ~@domain for senders: those of the domain that nobody here is. */
static enum err
ask_sender_rest(struct pipeline_ask *ask, const struct mapping_query *query, struct keeper *keeper)
{
	struct name_row row;
	enum err err = ERR_NOT_FOUND;

	if (query->domain_is_valid)
		err = name_find(ask->snap, query->local_part, &row);
	if (err != ERR_NOT_FOUND)
		return err;
	return mapping_each_catch_all(ask->snap, query, keep, keeper);
}

static enum verdict
at_mail(struct pipeline_ask *ask, struct plan *plan)
{
	const struct address *from = &ask->mail->envelope.reverse_path;
	struct mapping_query query = { .local_part = from->local_part, .domain = from->domain,
		.from = MAPPING_SENDER };
	struct name_wants *wants = ARENA_NEW(plan->arena, struct name_wants);
	struct keeper keeper = { wants, WANT_SENDER, false,
		(size_t)ask->conf->limits_expansion_recipients };
	enum err err;

	if (address_is_null(from))
		return STAGE_NEXT;
	wants_init(wants, plan->arena);
	query.domain_is_valid = conf_is_local(ask->conf, from->local_part, from->domain);
	err = mapping_each_match(ask->snap, &query, keep, &keeper);
	if (err == OK && wants->count == 0)
		err = ask_sender_rest(ask, &query, &keeper);
	if (err != OK)
		return stage_trouble(plan);
	plan->sender_wants = wants->count > 0 ? wants : NULL;
	return STAGE_NEXT;
}

/* ---- a recipient ---- */

static enum err
add_elsewhere(struct pipeline_ask *ask, bool needs_right, const char *why)
{
	return names_add(ask->names, &(struct name){ .target = TARGET_ADDRESS,
		.address = ask->recipient.text, .needs_right = needs_right, .why = why });
}

static void
note_domain(const struct pipeline_ask *ask, struct plan *plan)
{
	struct span to = ask->recipient.text;

	if (names_collector(ask->conf, ask->mail))
		plan_note(plan, ask->is_local ? NOTE_DOMAIN_COLLECTED : NOTE_DOMAIN_NOT_COLLECTED,
			to, ask->mail->collect);
	else
		plan_note(plan, ask->is_local ? NOTE_DOMAIN_LOCAL : NOTE_DOMAIN_FOREIGN, to,
			SPAN_NONE);
}

/* LOC-08: a satellite hands all that users send to its parent; what the server writes stays. */
static bool
is_for_parent(const struct pipeline_ask *ask, const struct plan *plan)
{
	return !ask->conf->domains_route_locally && ask->is_local &&
		plan->standing == STANDING_USER && ask->mail->via != MAIL_VIA_LOCAL;
}

/* LOC-04: nobody collected it for this address. */
static enum verdict
pass_over(struct plan *plan)
{
	plan_refuse(plan, 550, "5.1.1", "Not an address that mail is collected for");
	return STAGE_REJECT;
}

static enum verdict
trouble_or_too_many(struct pipeline_ask *ask, enum err err, struct plan *plan)
{
	ask->found = err;
	return err == ERR_LIMIT ? STAGE_NEXT : stage_trouble(plan); /* stage_unknown.c says so */
}

/* A collector or a download rule chose it, so no mapping is asked (INM-09, DLR-09). */
static enum verdict
take_target(struct pipeline_ask *ask, const struct mail_target *target, struct plan *plan)
{
	struct name name = { .target = TARGET_ADDRESS, .address = ask->recipient.text, .route = target->route,
		.why = "its collector sends it there" };

	if (ask->names->count > 0)
		return STAGE_NEXT; /* by an SMTP rule */
	if (target->route.len > 0)
		return names_add(ask->names, &name) == OK ? STAGE_NEXT : stage_trouble(plan);
	if (target->target.len > 0)
		wants_add(ask->wants, WANT_COLLECTED, target->target, SPAN_NONE);
	else
		ask->found = ERR_NOT_FOUND;
	return STAGE_NEXT;
}

static enum verdict
at_rcpt(struct pipeline_ask *ask, struct plan *plan)
{
	const struct mail_target *target;
	enum err err;

	if ((target = names_target(ask->mail, &ask->recipient)) != NULL)
		return take_target(ask, target, plan);
	note_domain(ask, plan);
	if (ask->names->count > 0)
		return STAGE_NEXT; /* by a LAN rule */
	if (ask->mail->to_users) {
		wants_add(ask->wants, WANT_NAMED, ask->recipient.local_part, SPAN_NONE);
		return STAGE_NEXT;
	}
	if (is_for_parent(ask, plan)) {
		plan_note(plan, NOTE_MAPPING_ELSEWHERE, ask->recipient.text, SPAN_NONE);
		err = add_elsewhere(ask, false, "domains.route_locally is off");
		return err == OK ? STAGE_NEXT : stage_trouble(plan);
	}
	if (ask->is_local && plan->sender_wants) {
		*ask->wants = *plan->sender_wants;
		return STAGE_NEXT;
	}
	if ((err = ask_mappings(ask)) != OK)
		return trouble_or_too_many(ask, err, plan);
	if (ask->wants->count > 0)
		return STAGE_NEXT;
	if (ask->is_local) {
		wants_add(ask->wants, WANT_OWN, ask->recipient.local_part, SPAN_NONE);
		return STAGE_NEXT;
	}
	if (ask->mail->via == MAIL_VIA_POP3)
		return pass_over(plan);
	err = add_elsewhere(ask, true, plan->relay_why);
	return err == OK ? STAGE_NEXT : stage_trouble(plan);
}

enum verdict
stage_mapping(struct pipeline_ask *ask, enum phase phase, struct plan *plan)
{
	return phase == AT_MAIL ? at_mail(ask, plan) : at_rcpt(ask, plan);
}
