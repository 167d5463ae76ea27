/*
 * control_config_look.c - reading the configuration file and its history: check, diff, history; settings in force as
 * members of a reply.
 */
#include <stdio.h>
#include <unistd.h>

#include "conf/conf.h"
#include "conf/conf_diff.h"
#include "conf/conf_file.h"
#include "conf/conf_history.h"
#include "conf/conf_shapes.h"
#include "server/control/control_undo.h"
#include "server/generation.h"
#include "server/server.h"

static bool
look_check(struct control_call *call)
{
	struct control_config *c = ARENA_NEW(&call->arena, struct control_config);

	call->state = c;
	c->path = arena_text(&call->arena, span_of(server_conf_path(call->host->server)));
	c->last_read = arena_copy(&call->arena, call->host->conf->text);
	control_call_wipes(call, c->last_read);
	return true;
}

/* The whole of a small file from a descriptor. */
static bool
read_fd(struct control_call *call, int fd, struct span *out)
{
	char *text = arena_alloc(&call->arena, CONF_FILE_MAX + 1);
	size_t len = 0;
	ssize_t got = 1;

	while (got > 0 && len <= CONF_FILE_MAX) {
		got = pread(fd, text + len, CONF_FILE_MAX + 1 - len, (off_t)len);
		if (got > 0)
			len += (size_t)got;
	}
	*out = (struct span){text, len};
	control_call_wipes(call, *out);
	if (got < 0)
		return control_fail(call, RPC_INVALID, "the file cannot be read", NULL, "file");
	if (len > CONF_FILE_MAX)
		return control_fail(call, RPC_TOO_LARGE, "the file is over 1 MiB", NULL, "file");
	return true;
}

void
control_put_setting(struct json_writer *w, struct span name, const struct conf_entry *entry)
{
	struct buf text;

	buf_init(&text, CONF_FILE_MAX);
	json_put_name(w, name);
	if (conf_put_json(entry, &text) == OK)
		json_put_raw(w, buf_span(&text));
	else
		json_put_null(w);
	buf_fini(&text);
}

void
control_put_item(struct control_call *call, const struct conf *conf, enum setting_type type, struct span path)
{
	const struct conf_shape *shape = conf_shape_of(type);

	for (size_t i = 0; i < shape->count; i++) {
		const char *key = arena_text(&call->arena,
			arena_printf(&call->arena, "%.*s.%s", SPAN_FMT(path), shape->rows[i].key));
		struct conf_entry entry;

		if (conf_find(conf, key, &entry) == OK)
			control_put_setting(&call->json, span_of(shape->rows[i].key), &entry);
	}
}

struct putting {
	struct json_writer *json;
	struct span prefix;
};

static bool
put_with_prefix(const struct conf_entry *entry, void *arg)
{
	const struct putting *p = arg;
	struct span key = span_of(entry->key);

	if (span_starts(key, p->prefix))
		control_put_setting(p->json, span_from(key, p->prefix.len), entry);
	return true;
}

void
control_put_settings(struct control_call *call, struct span prefix)
{
	struct putting p = { &call->json, prefix };

	conf_each(generation_conf(call->generation), put_with_prefix, &p);
}

void
control_put_faults(struct control_rows *rows, const struct conf_faults *faults)
{
	for (size_t i = 0; i < faults->count; i++) {
		const struct conf_fault *f = &faults->items[i];
		char key[24];

		snprintf(key, sizeof(key), "%zu", i);
		control_row(rows, span_of(key));
		control_put_number(rows, f->line);
		control_put_number(rows, f->column);
		control_put_text(rows, f->key.ptr ? f->key : SPAN(""));
		control_put_text(rows, f->text);
		control_put_number(rows, f->is_warning);
	}
	control_rows_end(rows);
}

static bool
check_work(struct control_call *call)
{
	struct conf_faults *faults = ARENA_NEW(&call->arena, struct conf_faults);
	const struct control_config *c = call->state;
	int fd = control_fd(call, "file");
	struct conf *conf = NULL;
	char fault[SERVER_LINE_MAX] = "";
	struct span text;
	enum err err;

	conf_faults_init(faults);
	if (fd >= 0 && !read_fd(call, fd, &text))
		err = ERR_IO;
	else if (fd >= 0)
		err = conf_load(text, &conf, faults);
	else
		err = conf_load_file(c->path, geteuid(), &conf, faults);
	if (faults->errors == 0 && err != OK)
		control_fail_err(call, err, "the configuration file");
	/* what this process may not read is the warden's to open (H55) */
	err = conf ? server_tls_check(conf, fault) : OK;
	if (err != OK && err != ERR_DENIED)
		conf_fault_add(faults, (struct yaml_place){0}, SPAN("tls"), "%s", fault);
	if (conf)
		conf_free(&conf);
	control_put_faults(&call->rows, faults);
	conf_faults_fini(faults);
	return !call->failed;
}

