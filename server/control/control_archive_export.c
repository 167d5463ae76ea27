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
	bool in_body;
	uint64_t body_id, at, end;
	uint64_t missing;
};

static void
exporting_free(void *arg)
{
	struct exporting *x = arg;

	buf_fini(&x->out);
	zip_fini(&x->zip);
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
	if (zip_init(&x->zip, &call->arena, ids->count) != OK)
		return control_fail_err(call, ERR_IO, "the zip");
	for (size_t i = 0; i < ids->count; i++)
		control_archive_audit(call, "archived message exported", ids->items[i]);
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

/* The header of the next one. One that is not there is passed over, and said to be. */
static enum err
begin_message(struct control_call *call, struct snapshot *snap, struct exporting *x)
{
	struct span key = rpc_value(call->request, "ids")->items[x->next++];
	struct archive_row row;
	struct content content;
	uint64_t id;
	enum err err = control_archive_id(key, &id);

	if (err == OK)
		err = archive_find(snap, id, &row);
	if (err == OK && row.kind != ARCHIVE_MESSAGE)
		err = ERR_NOT_FOUND;
	if (err == OK)
		err = content_get(snap, row.message.content_id, &content);
	if (err == OK && content.veiled)
		err = ERR_DENIED;
	if (err != OK && err != ERR_IO) {
		control_skip(call, key, control_why(err));
		return OK;
	}
	if (err == OK)
		err = put_begin(x, &row);
	if (err == OK)
		err = put_text(x, content.header);
	x->in_body = true;
	x->body_id = content.body_id;
	x->at = 0;
	x->end = content.body_size;
	return err;
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

static enum step
export_read(struct control_call *call, struct snapshot *snap)
{
	struct exporting *x = call->state;
	size_t count = rpc_value(call->request, "ids")->count;
	struct control_slice slice = control_slice_begin();
	enum err err = OK;

	atomic_store(&call->progress_total, count);
	atomic_store(&call->progress_done, x->next);
	while (err == OK && buf_span(&x->out).len < EXPORT_STEP) {
		if (x->in_body)
			err = more_body(call, snap, x);
		else if (x->next < count)
			err = begin_message(call, snap, x);
		else
			break;
		snapshot_forget_copies(snap);
		if (err == OK && control_slice_is_over_now(&slice))
			return STEP_MORE;
	}
	if (err == OK && (x->in_body || x->next < count))
		return STEP_MORE;
	if (err == OK && x->zips)
		err = zip_finish(&x->zip, &x->out);
	return control_fail_err(call, err, "archived message") ? STEP_DONE : STEP_FAIL;
}

static bool
export_spill(struct control_call *call)
{
	struct exporting *x = call->state;

	return control_write(call, x->fd, &x->out);
}

const struct control_handler control_do_archive_export = {
	.check = export_check,
	.read = export_read,
	.spill = export_spill,
};
