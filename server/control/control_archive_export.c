/*
 * control_archive_export.c - `archive export`: messages as an mbox, or as a zip of .eml files, byte by byte (ARC-02).
 */
#include <stdio.h>

#include "proto/mail/mbox.h"
#include "server/archive/zip_put.h"
#include "server/control/control_archive.h"
#include "store/bodies.h"
#include "store/contents.h"

#define EXPORT_STEP (1024 * 1024) /* bytes that are read under one snapshot */
#define EXPORT_ROOM (4 * EXPORT_STEP)

struct exporting {
	int fd;
	bool zips;
	struct buf out;
	struct zip_put zip;
	struct mbox_put mbox;
	size_t next;    /* of the ids */
	bool in_body, ended;
	uint64_t body_id, at, end;
	bool searches; /* no ids were named */
	struct archive_search search;
	uint64_t messages; /* of the archive */
};

static void
exporting_free(void *arg)
{
	struct exporting *x = arg;

	buf_fini(&x->out);
	zip_fini(&x->zip);
	if (x->searches)
		archive_search_fini(&x->search);
}

static bool
export_by_search(struct control_call *call, struct exporting *x)
{
	struct span which = control_archive_asked(&call->arena, call->request);

	if (which.len == 0)
		return control_fail(call, RPC_INVALID, "name messages, or say which by the options of archive search",
			NULL, "ids");
	if (!control_archive_search(call, &x->search, 0))
		return false;
	x->searches = true;
	control_archive_audit(call, "archived messages exported", which);
	return true;
}

static bool
export_check(struct control_call *call)
{
	struct exporting *x = ARENA_NEW(&call->arena, struct exporting);
	const struct rpc_value *ids = rpc_value(call->request, "ids");

	call->state = x;
	x->fd = control_fd(call, "out");
	x->zips = span_eq(control_param(call, "format"), SPAN("zip"));
	buf_init(&x->out, EXPORT_ROOM);
	arena_on_reset(&call->arena, exporting_free, x);
	if (x->fd < 0)
		return control_fail(call, RPC_INVALID, "no file came with the request", NULL, "out");
	if (!control_archive_is_one(call, call->request))
		return false;
	if (x->zips && zip_init(&x->zip) != OK)
		return control_fail_err(call, ERR_IO, "the zip");
	if (ids->count == 0)
		return export_by_search(call, x);
	for (size_t i = 0; i < ids->count; i++)
		control_archive_audit(call, "archived message exported", ids->items[i]);
	return true;
}

static bool
export_work(struct control_call *call)
{
	struct exporting *x = call->state;

	if (x->searches)
		control_archive_ask(call, &x->search);
	return true;
}

static enum err
put_begin(struct exporting *x, const struct archive_row *row)
{
	int64_t time_s = (int64_t)(row->message.time_ms / 1000);
	char name[ZIP_NAME_MAX];

	if (!x->zips)
		return mbox_begin(&x->mbox, row->message.from, time_s, &x->out);
	snprintf(name, sizeof(name), "%llu.eml", (unsigned long long)row->archive_id);
	return zip_begin(&x->zip, name, time_s, &x->out);
}

static enum err
put_text(struct exporting *x, struct span text)
{
	return x->zips ? zip_text(&x->zip, text, &x->out) : mbox_text(&x->mbox, text, &x->out);
}

static enum err
put_end(struct exporting *x)
{
	return x->zips ? zip_end(&x->zip, &x->out) : mbox_end(&x->mbox, &x->out);
}

/* Before a byte of it is written. */
static bool
fits(const struct exporting *x, const struct content *content)
{
	return !x->zips || content->header.len + content->body_size <= ZIP_MEMBER_MAX;
}

/* ROW's header. What cannot be read is passed over, and said to be. */
static enum err
begin_row(struct control_call *call, struct snapshot *snap, struct exporting *x,
	const struct archive_row *row)
{
	struct content content;
	enum err err = content_get(snap, row->message.content_id, &content);

	if (err == OK && content.veiled)
		err = ERR_DENIED;
	if (err != OK && err != ERR_IO) {
		control_skip(call, arena_printf(&call->arena, "%llu", (unsigned long long)row->archive_id),
			control_why(err));
		return OK;
	}
	if (err == OK && !fits(x, &content)) {
		control_skip(call, arena_printf(&call->arena, "%llu", (unsigned long long)row->archive_id),
			"is over 4 GiB, which a zip does not hold: use --format mbox");
		return OK;
	}
	if (err == OK)
		err = put_begin(x, row);
	if (err == OK)
		err = put_text(x, content.header);
	x->in_body = true;
	x->body_id = content.body_id;
	x->at = 0;
	x->end = content.body_size;
	return err;
}

