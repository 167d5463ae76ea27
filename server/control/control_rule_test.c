/*
 * control_rule_test.c - `rule smtp test`, `rule download test`: which rule holds for one message, and what each
 * condition says.
 *
 * All of it is arithmetic over the configuration that is in force or a draft, so it runs on a worker; for whom a
 * collected message is, the store says.
 */
#include <sys/stat.h>
#include <unistd.h>

#include "server/collect/download_act.h"
#include "server/control/control_notes.h"
#include "server/control/control_rule_file.h"
#include "server/control/control_transfer.h"
#include "server/control/rule_trial.h"
#include "server/generation.h"

#define RULES_TOLD 500 /* whose conditions are told one by one */
#define TEST_HEADER SPAN("\r\n")

struct rule_test {
	struct trial_message message;
	const struct rule_set *set;
	struct rule_set draft;
	struct rule_trial trial;
	unsigned stage;
	const struct conf_collector *collector; /* of download rules: who meets it */
	bool named;		       /* for whom it is was said, */
	struct collected_names found;  /* or else was found */
	struct download_answer decision;
};

/* ---- what is asked ---- */

static bool
read_message(struct control_call *call, struct trial_message *m)
{
	int fd = control_fd(call, "message");
	struct header_end end = { 0 };
	struct stat st;
	char *text;
	ssize_t got;

	m->header = TEST_HEADER;
	m->size = m->header.len;
	if (fd < 0)
		return true;
	text = arena_alloc(&call->arena, HEADER_SIZE_MAX);
	got = pread(fd, text, HEADER_SIZE_MAX, 0);
	if (got < 0 || fstat(fd, &st) != 0)
		return control_fail(
			call, RPC_INVALID, "the message cannot be read", NULL, "message");
	m->header = control_crlf(&call->arena, (struct span){ text, (size_t)got });
	m->header = span_range(m->header, 0, header_end_find(&end, m->header));
	m->size = (uint64_t)st.st_size;
	return true;
}

static bool
read_draft(struct control_call *call, struct rule_test *t)
{
	struct conf_faults *faults = ARENA_NEW(&call->arena, struct conf_faults);
	int fd = control_fd(call, "draft");
	struct span text;
	enum err err;

	t->set = conf_rules_set(generation_conf(call->generation), rule_file_of(call->request));
	if (fd < 0)
		return true;
	if (!control_read_file(call, fd, &text))
		return false;
	conf_faults_init(faults);
	err = rule_text_parse(text, t->set->language, &call->arena, &t->draft, faults);
	if (err != OK)
		control_failf(call, RPC_INVALID, "draft", "line %u: %.*s", faults->items[0].line,
			SPAN_FMT(faults->items[0].text));
	conf_faults_fini(faults);
	t->set = &t->draft;
	return err == OK;
}

/* What a header says may be odd; what the call itself says must be an address. */
static bool
check_parties(struct control_call *call, const struct trial_message *m)
{
	struct address address;

	if (m->from.len > 0 && !span_eq(m->from, SPAN("<>")) &&
		!trial_address(&call->arena, m->from, &address))
		return control_failf(call, RPC_INVALID, "from", "%.*s is no address", SPAN_FMT(m->from));
	for (size_t i = 0; i < m->to_count; i++)
		if (!trial_address(&call->arena, m->to[i], &address))
			return control_failf(call, RPC_INVALID, "to", "%.*s is no address", SPAN_FMT(m->to[i]));
	return true;
}

static bool
read_question(struct control_call *call, struct rule_test *t)
{
	const struct rpc_value *to = rpc_value(call->request, "to");
	struct trial_message *m = &t->message;

	if (!read_message(call, m) || !control_read_time(call, "at", &m->now_ms) || !read_draft(call, t))
		return false;
	t->named = rpc_has(call->request, "to");
	m->declared = rpc_has(call->request, "size");
	m->size = rpc_number(call->request, "size", m->size);
	if (t->named) {
		m->to = to->items;
		m->to_count = to->count;
	}
	return true;
}

/* ---- the answer ---- */

static const char *const truth_words[] = {
	[RULE_FALSE] = "false",
	[RULE_TRUE] = "true",
	[RULE_UNKNOWN] = "not known at this stage",
};

static void
put_truth(struct json_writer *w, enum rule_truth truth)
{
	if (truth == RULE_UNKNOWN)
		json_put_null(w);
	else
		json_put_bool(w, truth == RULE_TRUE);
}

