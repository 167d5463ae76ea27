/*
 * control_message_show.c - see control_show.h; and the messages of a mailbox and of the queue.
 */
#include <unistd.h>

#include "proto/mail/message_no.h"
#include "proto/mime/mime_decoder.h"
#include "server/control/control_letter.h"
#include "server/control/control_mailbox.h"
#include "server/control/control_show.h"
#include "store/bodies.h"
#include "store/queued.h"

#define SHOWN_HEADER_MAX (128 * 1024) /* bytes of a header in a reply */
#define SHOWN_BODY_MAX (256 * 1024)   /* bytes of a body in a reply (console.md 6) */
#define OUT_STEP (1024 * 1024)	      /* bytes read under one snapshot for --out */

struct shown {
	int fd; /* --out; -1: in the reply */
	bool has_begun;
	uint64_t body_id, at, end; /* bytes of the body that follow */
	struct mime_decoder decoder; /* of a part; whole messages go as they are */
	struct buf piece;
};

static void
piece_free(void *arg)
{
	buf_fini(arg);
}

bool
control_show_begin(struct control_call *call, int fd, const char *what, struct log_field object,
	struct log_field number)
{
	struct shown *s = ARENA_NEW(&call->arena, struct shown);

	s->fd = fd;
	buf_init(&s->piece, 2 * OUT_STEP);
	arena_on_reset(&call->arena, piece_free, &s->piece);
	call->state = s;
	log_put(call->host->log,
		&(struct log_line){.level = LEVEL_INFO,
			.area = "security",
			.text = what,
			.fields = {{"who", span_of(call->who.name), 0},
				{"via", span_of(call->who.via), 0},
				object, number}});
	return true;
}

static bool
show_check(struct control_call *call)
{
	return control_show_begin(call, control_fd(call, "out"), "message read",
		(struct log_field){"user", control_param(call, "user"), 0},
		(struct log_field){"uid", SPAN_NONE, (int64_t)rpc_number(call->request, "uid", 0)});
}

static bool
queue_check(struct control_call *call)
{
	return control_show_begin(call, control_fd(call, "out"), "message read",
		(struct log_field){"id", control_param(call, "id"), 0},
		(struct log_field){0});
}

static void
put_body(struct control_call *call, struct snapshot *snap, const struct content *c)
{
	struct json_writer *w = &call->json;
	struct buf body;
	struct span piece;
	uint64_t at = 0;

	buf_init(&body, SHOWN_BODY_MAX + 2 * BODY_PIECE_DATA);
	while (at < SHOWN_BODY_MAX && body_read(snap, c->body_id, at, &piece) == OK) {
		at += piece.len;
		if (buf_put(&body, piece) != OK)
			break;
	}
	json_put_member_string(w, SPAN("body"), span_range(buf_span(&body), 0, SHOWN_BODY_MAX));
	json_put_member_bool(w, SPAN("truncated"), c->body_size > SHOWN_BODY_MAX);
	buf_fini(&body);
}

static void
put_flags(struct json_writer *w, const struct entry *entry)
{
	struct span flags[CONTROL_FLAGS_MAX];
	size_t n = control_flags(entry->flags, flags);

	json_put_name(w, SPAN("flags"));
	json_put_array(w);
	for (size_t i = 0; i < n; i++)
		json_put_string(w, flags[i]);
	json_put_close(w);
	json_put_member_bool(w, SPAN("held"), (entry->flags & FLAG_HELD) != 0);
}

static void
put_letter(struct control_call *call, struct snapshot *snap, const struct control_letter *l)
{
	struct json_writer *w = &call->json;
	struct control_heading h;

	control_heading(&call->arena, l->content->header, &h);
	json_put_object(w);
	if (l->entry)
		json_put_member_u64(w, SPAN("uid"), l->entry->uid);
	else
		json_put_member_string(w, SPAN("id"), control_param(call, "id"));
	json_put_member_string(w, SPAN("from"), h.from);
	json_put_name(w, SPAN("to"));
	json_put_array(w);
	if (h.to.len)
		json_put_string(w, h.to);
	json_put_close(w);
	json_put_member_string(w, SPAN("subject"), h.subject);
	control_put_time(w, SPAN("date"), h.date_ms ? h.date_ms : l->received_ms);
	json_put_member_u64(w, SPAN("size"), l->size);
	if (l->entry)
		put_flags(w, l->entry);
	json_put_member_string(w, SPAN("header"),
		arena_printf(&call->arena, "%.*s%.*s", SPAN_FMT(l->front),
			SPAN_FMT(span_range(l->content->header, 0, SHOWN_HEADER_MAX))));
	put_body(call, snap, l->content);
	control_put_letter(call, snap, l->content);
	if (l->more)
		l->more(call, snap, l->arg);
	json_put_close(w);
}

