/*
 * control_config.c - the configuration: show, get, set, check, diff, history, undo.
 *
 * The file is read and written on a worker, taken into force on the loop, then recorded in the log of
 * changes (control_config_take.c). The text that the server last read goes along, so that a hand edit made meanwhile is
 * seen (CFG-02).
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "conf/conf.h"
#include "conf/conf_diff.h"
#include "conf/conf_file.h"
#include "conf/conf_history.h"
#include "server/control/control_guard.h"
#include "server/control/control_undo.h"
#include "server/server.h"

#define VALUE_MAX 65536
#define SUM_MAX 400 /* bytes of what the history says of a change */
#define CHANGES_LOOKED_AT 1000 /* of the log, for one of the file */

/* ---- show, get: of the generation in force, on the loop ---- */

static bool
show_one(const struct conf_entry *entry, void *arg)
{
	struct control_call *call = arg;
	struct control_rows *rows = &call->rows;
	bool hidden = call->is_locked && control_guard_has_key(span_of(entry->key)); /* SEC-09 */
	struct buf value;

	buf_init(&value, VALUE_MAX);
	control_row(rows, span_of(entry->key));
	control_put_text(rows, span_of(entry->key));
	if (!hidden && conf_put_text(entry, &value) == OK)
		control_put_text(rows, buf_span(&value).len ? buf_span(&value) : SPAN(""));
	else
		control_put_null(rows);
	if (hidden)
		control_put_null(rows);
	else
		control_put_number(rows, entry->is_default);
	control_put_text(rows, span_of(setting_needs_name(entry->setting->needs)));
	control_put_text(rows, span_of(entry->setting->help));
	control_put_text(rows, span_of(setting_type_name(entry->setting->type)));
	buf_fini(&value);
	return true;
}

static void
config_show(struct control_call *call)
{
	conf_each(call->host->conf, show_one, call);
	control_rows_end(&call->rows);
	control_call_end(call);
}

const struct control_handler control_do_config_show = {.start = config_show};

static void
config_get(struct control_call *call)
{
	const char *key = arena_text(&call->arena, control_param(call, "key"));
	struct json_writer *w = &call->json;
	struct conf_entry entry;
	bool single = conf_find(call->host->conf, key, &entry) == OK;
	struct buf value;
	enum err err;

	buf_init(&value, CONTROL_REPLY_BYTES / 2);
	err = conf_get_json(call->host->conf, key, &value);
	if (err != OK) {
		control_failf(call, RPC_NOT_FOUND, "key", "there is no setting \"%s\"", key);
	} else {
		json_put_object(w);
		json_put_name(w, SPAN("value"));
		json_put_raw(w, buf_span(&value));
		json_put_member_string(w, SPAN("key"), span_of(key));
		json_put_member_bool(w, SPAN("default"), single && entry.is_default);
		buf_clear(&value);
		if (single && conf_put_text(&entry, &value) == OK)
			json_put_member_string(w, SPAN("text"),
				arena_copy(&call->arena, buf_span(&value)));
		json_put_close(w);
	}
	buf_fini(&value);
	control_call_end(call);
}

const struct control_handler control_do_config_get = {.start = config_get};

/* ---- what set and undo share ---- */

static bool config_busy; /* one change of the file at a time; loop thread */

static void
config_free(void *arg)
{
	(void)arg;
	config_busy = false;
}

bool
control_config_begin(struct control_call *call, struct control_config *c)
{
	if (config_busy) {
		control_fail(
			call, RPC_BUSY, "the configuration is being changed just now", NULL, NULL);
		call->error.retry_after_s = 1;
		return false;
	}
	config_busy = true;
	arena_on_reset(&call->arena, config_free, NULL);
	c->path = arena_text(&call->arena, span_of(server_conf_path(call->host->server)));
	c->last_read = arena_copy(&call->arena, call->host->conf->text);
	control_call_wipes(call, c->last_read);
	return true;
}

struct conf_note
control_config_note(struct control_call *call, const char *what)
{
	return (struct conf_note){
		.time_ms = call->now_ms, .who = span_of(call->who.name), .what = span_of(what)};
}

bool
control_config_failed(struct control_call *call, enum err err, const struct conf_faults *faults)
{
	const struct conf_fault *f = NULL;

	for (size_t i = 0; i < faults->count && !f; i++)
		if (!faults->items[i].is_warning)
			f = &faults->items[i];
	if (err == ERR_BUSY)
		return control_fail(call, RPC_CLASH,
			"the file was changed by hand at the same place",
			"look at config diff, then try again", NULL);
	if (f) {
		struct span line = f->key.len || !f->line ? SPAN("") :
			arena_printf(&call->arena, "the file, line %u: ", f->line);

		control_failf(call, RPC_INVALID, arena_text(&call->arena, f->key), "%.*s%.*s%s%.*s",
			SPAN_FMT(line), SPAN_FMT(f->key), f->key.len ? ": " : "",
			SPAN_FMT(f->text));
		call->error.line = f->line;
		call->error.column = f->column;
		return false;
	}
	if (err == ERR_NOT_FOUND)
		return control_fail(
			call, RPC_NOT_FOUND, "no such setting, or no such change", NULL, NULL);
	return control_fail_err(call, err, "the configuration file");
}

