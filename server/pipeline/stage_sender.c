/*
 * stage_sender.c - who sends, what that person may do, and whether the message says the truth.
 *
 * A sender counts as one of us by a login; by the address alone only in a `noauth` range
 * (contract 8). What may be decided about an address is decided on its parsed value (H9).
 */
#include "server/pipeline/stages.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "server/pipeline/forged.h"
#include "server/pipeline/names.h"

static struct access_decision
access_of_peer(const struct pipeline_ask *ask)
{
	struct in6_addr address;

	memcpy(&address, ask->mail->peer.ip, sizeof(address));
	return access_decide(ask->mail->access, &address, ask->mail->user);
}

/* SMT-02: an address without a domain gets the default one; <> and <postmaster> are left. */
static enum verdict
complete(struct pipeline_ask *ask, struct address *address, struct plan *plan)
{
	struct span before = address->text;

	if (!(address->flags & ADDRESS_NO_DOMAIN))
		return STAGE_NEXT;
	if (address_with_domain(plan->arena, address, conf_default_domain(ask->conf), address) !=
		OK) {
		plan_note(plan, NOTE_ADDRESS_REFUSED, before, SPAN("no domain, and no default one"));
		plan_refuse(plan, 553, "5.1.3", "Address without a domain");
		return STAGE_REJECT;
	}
	plan_note(plan, NOTE_DOMAIN_ADDED, before, address->text);
	return STAGE_NEXT;
}

static enum verdict
refuse_login_missing(struct pipeline_ask *ask, const char *why, struct plan *plan)
{
	plan_note(plan, NOTE_AUTH_REQUIRED, span_of(ask->mail->peer.text), span_of(why));
	plan_refuse(plan, 530, "5.7.0", "Authentication required"); /* RFC 4954, 6 */
	return STAGE_REJECT;
}

/* Which setting wants a login on the MX side (SMT-03, SMT-05); NULL: none. */
static const char *
why_login(const struct conf *conf)
{
	if (conf->smtp_require_auth)
		return "smtp.require_auth";
	return conf->smtp_pop_before_smtp > 0 ? "smtp.pop_before_smtp" : NULL;
}

/* SMT-03, 05 and 06, before it is known who the recipients are. */
static enum verdict
check_login(struct pipeline_ask *ask, bool noauth, struct plan *plan)
{
	const struct conf *conf = ask->conf;

	if (ask->mail->user_id != 0 || noauth || ask->mail->popped)
		return STAGE_NEXT;
	if (ask->mail->via == MAIL_VIA_SUBMISSION)
		return refuse_login_missing(ask, "this is the port for users", plan);
	if (ask->mail->via == MAIL_VIA_MX && why_login(conf) && conf->smtp_auth_for_local)
		return refuse_login_missing(ask, why_login(conf), plan);
	return STAGE_NEXT;
}

/* The user whose address the return address is, in a range that is trusted (contract 8, SMT-16). */
static enum verdict
standing_by_address(struct pipeline_ask *ask, struct plan *plan)
{
	const struct address *from = &ask->mail->envelope.reverse_path;
	struct user user;
	enum err err = ERR_NOT_FOUND;

	plan->standing = STANDING_RANGE;
	if (!address_is_null(from) && conf_is_local(ask->conf, from->local_part, from->domain))
		err = names_user(ask->snap, from->local_part, &user);
	if (err == ERR_NOT_FOUND)
		return STAGE_NEXT;
	if (err != OK)
		return stage_trouble(plan);
	plan->standing = STANDING_USER;
	plan->sender_id = user.user_id;
	plan_note(plan, NOTE_SENDER_LOCAL, from->text, user.name);
	return STAGE_NEXT;
}

static enum verdict
find_standing(struct pipeline_ask *ask, struct access_decision access, struct plan *plan)
{
	const struct mail *mail = ask->mail;

	if (mail->via == MAIL_VIA_LOCAL) {
		plan->standing = STANDING_USER;
		return STAGE_NEXT;
	}
	if (mail->via == MAIL_VIA_LMTP) {
		plan_note(plan, NOTE_SENDER_IN_FRONT, span_of(mail->peer.text), SPAN_NONE);
		return STAGE_NEXT;
	}
	if (mail->user_id != 0) {
		plan->standing = STANDING_USER;
		plan->sender_id = mail->user_id;
		plan_note(plan, NOTE_SENDER_USER, mail->user, SPAN_NONE);
		return STAGE_NEXT;
	}
	if (access.answer == ACCESS_ALLOW_NOAUTH) {
		plan_note(plan, NOTE_SENDER_NOAUTH, span_of(mail->peer.text), access.line->text);
		return standing_by_address(ask, plan);
	}
	if (mail->popped) { /* that user, or a neighbour: nobody by name (H12) */
		plan->standing = STANDING_RANGE;
		plan_note(plan, NOTE_SENDER_POPPED, span_of(mail->peer.text),
			SPAN("smtp.pop_before_smtp"));
		return STAGE_NEXT;
	}
	plan_note(plan, NOTE_SENDER_STRANGER, span_of(mail->peer.text), SPAN_NONE);
	return STAGE_NEXT;
}

