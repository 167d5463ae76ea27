/*
 * rule_trial.c - rules asked about a message that is only looked at.
 */
#include "server/control/rule_trial.h"

#include "proto/mail/header.h"
#include "server/collect/download_act.h"

bool
control_read_time(struct control_call *call, const char *param, int64_t *now_ms)
{
	int64_t from_s, to_s;

	*now_ms = call->now_ms;
	if (!rpc_has(call->request, param))
		return true;
	if (control_parse_time(control_param(call, param), call->now_ms / 1000, &from_s, &to_s) != OK)
		return control_fail(call, RPC_INVALID, "this is no time", NULL, param);
	*now_ms = from_s * 1000;
	return true;
}

/* ---- the parties ---- */

static void
add_addresses(struct trial_message *m, struct arena *a, struct span value)
{
	struct header_mailbox mailbox;

	while (m->to_count < TRIAL_RECIPIENTS_MAX && header_next_mailbox(&value, &mailbox))
		m->to[m->to_count++] = arena_copy(a, mailbox.address);
}

void
trial_read_parties(struct trial_message *m, struct arena *a)
{
	struct span rest = m->header, from = header_find(m->header, SPAN("From"));
	struct header_mailbox mailbox;
	struct header_field field;

	if (m->from.ptr == NULL && header_next_mailbox(&from, &mailbox))
		m->from = arena_copy(a, mailbox.address);
	if (m->to_count > 0)
		return;
	m->to = ARENA_ARRAY(a, struct span, TRIAL_RECIPIENTS_MAX);
	while (header_next(&rest, &field))
		if (span_eq_nocase(field.name, SPAN("To")) || span_eq_nocase(field.name, SPAN("Cc")))
			add_addresses(m, a, field.value);
}

void
trial_take_names(struct trial_message *m, struct arena *a, const struct conf *conf)
{
	struct address address;

	for (size_t i = 0; i < m->to_count; i++)
		if (trial_address(a, m->to[i], &address) && conf_is_local(conf, address.local_part, address.domain))
			m->to[i] = address.local_part;
}

enum err
trial_find_names(struct trial_message *m, struct arena *a, const struct download_reader *reader,
	struct collected_names *found)
{
	enum err err = download_names(reader, a, m->header, NULL, found);

	m->to = ARENA_ARRAY(a, struct span, found->count);
	m->to_count = found->count;
	for (size_t i = 0; i < found->count; i++)
		m->to[i] = found->users[i];
	return err;
}

/* ---- asking ---- */

bool
trial_address(struct arena *a, struct span text, struct address *out)
{
	return address_parse(a, text, out) == OK && !address_is_null(out);
}

static void
fill_mail(struct mail *mail, struct arena *a, const struct trial_message *m)
{
	struct mail_options options = { .has_size = m->declared, .size = m->size };
	struct address from;

	if (!trial_address(a, m->from, &from))
		from = (struct address){ .flags = ADDRESS_NULL };
	*mail = (struct mail){ .arena = a, .header = m->header, .size = m->size, .now_ms = m->now_ms,
		.zone_minutes = host_zone_minutes(m->now_ms) };
	envelope_init(&mail->envelope, a, &from, &options);
}

struct asking {
	struct rule_trial *out;
	struct arena *arena;
	const struct rule_set *set;
	struct mail mail;
};

static bool
ask(struct asking *k, unsigned stage, const struct address *recipient)
{
	struct rule_facts *facts = &k->out->facts[stage];
	struct rule_answer answer;

	rule_facts_fill(facts, k->arena, k->set, &k->mail, stage, recipient);
	if (rule_set_ask(k->set, facts, &answer) != OK)
		k->out->costly = true;
	else if (answer.rule && !k->out->rule) {
		k->out->rule = answer.rule;
		k->out->stage = stage;
	}
	return k->out->rule != NULL;
}

/* Each in turn, until a rule holds for one; all of them are in the envelope then. SMTP takes no other. */
static void
ask_recipients(struct asking *k, const struct trial_message *m, bool asks)
{
	static const struct recipient_options none;

	for (size_t i = 0; i < m->to_count; i++) {
		struct address to;

		if (!trial_address(k->arena, m->to[i], &to))
			continue;
		if (asks && ask(k, 2, &to)) {
			k->out->recipient_no = i;
			asks = false;
		}
		if (envelope_add_recipient(&k->mail.envelope, &to, &none, TRIAL_RECIPIENTS_MAX, NULL) != OK)
			break;
	}
}

static void
run_download(struct rule_trial *out, struct arena *a, const struct rule_set *set, const struct trial_message *m)
{
	const struct download_ask ask = { .in_mail = m->in_mail, .size = m->size, .header = m->header,
		.names = m->to, .name_count = m->to_count, .now_ms = m->now_ms,
		.zone_minutes = host_zone_minutes(m->now_ms) };
	struct rule_answer answer;

	download_facts(&ask, set, a, &out->facts[RULE_STAGES]);
	out->costly = rule_set_ask(set, &out->facts[RULE_STAGES], &answer) != OK;
	out->stage = RULE_STAGES;
	out->rule = answer.rule;
}

void
rule_trial_run(struct rule_trial *out, struct arena *a, const struct rule_set *set,
	const struct trial_message *m, unsigned stage)
{
	struct asking k = { .out = out, .arena = a, .set = set };

	*out = (struct rule_trial){ .rule = NULL };
	if (set->language == RULES_OF_DOWNLOAD) {
		run_download(out, a, set, m);
		return;
	}
	fill_mail(&k.mail, a, m);
	for (unsigned i = 1; i <= RULE_STAGES; i++)
		out->facts[i].stage = i; /* what is asked at a stage that nobody asked is not known */
	if (stage == 0 || stage == 1)
		(void)ask(&k, 1, NULL);
	ask_recipients(&k, m, (stage == 0 && !out->rule) || stage == 2);
	if (stage == 0 || stage == RULE_STAGES)
		(void)ask(&k, RULE_STAGES, NULL);
}

enum rule_truth
rule_trial_truth(
	const struct rule_trial *trial, const struct rule *rule, const struct rule_condition *c)
{
	const struct rule_facts *facts = &trial->facts[rule->stage];
	uint64_t steps = 0;

	if (rule == trial->rule)
		facts = &trial->facts[trial->stage];
	else if (rule->asks_size && !rule->stage_given && !trial->facts[RULE_STAGES].declared)
		facts = &trial->facts[RULE_STAGES];
	return rule_condition_holds(c, facts, &steps);
}
