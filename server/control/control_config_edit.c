/*
 * control_config_edit.c - `config edit`: the text of the whole file, as a person has edited it; `config file`.
 *
 * Who edits has read the file itself, with his own rights, and names its mark (control_mark.h): a file that is
 * another one by now is a clash, and nothing of it is told.
 */
#include "conf/conf.h"
#include "conf/conf_diff.h"
#include "conf/conf_file.h"
#include "conf/yaml_tree.h"
#include "proto/control/control_mark.h"
#include "server/control/control_guard.h"
#include "server/control/control_transfer.h"
#include "server/control/control_undo.h"
#include "server/server.h"

/* ---- config file ---- */

static void
file_start(struct control_call *call)
{
	struct json_writer *w = &call->json;

	json_put_object(w);
	json_put_member_string(w, SPAN("path"), span_of(server_conf_path(call->host->server)));
	json_put_close(w);
	control_call_end(call);
}

const struct control_handler control_do_config_file = { .start = file_start };

/* ---- config edit ---- */

struct config_edit {
	struct control_config config; /* first: control_config_set_take() and the like see it */
	struct span was, text;        /* the file, and what takes its place; wiped with the call */
	struct conf_faults faults;    /* of `text` */
	int64_t min_length;           /* auth.min_length that was in force */
};

static void
forget_faults(void *arg)
{
	conf_faults_fini(arg);
}

static bool
edit_check(struct control_call *call)
{
	struct config_edit *e = ARENA_NEW(&call->arena, struct config_edit);

	call->state = e;
	if (control_fd(call, "file") < 0 || !rpc_has(call->request, "read"))
		return control_fail(call, RPC_INVALID, "it wants a text, and the mark of what was read",
			"postroom config edit opens the file in $EDITOR", "file");
	e->config.object = SPAN("file");
	e->min_length = call->host->conf->auth_min_length;
	conf_faults_init(&e->faults);
	arena_on_reset(&call->arena, forget_faults, &e->faults);
	return control_config_begin(call, &e->config);
}

static bool
read_texts(struct control_call *call, struct config_edit *e)
{
	char mark[CONTROL_MARK_SIZE];
	struct stat st;
	enum err err;

	if (!control_read_file(call, control_fd(call, "file"), &e->text))
		return false;
	if (e->text.len > CONF_FILE_MAX)
		return control_fail(call, RPC_TOO_LARGE, "the text is over 1 MiB", NULL, "file");
	err = conf_file_read(e->config.path, &call->arena, &e->was, &st);
	if (err != OK)
		return control_fail_err(call, err, "the configuration file");
	control_mark(e->was, mark);
	return span_eq(control_param(call, "read"), span_of(mark)) ||
		control_fail(call, RPC_CLASH, "the file was changed after it was read",
			"nothing was written; see config history and config diff", "read");
}

/* Of each warning of FAULTS: does it stand there already? */
static bool
is_warned_of(const struct conf_faults *faults, const struct conf_fault *f)
{
	for (size_t i = 0; i < faults->count; i++)
		if (faults->items[i].is_warning && span_eq(faults->items[i].key, f->key) &&
			span_eq(faults->items[i].text, f->text))
			return true;
	return false;
}

/* What is odd in the new text and was not in the one in force, for control_config_warn(). */
static void
keep_new_warnings(struct control_call *call, struct config_edit *e)
{
	struct conf_faults *before = ARENA_NEW(&call->arena, struct conf_faults);
	struct conf *conf = NULL;

	conf_faults_init(before);
	if (conf_load(e->config.last_read, &conf, before) == OK)
		conf_free(&conf);
	for (size_t i = 0; i < e->faults.count; i++) {
		const struct conf_fault *f = &e->faults.items[i];

		if (f->is_warning && !is_warned_of(before, f))
			e->config.warnings = arena_printf(&call->arena, "%.*s; warning: %.*s%s%.*s",
				SPAN_FMT(e->config.warnings), SPAN_FMT(f->key), f->key.len ? ": " : "",
				SPAN_FMT(f->text));
	}
	conf_faults_fini(before);
}

