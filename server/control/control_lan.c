/*
 * control_lan.c - LAN forwarding rules: listed, shown, checked, put in force, asked about an address.
 *
 * `apply` writes the file of rules.lan and takes it over at once; a bad text changes nothing (contract 8).
 */
#include <stdio.h>

#include "server/control/control_explain.h"
#include "server/control/control_notes.h"
#include "server/control/control_rule_file.h"
#include "server/generation.h"
#include "server/pipeline/names.h"

#define LAN_ADMIN_WARNING                                                                          \
	"warning: the Main Administrator's own mail goes there, so he would not see errors of LAN " \
	"forwarding (LAN-14)"

/* ---- list, show ---- */

/* "smtp, 1-3, Isp" */
static struct span
conditions_text(struct arena *a, const struct lan_rule *rule)
{
	struct span text = SPAN("");

	if (rule->pop3)
		text = SPAN("pop3");
	if (rule->smtp)
		text = arena_printf(a, "%.*s%ssmtp", SPAN_FMT(text), text.len ? ", " : "");
	for (size_t i = 0; i < rule->source_count; i++) {
		const struct lan_source *s = &rule->sources[i];
		const char *comma = text.len ? ", " : "";

		if (s->from == 0)
			text = arena_printf(a, "%.*s%s%.*s", SPAN_FMT(text), comma, SPAN_FMT(s->name));
		else if (s->from == s->to)
			text = arena_printf(a, "%.*s%s%u", SPAN_FMT(text), comma, s->from);
		else
			text = arena_printf(a, "%.*s%s%u-%u", SPAN_FMT(text), comma, s->from, s->to);
	}
	return text;
}

static struct span
pattern_text(struct arena *a, const struct lan_rule *rule)
{
	if (rule->domain.len == 0)
		return rule->local;
	return arena_printf(a, "%.*s@%.*s", SPAN_FMT(rule->is_rest ? SPAN("~") : rule->local),
		SPAN_FMT(rule->domain));
}

static void
lan_list(struct control_call *call)
{
	const struct lan_rules *rules = &call->host->conf->lan_rules;
	struct control_rows *rows = &call->rows;
	struct span rest = rules->text, line;
	unsigned number = 0;
	struct arena a;

	arena_init(&a, NULL);
	for (size_t i = 0; i < rules->count; i++) {
		const struct lan_rule *rule = &rules->items[i];

		while (number < rule->line && span_next_line(&rest, &line))
			number++;
		control_row(rows, arena_printf(&a, "%u", (unsigned)rule->line));
		control_put_number(rows, rule->line);
		control_put_text(rows, pattern_text(&a, rule));
		control_put_text(rows, rule->target);
		control_put_text(rows, rule->rewrite.ptr ? rule->rewrite : SPAN(""));
		control_put_text(rows, conditions_text(&a, rule));
		control_put_text(rows, span_trim(line));
		arena_reset(&a);
	}
	control_rows_end(rows);
	control_call_end(call);
}

const struct control_handler control_do_route_lan_list = {.start = lan_list};

static void
lan_show(struct control_call *call)
{
	rule_file_show(call, RULE_FILE_LAN);
}

const struct control_handler control_do_route_lan_show = {.start = lan_show};

/* ---- apply ---- */

static bool
apply_check(struct control_call *call)
{
	return rule_file_begin(call, RULE_FILE_LAN);
}

static struct span
apply_would(struct control_call *call, const struct rpc_request *request)
{
	(void)request;
	return rule_file_would(call, RULE_FILE_LAN);
}

/* Do the rules send the Main Administrator's own mail away? */
static bool
takes_administrator(struct control_call *call, const struct user *admin)
{
	const struct conf *conf = call->host->conf;
	struct span text = arena_printf(&call->arena, "%.*s@%.*s", SPAN_FMT(admin->name),
		SPAN_FMT(conf_default_domain(conf)));
	struct address to;
	struct lan_query query = { .to = &to, .domain_is_valid = true, .smtp = true };

	return address_parse(&call->arena, text, &to) == OK &&
		lan_rules_match(&conf->lan_rules, &query, false);
}

