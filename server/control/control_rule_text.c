/*
 * control_rule_text.c - rules of the two rule languages, `rule smtp` and `rule download`: listed with their hits,
 * shown, checked, put in force, switched and moved. The method says of which file.
 */
#include <stdio.h>
#include <string.h>

#include "conf/rule_edit.h"
#include "server/collect/download.h"
#include "server/control/control_rule_file.h"
#include "server/generation.h"
#include "server/pipeline/rule_targets.h"
#include "server/rule_hits.h"

/* The same steps for `rule smtp NAME` and `rule download NAME`. */
#define RULE_METHOD(name, ...)                                                                     \
	const struct control_handler control_do_rule_smtp_##name = {__VA_ARGS__};                  \
	const struct control_handler control_do_rule_download_##name = {__VA_ARGS__}

static const struct rule_set *
set_of(const struct control_call *call)
{
	return conf_rules_set(generation_conf(call->generation), rule_file_of(call->request));
}

/* ---- list ---- */

static void
put_conditions(struct control_rows *rows, struct arena *a, const struct rule *rule)
{
	struct span *items = ARENA_ARRAY(a, struct span, rule->condition_count);

	for (size_t i = 0; i < rule->condition_count; i++)
		items[i] = rule_condition_text(a, &rule->conditions[i]);
	control_put_list(rows, items, rule->condition_count);
}

static void
put_hits(struct control_call *call, const struct rule *rule)
{
	struct rule_hit_counts hits = rule_hits_of(call->host->shared, rule->key, call->now_ms);

	control_put_number(&call->rows, (int64_t)hits.day);
	control_put_number(&call->rows, (int64_t)hits.total);
	control_put_time_ms(&call->rows, hits.last_ms);
}

static void
put_begin(struct control_call *call, struct arena *a, const struct rule *rule)
{
	struct control_rows *rows = &call->rows;

	control_row(rows, arena_printf(a, "%u", (unsigned)rule->number));
	control_put_number(rows, rule->number);
	control_put_number(rows, !rule->off);
	control_put_text(rows, rule->name);
	control_put_text(rows, rule->any ? SPAN("any") : SPAN("all"));
	put_conditions(rows, a, rule);
	control_put_text(rows, rule_sign(a, rule));
}

static void
put_smtp_rule(struct control_call *call, struct arena *a, const struct rule *rule)
{
	struct control_rows *rows = &call->rows;

	put_begin(call, a, rule);
	control_put_number(rows, rule->stage);
	put_hits(call, rule);
	control_put_number(rows, rule->line);
	control_put_text(rows, rule->target.ptr ? rule->target : SPAN(""));
	control_put_number(rows, rule->stage_given);
	control_put_number(rows, rule->timed);
}

static void
put_download_rule(struct control_call *call, struct arena *a, const struct rule *rule, bool automatic)
{
	struct control_rows *rows = &call->rows;

	put_begin(call, a, rule);
	put_hits(call, rule);
	control_put_number(rows, automatic);
	control_put_number(rows, rule->line);
	control_put_text(rows, rule->target.ptr ? rule->target : SPAN(""));
	control_put_number(rows, rule->also);
}

/* The limits of collectors stand behind all others, and are changed there (DLR-13, Q-82). */
static void
put_limits(struct control_call *call, struct arena *a, size_t count)
{
	const struct conf *conf = generation_conf(call->generation);
	struct rule rule;

	for (size_t i = 0; i < conf->collectors.count; i++)
		if (download_limit_rule(a, &conf->collectors.items[i], (unsigned)i + 1, &rule)) {
			rule.number = (uint32_t)++count;
			put_download_rule(call, a, &rule, true);
		}
}

/* On a worker: there may be 100,000 of them. */
static bool
list_work(struct control_call *call)
{
	const struct rule_set *set = set_of(call);
	bool smtp = set->language == RULES_OF_SMTP;
	struct arena a;

	arena_init(&a, NULL);
	for (size_t i = 0; i < set->count; i++) {
		if (smtp)
			put_smtp_rule(call, &a, &set->items[i]);
		else
			put_download_rule(call, &a, &set->items[i], false);
		arena_reset(&a);
	}
	if (!smtp)
		put_limits(call, &a, set->count);
	arena_reset(&a);
	control_rows_end(&call->rows);
	return true;
}

