/*
 * control_archive_rules.c - `rule archive`: how long the archive keeps what, the setting archive.rules as a text.
 *
 * The text is no file of its own: `apply` changes the configuration as `archive set` does, with its history and undo.
 */
#include "server/archive/archive_retain.h"
#include "server/control/control_archive.h"
#include "server/control/control_rule_file.h"
#include "server/control/control_transfer.h"
#include "server/control/rule_trial.h"
#include "server/generation.h"
#include "store/traces.h"

#define WHY_MAX 100 /* rules that are said not to fit */
#define TEXT_MAX ((size_t)ARCHIVE_RULES_MAX * (ARCHIVE_RULE_LINE_MAX + 1))
#define RECIPIENTS_TEXT_MAX (1u << 20)
#define DAY_OF_MS INT64_C(86400000)

/* ---- list, show, edit ---- */

static void
list(struct control_call *call)
{
	const struct conf_list *lines = &call->host->conf->archive_rules;
	struct control_rows *rows = &call->rows;
	struct archive_rule rule;
	const char *why;

	for (size_t i = 0; i < lines->count; i++) {
		if (archive_rule_parse(lines->items[i], &rule, &why) != OK)
			continue; /* refused with the file */
		control_row(rows, arena_printf(&call->arena, "%zu", i + 1));
		control_put_number(rows, (int64_t)i + 1);
		control_put_number(rows, rule.days);
		control_put_text(rows, rule.from);
		control_put_text(rows, rule.to);
	}
	control_rows_end(rows);
	control_call_end(call);
}

const struct control_handler control_do_rule_archive_list = { .start = list };

/* Those in force, one a line; NUMBER, from 1: it alone. */
static struct span
rules_text(struct control_call *call, uint64_t number)
{
	const struct conf_list *lines = &generation_conf(call->generation)->archive_rules;
	struct buf text;
	enum err err = OK;
	struct span all;

	buf_init(&text, TEXT_MAX);
	for (size_t i = 0; i < lines->count && err == OK; i++) {
		if (number > 0 && number != i + 1)
			continue;
		err = buf_put(&text, lines->items[i]);
		if (err == OK)
			err = buf_put(&text, SPAN("\n"));
	}
	all = arena_copy(&call->arena, buf_span(&text));
	buf_fini(&text);
	return all;
}

static void
show(struct control_call *call)
{
	uint64_t number = rpc_number(call->request, "number", 0);
	size_t count = generation_conf(call->generation)->archive_rules.count;

	if (rpc_has(call->request, "number") && (number == 0 || number > count))
		control_failf(call, RPC_NOT_FOUND, "number", "there is no rule %llu: %zu are in force",
			(unsigned long long)number, count);
	else
		rule_file_answer(call, rules_text(call, number));
	control_call_end(call);
}

const struct control_handler control_do_rule_archive_show = { .start = show };

static void
edit(struct control_call *call)
{
	rule_file_answer(call, rules_text(call, 0));
	control_call_end(call);
}

const struct control_handler control_do_rule_archive_edit = { .start = edit };

/* ---- apply ---- */

struct archive_change {
	struct control_config config; /* first: control_config_set_take() and the like see it */
	struct archive_rules rules;
};

static bool
apply_check(struct control_call *call)
{
	struct archive_change *c = ARENA_NEW(&call->arena, struct archive_change);

	call->state = c;
	c->config.object = SPAN("retention rules");
	return control_config_begin(call, &c->config);
}

static bool
read_rules(struct control_call *call, struct archive_change *c)
{
	struct conf_faults *faults = ARENA_NEW(&call->arena, struct conf_faults);
	struct span text;
	enum err err;

	if (!control_read_file(call, control_fd(call, "file"), &text))
		return false;
	conf_faults_init(faults);
	err = archive_rules_parse(text, &call->arena, &c->rules, faults);
	if (err != OK)
		rule_file_refuse(call, faults);
	conf_faults_fini(faults);
	return err == OK;
}

static bool
apply_work(struct control_call *call)
{
	struct archive_change *c = call->state;
	struct conf_change change = { .key = SPAN("archive.rules") };

	if (!read_rules(call, c))
		return false;
	change.value = control_list_json(call, c->rules.lines, c->rules.count);
	if (call->foresees)
		return control_config_look(call, &c->config, &change, 1);
	return control_config_save(call, &c->config, &change, 1, call->request->method->words);
}

