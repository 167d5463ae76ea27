/*
 * mime_downgrade_run.c - the plan carried out on what follows the header.
 */
#include "proto/mime/mime_downgrade.h"

void
mime_downgrade_run_init(struct mime_downgrade_run *r, const struct mime_downgrade *plan)
{
	*r = (struct mime_downgrade_run){ .edit = plan->edits };
}

static enum err
put_marked(struct span in, struct buf *out)
{
	char *room = in.len > 0 ? buf_reserve(out, in.len) : NULL;

	if (!room)
		return in.len > 0 ? ERR_LIMIT : OK;
	for (size_t i = 0; i < in.len; i++)
		room[i] = (unsigned char)in.ptr[i] < 0x80 ? in.ptr[i] : '?';
	buf_added(out, in.len);
	return OK;
}

static enum err
begin_edit(struct mime_downgrade_run *r, struct buf *out)
{
	r->is_inside = true;
	if (r->edit->what == MIME_EDIT_ENCODE)
		mime_encoder_init(&r->encoder, r->edit->encoding);
	return r->edit->what == MIME_EDIT_PUT ? buf_put(out, r->edit->text) : OK;
}

static enum err
end_edit(struct mime_downgrade_run *r, struct buf *out)
{
	enum err err = r->edit->what == MIME_EDIT_ENCODE ? mime_encoder_end(&r->encoder, out) : OK;

	r->is_inside = false;
	r->edit = r->edit->next;
	return err;
}

static enum err
put_edited(struct mime_downgrade_run *r, struct span in, struct buf *out)
{
	enum err err = r->is_inside ? OK : begin_edit(r, out);

	if (err == OK && r->edit->what == MIME_EDIT_ENCODE)
		err = mime_encoder_put(&r->encoder, in, out);
	else if (err == OK && r->edit->what == MIME_EDIT_MARK)
		err = put_marked(in, out);
	if (err == OK && r->at + in.len == r->edit->at + r->edit->size)
		err = end_edit(r, out);
	return err;
}

enum err
mime_downgrade_run_put(struct mime_downgrade_run *r, struct span in, struct buf *out)
{
	enum err err = OK;

	while (in.len > 0 && err == OK) {
		const struct mime_edit *edit = r->edit;
		bool inside = edit && r->at >= edit->at;
		uint64_t end = !edit ? UINT64_MAX : inside ? edit->at + edit->size : edit->at;
		struct span now = end - r->at < in.len ? span_range(in, 0, (size_t)(end - r->at)) : in;

		err = inside ? put_edited(r, now, out) : buf_put(out, now);
		r->at += now.len;
		in = span_from(in, now.len);
	}
	return err;
}