RULE_METHOD(list, .work = list_work, .work_kind = WORK_GENERAL);

/* ---- show ---- */

static void
show(struct control_call *call)
{
	enum rule_file file = rule_file_of(call->request);
	const struct conf *conf = generation_conf(call->generation);
	const struct rule_set *set = conf_rules_set(conf, file);
	struct span text = conf_rules_text(conf, file);
	uint64_t number = rpc_number(call->request, "number", 0);

	if (rpc_has(call->request, "number") &&
		rule_block(set, number <= RULES_MAX ? (unsigned)number : 0, &text) != OK)
		control_failf(call, RPC_NOT_FOUND, "number", "there is no rule %llu",
			(unsigned long long)number);
	else
		rule_file_answer(call, text);
	control_call_end(call);
}

RULE_METHOD(show, .start = show);

static void
edit(struct control_call *call)
{
	rule_file_show(call, rule_file_of(call->request));
}

RULE_METHOD(edit, .start = edit);

/* ---- apply ---- */

static bool
change_check(struct control_call *call)
{
	return rule_file_begin(call, rule_file_of(call->request));
}

static struct span
apply_would(struct control_call *call, const struct rpc_request *request)
{
	return rule_file_would(call, rule_file_of(request));
}

#define RULE_EDITED .check = change_check, .foresee = rule_file_foresee, .finish = rule_file_finish, RULE_FILE_CHANGES

RULE_METHOD(apply, .work = rule_file_work, .would = apply_would, RULE_EDITED);

/* ---- check ---- */

struct rule_check {
	struct control_rules rules; /* first */
	struct conf_faults faults;
	struct rule_set set;
	struct arena scratch; /* of the set: given back on the worker, since it may be large */
};

static void
check_free(void *arg)
{
	arena_reset(&((struct rule_check *)arg)->scratch);
}

static bool
check_check(struct control_call *call)
{
	struct rule_check *c = ARENA_NEW(&call->arena, struct rule_check);

	call->state = c;
	arena_init(&c->scratch, NULL);
	arena_on_reset(&call->arena, check_free, c);
	control_rules_begin(call, &c->rules, rule_file_of(call->request));
	return true;
}

static bool
check_work(struct control_call *call)
{
	struct rule_check *c = call->state;
	struct span text;

	if (!rule_file_text(call, &text))
		return false;
	conf_faults_init(&c->faults);
	if (rule_text_parse(text, conf_rules_language(c->rules.file), &c->scratch, &c->set, &c->faults) != OK)
		c->set.count = 0;
	return true;
}

static enum step
check_read(struct control_call *call, struct snapshot *snap)
{
	struct rule_check *c = call->state;
	enum err err = rule_targets_check(
		generation_conf(call->generation), snap, &c->set, &c->faults);

	conf_faults_sort(&c->faults);
	control_put_faults(&call->rows, &c->faults);
	conf_faults_fini(&c->faults);
	arena_reset(&c->scratch);
	return err == OK || err == ERR_SYNTAX || control_fail_err(call, err, "the targets")
		? STEP_DONE : STEP_FAIL;
}

RULE_METHOD(check, .check = check_check, .work = check_work, .work_kind = WORK_GENERAL, .read = check_read);

/* ---- on, off, move ---- */

/* EDIT's text becomes the file's. */
static bool
put_edited(struct control_call *call, enum err err, struct buf *text)
{
	bool done = false;

	if (err == ERR_NOT_FOUND)
		control_failf(call, RPC_NOT_FOUND, "number", "there is no such rule: %zu are in force",
			set_of(call)->count);
	else if (control_fail_err(call, err, "the rules"))
		done = rule_file_put(call, arena_copy(&call->arena, buf_span(text)));
	buf_fini(text);
	return done;
}

