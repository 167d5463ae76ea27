/*
 * imap_cmd_thread.c - THREAD and UID THREAD, REFERENCES and ORDEREDSUBJECT (RFC 5256, 3 and 4).
 */
#include "proto/imap/imap_thread.h"
#include "server/imap/imap_sorted.h"
#include "server/net/random.h"

struct thread_task {
	struct sorted_task sorted; /* first */
	struct imap_thread thread;
	enum imap_threading how;
};

static const struct {
	struct span name;
	enum imap_threading how;
} algorithms[] = {
	{ { "ORDEREDSUBJECT", 14 }, IMAP_THREAD_ORDEREDSUBJECT },
	{ { "REFERENCES", 10 }, IMAP_THREAD_REFERENCES_BY },
};

static bool
on_hit(struct imap_find *f, const struct find_message *m)
{
	struct thread_task *task = f->hit_arg;
	struct sorted_message *to = sorted_add(f, &task->sorted.hits, m);

	if (!to)
		return false;
	sorted_read_sent(to, m);
	sorted_read_subject(f, to, m);
	to->id = sorted_raw(f, m, MIME_MESSAGE_ID);
	to->references = sorted_raw(f, m, MIME_REFERENCES);
	to->in_reply_to = sorted_raw(f, m, MIME_IN_REPLY_TO);
	return true;
}

static bool
find_algorithm(struct thread_task *task)
{
	for (size_t i = 0; i < COUNT(algorithms); i++) {
		task->how = algorithms[i].how;
		if (span_eq_nocase(task->thread.algorithm, algorithms[i].name))
			return true;
	}
	return false;
}

static void
make_answer(struct sorted_task *sorted)
{
	struct thread_task *task = LIST_ITEM(sorted, struct thread_task, sorted);
	const struct sorted_messages *hits = &sorted->hits;
	bool by_uid = sorted->session->run->by_uid;
	struct arena *a = &sorted->find->arena;
	struct imap_threaded *messages = ARENA_ARRAY(a, struct imap_threaded, hits->count);
	struct hash64_key key;

	random_fill(&key, sizeof(key));
	for (size_t i = 0; i < hits->count; i++) {
		const struct sorted_message *m = &hits->items[i];

		messages[i] = (struct imap_threaded){ .number = by_uid ? m->uid : m->seq,
			.sent_s = m->sent_s, .id = m->id, .references = m->references,
			.in_reply_to = m->in_reply_to, .subject = m->subject,
			.is_reply = m->is_reply };
	}
	(void)!buf_put(&sorted->answer, hits->count ? SPAN("* THREAD ") : SPAN("* THREAD"));
	(void)!imap_thread_put(a, messages, hits->count, task->how, key, &sorted->answer);
	(void)!buf_put(&sorted->answer, SPAN("\r\n"));
}

static enum imap_turn
begin(struct imap_session *s, struct imap_cursor *args)
{
	struct thread_task *task = ARENA_NEW(imap_arena(s), struct thread_task);

	s->run->task = task;
	task->sorted.make = make_answer;
	if (!imap_take_thread(args, &task->thread) || !imap_take_end(args))
		return imap_bad_arguments(s, args);
	if (!find_algorithm(task))
		return imap_end(s, IMAP_BAD("Unknown algorithm of THREAD"));
	return sorted_begin(s, &task->sorted, &task->thread.search, FIND_FIELDS, on_hit);
}

enum imap_turn
imap_cmd_thread(struct imap_session *s, struct imap_cursor *args)
{
	struct thread_task *task;

	if (!s->run->task && begin(s, args) == IMAP_DONE)
		return IMAP_DONE;
	task = s->run->task;
	return sorted_go_on(s, &task->sorted, IMAP_OK("Thread is done"));
}