static void
put_why(struct control_call *call, const struct rule_test *t)
{
	const struct rule *rule = t->trial.rule;
	struct json_writer *w = &call->json;
	struct arena *a = &call->arena;

	json_put_name(w, SPAN("why"));
	json_put_array(w);
	if (t->trial.costly)
		json_put_string(w, t->set->language == RULES_OF_SMTP ?
			SPAN("the header takes too long to look at: it would be put off (451)") :
			SPAN("the header takes too long to look at: it would be downloaded"));
	else if (t->decision.because == DOWNLOAD_BY_LIMIT)
		json_put_string(w, arena_printf(a, "no rule holds, and it is over the limit of %.*s, max_kb %lld",
			SPAN_FMT(t->collector->name), (long long)t->collector->max_kb));
	else if (t->collector && !t->collector->download_rules)
		json_put_string(w, arena_printf(a, "%.*s does not use download rules (download_rules: no)",
			SPAN_FMT(t->collector->name)));
	else if (t->decision.because == DOWNLOAD_BY_ELSEWHERE)
		json_put_string(w, SPAN("it is only for people elsewhere (*REMOTE): it is left there"));
	else if (!rule)
		json_put_string(w, arena_printf(a, "none of %zu rules holds: it is %s as usual",
			t->set->count, t->set->language == RULES_OF_SMTP ? "accepted" : "downloaded"));
	else if (rule->condition_count == 0)
		json_put_string(w, SPAN("it has no conditions, so it always holds"));
	for (size_t i = 0; rule && i < rule->condition_count; i++) {
		const struct rule_condition *c = &rule->conditions[i];

		json_put_string(w, arena_printf(a, "line %u, %.*s: %s", (unsigned)c->line,
			SPAN_FMT(rule_condition_text(a, c)),
			truth_words[rule_trial_truth(&t->trial, rule, c)]));
	}
	json_put_close(w);
}

static void
put_one(struct control_call *call, const struct rule_test *t, const struct rule *rule)
{
	struct json_writer *w = &call->json;

	json_put_object(w);
	json_put_member_u64(w, SPAN("number"), rule->number);
	json_put_member_string(w, SPAN("name"), rule->name);
	json_put_member_string(w, SPAN("action"), rule_sign(&call->arena, rule));
	json_put_member_bool(w, SPAN("enabled"), !rule->off);
	json_put_member_bool(w, SPAN("holds"), rule == t->trial.rule);
	json_put_name(w, SPAN("conditions"));
	json_put_array(w);
	for (size_t i = 0; i < rule->condition_count; i++) {
		const struct rule_condition *c = &rule->conditions[i];

		json_put_object(w);
		json_put_member_string(
			w, SPAN("text"), rule_condition_text(&call->arena, c));
		json_put_name(w, SPAN("holds"));
		put_truth(w, rule_trial_truth(&t->trial, rule, c));
		json_put_close(w);
	}
	json_put_close(w);
	json_put_close(w);
}

/* `<` where none holds: that is what happens then. */
static void
put_rule(struct control_call *call, const struct rule_test *t)
{
	const struct rule *rule = t->trial.rule;
	bool limit = t->decision.because == DOWNLOAD_BY_LIMIT;
	struct json_writer *w = &call->json;

	control_put_text_or_null(w, SPAN("rule"), limit ? t->decision.name : rule ? rule->name : SPAN_NONE);
	json_put_member_string(w, SPAN("action"), limit ? (t->decision.asks ? SPAN("?") : SPAN("~")) :
		rule ? rule_sign(&call->arena, rule) : SPAN("<"));
	json_put_member_u64(w, SPAN("number"), rule ? rule->number : 0);
	json_put_member_u64(w, SPAN("line"), rule ? rule->line : 0);
}

static void
put_rules(struct control_call *call, const struct rule_test *t)
{
	struct json_writer *w = &call->json;

	json_put_name(w, SPAN("rules"));
	json_put_array(w);
	for (size_t i = 0; i < t->set->count && i < RULES_TOLD; i++)
		put_one(call, t, &t->set->items[i]);
	json_put_close(w);
}

static void
put_answer(struct control_call *call, const struct rule_test *t)
{
	const struct rule *rule = t->trial.rule;
	struct json_writer *w = &call->json;
	bool one = rule && t->trial.stage == 2;

	json_put_object(w);
	put_rule(call, t);
	json_put_member_u64(w, SPAN("stage"), t->trial.stage);
	control_put_text_or_null(
		w, SPAN("recipient"), one ? t->message.to[t->trial.recipient_no] : SPAN_NONE);
	put_why(call, t);
	put_rules(call, t);
	json_put_close(w);
}

