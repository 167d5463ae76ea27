/*
 * control_rule_try.c - `rule smtp try`, `rule download try`: a draft of the rules asked about messages that are here, beside the
 * rules in force, so that one sees what a change would change (console.md, rule editor).
 *
 * The envelope of a message is in its trace, which the Received field in front of its header names; of one
 * whose trace is gone by age the header says the parties.
 */
#include <stdio.h>

#include "conf/rule_edit.h"
#include "proto/mail/message_no.h"
#include "server/collect/download_act.h"
#include "server/control/control_notes.h"
#include "server/control/control_rule_file.h"
#include "server/control/rule_trial.h"
#include "server/generation.h"
#include "store/contents.h"
#include "store/traces.h"

#define TRY_LAST 100         /* messages, where it is not said how many */
#define TRY_LAST_MAX 1000
#define TRY_LOOKS_MAX 50000  /* contents that are looked at for one message */

struct rule_try {
	const struct conf *conf;
	const struct rule_set *draft, *now;
	unsigned in_mail;        /* of download rules */
	struct rule_set own;     /* of the draft */
	const struct rule *told; /* whose conditions are wanted; or NULL */
	int64_t at_ms;           /* 0: when the message came */
	uint64_t one;            /* this message only; 0: the last ones */
	struct span pasted;      /* or this text */
	uint64_t before, seen_no;
	size_t wanted, looked;
};

/* ---- what is asked ---- */

/* The rules in force with one rule in the place of NUMBER, or behind the last. */
static bool
draft_with_rule(struct control_call *call, const struct rule_try *t, uint64_t number, struct span *out)
{
	struct span rule = control_param(call, "rule");
	struct buf text;
	enum err err;

	buf_init(&text, RULE_TEXT_MAX);
	if (number >= 1 && number <= t->now->count)
		err = rule_edit_replace(t->now, (unsigned)number, rule, &text);
	else
		err = rule_edit_insert(t->now, (unsigned)t->now->count + 1, rule, &text);
	*out = err == OK ? arena_copy(&call->arena, buf_span(&text)) : rule;
	buf_fini(&text);
	return err == OK || err == ERR_SYNTAX || control_fail_err(call, err, "the rules");
}

static bool
read_draft(struct control_call *call, struct rule_try *t, uint64_t number)
{
	struct conf_faults *faults = ARENA_NEW(&call->arena, struct conf_faults);
	struct span draft = control_param(call, "draft");
	enum err err = OK;

	t->now = t->draft = conf_rules_set(generation_conf(call->generation), rule_file_of(call->request));
	if (rpc_has(call->request, "rule") && !draft_with_rule(call, t, number, &draft))
		return false;
	if (!rpc_has(call->request, "draft") && !rpc_has(call->request, "rule"))
		return true;
	conf_faults_init(faults);
	err = rule_text_parse(draft, t->now->language, &call->arena, &t->own, faults);
	if (err != OK) {
		control_fail(call, RPC_INVALID, arena_text(&call->arena, arena_printf(&call->arena, "line %u: %.*s",
			faults->items[0].line, SPAN_FMT(faults->items[0].text))), NULL, "draft");
		call->error.line = faults->items[0].line;
		call->error.column = faults->items[0].column;
	}
	conf_faults_fini(faults);
	t->draft = &t->own;
	return err == OK;
}

static bool
read_against(struct control_call *call, struct rule_try *t)
{
	struct span against = control_param(call, "against");

	if (against.len == 0 || span_eq(against, SPAN("last")))
		return true;
	if (span_find(against, '\n') < against.len) {
		t->pasted = control_crlf(&call->arena, against);
		return true;
	}
	return message_no_parse(against, &t->one) == OK ||
		control_failf(call, RPC_INVALID, "against", "%.*s is not \"last\", no message id and no message",
			SPAN_FMT(against));
}

static bool
read_collector(struct control_call *call, struct rule_try *t)
{
	const struct conf_collectors *all = &t->conf->collectors;
	const struct conf_collector *c;
	struct span name;

	if (t->now->language != RULES_OF_DOWNLOAD)
		return true; /* SMTP rules have no such parameter */
	name = control_param(call, "collect");
	c = name.len > 0 ? conf_collector(t->conf, name) : all->count > 0 ? all->items : NULL;
	t->in_mail = c ? (unsigned)(c - all->items) + 1 : 0;
	return c || name.len == 0 ||
		control_failf(call, RPC_NOT_FOUND, "collect", "no collector is called %.*s", SPAN_FMT(name));
}