/* The bytes of what stands at KEY, of a section without its last dot; empty: nothing. */
static struct span
part_of(struct span text, const struct yaml_tree *tree, struct span key)
{
	const struct yaml_node *node;

	if (span_ends_nocase(key, SPAN(".")))
		key.len--;
	node = yaml_find(tree, key);
	return node ? span_range(text, node->start.offset, node->end.offset) : SPAN_NONE;
}

/* Locked by message security is what it locks of `config set` (SEC-09): those parts stay as they are in force. */
static bool
is_open(struct control_call *call, struct config_edit *e)
{
	struct yaml_tree old, new;
	struct span key;

	if (!call->is_locked)
		return true;
	if (yaml_tree_build(e->config.last_read, &call->arena, &old, &e->faults) != OK ||
		yaml_tree_build(e->text, &call->arena, &new, &e->faults) != OK)
		return control_config_failed(call, ERR_SYNTAX, &e->faults);
	for (size_t i = 0; control_guard_key(CONTROL_config_set, i, &key); i++) {
		if (span_eq(part_of(e->config.last_read, &old, key), part_of(e->text, &new, key)))
			continue;
		call->failed = true;
		control_guard_refuse(&call->error, call->request->method);
		return false;
	}
	return true;
}

/* What `config set` wants to be confirmed is so here where it differs. */
static bool
is_confirmed(struct control_call *call, const struct config_edit *e, int64_t min_length)
{
	return min_length == e->min_length ||
		control_config_is_confirmed(call, SPAN("auth.min_length"),
			arena_printf(&call->arena, "%lld", (long long)min_length));
}

/* Is the text one that may come into force? */
static bool
is_good(struct control_call *call, struct config_edit *e)
{
	struct conf *conf = NULL;
	enum err err = conf_load(e->text, &conf, &e->faults);
	int64_t min_length;

	if (err != OK)
		return control_config_failed(call, err, &e->faults);
	min_length = conf->auth_min_length;
	conf_free(&conf);
	return is_open(call, e) && is_confirmed(call, e, min_length);
}

/* Of a preview: how it differs from what is in force. */
static bool
look(struct control_call *call, struct config_edit *e)
{
	struct buf diff;
	enum err err;

	buf_init(&diff, CONTROL_REPLY_BYTES / 2);
	err = conf_diff(e->config.last_read, e->text, &diff);
	if (err == OK)
		e->config.diff = arena_copy(&call->arena, buf_span(&diff));
	buf_fini(&diff);
	return control_fail_err(call, err, "the difference");
}

static bool
save(struct control_call *call, struct config_edit *e)
{
	struct conf_note note = control_config_note(call, "config edit");
	uint32_t before = control_config_number(call, &e->config);
	struct conf_faults *faults = ARENA_NEW(&call->arena, struct conf_faults);
	enum err err;

	conf_faults_init(faults);
	err = conf_text_save(e->config.path, e->was, e->text, &note, faults);
	if (err == OK)
		control_config_written(call, &e->config, before);
	else
		control_config_failed(call, err, faults);
	conf_faults_fini(faults);
	return err == OK;
}

static bool
edit_work(struct control_call *call)
{
	struct config_edit *e = call->state;

	if (!read_texts(call, e) || !is_good(call, e))
		return false;
	keep_new_warnings(call, e);
	return call->foresees ? look(call, e) : save(call, e);
}

static struct span
edit_would(struct control_call *call, const struct rpc_request *request)
{
	(void)call, (void)request;
	return SPAN("would put the edited text in the place of the configuration file");
}

const struct control_handler control_do_config_edit = {
	.check = edit_check,
	.work = edit_work,
	.work_kind = WORK_GENERAL,
	.foresee = control_config_foresee,
	.would = edit_would,
	.take = control_config_set_take,
	.change = control_config_set_change,
	.finish = control_config_warn,
	.object = "the change",
	.unrecorded = true,
};