uint32_t
control_config_number(struct control_call *call, const struct control_config *c)
{
	struct conf_past *past;
	size_t count;

	if (conf_history_list(c->path, &call->arena, &past, &count) == OK && count > 0)
		return past[0].number;
	return 0;
}

void
control_config_written(struct control_call *call, struct control_config *c, uint32_t before)
{
	c->number = control_config_number(call, c);
	c->written = c->number != before;
	if (!c->written) /* the text was so already: an undo must not take back an older change */
		c->number = 0;
}

static void
config_forget(struct buf *text, struct conf_faults *faults)
{
	buf_wipe(text);
	conf_faults_fini(faults);
}

bool
control_config_undo(struct control_call *call, struct control_config *c, uint32_t number)
{
	struct conf_note note = control_config_note(call, number ? "undo" : "undo of the last change");
	struct conf_faults *faults = ARENA_NEW(&call->arena, struct conf_faults);
	struct buf text;
	uint32_t before;
	enum err err;

	before = control_config_number(call, c);
	conf_faults_init(faults);
	buf_init(&text, CONF_FILE_MAX);
	err = conf_history_undo(c->path, number, c->last_read, &note, &text, faults);
	if (err != OK)
		control_config_failed(call, err, faults);
	else
		control_config_written(call, c, before);
	config_forget(&text, faults);
	return err == OK;
}

/* ---- set, undo ---- */

/* What is allowed and yet seldom meant is set only when it was confirmed. */
bool
control_config_is_confirmed(struct control_call *call, struct span key, struct span value)
{
	uint64_t length;

	if (rpc_flag(call->request, "confirm") || !span_eq(key, SPAN("auth.min_length")) ||
		span_u64(span_trim(value), UINT64_MAX, &length) != OK ||
		length >= CONTROL_PASSWORD_SHORT)
		return true;
	return control_fail(call, RPC_REFUSED,
		"passwords so short are soon guessed: it wants to be confirmed",
		"--yes sets it all the same", "confirm");
}

static bool
edit_check(struct control_call *call)
{
	call->state = ARENA_NEW(&call->arena, struct control_config);
	return control_config_begin(call, call->state);
}

static bool
set_check(struct control_call *call)
{
	return control_config_is_confirmed(
		       call, control_param(call, "key"), control_param(call, "value")) &&
	       edit_check(call);
}

static void
edit_failed(struct control_call *call, enum err err, const struct conf_change *change,
	const struct conf_faults *faults)
{
	if (err == ERR_NOT_FOUND && change->remove)
		control_failf(call, RPC_NOT_FOUND, "key", "the file does not give \"%.*s\": its default holds already",
			SPAN_FMT(change->key));
	else if (err == ERR_NOT_FOUND)
		control_failf(call, RPC_NOT_FOUND, "key", "there is no setting \"%.*s\"",
			SPAN_FMT(change->key));
	else
		control_config_failed(call, err, faults);
}

/* The same key, or one that is a part of the other: a warning may be of the whole item. */
static bool
is_about(struct span warned, struct span changed)
{
	struct span longer = warned.len > changed.len ? warned : changed;
	struct span shorter = warned.len > changed.len ? changed : warned;

	return span_starts(longer, shorter) &&
		(longer.len == shorter.len || longer.ptr[shorter.len] == '.');
}

/* What the new file is warned of because of the changed keys, for control_config_warn(); each once. */
static void
keep_warnings(struct control_call *call, struct control_config *c,
	const struct conf_change *changes, size_t count, const struct conf_faults *faults)
{
	for (size_t i = 0; i < faults->count; i++) {
		const struct conf_fault *f = &faults->items[i];

		bool about = false;

		for (size_t j = 0; j < count && f->is_warning; j++)
			about = about || is_about(f->key, changes[j].key);
		if (about)
			c->warnings = arena_printf(&call->arena, "%.*s; warning: %.*s", SPAN_FMT(c->warnings),
				SPAN_FMT(f->text));
	}
}

void
control_config_warn(struct control_call *call)
{
	const struct control_config *c = call->state;

	if (!call->failed && c->warnings.len > 0)
		call->note = arena_printf(
			&call->arena, "%.*s%.*s", SPAN_FMT(call->note), SPAN_FMT(c->warnings));
}

bool
control_config_save(struct control_call *call, struct control_config *c,
	const struct conf_change *changes, size_t count, const char *what)
{
	struct conf_note note = control_config_note(call, what);
	struct conf_faults *faults = ARENA_NEW(&call->arena, struct conf_faults);
	struct buf text;
	uint32_t before = control_config_number(call, c);
	enum err err;

	conf_faults_init(faults);
	buf_init(&text, CONF_FILE_MAX);
	err = conf_edit_save(c->path, c->last_read, changes, count, &note, &text, faults);
	if (err == OK) {
		control_config_written(call, c, before);
		keep_warnings(call, c, changes, count, faults);
	} else if (err == ERR_NOT_FOUND && access(c->path, F_OK) != 0) {
		control_failf(call, RPC_NOT_FOUND, NULL, "%s: the file is missing", c->path);
	} else {
		edit_failed(call, err, &changes[0], faults);
	}
	config_forget(&text, faults);
	return err == OK;
}

