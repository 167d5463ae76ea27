/*
 * control_content.c - the site's script, rules.content: shown, checked, put in force, tried on a message.
 *
 * As the other rule files it is a text beside the configuration with a history; a text is compiled in a child before it
 * is written, so that one that does not compile changes nothing.
 */
#include "server/control/control_explain.h"
#include "server/control/control_rule_file.h"
#include "server/control/control_scripts.h"
#include "server/control/control_transfer.h"
#include "server/generation.h"
#include "server/pipeline/script_answer.h"
#include "server/script/scripts_inside.h"

/* ---- show ---- */

static void
show(struct control_call *call)
{
	rule_file_show(call, RULE_FILE_CONTENT);
}

const struct control_handler control_do_rule_content_show = { .start = show };

/* ---- apply ---- */

struct content_change {
	struct rule_change change; /* first */
	struct control_script script;
};

static bool
apply_check(struct control_call *call)
{
	struct content_change *c = ARENA_NEW(&call->arena, struct content_change);

	return rule_file_begin_in(call, RULE_FILE_CONTENT, &c->change);
}

static bool
apply_work(struct control_call *call)
{
	struct content_change *c = call->state;

	return control_script_read(call, &c->script);
}

static bool
apply_ask(struct control_call *call)
{
	struct content_change *c = call->state;

	return control_script_ask(call, &c->script);
}

/* Without a snapshot: the file is written. */
static enum step
apply_read(struct control_call *call, struct snapshot *snap)
{
	(void)call;
	(void)snap;
	return STEP_DONE;
}

static bool
apply_write(struct control_call *call)
{
	struct content_change *c = call->state;

	return rule_file_put(call, c->script.text);
}

static enum step
apply_foresee(struct control_call *call, struct snapshot *snap)
{
	const struct content_change *c = call->state;

	(void)snap;
	control_foresee(call, c->script.text.len == 0
			? SPAN("no content rules are in force")
			: arena_printf(&call->arena, "%zu bytes of content rules in force",
				  c->script.text.len));
	return STEP_DONE;
}

static struct span
apply_would(struct control_call *call, const struct rpc_request *request)
{
	(void)request;
	return rule_file_would(call, RULE_FILE_CONTENT);
}

static void
apply_finish(struct control_call *call)
{
	const struct content_change *c = call->state;

	call->note = c->script.text.len == 0 ? SPAN("no content rules are in force")
					     : SPAN("the content rules are in force");
}

const struct control_handler control_do_rule_content_apply = {
	.check = apply_check,
	.work = apply_work,
	.ask = apply_ask,
	.read = apply_read,
	.spill = apply_write,
	.foresee = apply_foresee,
	.would = apply_would,
	.finish = apply_finish,
	RULE_FILE_CHANGES,
};

/* ---- check ---- */

struct content_check {
	struct control_rules rules; /* first */
	struct script_check check;
	struct control_call *call;
	struct span text;
};

static bool
check_check(struct control_call *call)
{
	struct content_check *c = ARENA_NEW(&call->arena, struct content_check);

	call->state = c;
	c->call = call;
	control_rules_begin(call, &c->rules, RULE_FILE_CONTENT);
	return true;
}

static bool
check_work(struct control_call *call)
{
	struct content_check *c = call->state;

	return rule_file_text(call, &c->text);
}

static void
put_fault(struct control_call *call, const struct script_check *check)
{
	struct control_rows *rows = &call->rows;

	if (check->failed.len == 0)
		return;
	control_row(rows, SPAN("1"));
	control_put_number(rows, check->line);
	control_put_number(rows, check->line > 0 ? 1 : 0);
	control_put_text(rows, SPAN(""));
	control_put_text(rows, check->failed);
	control_put_number(rows, false);
}

static void
on_checked(struct script_check *check)
{
	struct content_check *c = LIST_ITEM(check, struct content_check, check);

	put_fault(c->call, check);
	control_call_go(c->call, CALL_READ);
}

static bool
check_ask(struct control_call *call)
{
	struct content_check *c = call->state;

	c->check.arena = &call->arena;
	c->check.done = on_checked;
	if (script_check_begin(call->host, &c->check, c->text))
		return true;
	put_fault(call, &c->check);
	return false;
}

const struct control_handler control_do_rule_content_check = {
	.check = check_check,
	.work = check_work,
	.work_kind = WORK_GENERAL,
	.ask = check_ask,
	.read = apply_read,
};

/* ---- test ---- */

struct content_test {
	struct explained e; /* first */
	struct script_run run;
	struct control_call *call;
	struct span draft;
};

