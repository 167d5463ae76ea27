/*
 * imap_cmd_sort.c - SORT and UID SORT (RFC 5256, 3 and 4).
 *
 *     keys -> find, with what is sorted by -> sorted on a worker -> * SORT
 */
#include <stdlib.h>

#include "proto/base/ascii.h"
#include "server/imap/imap_sorted.h"

struct sort_task {
	struct sorted_task sorted; /* first */
	struct imap_sort sort;
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
	struct sorted_message *to = sorted_add(f, &task->sorted.hits, m);

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
make_answer(struct sorted_task *sorted)
{
	struct sort_task *task = LIST_ITEM(sorted, struct sort_task, sorted);
	struct sorted_messages *hits = &sorted->hits;
	bool by_uid = sorted->session->run->by_uid;

	if (hits->count > 1)
		qsort_r(hits->items, hits->count, sizeof(*hits->items), compare, &task->sort);
	(void)!buf_put(&sorted->answer, SPAN("* SORT"));
	for (size_t i = 0; i < hits->count; i++) {
		(void)!buf_put_char(&sorted->answer, ' ');
		(void)!buf_put_u64(&sorted->answer, by_uid ? hits->items[i].uid : hits->items[i].seq);
	}
	(void)!buf_put(&sorted->answer, SPAN("\r\n"));
}

static enum imap_turn
begin(struct imap_session *s, struct imap_cursor *args)
{
	struct sort_task *task = ARENA_NEW(imap_arena(s), struct sort_task);
	enum find_depth needs = FIND_ENTRY;

	s->run->task = task;
	task->sorted.make = make_answer;
	if (!imap_take_sort(args, &task->sort) || !imap_take_end(args))
		return imap_bad_arguments(s, args);
	for (size_t i = 0; i < task->sort.count; i++)
		if (task->sort.criteria[i].by != IMAP_SORT_ARRIVAL &&
			task->sort.criteria[i].by != IMAP_SORT_SIZE)
			needs = FIND_FIELDS;
	return sorted_begin(s, &task->sorted, &task->sort.search, needs, on_hit);
}

enum imap_turn
imap_cmd_sort(struct imap_session *s, struct imap_cursor *args)
{
	struct sort_task *task;

	if (!s->run->task && begin(s, args) == IMAP_DONE)
		return IMAP_DONE;
	task = s->run->task;
	return sorted_go_on(s, &task->sorted, IMAP_OK("Sort is done"));
}