static void
apply_finish(struct control_call *call)
{
	struct snapshot *snap = host_snapshot(call->host);
	struct user admin;

	rule_file_finish(call);
	if (snap && names_main_administrator(call->host->conf, snap, &admin) == OK &&
		takes_administrator(call, &admin))
		call->note = arena_printf(
			&call->arena, "%.*s; " LAN_ADMIN_WARNING, SPAN_FMT(call->note));
}

const struct control_handler control_do_route_lan_apply = {
	.check = apply_check,
	.work = rule_file_work,
	.foresee = rule_file_foresee,
	.would = apply_would,
	.finish = apply_finish,
	RULE_FILE_CHANGES,
};

/* ---- check ---- */

static bool
check_check(struct control_call *call)
{
	return rule_file_look(call, RULE_FILE_LAN);
}

static bool
check_work(struct control_call *call)
{
	struct conf_faults *faults = ARENA_NEW(&call->arena, struct conf_faults);
	struct lan_rules rules;
	struct arena scratch;
	struct span text;

	if (!rule_file_text(call, &text))
		return false;
	arena_init(&scratch, NULL);
	conf_faults_init(faults);
	if (lan_rules_parse(text, &scratch, &rules, faults) == OK)
		lan_rules_check_collectors(
			&rules, &generation_conf(call->generation)->collectors, faults);
	conf_faults_sort(faults);
	control_put_faults(&call->rows, faults);
	conf_faults_fini(faults);
	arena_reset(&scratch);
	return true;
}

const struct control_handler control_do_route_lan_check = {
	.check = check_check,
	.work = check_work,
	.work_kind = WORK_GENERAL,
};

/* ---- test ---- */

/* The rule that sent COPY away, by the note of the pipeline; 0: none did (an `SMTP:` target). */
static uint64_t
line_of(const struct explained *e, struct span *rule, const struct lan_rules *rules)
{
	struct span notes = plan_notes(&e->plan);
	uint64_t line = 0;
	struct note note;

	*rule = SPAN("");
	while (note_take(&notes, &note) == PARSE_DONE)
		if ((note.code == NOTE_LAN_FITS || note.code == NOTE_LAN_REST) && line == 0 &&
			span_u64(note.because, UINT32_MAX, &line) != OK)
			line = 0;
	if (line > 0) {
		struct span rest = rules->text;

		for (uint64_t i = 0; i < line && span_next_line(&rest, rule); i++)
			continue;
	}
	return line;
}

static void
put_forwarded(struct control_call *call, const struct explained *e)
{
	const struct plan_copy *copy = e->plan.copies;
	struct json_writer *w = &call->json;
	struct span server = SPAN_NONE, rule;
	uint64_t line = line_of(e, &rule, &call->host->conf->lan_rules);

	while (copy && !span_starts(copy->route, SPAN(LAN_ROUTE_PREFIX)))
		copy = copy->next;
	if (copy)
		server = span_from(copy->route, sizeof(LAN_ROUTE_PREFIX) - 1);
	json_put_member_bool(w, SPAN("forwarded"), copy != NULL);
	json_put_member_u64(w, SPAN("line"), line);
	json_put_member_string(w, SPAN("rule"), span_trim(rule));
	json_put_member_string(w, SPAN("server"), server.ptr ? server : SPAN(""));
	json_put_member_string(w, SPAN("to"), copy ? copy->target : SPAN(""));
}

static void
lan_test(struct control_call *call)
{
	struct span address = control_param(call, "address");
	struct explain_ask ask = {explain_via(call), control_param(call, "from"),
		control_param(call, "auth"), control_param(call, "collect"), &address, 1,
		control_param(call, "peer")};
	struct explained *e = ARENA_NEW(&call->arena, struct explained);
	struct json_writer *w = &call->json;

	e->header = EXPLAIN_HEADER;
	e->size = e->header.len;
	if (explained_run(call, e, &ask)) {
		json_put_object(w);
		json_put_member_string(w, SPAN("address"), address);
		put_forwarded(call, e);
		control_put_notes(w, SPAN("reasons"), plan_notes(&e->plan));
		explained_put_reply(w, e);
		json_put_close(w);
	}
	control_call_end(call);
}

const struct control_handler control_do_route_lan_test = {.start = lan_test};