/* The next of the ids. ERR_NOT_FOUND: the last was there before. */
static enum err
begin_named(struct control_call *call, struct snapshot *snap, struct exporting *x)
{
	const struct rpc_value *ids = rpc_value(call->request, "ids");
	struct archive_row row;
	struct span key;
	uint64_t id;
	enum err err;

	if (x->next == ids->count)
		return ERR_NOT_FOUND;
	key = ids->items[x->next++];
	err = control_archive_id(key, &id);
	if (err == OK)
		err = archive_find(snap, id, &row);
	if (err == OK && row.kind == ARCHIVE_MESSAGE)
		return begin_row(call, snap, x, &row);
	if (err == ERR_IO)
		return err;
	control_skip(call, key, control_why(err == OK ? ERR_NOT_FOUND : err));
	return OK;
}

/* The next that is found; ERR_BUSY: none yet. */
static enum err
begin_found(struct control_call *call, struct snapshot *snap, struct exporting *x)
{
	struct archive_row row;
	enum err err = archive_search_next(snap, &x->search, ARCHIVE_LOOKS, &row);

	return err == OK ? begin_row(call, snap, x, &row) : err;
}

static void
say_progress(struct control_call *call, struct snapshot *snap, struct exporting *x)
{
	struct archive_head head;

	if (x->searches && x->messages == 0 && archive_head_get(snap, &head) == OK)
		x->messages = head.messages;
	atomic_store(&call->progress_total,
		x->searches ? x->messages : rpc_value(call->request, "ids")->count);
	atomic_store(&call->progress_done, x->searches ? x->search.looked : x->next);
}

static enum err
more_body(struct control_call *call, struct snapshot *snap, struct exporting *x)
{
	struct span piece;
	enum err err = OK;

	if (x->at < x->end) {
		err = body_read(snap, x->body_id, x->at, &piece);
		if (err == OK)
			err = put_text(x, piece);
		x->at += piece.len;
		return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
	}
	x->in_body = false;
	call->done++;
	return put_end(x);
}

/* A zip has no room for more, the file nobody reads: the one way out is said. */
static enum step
export_failed(struct control_call *call, struct exporting *x, enum err err)
{
	if (err == ERR_LIMIT && x->zips && zip_is_full(&x->zip))
		control_failf(call, RPC_TOO_LARGE, "format",
			"a zip takes %llu messages: use --format mbox, or parts by --since and --until",
			(unsigned long long)x->zip.count);
	else
		control_fail_err(call, err, "archived message");
	return STEP_FAIL;
}

static enum step
export_read(struct control_call *call, struct snapshot *snap)
{
	struct exporting *x = call->state;
	struct control_slice slice = control_slice_begin();
	enum err err = OK;

	say_progress(call, snap, x);
	if (x->ended)
		err = ERR_NOT_FOUND;
	while (err == OK && buf_span(&x->out).len < EXPORT_STEP) {
		if (x->in_body)
			err = more_body(call, snap, x);
		else
			err = x->searches ? begin_found(call, snap, x) : begin_named(call, snap, x);
		if (err == ERR_BUSY)
			err = OK;
		snapshot_forget_copies(snap);
		if (err == OK && control_slice_is_over_now(&slice))
			return STEP_MORE;
	}
	if (err == OK)
		return STEP_MORE;
	x->ended = err == ERR_NOT_FOUND;
	if (x->ended)
		err = x->zips ? zip_finish(&x->zip, &x->out) : OK;
	if (err == ERR_BUSY)
		return STEP_MORE;
	return err == OK ? STEP_DONE : export_failed(call, x, err);
}

static bool
export_spill(struct control_call *call)
{
	struct exporting *x = call->state;

	return control_write(call, x->fd, &x->out);
}

static void
export_finish(struct control_call *call)
{
	const struct exporting *x = call->state;

	control_archive_audit_count(call, x->searches ? "archived messages were exported" : "archived messages were exported by ID",
		x->searches ? control_archive_asked(&call->arena, call->request) : SPAN_NONE);
}

const struct control_handler control_do_archive_export = {
	.check = export_check,
	.work = export_work,
	.work_kind = WORK_GENERAL,
	.read = export_read,
	.spill = export_spill,
	.finish = export_finish,
};