static bool
test_work(struct control_call *call)
{
	struct content_test *t = ARENA_NEW(&call->arena, struct content_test);

	call->state = t;
	t->call = call;
	return explained_read(call, &t->e) &&
		(control_fd(call, "draft") < 0 ||
			control_read_file(call, control_fd(call, "draft"), &t->draft));
}

static void
on_tested(struct runner_job *job, const struct runner_answer *answer)
{
	struct script_run *run = LIST_ITEM(job, struct script_run, job);
	struct content_test *t = LIST_ITEM(run, struct content_test, run);
	struct arena *a = &t->call->arena;
	char says[RUNNER_SAYS_SIZE];

	if (answer->end != RUNNER_EXITED || answer->number != 0 ||
		script_answer_read(a, arena_copy(a, answer->output), &run->answer) != OK)
		run->answer.failed = arena_copy(a, span_of(runner_says(answer, says)));
	control_call_go(t->call, CALL_READ);
}

/* The envelope as its header has it, where none is given. */
static void
test_parties(struct control_call *call, struct content_test *t)
{
	const struct rpc_value *to = rpc_value(call->request, "to");
	struct mail *mail = &t->e.mail;
	struct address address = { .flags = ADDRESS_NULL };
	struct header_mailbox box;
	struct span rest = mail->facts.from;
	static const struct recipient_options none;
	static const struct mail_options no_options;

	if (rpc_has(call->request, "from"))
		(void)!address_parse(&call->arena, control_param(call, "from"), &address);
	else if (header_next_mailbox(&rest, &box))
		(void)!address_parse(&call->arena, box.address, &address);
	envelope_init(&mail->envelope, &call->arena, &address, &no_options);
	for (size_t i = 0; rpc_has(call->request, "to") && i < to->count; i++)
		if (address_parse(&call->arena, to->items[i], &address) == OK)
			(void)!envelope_add_recipient(&mail->envelope, &address, &none, SIZE_MAX, NULL);
	rest = mail->facts.to;
	while (!rpc_has(call->request, "to") && header_next_mailbox(&rest, &box))
		if (address_parse(&call->arena, box.address, &address) == OK)
			(void)!envelope_add_recipient(
				&mail->envelope, &address, &none, SCRIPT_RCPTS_MAX, NULL);
}

static bool
test_ask(struct control_call *call)
{
	struct content_test *t = call->state;
	struct buf in;
	enum err err;

	explained_begin(call, &t->e, MAIL_VIA_MX);
	test_parties(call, t);
	t->run.text = control_fd(call, "draft") >= 0
		? t->draft : conf_rules_text(call->host->conf, RULE_FILE_CONTENT);
	buf_init(&in, SCRIPT_INPUT_MAX);
	err = script_give(NULL, &t->e.mail, &t->run, &in);
	t->run.job = (struct runner_job){ .script = true, .input = buf_span(&in),
		.timeout_ms = SCRIPT_CPU_MS, .output_max = SCRIPT_ANSWER_MAX, .done = on_tested };
	if (err == OK)
		err = runner_run(call->host, &t->run.job);
	buf_fini(&in);
	return control_fail_err(call, err, "the script");
}

static void
put_list(struct control_call *call, struct span name, const struct script_answer *answer, bool logs)
{
	struct json_writer *w = &call->json;

	json_put_name(w, name);
	json_put_array(w);
	for (size_t i = 0; i < answer->count; i++) {
		const struct script_action *action = &answer->actions[i];
		const struct script_answer one = { .actions = action, .count = 1 };

		if (logs && action->kind == SCRIPT_LOG)
			json_put_string(w, action->text);
		else if (!logs && action->kind != SCRIPT_LOG)
			json_put_string(w, script_answer_text(&call->arena, &one));
	}
	json_put_close(w);
}

static void
test_finish(struct control_call *call)
{
	const struct content_test *t = call->state;
	struct json_writer *w = &call->json;

	json_put_object(w);
	json_put_member_bool(w, SPAN("ok"), t->run.answer.failed.len == 0);
	json_put_member_string(w, SPAN("failed"),
		t->run.answer.failed.len > 0 ? t->run.answer.failed : SPAN(""));
	put_list(call, SPAN("actions"), &t->run.answer, false);
	put_list(call, SPAN("log"), &t->run.answer, true);
	json_put_close(w);
}

const struct control_handler control_do_rule_content_test = {
	.work = test_work,
	.work_kind = WORK_GENERAL,
	.ask = test_ask,
	.finish = test_finish,
};