static unsigned
number_of(struct control_call *call, const char *param)
{
	uint64_t number = rpc_number(call->request, param, 0);

	return number <= RULES_MAX ? (unsigned)number : 0;
}

static bool
switch_rule(struct control_call *call, bool on)
{
	const struct rule_set *set = set_of(call);
	struct buf text;

	buf_init(&text, RULE_TEXT_MAX);
	return put_edited(
		call, rule_edit_switch(set, number_of(call, "number"), on, &text), &text);
}

static bool
on_work(struct control_call *call)
{
	return switch_rule(call, true);
}

static bool
off_work(struct control_call *call)
{
	return switch_rule(call, false);
}

static bool
move_work(struct control_call *call)
{
	const struct rule_set *set = set_of(call);
	struct buf text;

	buf_init(&text, RULE_TEXT_MAX);
	return put_edited(call, rule_edit_move(set, number_of(call, "number"),
		number_of(call, "place"), &text), &text);
}

/* ---- add, set, remove ---- */

/* A rule that is none is told with its line, by the whole text as it would become. */
static bool
put_text(struct control_call *call, unsigned number, bool replaces)
{
	const struct rule_set *set = set_of(call);
	struct span rule = control_param(call, "text");
	struct buf text;
	enum err err;

	buf_init(&text, RULE_TEXT_MAX);
	err = replaces ? rule_edit_replace(set, number, rule, &text) :
			 rule_edit_insert(set, number, rule, &text);
	if (err == ERR_SYNTAX) {
		struct conf_faults *faults = ARENA_NEW(&call->arena, struct conf_faults);
		struct rule_set one;

		conf_faults_init(faults);
		if (rule_text_parse(rule, set->language, &call->arena, &one, faults) == OK)
			control_fail(call, RPC_INVALID, "the text must be one rule", NULL, "text");
		else
			control_failf(call, RPC_INVALID, "text", "line %u: %.*s", faults->items[0].line,
				SPAN_FMT(faults->items[0].text));
		conf_faults_fini(faults);
		buf_fini(&text);
		return false;
	}
	return put_edited(call, err, &text);
}

static bool
add_work(struct control_call *call)
{
	return put_text(call, rpc_has(call->request, "place") ? number_of(call, "place") : RULES_MAX, false);
}

static bool
set_work(struct control_call *call)
{
	return put_text(call, number_of(call, "number"), true);
}

static bool
remove_work(struct control_call *call)
{
	const struct rule_set *set = set_of(call);
	const struct rpc_value *numbers = rpc_value(call->request, "numbers");
	bool *gone = ARENA_ARRAY(&call->arena, bool, set->count + 1);
	struct buf text;
	uint64_t number;
	enum err err = OK;

	memset(gone, 0, set->count + 1);
	for (size_t i = 0; i < numbers->count && err == OK; i++) {
		if (span_u64(numbers->items[i], set->count, &number) != OK || number == 0)
			err = ERR_NOT_FOUND;
		else
			gone[number - 1] = true;
	}
	buf_init(&text, RULE_TEXT_MAX);
	return put_edited(call, err == OK ? rule_edit_remove(set, gone, &text) : err, &text);
}

static struct span
remove_would(struct control_call *call, const struct rpc_request *request)
{
	const struct rpc_value *numbers = rpc_value(request, "numbers");

	struct span name = span_of(conf_rules_name(rule_file_of(request)));

	return arena_printf(&call->arena, "would remove %zu %.*s, with the comments right above", numbers->count,
		SPAN_FMT(span_range(name, 0, name.len - (numbers->count == 1))));
}

RULE_METHOD(on, .work = on_work, RULE_EDITED);
RULE_METHOD(off, .work = off_work, RULE_EDITED);
RULE_METHOD(move, .work = move_work, RULE_EDITED);
RULE_METHOD(add, .work = add_work, RULE_EDITED);
RULE_METHOD(set, .work = set_work, RULE_EDITED);
RULE_METHOD(remove, .work = remove_work, .would = remove_would, RULE_EDITED);
