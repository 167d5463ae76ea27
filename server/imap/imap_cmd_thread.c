/*
 * imap_cmd_thread.c - THREAD and UID THREAD, REFERENCES and ORDEREDSUBJECT (RFC 5256, 3 and 4).
 */
#include "proto/imap/imap_thread.h"
#include "server/imap/imap_sorted.h"
#include "server/net/random.h"

#define ANSWER_MAX (64u << 20) /* bytes */

struct thread_task {
	struct imap_thread thread;
	enum imap_threading how;
	struct imap_find *find;
	struct sorted_messages hits;
	struct work work; /* the threading itself */
	struct imap_session *session;
	bool threaded;
	struct buf answer;
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
	struct sorted_message *to = sorted_add(f, &task->hits, m);

	if (!to)
		return false;
	sorted_read_sent(to, m);
	sorted_read_subject(f, to, m);
	to->id = sorted_raw(f, m, MIME_MESSAGE_ID);
	to->references = sorted_raw(f, m, MIME_REFERENCES);
	to->in_reply_to = sorted_raw(f, m, MIME_IN_REPLY_TO);
	return true;
}

static void
drop_answer(void *arg)
{
	buf_fini(&((struct thread_task *)arg)->answer);
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

static enum imap_turn
begin(struct imap_session *s, struct imap_cursor *args)
{
	struct thread_task *task = ARENA_NEW(imap_arena(s), struct thread_task);
	enum err err;

	s->run->task = task;
	task->session = s;
	buf_init(&task->answer, ANSWER_MAX);
	arena_on_reset(imap_arena(s), drop_answer, task);
	if (!imap_take_thread(args, &task->thread) || !imap_take_end(args))
		return imap_bad_arguments(s, args);
	if (!find_algorithm(task))
		return imap_end(s, IMAP_BAD("Unknown algorithm of THREAD"));
	err = imap_find_begin(s, &task->thread.search, FIND_FIELDS, &task->find);
	if (err != OK)
		return imap_end(s, imap_find_refused(err));
	task->find->hit = on_hit;
	task->find->hit_arg = task;
	return IMAP_MORE;
}

static void
thread_hits(struct work *work)
{
	struct thread_task *task = LIST_ITEM(work, struct thread_task, work);
	bool by_uid = task->session->run->by_uid;
	struct arena *a = &task->find->arena;
	struct imap_threaded *messages = ARENA_ARRAY(a, struct imap_threaded, task->hits.count);
	struct hash64_key key;

	random_fill(&key, sizeof(key));
	for (size_t i = 0; i < task->hits.count; i++) {
		const struct sorted_message *m = &task->hits.items[i];

		messages[i] = (struct imap_threaded){ .number = by_uid ? m->uid : m->seq,
			.sent_s = m->sent_s, .id = m->id, .references = m->references,
			.in_reply_to = m->in_reply_to, .subject = m->subject,
			.is_reply = m->is_reply };
	}
	(void)!buf_put(&task->answer, task->hits.count ? SPAN("* THREAD ") : SPAN("* THREAD"));
	(void)!imap_thread_put(a, messages, task->hits.count, task->how, key, &task->answer);
	(void)!buf_put(&task->answer, SPAN("\r\n"));
	imap_find_forget(task->find); /* here: to free megabytes would hold up the loop */
}

static void
after_thread(struct work *work, enum err result)
{
	struct thread_task *task = LIST_ITEM(work, struct thread_task, work);

	if (result != OK)
		task->find->err = result;
	imap_resume(task->session);
}

static enum imap_turn
give_to_worker(struct imap_session *s, struct thread_task *task)
{
	enum err err;

	task->threaded = true;
	task->work = (struct work){ .kind = WORK_SEARCH, .run = thread_hits, .done = after_thread };
	err = imap_work(s, &task->work);
	return err == OK ? IMAP_WAIT : imap_fail(s, err);
}

enum imap_turn
imap_cmd_thread(struct imap_session *s, struct imap_cursor *args)
{
	struct thread_task *task = s->run->task;

	if (!task) {
		if (begin(s, args) == IMAP_DONE)
			return IMAP_DONE;
		task = s->run->task;
	}
	if (!task->threaded) {
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
	return imap_end(s, IMAP_OK("Thread is done"));
}