const struct control_handler control_do_config_check = {
	.check = look_check,
	.work = check_work,
	.work_kind = WORK_GENERAL,
};

/* Before and after change NUMBER; 0: what is in force and what stands in the file. */
static enum err
diff_texts(struct control_call *call, uint32_t number, struct span *old, struct span *new)
{
	const struct control_config *c = call->state;
	struct stat st;
	enum err err = OK;

	*old = c->last_read;
	if (number)
		err = conf_history_text(c->path, number, &call->arena, old);
	if (err != OK)
		return err;
	if (number && conf_history_text(c->path, number + 1, &call->arena, new) == OK)
		return OK;
	return conf_file_read(c->path, &call->arena, new, &st);
}

static bool
diff_work(struct control_call *call)
{
	struct span id = control_param(call, "id"), old, new;
	uint64_t number = 0;
	struct buf out;
	enum err err;

	if (id.len > 0 && span_u64(id, UINT32_MAX - 1, &number) != OK)
		return control_fail(
			call, RPC_INVALID, "the id of a change is a number", NULL, "id");
	buf_init(&out, CONTROL_REPLY_BYTES / 2);
	err = diff_texts(call, (uint32_t)number, &old, &new);
	if (err == OK)
		err = conf_diff(old, new, &out);
	if (err == OK)
		call->text = arena_copy(&call->arena, buf_span(&out));
	buf_fini(&out);
	return control_fail_err(call, err, "change of the configuration");
}

const struct control_handler control_do_config_diff = {
	.check = look_check,
	.work = diff_work,
	.work_kind = WORK_GENERAL,
};

/* The file's own history, and which of it the log of changes calls undone. */
struct history {
	struct conf_past *past; /* the latest first */
	size_t count;
	bool *undone;
	uint64_t before; /* change that the walk has come to */
};

static bool
history_work(struct control_call *call)
{
	const struct control_config *c = call->state;
	struct history *h = ARENA_NEW(&call->arena, struct history);
	enum err err = conf_history_list(c->path, &call->arena, &h->past, &h->count);

	if (err == OK)
		h->undone = ARENA_ARRAY(&call->arena, bool, h->count + 1);
	call->state = h;
	return control_fail_err(call, err, "the history");
}

static void
history_mark(struct history *h, const struct change *c)
{
	for (size_t i = 0; i < h->count && c->config_no && c->state == CHANGE_UNDONE; i++)
		if (h->past[i].number == c->config_no)
			h->undone[i] = true;
}

static void
history_rows(struct control_rows *rows, const struct history *h)
{
	for (size_t i = 0; i < h->count; i++) {
		char id[16];

		snprintf(id, sizeof(id), "%u", h->past[i].number);
		control_row(rows, span_of(id));
		control_put_text(rows, span_of(id));
		control_put_time_ms(rows, h->past[i].note.time_ms);
		control_put_text(rows, h->past[i].note.who);
		control_put_text(rows, h->past[i].note.what);
		control_put_number(rows, h->undone[i]);
	}
	control_rows_end(rows);
}

static enum step
history_read(struct control_call *call, struct snapshot *snap)
{
	struct control_slice slice = control_slice_begin();
	struct history *h = call->state;
	struct change c;
	enum err err;

	while ((err = change_prev(snap, h->before, &c)) == OK) {
		h->before = c.change_id;
		history_mark(h, &c);
		if (control_slice_is_over(&slice))
			return STEP_MORE;
	}
	if (err == ERR_NOT_FOUND)
		history_rows(&call->rows, h);
	return control_fail_err(call, err == ERR_NOT_FOUND ? OK : err, "change") ? STEP_DONE
										 : STEP_FAIL;
}

const struct control_handler control_do_config_history = {
	.check = look_check,
	.work = history_work,
	.work_kind = WORK_GENERAL,
	.read = history_read,
};
