/*
 * control_messages.c - messages of a mailbox: list, the bin, show.
 */
#include <stdio.h>
#include <unistd.h>

#include "conf/conf.h"
#include "server/control/control_mailbox.h"
#include "store/bodies.h"

#define SHOWN_HEADER_MAX (128 * 1024) /* bytes of a header in a reply */
#define SHOWN_BODY_MAX (256 * 1024)   /* bytes of a body in a reply (console.md 6) */
#define OUT_STEP (1024 * 1024)	      /* bytes read under one snapshot for --out */

struct message_walk {
	uint32_t after;
	int64_t keep_ms; /* of the bin */
	struct arena scratch;
};

typedef void put_row_fn(struct control_call *call, struct snapshot *snap,
	const struct folder *folder, const struct entry *entry, const struct message *m);

static void
list_row(struct control_call *call, struct snapshot *snap, const struct folder *folder,
	const struct entry *entry, const struct message *m)
{
	struct message_walk *walk = call->state;
	struct control_rows *rows = &call->rows;
	struct span flags[CONTROL_FLAGS_MAX];
	struct control_heading h = {0};
	char key[16];

	(void)snap;
	(void)folder;
	snprintf(key, sizeof(key), "%u", entry->uid);
	if (m)
		control_heading(&walk->scratch, m->content.header, &h);
	control_row(rows, span_of(key));
	control_put_number(rows, entry->uid);
	control_put_text(rows, m ? h.from : SPAN("(damaged)"));
	control_put_text(rows, m ? h.subject : SPAN("(damaged)"));
	control_put_time_ms(rows, h.date_ms ? h.date_ms : (int64_t)entry->received_s * 1000);
	control_put_number(rows, entry->size);
	control_put_list(rows, flags, control_flags(entry->flags, flags));
	control_put_number(rows, (entry->flags & FLAG_HELD) != 0);
}

static void
bin_row(struct control_call *call, struct snapshot *snap, const struct folder *bin,
	const struct entry *entry, const struct message *m)
{
	struct message_walk *walk = call->state;
	struct control_rows *rows = &call->rows;
	struct span folder_id = SPAN_NONE, uid = SPAN_NONE, rest;
	struct control_heading h = {0};
	struct folder from = {0};
	uint64_t id = 0, number = 0;
	char key[16];

	if (m) {
		control_heading(&walk->scratch, m->content.header, &h);
		span_cut(m->copy.keywords, ' ', &folder_id, &rest);
		span_cut(rest, ' ', &uid, &rest);
	}
	if (span_u64(folder_id, UINT64_MAX, &id) != OK ||
		folder_get(snap, bin->user_id, id, &from) != OK)
		from.name = SPAN("(gone)");
	snprintf(key, sizeof(key), "%u", entry->uid);
	control_row(rows, span_of(key));
	control_put_text(rows, span_of(key));
	control_put_number(rows, span_u64(uid, UINT32_MAX, &number) == OK ? (int64_t)number : 0);
	control_put_text(rows, from.name);
	control_put_text(rows, m ? h.from : SPAN("(damaged)"));
	control_put_text(rows, m ? h.subject : SPAN("(damaged)"));
	control_put_number(rows, entry->size);
	control_put_time_ms(rows, m ? (int64_t)m->copy.save_ms : 0);
	control_put_time_ms(rows, m ? (int64_t)m->copy.save_ms + walk->keep_ms : 0);
}

static enum step
folder_read(struct control_call *call, struct snapshot *snap, const struct folder *folder,
	put_row_fn *put)
{
	struct control_slice slice = control_slice_begin();
	struct message_walk *walk = call->state;
	struct entry entry;
	struct message m;
	enum err err;

	while ((err = entry_next(snap, folder->folder_id, walk->after, &entry)) == OK) {
		enum err found = message_find(snap, folder->folder_id, entry.uid, &m);

		walk->after = entry.uid;
		put(call, snap, folder, &entry, found == OK ? &m : NULL);
		arena_reset(&walk->scratch);
		if (control_slice_is_over(&slice))
			return STEP_MORE;
	}
	if (err == ERR_NOT_FOUND)
		return STEP_DONE;
	control_fail_err(call, err, "message");
	return STEP_FAIL;
}

static bool
walk_check(struct control_call *call)
{
	struct message_walk *walk = ARENA_NEW(&call->arena, struct message_walk);

	walk->keep_ms = call->host->conf->users_bin_keep_ms;
	arena_init(&walk->scratch, NULL);
	call->state = walk;
	return true;
}

static enum step
list_read(struct control_call *call, struct snapshot *snap)
{
	struct folder folder;

	if (control_folder(call, snap, control_param(call, "user"), control_param(call, "folder"),
		    &folder) != OK)
		return STEP_FAIL;
	return folder_read(call, snap, &folder, list_row);
}

const struct control_handler control_do_message_list = {
	.check = walk_check,
	.read = list_read,
};

static enum step
bin_read(struct control_call *call, struct snapshot *snap)
{
	struct folder inbox, bin;

	if (control_folder(call, snap, control_param(call, "user"), MAILBOX_INBOX, &inbox) != OK)
		return STEP_FAIL;
	if (folder_find(snap, inbox.user_id, FOLDER_BIN, &bin) != OK)
		return STEP_DONE; /* nothing was ever removed */
	return folder_read(call, snap, &bin, bin_row);
}

