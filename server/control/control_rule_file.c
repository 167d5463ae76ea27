/*
 * control_rule_file.c - a text of rules put in force; a bad one changes nothing (contract 8).
 */
#include "server/control/control_rule_file.h"

#include "conf/conf_file.h"
#include "server/control/control_transfer.h"
#include "server/generation.h"
#include "server/server.h"

enum rule_file
rule_file_of(const struct rpc_request *request)
{
	return span_starts(span_of(request->method->method), SPAN("rule.download.")) ? RULE_FILE_DOWNLOAD
										   : RULE_FILE_SMTP;
}

bool
rule_file_begin(struct control_call *call, enum rule_file file)
{
	return rule_file_begin_in(call, file, ARENA_NEW(&call->arena, struct rule_change));
}

bool
rule_file_begin_in(struct control_call *call, enum rule_file file, struct rule_change *c)
{
	call->state = c;
	c->config.object = span_of(conf_rules_name(file));
	control_rules_begin(call, &c->rules, file);
	return control_config_begin(call, &c->config);
}

bool
rule_file_refuse(struct control_call *call, const struct conf_faults *faults)
{
	struct span named = control_rules_faults(call, faults);

	control_fail(call, RPC_INVALID, arena_text(&call->arena, named), "nothing was changed", "file");
	for (size_t i = 0; i < faults->count; i++) {
		if (faults->items[i].is_warning)
			continue;
		call->error.line = faults->items[i].line;
		call->error.column = faults->items[i].column;
		break;
	}
	return false;
}

static bool
is_good(struct control_call *call, struct rule_change *c, struct span text)
{
	struct conf_faults *faults = ARENA_NEW(&call->arena, struct conf_faults);
	enum err err;

	conf_faults_init(faults);
	err = conf_rules_check(c->rules.file, text, &c->count, faults);
	if (err != OK)
		rule_file_refuse(call, faults);
	conf_faults_fini(faults);
	return err == OK;
}

bool
rule_file_put(struct control_call *call, struct span text)
{
	struct rule_change *c = call->state;

	if (!is_good(call, c, text))
		return false;
	if (call->foresees)
		return true;
	if (!control_rules_write(call, &c->rules, text, call->request->method->words))
		return false;
	if (c->rules.written)
		c->config.number = control_rules_no(&c->rules);
	return true;
}

bool
rule_file_work(struct control_call *call)
{
	struct span text;

	return control_read_file(call, control_fd(call, "file"), &text) && rule_file_put(call, text);
}

bool
rule_file_take(struct control_call *call)
{
	struct rule_change *c = call->state;

	return control_rules_take(call, &c->rules);
}

enum err
rule_file_change(struct control_call *call, struct txn *txn)
{
	struct rule_change *c = call->state;

	return control_config_record(call, txn, &c->config, 0);
}

/* "LAN rules" of one is "LAN rule". */
static struct span
name_of(const struct rule_change *c)
{
	struct span name = span_of(conf_rules_name(c->rules.file));

	return span_range(name, 0, name.len - (c->count == 1));
}

enum step
rule_file_foresee(struct control_call *call, struct snapshot *snap)
{
	const struct rule_change *c = call->state;

	(void)snap;
	control_foresee(call,
		arena_printf(&call->arena, "%zu %.*s in force, in place of %zu", c->count,
			SPAN_FMT(name_of(c)),
			conf_rules_count(generation_conf(call->generation), c->rules.file)));
	return STEP_DONE;
}

void
rule_file_finish(struct control_call *call)
{
	const struct rule_change *c = call->state;

	call->note = arena_printf(
		&call->arena, "%zu %.*s in force", c->count, SPAN_FMT(name_of(c)));
}

struct span
rule_file_would(struct control_call *call, enum rule_file file)
{
	return arena_printf(
		&call->arena, "would put the %s of this text in force", conf_rules_name(file));
}

/* ---- looking ---- */

void
rule_file_answer(struct control_call *call, struct span text)
{
	call->text = span_range(text, 0, CONTROL_LINE_MAX);
}

void
rule_file_show(struct control_call *call, enum rule_file file)
{
	rule_file_answer(call, conf_rules_text(generation_conf(call->generation), file));
	control_call_end(call);
}

bool
rule_file_look(struct control_call *call, enum rule_file file)
{
	struct control_rules *r = ARENA_NEW(&call->arena, struct control_rules);

	call->state = r;
	control_rules_begin(call, r, file);
	return true;
}

bool
rule_file_text(struct control_call *call, struct span *text)
{
	const struct control_rules *r = call->state;
	int fd = control_fd(call, "file");
	struct stat st;
	enum err err;

	*text = SPAN("");
	if (fd >= 0)
		return control_read_file(call, fd, text);
	err = conf_file_read_max(r->path, RULE_FILE_TEXT_MAX, &call->arena, text, &st);
	return err == ERR_NOT_FOUND || control_fail_err(call, err, "the file of the rules");
}