static struct span
count_words(struct control_call *call, const struct archive_change *c)
{
	return arena_printf(&call->arena, "%zu retention rule%s in force", c->rules.count, c->rules.count == 1 ? "" : "s");
}

static enum step
apply_foresee(struct control_call *call, struct snapshot *snap)
{
	control_foresee(call, arena_printf(&call->arena, "%.*s, in place of %zu",
		SPAN_FMT(count_words(call, call->state)), generation_conf(call->generation)->archive_rules.count));
	return control_config_foresee(call, snap);
}

static struct span
apply_would(struct control_call *call, const struct rpc_request *request)
{
	(void)call;
	(void)request;
	return SPAN("would put the retention rules of this text in force");
}

static void
apply_finish(struct control_call *call)
{
	call->note = count_words(call, call->state);
	control_config_warn(call);
}

const struct control_handler control_do_rule_archive_apply = {
	.check = apply_check,
	.work = apply_work,
	.work_kind = WORK_GENERAL,
	.foresee = apply_foresee,
	.would = apply_would,
	.take = control_config_set_take,
	.change = control_config_set_change,
	.finish = apply_finish,
	.object = "the rules",
	.unrecorded = true,
};

/* ---- check ---- */

static bool
check_work(struct control_call *call)
{
	struct conf_faults *faults = ARENA_NEW(&call->arena, struct conf_faults);
	int fd = control_fd(call, "file");
	struct archive_rules rules;
	struct span text;

	if (fd < 0)
		text = rules_text(call, 0);
	else if (!control_read_file(call, fd, &text))
		return false;
	conf_faults_init(faults);
	(void)!archive_rules_parse(text, &call->arena, &rules, faults); /* the faults say it */
	control_put_faults(&call->rows, faults);
	conf_faults_fini(faults);
	return true;
}

const struct control_handler control_do_rule_archive_check = { .work = check_work, .work_kind = WORK_GENERAL };

/* ---- test ---- */

struct archive_test {
	const struct conf *conf;
	struct archive_keep keep;
	struct archive_kept kept;
	struct archive_message message;
	int64_t at_ms;
};

/* What one of ours writes is outgoing or internal, what others write to us is incoming. */
static unsigned
direction_of(const struct archive_test *t, bool ours, const struct address *to)
{
	bool here = conf_is_local(t->conf, to->local_part, to->domain);

	if (ours)
		return here ? ARCHIVE_INTERNAL : ARCHIVE_OUTGOING;
	return here ? ARCHIVE_INCOMING : 0;
}

static bool
read_address(struct control_call *call, const char *param, struct span text, struct address *out)
{
	return trial_address(&call->arena, text, out) ||
		control_failf(call, RPC_INVALID, param, "%.*s is no address", SPAN_FMT(text));
}

static bool
read_from(struct control_call *call, struct archive_test *t, bool *ours)
{
	struct span from = control_param(call, "from");
	struct address address;

	*ours = false;
	if (from.len == 0 || span_eq(from, SPAN("<>"))) {
		t->message.from = SPAN("");
		return true;
	}
	if (!read_address(call, "from", from, &address))
		return false;
	t->message.from = address.text;
	*ours = conf_is_local(t->conf, address.local_part, address.domain);
	return true;
}

static bool
read_to(struct control_call *call, struct archive_test *t, bool ours)
{
	const struct rpc_value *to = rpc_value(call->request, "to");
	struct address address;
	bool good = true;
	struct buf text;

	buf_init(&text, RECIPIENTS_TEXT_MAX);
	for (size_t i = 0; i < to->count && good; i++) {
		good = read_address(call, "to", to->items[i], &address) &&
			control_fail_err(call, trace_recipient_put(&text, address.text), "the recipients");
		if (good)
			t->message.direction |= direction_of(t, ours, &address);
	}
	t->message.recipients = arena_copy(&call->arena, buf_span(&text));
	t->message.recipient_count = to->count;
	buf_fini(&text);
	return good;
}

static bool
read_test(struct control_call *call, struct archive_test *t)
{
	bool ours;

	t->conf = generation_conf(call->generation);
	if (!control_read_time(call, "at", &t->at_ms) || !read_from(call, t, &ours) || !read_to(call, t, ours))
		return false;
	if (rpc_has(call->request, "direction"))
		t->message.direction = control_archive_direction_of(control_param(call, "direction"));
	archive_keep_of(t->conf, &call->arena, &t->keep);
	t->kept = archive_keep_find(&t->keep, &t->message);
	return true;
}