bool
control_config_look(struct control_call *call, struct control_config *c,
	const struct conf_change *changes, size_t count)
{
	struct conf_faults *faults = ARENA_NEW(&call->arena, struct conf_faults);
	struct buf text, diff;
	enum err err;

	conf_faults_init(faults);
	buf_init(&text, CONF_FILE_MAX);
	buf_init(&diff, CONTROL_REPLY_BYTES / 2);
	err = conf_edit_all(c->last_read, changes, count, &text, faults);
	if (err == OK)
		err = conf_diff(c->last_read, buf_span(&text), &diff);
	if (err == OK)
		c->diff = arena_copy(&call->arena, buf_span(&diff));
	else
		edit_failed(call, err, &changes[0], faults);
	buf_fini(&diff);
	config_forget(&text, faults);
	return err == OK;
}

enum step
control_config_foresee(struct control_call *call, struct snapshot *snap)
{
	const struct control_config *c = call->state;
	struct span rest = c->diff, line;

	(void)snap;
	while (span_next_line(&rest, &line))
		if (!span_starts(line, SPAN("@@")))
			control_foresee(call, line);
	return STEP_DONE;
}

/* Without the value, which may be a password: the difference shows it masked. */
static struct span
set_would(struct control_call *call, const struct rpc_request *request)
{
	struct span key = rpc_text(request, "key");

	if (request->method->id == CONTROL_config_unset)
		return arena_printf(&call->arena, "would set %.*s back to its default", SPAN_FMT(key));
	return arena_printf(&call->arena, "would set %.*s", SPAN_FMT(key));
}

static bool
set_work(struct control_call *call)
{
	struct conf_change change = {.key = control_param(call, "key"),
		.remove = call->request->method->id == CONTROL_config_unset};
	char what[SUM_MAX];

	if (!change.remove)
		change.value = control_param(call, "value");
	if (call->foresees)
		return control_config_look(call, call->state, &change, 1);
	snprintf(what, sizeof(what), "config %s %.*s", change.remove ? "unset" : "set",
		SPAN_FMT(span_range(change.key, 0, 300)));
	return control_config_save(call, call->state, &change, 1, what);
}

bool
control_config_set_take(struct control_call *call)
{
	return control_config_take(call, call->state);
}

enum err
control_config_set_change(struct control_call *call, struct txn *txn)
{
	return control_config_record(call, txn, call->state, 0);
}

const struct control_handler control_do_config_set = {
	.check = set_check,
	.work = set_work,
	.work_kind = WORK_GENERAL,
	.foresee = control_config_foresee,
	.would = set_would,
	.take = control_config_set_take,
	.change = control_config_set_change,
	.finish = control_config_warn,
	.object = "the change",
	.unrecorded = true,
};

const struct control_handler control_do_config_unset = {
	.check = edit_check,
	.work = set_work,
	.work_kind = WORK_GENERAL,
	.foresee = control_config_foresee,
	.would = set_would,
	.take = control_config_set_take,
	.change = control_config_set_change,
	.finish = control_config_warn,
	.object = "the change",
	.unrecorded = true,
};

static bool
undo_work(struct control_call *call)
{
	struct span id = control_param(call, "id");
	uint64_t number = 0;

	if (id.len > 0 && span_u64(id, UINT32_MAX, &number) != OK)
		return control_fail(
			call, RPC_INVALID, "the id of a change is a number", NULL, "id");
	return control_config_undo(call, call->state, (uint32_t)number);
}

/* The change of the log that made NUMBER of the history; 0 where it is not among the last ones. */
static uint64_t
change_of_history(struct snapshot *snap, uint64_t number)
{
	struct change change = {.change_id = 0};

	for (unsigned i = 0; i < CHANGES_LOOKED_AT; i++) {
		if (change_prev(snap, change.change_id, &change) != OK)
			return 0;
		if (change.config_no == number)
			return change.change_id;
	}
	return 0;
}

static enum err
undo_record(struct control_call *call, struct txn *txn)
{
	struct control_config *c = call->state;
	uint64_t number = 0;

	if (span_u64(control_param(call, "id"), UINT32_MAX, &number) != OK)
		number = c->number > 0 ? c->number - 1 : 0; /* the last one before this */
	return control_config_record(
		call, txn, c, number ? change_of_history(txn_view(txn), number) : 0);
}

const struct control_handler control_do_config_undo = {
	.check = edit_check,
	.work = undo_work,
	.work_kind = WORK_GENERAL,
	.take = control_config_set_take,
	.change = undo_record,
	.object = "the change",
	.unrecorded = true,
};
