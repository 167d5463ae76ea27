/*
 * imap_cmd_sort.c - SORT and UID SORT (RFC 5256, 3 and 4).
 *
 *     keys -> find, with what is sorted by -> sorted on a worker -> * SORT
 */
#include <stdlib.h>

#include "proto/base/ascii.h"
#include "server/imap/imap_sorted.h"

#define ANSWER_MAX (64u << 20) /* bytes */

struct sort_task {
	struct imap_sort sort;
	struct imap_find *find;
	struct sorted_messages hits;
	struct work work; /* the sorting itself */
	struct imap_session *session;
	bool sorted, put;
	struct buf answer;
};

static bool
sorts_by(const struct imap_sort *sort, enum imap_sort_by by)
{
	for (size_t i = 0; i < sort->count; i++)
		if (sort->criteria[i].by == by)
			return true;
	return false;
}

static bool
on_hit(struct imap_find *f, const struct find_message *m)
{
	struct sort_task *task = f->hit_arg;
	struct sorted_message *to = sorted_add(f, &task->hits, m);

	if (!to)
		return false;
	if (m->depth < FIND_FIELDS)
		return true;
	sorted_read_sent(to, m);
	if (sorts_by(&task->sort, IMAP_SORT_SUBJECT))
		sorted_read_subject(f, to, m);
	if (sorts_by(&task->sort, IMAP_SORT_FROM))
		to->from = sorted_mailbox(f, m, MIME_FROM);
	if (sorts_by(&task->sort, IMAP_SORT_TO))
		to->to = sorted_mailbox(f, m, MIME_TO);
	if (sorts_by(&task->sort, IMAP_SORT_CC))
		to->cc = sorted_mailbox(f, m, MIME_CC);
	return true;
}

static void
drop_answer(void *arg)
{
	buf_fini(&((struct sort_task *)arg)->answer);
}

static enum imap_turn
begin(struct imap_session *s, struct imap_cursor *args)
{
	struct sort_task *task = ARENA_NEW(imap_arena(s), struct sort_task);
	enum find_depth needs = FIND_ENTRY;
	enum err err;

	s->run->task = task;
	task->session = s;
	buf_init(&task->answer, ANSWER_MAX);
	arena_on_reset(imap_arena(s), drop_answer, task);
	if (!imap_take_sort(args, &task->sort) || !imap_take_end(args))
		return imap_bad_arguments(s, args);
	for (size_t i = 0; i < task->sort.count; i++)
		if (task->sort.criteria[i].by != IMAP_SORT_ARRIVAL &&
			task->sort.criteria[i].by != IMAP_SORT_SIZE)
			needs = FIND_FIELDS;
	err = imap_find_begin(s, &task->sort.search, needs, &task->find);
	if (err != OK)
		return imap_end(s, imap_find_refused(err));
	task->find->hit = on_hit;
	task->find->hit_arg = task;
	return IMAP_MORE;
}

/* ---- sorting ---- */

static int
order_of(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

/*
 * Texts are folded to small letters; in order they stand as capitals do, before "[" and "_" (RFC 5051, RFC
 * 5256, 3: i;unicode-casemap).
 */
static int
order_of_text(struct span a, struct span b)
{
	for (size_t i = 0; i < a.len && i < b.len; i++) {
		unsigned char x = (unsigned char)ascii_upper(a.ptr[i]);
		unsigned char y = (unsigned char)ascii_upper(b.ptr[i]);

		if (x != y)
			return x < y ? -1 : 1;
	}
	return (a.len > b.len) - (a.len < b.len);
}

static int
compare_by(enum imap_sort_by by, const struct sorted_message *a, const struct sorted_message *b)
{
	switch (by) {
	case IMAP_SORT_ARRIVAL:
		return order_of(a->received_s, b->received_s);
	case IMAP_SORT_CC:
		return order_of_text(a->cc, b->cc);
	case IMAP_SORT_DATE:
		return order_of(a->sent_s, b->sent_s);
	case IMAP_SORT_FROM:
		return order_of_text(a->from, b->from);
	case IMAP_SORT_SIZE:
		return order_of(a->size, b->size);
	case IMAP_SORT_SUBJECT:
		return order_of_text(a->subject, b->subject);
	case IMAP_SORT_TO:
		return order_of_text(a->to, b->to);
	}
	return 0;
}

/* What is equal stays in order of its numbers, also under REVERSE (RFC 5256, 3). */
static int
compare(const void *one, const void *two, void *arg)
{
	const struct sorted_message *a = one, *b = two;
	const struct imap_sort *sort = arg;

	for (size_t i = 0; i < sort->count; i++) {
		int order = compare_by(sort->criteria[i].by, a, b);

		if (order != 0)
			return sort->criteria[i].reverse ? -order : order;
	}
	return order_of(a->seq, b->seq);
}

static void
sort_hits(struct work *work)
{
	struct sort_task *task = LIST_ITEM(work, struct sort_task, work);
	bool by_uid = task->session->run->by_uid;

	if (task->hits.count > 1)
		qsort_r(task->hits.items, task->hits.count, sizeof(*task->hits.items), compare,
			&task->sort);
	(void)!buf_put(&task->answer, SPAN("* SORT"));
	for (size_t i = 0; i < task->hits.count; i++) {
		const struct sorted_message *m = &task->hits.items[i];

		(void)!buf_put_char(&task->answer, ' ');
		(void)!buf_put_u64(&task->answer, by_uid ? m->uid : m->seq);
	}
	(void)!buf_put(&task->answer, SPAN("\r\n"));
	imap_find_forget(task->find); /* here: to free megabytes would hold up the loop */
}

static void
after_sort(struct work *work, enum err result)
{
	struct sort_task *task = LIST_ITEM(work, struct sort_task, work);

	if (result != OK)
		task->find->err = result;
	imap_resume(task->session);
}

static enum imap_turn
give_to_worker(struct imap_session *s, struct sort_task *task)
{
	enum err err;

	task->sorted = true;
	task->work = (struct work){ .kind = WORK_SEARCH, .run = sort_hits, .done = after_sort };
	err = imap_work(s, &task->work);
	return err == OK ? IMAP_WAIT : imap_fail(s, err);
}

enum imap_turn
imap_cmd_sort(struct imap_session *s, struct imap_cursor *args)
{
	struct sort_task *task = s->run->task;

	if (!task) {
		if (begin(s, args) == IMAP_DONE)
			return IMAP_DONE;
		task = s->run->task;
	}
	if (!task->sorted) {
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
	if (sorted_put(s, &task->answer) == IMAP_MORE)
		return IMAP_MORE;
	return imap_end(s, IMAP_OK("Sort is done"));
}