/* The directions that are archived. */
static unsigned
wanted(const struct conf *conf)
{
	return (conf->archive_incoming ? ARCHIVE_INCOMING : 0) | (conf->archive_outgoing ? ARCHIVE_OUTGOING : 0) |
		(conf->archive_internal ? ARCHIVE_INTERNAL : 0);
}

static bool
is_archived(const struct archive_test *t)
{
	return t->conf->archive_on && (t->message.direction & wanted(t->conf)) != 0;
}

/* Whose days count where no rule fits. */
static const char *
setting_of(const struct archive_test *t)
{
	return t->kept.of == ARCHIVE_INCOMING ? "archive.keep_incoming" :
		t->kept.of == ARCHIVE_OUTGOING ? "archive.keep_outgoing" :
		t->kept.of == ARCHIVE_INTERNAL ? "archive.keep_internal" : "archive.keep_days";
}

static void
put_why_rules(struct control_call *call, const struct archive_test *t)
{
	const struct conf_list *lines = &t->conf->archive_rules;
	struct json_writer *w = &call->json;
	size_t passed = t->kept.rule > 0 ? t->kept.rule - 1 : t->keep.count;

	for (size_t i = 0; i < passed && i < WHY_MAX; i++)
		json_put_string(w, arena_printf(&call->arena, "rule %zu, %.*s: does not fit", i + 1, SPAN_FMT(lines->items[i])));
	if (passed > WHY_MAX)
		json_put_string(w, arena_printf(&call->arena, "nor do %zu more", passed - WHY_MAX));
	if (t->kept.rule > 0)
		json_put_string(w, arena_printf(&call->arena, "rule %zu, %.*s: fits", t->kept.rule, SPAN_FMT(lines->items[passed])));
	else
		json_put_string(w, arena_printf(&call->arena, "no rule fits: %s is %lld", setting_of(t), (long long)t->kept.days));
}

static void
put_why(struct control_call *call, const struct archive_test *t)
{
	struct json_writer *w = &call->json;

	json_put_name(w, SPAN("why"));
	json_put_array(w);
	if (!t->conf->archive_on)
		json_put_string(w, SPAN("archive.on is no: nothing is archived"));
	else if (t->message.direction == 0)
		json_put_string(w, SPAN("it has no direction, for none of its addresses is ours: it is not archived"));
	for (unsigned off = t->message.direction & ~wanted(t->conf), bit = 1; bit <= off; bit <<= 1)
		if (off & bit)
			json_put_string(w, arena_printf(&call->arena, "archive.%.*s is no: such mail is not archived%s",
				SPAN_FMT(control_archive_direction(&call->arena, bit)),
				is_archived(t) ? " for that alone" : ""));
	put_why_rules(call, t);
	if (t->kept.days == 0)
		json_put_string(w, SPAN("0 days is for ever"));
	if (t->conf->archive_max_size > 0)
		json_put_string(w, SPAN("where the archive has more than archive.max_size the oldest go earlier"));
	json_put_close(w);
}

static bool
test_work(struct control_call *call)
{
	struct archive_test t = { .at_ms = 0 };
	struct json_writer *w = &call->json;

	if (!read_test(call, &t))
		return false;
	json_put_object(w);
	control_put_text_or_null(w, SPAN("rule"), t.kept.rule > 0 ? t.conf->archive_rules.items[t.kept.rule - 1] : SPAN_NONE);
	json_put_member_u64(w, SPAN("number"), t.kept.rule);
	control_put_text_or_null(w, SPAN("setting"), t.kept.rule > 0 ? SPAN_NONE : span_of(setting_of(&t)));
	json_put_member_u64(w, SPAN("days"), (uint64_t)t.kept.days);
	control_put_time(w, SPAN("until"), t.kept.days > 0 ? t.at_ms + t.kept.days * DAY_OF_MS : 0);
	json_put_member_string(w, SPAN("direction"), control_archive_direction(&call->arena, t.message.direction));
	json_put_member_bool(w, SPAN("archived"), is_archived(&t));
	put_why(call, &t);
	json_put_close(w);
	return true;
}

const struct control_handler control_do_rule_archive_test = { .work = test_work, .work_kind = WORK_GENERAL };
