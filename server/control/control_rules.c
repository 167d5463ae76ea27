/*
 * control_rules.c - a file of rules changed and taken into force, with its history (CFG-02's way
 * for a file that is no YAML); see control_undo.h.
 */
#include "conf/conf_rules.h"
#include "server/control/control_undo.h"
#include "server/generation.h"
#include "server/server.h"

#define FAULTS_NAMED 5 /* in the sentence that refuses a text */

void
control_rules_begin(struct control_call *call, struct control_rules *r, enum rule_file file)
{
	const struct conf *conf = generation_conf(call->generation);

	r->file = file;
	r->path = conf_rules_path(
		&call->arena, server_conf_path(call->host->server), conf, file);
	r->last_read = conf_rules_text(conf, file);
}

struct span
control_rules_faults(struct control_call *call, const struct conf_faults *faults)
{
	struct span all = SPAN("");
	size_t named = 0;

	for (size_t i = 0; i < faults->count && named < FAULTS_NAMED; i++)
		if (!faults->items[i].is_warning)
			all = arena_printf(&call->arena, "%.*s%sline %u: %.*s", SPAN_FMT(all),
				named++ ? "; " : "", faults->items[i].line,
				SPAN_FMT(faults->items[i].text));
	if (faults->errors > named)
		all = arena_printf(&call->arena, "%.*s; and %zu more", SPAN_FMT(all),
			faults->errors - named);
	return all;
}

static bool
saved(struct control_call *call, struct control_rules *r, enum err err)
{
	r->written = err == OK && r->number > 0;
	if (err == ERR_BUSY)
		return control_fail(call, RPC_CLASH,
			"the file of the rules was changed by hand, and is not in force",
			"mend it or take it away, then try again", NULL);
	if (err == ERR_NOT_FOUND)
		return control_fail(
			call, RPC_NOT_FOUND, "the history of the rules has no such change", NULL, NULL);
	return control_fail_err(call, err, "the file of the rules");
}

static struct conf_note
note_of(struct control_call *call, const char *what)
{
	return (struct conf_note){call->now_ms, span_of(call->who.name), span_of(what)};
}

bool
control_rules_write(struct control_call *call, struct control_rules *r, struct span text,
	const char *what)
{
	struct conf_note note = note_of(call, what);

	return saved(call, r,
		conf_rules_save(r->path, r->last_read, text, &note, &r->number));
}

bool
control_rules_undo(struct control_call *call, struct control_rules *r, uint32_t number)
{
	struct conf_faults *faults = ARENA_NEW(&call->arena, struct conf_faults);
	struct conf_note note = note_of(call, "undo");
	struct conf_rules_undo undo = { r->file, r->path, number, r->last_read };
	enum err err;

	conf_faults_init(faults);
	err = conf_rules_undo(&undo, &note, &r->number, faults);
	if (err == ERR_SYNTAX)
		control_failf(call, RPC_REFUSED, NULL, "the old rules are refused today: %.*s",
			SPAN_FMT(control_rules_faults(call, faults)));
	conf_faults_fini(faults);
	return err == ERR_SYNTAX ? false : saved(call, r, err);
}

/* ---- in force ---- */

struct taking {
	struct server_load load;
	struct control_call *call;
	const struct control_rules *rules;
	const char *fault; /* the new text was refused; the old one is taken back */
};

static void
begin(struct taking *t, void (*done)(struct server_load *, enum err))
{
	enum rule_file file = t->rules->file;

	t->load = (struct server_load){ .what = LOAD_RULES, .file = file, .trusts = file == RULE_FILE_CONTENT,
		.done = done };
	if (t->fault) {
		t->load.back_path = t->rules->path;
		t->load.back = t->rules->number;
	}
	server_load(t->call->host->server, &t->load);
}

static void
put_back(struct server_load *load, enum err err)
{
	struct taking *t = LIST_ITEM(load, struct taking, load);

	control_failf(t->call, RPC_REFUSED, NULL, "%s%s", t->fault, err == OK ? "; the file is as it was" : "");
	control_call_go(t->call, CALL_END);
}

static void
taken(struct server_load *load, enum err err)
{
	struct taking *t = LIST_ITEM(load, struct taking, load);
	struct control_call *call = t->call;
	const char *fault = server_rules_fault(call->host->server, t->rules->file);

	if (err == OK) {
		control_call_go(call, CALL_RECORD);
		return;
	}
	t->fault = err == ERR_BUSY ? "too much work is waiting" : arena_text(&call->arena, span_of(fault));
	if (t->rules->written)
		begin(t, put_back);
	else
		put_back(load, ERR_NOT_FOUND);
}

bool
control_rules_take(struct control_call *call, const struct control_rules *r)
{
	struct taking *t = ARENA_NEW(&call->arena, struct taking);

	t->call = call;
	t->rules = r;
	call->takes = true;
	begin(t, taken);
	return true;
}