static bool
try_work(struct control_call *call)
{
	struct rule_try *t = ARENA_NEW(&call->arena, struct rule_try);
	uint64_t number = rpc_number(call->request, "number", 0);

	call->state = t;
	t->before = UINT64_MAX;
	t->wanted = (size_t)rpc_number(call->request, "last", TRY_LAST);
	if (t->wanted > TRY_LAST_MAX)
		t->wanted = TRY_LAST_MAX;
	t->conf = generation_conf(call->generation);
	if (!read_draft(call, t, number) || !read_against(call, t) || !read_collector(call, t))
		return false;
	if (t->one)
		t->wanted = 1;
	if (rpc_has(call->request, "rule") && (number == 0 || number > t->draft->count))
		number = t->draft->count;
	if (number >= 1 && number <= t->draft->count)
		t->told = &t->draft->items[number - 1];
	return !rpc_has(call->request, "now") || control_read_time(call, "now", &t->at_ms);
}

/* ---- a row ---- */

static void
put_conditions(struct control_rows *rows, struct arena *a, const struct rule_try *t,
	const struct rule_trial *trial)
{
	static const struct span words[] = { [RULE_FALSE] = { "n", 1 }, [RULE_TRUE] = { "y", 1 },
		[RULE_UNKNOWN] = { "-", 1 } };
	size_t count = t->told ? t->told->condition_count : 0;
	struct span *items = ARENA_ARRAY(a, struct span, count);
	struct span *told = ARENA_ARRAY(a, struct span, count);

	for (size_t i = 0; i < count; i++) {
		items[i] = words[rule_trial_truth(trial, t->told, &t->told->conditions[i])];
		told[i] = arena_printf(a, "%.*s  %.*s", SPAN_FMT(items[i]),
			SPAN_FMT(rule_condition_text(a, &t->told->conditions[i])));
	}
	control_put_list(rows, items, count);
	control_put_list(rows, told, count);
}

static void
put_rule(struct control_rows *rows, struct arena *a, const struct rule *rule)
{
	control_put_text(rows, rule ? rule->name : SPAN_NONE);
	control_put_text(rows, rule ? rule_sign(a, rule) : SPAN("<"));
}

/* Who and when, as the trace says; and as whom it was known. */
struct try_subject {
	struct trial_message message;
	struct span id, subject;
	struct collected_names found; /* of download rules: for whom a collector would find it to be */
};

static void
put_row(struct control_call *call, const struct rule_try *t, struct try_subject *s, struct arena *a)
{
	struct rule_trial *now = ARENA_NEW(a, struct rule_trial), *before = ARENA_NEW(a, struct rule_trial);
	struct trial_message *m = &s->message;
	struct control_rows *rows = &call->rows;
	int64_t came_ms = m->now_ms;
	struct span sign, old;

	if (t->at_ms)
		m->now_ms = t->at_ms;
	rule_trial_run(now, a, t->draft, m, 0);
	rule_trial_run(before, a, t->now, m, 0);
	sign = now->rule ? rule_sign(a, now->rule) : SPAN("<");
	old = before->rule ? rule_sign(a, before->rule) : SPAN("<");
	control_row(rows, s->id);
	control_put_time_ms(rows, came_ms);
	control_put_text(rows, m->from.ptr ? m->from : SPAN(""));
	control_put_list(rows, m->to, m->to_count);
	control_put_number(rows, (int64_t)m->size);
	put_rule(rows, a, now->rule);
	put_rule(rows, a, before->rule);
	control_put_number(rows, !span_eq(sign, old));
	control_put_text(rows, s->id);
	control_put_text(rows, s->subject.ptr ? s->subject : SPAN(""));
	control_put_number(rows, now->rule ? now->rule->number : 0);
	if (t->now->language == RULES_OF_SMTP)
		control_put_number(rows, now->stage);
	control_put_number(rows, before->rule ? before->rule->number : 0);
	put_conditions(rows, a, t, now);
	if (t->now->language == RULES_OF_DOWNLOAD) {
		size_t count;
		struct span *who = control_note_lines(a, s->found.notes, &count);

		control_put_list(rows, who, count);
	}
}

/* ---- messages ---- */

/* "... id 4Kx09E;" of the Received field that we put in front (SMT-17). */
static bool
number_of(struct span header, uint64_t *no)
{
	struct span rest = header_find(header, SPAN("Received")), word;
	bool follows = false;

	while ((rest = span_trim_folds(rest)).len > 0) {
		word = span_range(rest, 0, span_find_any(rest, SPAN(" \t\r\n;")));
		if (follows)
			return message_no_parse(word, no) == OK;
		follows = span_eq(word, SPAN("id"));
		rest = span_from(rest, word.len + (word.len == 0));
	}
	return false;
}