bool
stage_is_relay_range(struct access_decision access)
{
	return access.answer == ACCESS_ALLOW && access.line && access.line->user_count == 0 &&
		access.line->bits > 0;
}

/* SMT-08; contract 8: without access lines nobody relays by his address alone. */
static void
find_relay_right(struct pipeline_ask *ask, struct access_decision access, struct plan *plan)
{
	const struct address *from = &ask->mail->envelope.reverse_path;
	bool login_missing = why_login(ask->conf) && plan->standing == STANDING_STRANGER;

	plan->may_relay = ask->mail->via != MAIL_VIA_LMTP;
	if (!plan->may_relay)
		plan->relay_why = "LMTP delivers here and nowhere else";
	else if (plan->standing == STANDING_USER && ask->mail->user_id != 0)
		plan->relay_why = "the sender logged in";
	else if (ask->mail->via == MAIL_VIA_LOCAL)
		plan->relay_why = "written on this server";
	else if (access.answer == ACCESS_ALLOW_NOAUTH)
		plan->relay_why = "a range that needs no login";
	else if (ask->mail->popped)
		plan->relay_why = "a POP3 login from this address";
	else if (ask->conf->smtp_relay_check == RELAY_NONE && !login_missing)
		plan->relay_why = "smtp.relay_check is none";
	else if (ask->conf->smtp_relay_check == RELAY_CLIENT_IP && stage_is_relay_range(access) &&
		!login_missing)
		plan->relay_why = "an access line allows the client";
	else if (ask->conf->smtp_relay_check == RELAY_LAN && ask->mail->peer_is_lan &&
		!login_missing)
		plan->relay_why = "the client is on our network";
	else if (ask->conf->smtp_relay_check == RELAY_FROM && !address_is_null(from) &&
		conf_is_local(ask->conf, from->local_part, from->domain) && !login_missing)
		plan->relay_why = "the return address is ours";
	else {
		plan->may_relay = false;
		plan->relay_why = "the sender is a stranger";
	}
}

/* H12: the logged-in user, as read now; his spans live in the snapshot. */
static enum err
sender_user(struct pipeline_ask *ask, struct user *out)
{
	return names_user_by_id(ask->snap, ask->mail->user_id, out);
}

static enum verdict
refuse_from(struct pipeline_ask *ask, struct span address, struct plan *plan)
{
	plan_note(plan, NOTE_FROM_FOREIGN, ask->mail->user, address);
	plan_refuse(plan, 553, "5.7.1", "Not an address of yours");
	return STAGE_REJECT;
}

/* H12: the return address is the user's own, or empty (a report of his program, RFC 8098). */
static enum verdict
check_envelope_sender(struct pipeline_ask *ask, struct plan *plan)
{
	const struct address *from = &ask->mail->envelope.reverse_path;
	struct user user;

	if (address_is_null(from)) {
		plan_note(plan, NOTE_SENDER_NULL, SPAN_NONE, SPAN_NONE);
		return STAGE_NEXT;
	}
	if (ask->mail->user_id == 0)
		return STAGE_NEXT;
	if (sender_user(ask, &user) != OK)
		return stage_trouble(plan);
	if (!names_may_use(ask->conf, ask->snap, &user, from))
		return refuse_from(ask, from->text, plan);
	return STAGE_NEXT;
}

static enum verdict
at_mail(struct pipeline_ask *ask, struct plan *plan)
{
	struct access_decision access = { .answer = ACCESS_DENY };
	enum verdict verdict;

	plan->standing = STANDING_STRANGER;
	if (!ask->mail->peer.is_unix && ask->mail->via != MAIL_VIA_LOCAL)
		access = access_of_peer(ask);
	verdict = complete(ask, &ask->mail->envelope.reverse_path, plan);
	if (verdict == STAGE_NEXT)
		verdict = check_login(ask, access.answer == ACCESS_ALLOW_NOAUTH, plan);
	if (verdict == STAGE_NEXT)
		verdict = find_standing(ask, access, plan);
	if (verdict == STAGE_NEXT)
		verdict = check_envelope_sender(ask, plan);
	find_relay_right(ask, access, plan);
	return verdict;
}

/* SMT-13: % and ! once meant a way through us; they never do here (H9). */
static enum verdict
check_spelling(struct pipeline_ask *ask, struct plan *plan)
{
	if (!ask->conf->smtp_refuse_percent || ask->mail->via == MAIL_VIA_POP3 || /* nothing of it is relayed */
		!(ask->recipient.flags & (ADDRESS_PERCENT | ADDRESS_BANG)))
		return STAGE_NEXT;
	plan_note(plan, NOTE_ADDRESS_REFUSED, ask->recipient.text, SPAN("smtp.refuse_percent"));
	plan_refuse(plan, 553, "5.1.3", "Addresses with % or ! are not taken");
	return STAGE_REJECT;
}

