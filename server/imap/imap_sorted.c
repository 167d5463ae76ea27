/*
 * imap_sorted.c - keys of sorting and threading, taken out of a message once (RFC 5256, 2 and 3).
 */
#include "server/imap/imap_sorted.h"

#include <string.h>

#include "proto/base/utf8.h"
#include "proto/imap/imap_subject.h"
#include "proto/mail/header.h"

#define ROOM_FIRST 64
#define ANSWER_MAX (64u << 20)  /* bytes */
#define PUT_AT_ONCE (16u << 10) /* bytes of the answer */

struct sorted_message *
sorted_add(struct imap_find *f, struct sorted_messages *all, const struct find_message *m)
{
	struct sorted_message *to;

	if (all->count == all->room) {
		struct sorted_message *old = all->items;

		all->room = all->room ? 2 * all->room : ROOM_FIRST;
		if (f->arena.total + all->room * sizeof(*old) > FIND_MEMORY_MAX)
			return NULL;
		all->items = ARENA_ARRAY(&f->arena, struct sorted_message, all->room);
		if (all->count > 0)
			memcpy(all->items, old, all->count * sizeof(*old));
	}
	to = &all->items[all->count++];
	*to = (struct sorted_message){ .seq = m->seq, .uid = m->uid, .size = m->entry.size,
		.received_s = m->entry.received_s, .sent_s = m->entry.received_s };
	return to;
}

void
sorted_read_sent(struct sorted_message *to, const struct find_message *m)
{
	if (m->derived.mime.has_sent)
		to->sent_s = m->derived.mime.sent_s;
}

void
sorted_read_subject(struct imap_find *f, struct sorted_message *to, const struct find_message *m)
{
	buf_clear(&f->folded);
	if (mime_derived_put_text(&m->derived.mime, MIME_SUBJECT, &f->folded) != OK)
		buf_clear(&f->folded);
	to->subject = imap_base_subject(&f->arena, buf_span(&f->folded), &to->is_reply);
}

struct span
sorted_mailbox(struct imap_find *f, const struct find_message *m, enum mime_field field)
{
	struct span rest = m->derived.mime.fields[field].raw, name;
	struct header_mailbox first;
	bool in_group = false;
	enum header_element kind = header_next_element(&rest, &in_group, &first);

	if (kind != HEADER_MAILBOX && kind != HEADER_GROUP)
		return SPAN_NONE;
	name = kind == HEADER_GROUP ? first.display /* it stands where a mailbox does (RFC 9051, 7.5.2) */
				    : span_range(first.address, 0, span_find_last(first.address, '@'));
	buf_clear(&f->folded);
	if (utf8_put_folded(&f->folded, name) != OK)
		return SPAN_NONE;
	return arena_copy(&f->arena, buf_span(&f->folded));
}

struct span
sorted_raw(struct imap_find *f, const struct find_message *m, enum mime_field field)
{
	return arena_copy(&f->arena, m->derived.mime.fields[field].raw);
}

/* ---- the command ---- */

static void
drop_answer(void *arg)
{
	buf_fini(&((struct sorted_task *)arg)->answer);
}

enum imap_turn
sorted_begin(struct imap_session *s, struct sorted_task *task, const struct imap_search *search,
	enum find_depth needs, find_hit_fn *hit)
{
	enum err err;

	task->session = s;
	buf_init(&task->answer, ANSWER_MAX);
	arena_on_reset(imap_arena(s), drop_answer, task);
	err = imap_find_begin(s, search, needs, &task->find);
	if (err != OK)
		return imap_end(s, imap_find_refused(err));
	task->find->hit = hit;
	task->find->hit_arg = task;
	return IMAP_MORE;
}

static void
make_answer(struct work *work)
{
	struct sorted_task *task = LIST_ITEM(work, struct sorted_task, work);

	task->make(task);
	imap_find_forget(task->find); /* here: to free megabytes would hold up the loop */
}

static void
after_work(struct work *work, enum err result)
{
	struct sorted_task *task = LIST_ITEM(work, struct sorted_task, work);

	if (result != OK)
		task->find->err = result;
	imap_resume(task->session);
}

static enum imap_turn
give_to_worker(struct imap_session *s, struct sorted_task *task)
{
	enum err err;

	task->made = true;
	task->work = (struct work){ .kind = WORK_SEARCH, .run = make_answer, .done = after_work };
	err = imap_work(s, &task->work);
	return err == OK ? IMAP_WAIT : imap_fail(s, err);
}

/* In pieces as the peer takes them. */
static enum imap_turn
put_answer(struct imap_session *s, struct buf *text)
{
	while (buf_span(text).len > 0) {
		struct span piece = span_range(buf_span(text), 0, PUT_AT_ONCE);

		if (imap_must_yield(s))
			return IMAP_MORE;
		imap_put(buf_put(imap_out(s), piece));
		buf_consume(text, piece.len);
	}
	return IMAP_DONE;
}

enum imap_turn
sorted_go_on(struct imap_session *s, struct sorted_task *task, struct imap_reply done)
{
	if (!task->made) {
		enum imap_turn turn = imap_find_go_on(task->find);

		if (turn != IMAP_DONE)
			return turn;
		if (task->find->err == OK)
			return give_to_worker(s, task);
	}
	if (task->find->err == OK && task->answer.overflow)
		task->find->err = ERR_LIMIT;
	if (task->find->err != OK)
		return imap_end(s, imap_find_refused(task->find->err));
	if (put_answer(s, &task->answer) == IMAP_MORE)
		return IMAP_MORE;
	return imap_end(s, done);
}