const struct control_handler control_do_message_bin = {.check = walk_check, .read = bin_read};

/* ---- show ---- */

struct shown {
	int fd; /* --out; -1: in the reply */
	bool has_begun;
	uint64_t body_id, at;
	struct buf piece;
};

static void
piece_free(void *arg)
{
	buf_fini(arg);
}

static bool
show_check(struct control_call *call)
{
	struct shown *s = ARENA_NEW(&call->arena, struct shown);

	s->fd = control_fd(call, "out");
	buf_init(&s->piece, 2 * OUT_STEP);
	arena_on_reset(&call->arena, piece_free, &s->piece);
	call->state = s;
	log_put(call->host->log,
		&(struct log_line){.level = LEVEL_INFO,
			.area = "security",
			.text = "message read",
			.fields = {{"who", span_of(call->who.name), 0},
				{"via", span_of(call->who.via), 0},
				{"user", control_param(call, "user"), 0},
				{"uid", SPAN_NONE, (int64_t)rpc_number(call->request, "uid", 0)}}});
	return true;
}

static void
put_body(struct control_call *call, struct snapshot *snap, const struct message *m)
{
	struct json_writer *w = &call->json;
	struct buf body;
	struct span piece;
	uint64_t at = 0;

	buf_init(&body, SHOWN_BODY_MAX + 2 * BODY_PIECE_DATA);
	while (at < SHOWN_BODY_MAX && body_read(snap, m->content.body_id, at, &piece) == OK) {
		at += piece.len;
		if (buf_put(&body, piece) != OK)
			break;
	}
	json_put_member_string(w, SPAN("body"), span_range(buf_span(&body), 0, SHOWN_BODY_MAX));
	json_put_member_bool(w, SPAN("truncated"), m->content.body_size > SHOWN_BODY_MAX);
	buf_fini(&body);
}

static void
put_message(struct control_call *call, struct snapshot *snap, const struct message *m)
{
	struct json_writer *w = &call->json;
	struct span flags[CONTROL_FLAGS_MAX];
	size_t n = control_flags(m->entry.flags, flags);
	struct control_heading h;

	control_heading(&call->arena, m->content.header, &h);
	json_put_object(w);
	json_put_member_u64(w, SPAN("uid"), m->entry.uid);
	json_put_member_string(w, SPAN("from"), h.from);
	json_put_name(w, SPAN("to"));
	json_put_array(w);
	if (h.to.len)
		json_put_string(w, h.to);
	json_put_close(w);
	json_put_member_string(w, SPAN("subject"), h.subject);
	control_put_time(
		w, SPAN("date"), h.date_ms ? h.date_ms : (int64_t)m->entry.received_s * 1000);
	json_put_member_u64(w, SPAN("size"), m->entry.size);
	json_put_name(w, SPAN("flags"));
	json_put_array(w);
	for (size_t i = 0; i < n; i++)
		json_put_string(w, flags[i]);
	json_put_close(w);
	json_put_member_bool(w, SPAN("held"), (m->entry.flags & FLAG_HELD) != 0);
	json_put_member_string(w, SPAN("header"),
		arena_printf(&call->arena, "%.*s%.*s", SPAN_FMT(m->copy.front),
			SPAN_FMT(span_range(m->content.header, 0, SHOWN_HEADER_MAX))));
	put_body(call, snap, m);
	json_put_close(w);
}

static enum step
show_read(struct control_call *call, struct snapshot *snap)
{
	struct shown *s = call->state;
	struct folder folder;
	struct message m;
	struct span piece;
	enum err err = control_folder(
		call, snap, control_param(call, "user"), control_param(call, "folder"), &folder);

	if (err != OK)
		return STEP_FAIL;
	if (!s->has_begun) {
		err = message_find(
			snap, folder.folder_id, (uint32_t)rpc_number(call->request, "uid", 0), &m);
		if (!control_fail_err(call, err, "message"))
			return STEP_FAIL;
		put_message(call, snap, &m);
		s->has_begun = true;
		s->body_id = m.content.body_id;
		if (s->fd < 0)
			return STEP_DONE;
		if (buf_put(&s->piece, m.copy.front) != OK ||
			buf_put(&s->piece, m.content.header) != OK)
			return STEP_FAIL;
	}
	while (buf_span(&s->piece).len < OUT_STEP) {
		err = body_read(snap, s->body_id, s->at, &piece);
		if (err == ERR_NOT_FOUND)
			return STEP_DONE;
		if (!control_fail_err(call, err, "the message") || buf_put(&s->piece, piece) != OK)
			return STEP_FAIL;
		s->at += piece.len;
	}
	return STEP_MORE;
}

static bool
show_spill(struct control_call *call)
{
	struct shown *s = call->state;

	return s->fd < 0 || control_write(call, s->fd, &s->piece);
}

const struct control_handler control_do_message_show = {
	.check = show_check,
	.read = show_read,
	.spill = show_spill,
};