/* The reply is put once; with --out the bytes follow, OUT_STEP at a time. */
enum step
control_show_letter(
	struct control_call *call, struct snapshot *snap, const struct control_letter *l)
{
	struct shown *s = call->state;
	struct mime_part part;

	if (rpc_has(call->request, "part")) {
		if (!control_letter_part(
			    call, snap, l->content, control_param(call, "part"), &part))
			return STEP_FAIL;
		if (s->fd < 0) {
			control_fail(call, RPC_INVALID, "a part is written to a file, decoded",
				"--out FILE names it", "out");
			return STEP_FAIL;
		}
		s->at = part.body_offset - l->content->header.len;
		s->end = s->at + part.body_size;
		mime_decoder_init(&s->decoder, part.encoding);
	}
	put_letter(call, snap, l);
	s->has_begun = true;
	s->body_id = l->content->body_id;
	if (s->fd < 0)
		return STEP_DONE;
	if (rpc_has(call->request, "part"))
		return STEP_MORE;
	s->end = l->content->body_size;
	if (buf_put(&s->piece, l->front) != OK || buf_put(&s->piece, l->content->header) != OK)
		return STEP_FAIL;
	return STEP_MORE;
}

enum step
control_show_more(struct control_call *call, struct snapshot *snap)
{
	struct shown *s = call->state;
	struct span piece;

	while (s->at < s->end && buf_span(&s->piece).len < OUT_STEP) {
		enum err err = body_read(snap, s->body_id, s->at, &piece);

		if (!control_fail_err(call, err, "the message"))
			return STEP_FAIL;
		piece = span_range(piece, 0, s->end - s->at);
		if (mime_decoder_put(&s->decoder, piece, &s->piece) != OK)
			return STEP_FAIL;
		s->at += piece.len;
	}
	if (s->at < s->end)
		return STEP_MORE;
	return mime_decoder_end(&s->decoder, &s->piece) == OK ? STEP_DONE : STEP_FAIL;
}

bool
control_show_has_begun(const struct control_call *call)
{
	return ((const struct shown *)call->state)->has_begun;
}

static enum step
show_read(struct control_call *call, struct snapshot *snap)
{
	struct folder folder;
	struct message m;
	enum err err;

	if (control_show_has_begun(call))
		return control_show_more(call, snap);
	err = control_folder(
		call, snap, control_param(call, "user"), control_param(call, "folder"), &folder);
	if (err != OK)
		return STEP_FAIL;
	err = message_find(
		snap, folder.folder_id, (uint32_t)rpc_number(call->request, "uid", 0), &m);
	if (!control_fail_err(call, err, "message"))
		return STEP_FAIL;
	return control_show_letter(call, snap,
		&(struct control_letter){.content = &m.content,
			.front = m.copy.front,
			.entry = &m.entry,
			.size = m.entry.size,
			.received_ms = (int64_t)m.entry.received_s * 1000});
}

static enum step
queue_read(struct control_call *call, struct snapshot *snap)
{
	struct content content;
	struct queued q;
	uint64_t id;
	enum err err;

	if (control_show_has_begun(call))
		return control_show_more(call, snap);
	err = message_no_parse(control_param(call, "id"), &id);
	err = err == OK ? queued_find(snap, id, &q) : ERR_NOT_FOUND;
	if (err == OK)
		err = content_get(snap, q.content_id, &content);
	if (!control_fail_err(call, err, "message in the queue"))
		return STEP_FAIL;
	return control_show_letter(call, snap,
		&(struct control_letter){.content = &content,
			.size = q.size_bytes,
			.received_ms = q.received_ms});
}

bool
control_show_spill(struct control_call *call)
{
	struct shown *s = call->state;

	return s->fd < 0 || control_write(call, s->fd, &s->piece);
}

const struct control_handler control_do_message_show = {
	.check = show_check,
	.read = show_read,
	.spill = control_show_spill,
};

const struct control_handler control_do_queue_message = {
	.check = queue_check,
	.read = queue_read,
	.spill = control_show_spill,
};