/* What SMTP alone has: stages, and who sends. */
static bool
read_smtp(struct control_call *call, struct rule_test *t)
{
	t->stage = (unsigned)rpc_number(call->request, "stage", 0);
	if (rpc_has(call->request, "stage") && (t->stage < 1 || t->stage > RULE_STAGES))
		return control_fail(call, RPC_INVALID, "a stage is 1, 2 or 3", NULL, "stage");
	if (rpc_has(call->request, "from"))
		t->message.from = control_param(call, "from");
	return true;
}

static bool
test_smtp_work(struct control_call *call)
{
	struct rule_test *t = ARENA_NEW(&call->arena, struct rule_test);

	if (!read_question(call, t) || !read_smtp(call, t) || !check_parties(call, &t->message))
		return false;
	trial_read_parties(&t->message, &call->arena);
	rule_trial_run(&t->trial, &call->arena, t->set, &t->message, t->stage);
	put_answer(call, t);
	return true;
}

const struct control_handler control_do_rule_smtp_test = {
	.work = test_smtp_work,
	.work_kind = WORK_GENERAL,
};


/* ---- download rules ---- */

/* The collector that is named, else the first of the file: most have one. */
static bool
find_collector(struct control_call *call, struct rule_test *t)
{
	static const struct conf_collector nobody = { .name = { "", 0 }, .download_rules = true };
	const struct conf *conf = generation_conf(call->generation);
	const struct conf_collectors *all = &conf->collectors;
	struct span name = control_param(call, "collect");

	t->collector = name.len > 0 ? conf_collector(conf, name) : all->count > 0 ? all->items : NULL;
	if (t->collector)
		t->message.in_mail = (unsigned)(t->collector - all->items) + 1;
	else if (name.len == 0)
		t->collector = &nobody;
	return t->collector || control_failf(call, RPC_NOT_FOUND, "collect", "no collector is called %.*s", SPAN_FMT(name));
}

static bool
test_download_work(struct control_call *call)
{
	struct rule_test *t = ARENA_NEW(&call->arena, struct rule_test);

	call->state = t;
	return read_question(call, t) && find_collector(call, t);
}

/* What it comes to, the limit of the collector and all (INM-04). */
static void
decide(struct control_call *call, struct rule_test *t)
{
	const struct trial_message *m = &t->message;
	const struct download_ask ask = { .conf = generation_conf(call->generation), .rules = t->set,
		.collector = t->collector, .in_mail = m->in_mail, .has_head = true, .has_unique = true,
		.size = m->size, .header = m->header, .names = m->to, .name_count = m->to_count,
		.only_elsewhere = t->found.only_elsewhere,
		.now_ms = m->now_ms, .zone_minutes = host_zone_minutes(m->now_ms) };

	download_decide(&ask, &call->arena, &t->decision);
	if (!t->decision.rule)
		t->trial.rule = NULL; /* the collector does not use them (INM-23) */
}

static void
put_download_answer(struct control_call *call, struct rule_test *t)
{
	struct json_writer *w = &call->json;

	json_put_object(w);
	put_rule(call, t);
	json_put_member_string(w, SPAN("does"), span_of(download_does_name(&t->decision)));
	json_put_name(w, SPAN("names"));
	json_put_array(w);
	for (size_t i = 0; i < t->message.to_count; i++)
		json_put_string(w, t->message.to[i]);
	json_put_close(w);
	control_put_notes(w, SPAN("who"), t->found.notes);
	put_why(call, t);
	put_rules(call, t);
	json_put_close(w);
}

/* For whom it is, by its header as the collector reads it; without any, by its parties. */
static bool
find_names(struct control_call *call, struct rule_test *t, struct snapshot *snap)
{
	const struct conf *conf = generation_conf(call->generation);
	const struct download_reader reader = { conf, snap, t->collector, t->message.now_ms };
	struct trial_message *m = &t->message;
	enum err err;

	if (t->named)
		return true;
	if (t->message.in_mail == 0) {
		trial_read_parties(m, &call->arena);
		trial_take_names(m, &call->arena, conf);
		return true;
	}
	err = trial_find_names(m, &call->arena, &reader, &t->found);
	return control_fail_err(call, err, "the recipients");
}

static enum step
test_download_read(struct control_call *call, struct snapshot *snap)
{
	struct rule_test *t = call->state;

	if (!find_names(call, t, snap))
		return STEP_FAIL;
	rule_trial_run(&t->trial, &call->arena, t->set, &t->message, 0);
	decide(call, t);
	put_download_answer(call, t);
	return STEP_DONE;
}

const struct control_handler control_do_rule_download_test = {
	.work = test_download_work,
	.work_kind = WORK_GENERAL,
	.read = test_download_read,
};