static void
take_trace(struct try_subject *s, struct arena *a, const struct trace *trace)
{
	struct trial_message *m = &s->message;
	struct span rest = trace->recipients, address;

	m->now_ms = trace->time_ms;
	m->from = trace->sender.ptr ? trace->sender : SPAN("");
	m->size = trace->size_bytes;
	m->to = ARENA_ARRAY(a, struct span, TRIAL_RECIPIENTS_MAX);
	while (m->to_count < TRIAL_RECIPIENTS_MAX && trace_recipient_next(&rest, &address))
		m->to[m->to_count++] = address;
	s->subject = trace->subject;
}

/*
 * Download rules are asked about names that the collector would find in the header; without a collector, about the
 * parties that are ours.
 */
static bool
take_parties(struct control_call *call, const struct rule_try *t, struct try_subject *s, struct snapshot *snap,
	struct arena *a)
{
	struct trial_message *m = &s->message;
	const struct download_reader reader = { t->conf, snap, t->in_mail > 0 ? &t->conf->collectors.items[t->in_mail - 1] :
		NULL, m->now_ms };

	trial_read_parties(m, a);
	m->in_mail = t->in_mail;
	if (t->now->language == RULES_OF_DOWNLOAD && t->in_mail == 0)
		trial_take_names(m, a, t->conf);
	return t->now->language != RULES_OF_DOWNLOAD || t->in_mail == 0 ||
		control_fail_err(call, trial_find_names(m, a, &reader, &s->found), "the recipients");
}

static void
try_content(struct control_call *call, struct rule_try *t, struct snapshot *snap,
	const struct content *content)
{
	struct try_subject s = { .message = { .header = content->header,
		.size = content->header.len + content->body_size, .now_ms = call->now_ms } };
	char text[MESSAGE_NO_SIZE];
	struct trace trace;
	uint64_t no = 0;
	struct arena a;

	if (!number_of(content->header, &no) || no == t->seen_no || (t->one && no != t->one))
		return; /* not received, or another version of the same */
	t->seen_no = no;
	t->wanted--;
	arena_init(&a, NULL);
	s.id = message_no_format(no, text);
	if (trace_find(snap, no, &trace) == OK)
		take_trace(&s, &a, &trace);
	if (take_parties(call, t, &s, snap, &a))
		put_row(call, t, &s, &a);
	arena_reset(&a);
}

static void
try_pasted(struct control_call *call, const struct rule_try *t, struct snapshot *snap)
{
	struct header_end end = { 0 };
	struct try_subject s = { .message = { .size = t->pasted.len, .now_ms = call->now_ms },
		.id = SPAN("pasted") };

	s.message.header = span_range(t->pasted, 0, header_end_find(&end, t->pasted));
	s.subject = header_find(s.message.header, SPAN("Subject"));
	if (take_parties(call, t, &s, snap, &call->arena))
		put_row(call, t, &s, &call->arena);
}

static enum step
try_read(struct control_call *call, struct snapshot *snap)
{
	struct control_slice slice = control_slice_begin();
	struct rule_try *t = call->state;
	struct content content;
	enum err err = OK;

	if (t->pasted.len > 0) {
		try_pasted(call, t, snap);
		t->wanted = 0;
	}
	while (!call->failed && t->wanted > 0 && t->looked++ < TRY_LOOKS_MAX && err != ERR_NOT_FOUND) {
		err = content_prev(snap, t->before, &content);
		t->before = content.content_id;
		if (err == OK && !content.veiled)
			try_content(call, t, snap, &content);
		else if (err == ERR_IO)
			break;
		if (control_slice_is_over_now(&slice))
			return STEP_MORE;
	}
	control_rows_end(&call->rows);
	if (err == ERR_IO)
		control_fail_err(call, err, "the messages");
	else if (!call->failed && t->one && t->wanted > 0)
		control_fail(call, RPC_NOT_FOUND, "that message is not here any more", NULL, "against");
	return call->failed ? STEP_FAIL : STEP_DONE;
}

const struct control_handler control_do_rule_smtp_try = {
	.work = try_work,
	.work_kind = WORK_GENERAL,
	.read = try_read,
}, control_do_rule_download_try = {
	.work = try_work,
	.work_kind = WORK_GENERAL,
	.read = try_read,
};