/* RFC 5321, 4.5.1: ours, whatever the default domain is. */
static bool
is_bare_postmaster(const struct address *address)
{
	return (address->flags & ADDRESS_NO_DOMAIN) &&
		span_eq_nocase(address->local_part, SPAN("postmaster"));
}

/* user@[an address of this host] is the user at the default domain. */
static bool
take_own_literal(struct pipeline_ask *ask, struct plan *plan)
{
	struct span before = ask->recipient.text;

	if (!(ask->recipient.flags & ADDRESS_LITERAL) ||
		!names_is_own_literal(&ask->mail->own, ask->recipient.domain) ||
		address_with_domain(plan->arena, &ask->recipient, conf_default_domain(ask->conf),
			&ask->recipient) != OK)
		return false;
	plan_note(plan, NOTE_LITERAL_OURS, before, ask->recipient.text);
	return true;
}

static enum verdict
at_rcpt(struct pipeline_ask *ask, struct plan *plan)
{
	bool is_ours = is_bare_postmaster(&ask->recipient);
	enum verdict verdict = complete(ask, &ask->recipient, plan);

	if (take_own_literal(ask, plan))
		is_ours = true;
	if (verdict == STAGE_NEXT)
		verdict = check_spelling(ask, plan);
	if (verdict != STAGE_NEXT)
		return verdict;
	ask->is_local = is_ours || ask->mail->to_users || names_target(ask->mail, &ask->recipient) ||
		names_is_valid(ask->conf, ask->mail, &ask->recipient);
	if (ask->is_local || plan->may_relay || ask->mail->via == MAIL_VIA_POP3)
		return STAGE_NEXT; /* of collected mail nothing is relayed: stage_mapping.c */
	if (why_login(ask->conf) && ask->mail->via == MAIL_VIA_MX)
		return refuse_login_missing(ask, why_login(ask->conf), plan);
	plan_note(plan, NOTE_RELAY_REFUSED, ask->recipient.text, span_of(plan->relay_why));
	plan_refuse(plan, 550, "5.7.1", "Relaying denied"); /* SMT-07 */
	return STAGE_REJECT;
}

/* Every address of one From or Sender field must be the user's. */
static enum verdict
check_field(struct pipeline_ask *ask, const struct user *user, struct span value, struct plan *plan)
{
	struct header_mailbox mailbox;
	struct address address;
	size_t looked_at = 0;

	while (header_next_mailbox(&value, &mailbox)) {
		if (++looked_at > (size_t)ask->conf->limits_addresses ||
			address_parse(plan->arena, mailbox.address, &address) != OK)
			return refuse_from(ask, mailbox.address, plan);
		if ((address.flags & ADDRESS_NO_DOMAIN) &&
			address_with_domain(plan->arena, &address, conf_default_domain(ask->conf),
				&address) != OK)
			return refuse_from(ask, mailbox.address, plan);
		if (!names_may_use(ask->conf, ask->snap, user, &address))
			return refuse_from(ask, address.text, plan);
	}
	return looked_at > 0 ? STAGE_NEXT : refuse_from(ask, value, plan);
}

/* RFC 6409, 8: a message without From gets the return address there, which is permitted already. */
static bool
gets_from(const struct mail *mail)
{
	return mail->facts.from_fields == 0 && !address_is_null(&mail->envelope.reverse_path);
}

/* H12: exactly one From, every address in it and in Sender permitted. */
static enum verdict
at_end(struct pipeline_ask *ask, struct plan *plan)
{
	const struct header_facts *facts = &ask->mail->facts;
	struct user user;
	enum verdict verdict;

	forged_note(ask, plan);
	if (ask->mail->user_id == 0 || ask->mail->via == MAIL_VIA_LOCAL)
		return STAGE_NEXT;
	if (facts->from_fields != 1 && !gets_from(ask->mail)) {
		plan_note_number(plan, NOTE_FROM_COUNT, facts->from_fields, 1);
		plan_refuse(plan, 550, "5.7.1", "A message needs exactly one From field");
		return STAGE_REJECT;
	}
	if (sender_user(ask, &user) != OK)
		return stage_trouble(plan);
	verdict = facts->from.ptr ? check_field(ask, &user, facts->from, plan) : STAGE_NEXT;
	if (verdict == STAGE_NEXT && facts->sender.ptr)
		verdict = check_field(ask, &user, facts->sender, plan);
	return verdict;
}

enum verdict
stage_sender(struct pipeline_ask *ask, enum phase phase, struct plan *plan)
{
	if (phase == AT_MAIL)
		return at_mail(ask, plan);
	return phase == AT_RCPT ? at_rcpt(ask, plan) : at_end(ask, plan);
}
