/*
 * imap_dispatch.c - from a command to its handler, and from there to its answer.
 *
 *     dispatch -> [the view] -> handler -> ... -> [the news] -> tagged answer
 *                     ^            |                 |
 *                     +-- a later turn, or the end of a job
 */
#include <time.h>

#include "server/imap/imap_mailbox.h"
#include "server/imap/imap_sync.h"

#define LOOKS_SAVED 16 /* of so many pieces of output one asks what time it is */

int64_t
imap_now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* ---- for handlers ---- */

enum imap_turn
imap_end(struct imap_session *imap, struct imap_reply reply)
{
	imap->run->reply = reply;
	return IMAP_DONE;
}

enum imap_turn
imap_fail(struct imap_session *imap, enum err err)
{
	return imap_end(imap, imap_reply_for(err));
}

enum imap_turn
imap_bad_arguments(struct imap_session *imap, const struct imap_cursor *args)
{
	return imap_end(imap,
		imap_cursor_err(args) == ERR_LIMIT ? IMAP_BAD("Too many arguments, or nested too deep")
						   : imap_reply_for(ERR_SYNTAX));
}

void
imap_told(struct imap_session *imap, uint64_t modseq)
{
	struct imap_run *run = imap->run;

	if (run->told_count == run->told_room) {
		uint64_t *old = run->told;

		run->told_room = run->told_room ? 2 * run->told_room : 4;
		run->told = ARENA_ARRAY(imap_arena(imap), uint64_t, run->told_room);
		for (size_t i = 0; i < run->told_count; i++)
			run->told[i] = old[i];
	}
	run->told[run->told_count++] = modseq;
}

bool
imap_is_told(const struct imap_session *imap, uint64_t modseq)
{
	const struct imap_run *run = imap->run;
	size_t low = 0, high = run ? run->told_count : 0;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (run->told[middle] == modseq)
			return true;
		if (run->told[middle] < modseq)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

void
imap_use_condstore(struct imap_session *imap)
{
	const struct imap_selected *sel = imap->selected;
	bool first = !(imap->enabled & IMAP_ENABLED_CONDSTORE);

	imap->enabled |= IMAP_ENABLED_CONDSTORE;
	if (first && sel && !sel->is_fake)
		imap_put(buf_printf(imap_out(imap), "* OK [HIGHESTMODSEQ %llu] Last change\r\n",
			(unsigned long long)sel->modseq));
}

bool
imap_must_yield(struct imap_session *imap)
{
	struct session *s = &imap->session;

	if (stream_is_full(&s->stream)) {
		stream_flush(&s->stream); /* a fast peer takes it at once */
		if (stream_is_full(&s->stream) || session_is_closing(s))
			return true;
	} else if (++imap->slice_looks % LOOKS_SAVED != 0) {
		return false;
	}
	return imap_now_us() > imap->slice_until_us;
}

enum err
imap_submit(struct imap_session *imap, struct store_job *job)
{
	enum err err;

	job->inbox = imap->session.host->inbox;
	list_init(&job->link);
	err = store_submit(imap->session.host->store, job);
	if (err != OK)
		return err;
	session_hold(&imap->session);
	session_wait(&imap->session);
	return OK;
}

enum err
imap_work(struct imap_session *imap, struct work *work)
{
	enum err err;

	work->loop = imap->session.host->loop;
	list_init(&work->link);
	err = workers_submit(imap->session.host->workers, work);
	if (err != OK)
		return err;
	session_hold(&imap->session);
	session_wait(&imap->session);
	return OK;
}

void
imap_resume(struct imap_session *imap)
{
	host_snapshot_close(imap->session.host); /* what was committed is to be seen */
	session_resume(&imap->session);
	session_release(&imap->session);
}

/* ---- turns ---- */

static void
on_posted(void *arg)
{
	struct imap_session *imap = arg;
	struct session *s = &imap->session;

	imap->posted = false;
	if (!session_is_closing(s) && !s->waits)
		stream_resume(&s->stream);
	session_release(s);
}

/* In a later turn, and when the peer has read. */
static void
go_on_later(struct imap_session *imap)
{
	if (imap->posted || session_is_closing(&imap->session))
		return;
	imap->posted = true;
	session_hold(&imap->session);
	loop_post(imap->session.host->loop, on_posted, imap);
}

static enum imap_turn
call_handler(struct imap_session *imap)
{
	struct imap_run *run = imap->run;
	bool needs_view = (run->row->flags & IMAP_NEEDS_VIEW) && imap->selected;
	enum imap_turn turn = IMAP_DONE;

	if (needs_view && !imap->selected->view)
		turn = imap_load_view(imap);
	if (turn == IMAP_DONE && needs_view && !imap->selected->view)
		turn = imap_fail(imap, ERR_IO); /* and the session closes */
	else if (turn == IMAP_DONE)
		turn = run->row->run(imap, &run->args);
	run->answered = turn == IMAP_DONE;
	return turn;
}

static bool
lets_expunge_through(const struct imap_run *run)
{
	return run->by_uid || !(run->row->flags & IMAP_NO_EXPUNGE);
}

static enum imap_turn
tell_news(struct imap_session *imap)
{
	const struct imap_run *run = imap->run;

	if (!imap->selected || (run->row->flags & IMAP_QUIET) ||
		run->reply.status == IMAP_STATUS_BAD || session_is_closing(&imap->session))
		return IMAP_DONE;
	return imap_sync(imap, lets_expunge_through(run));
}

static void
run_command(struct imap_session *imap)
{
	struct imap_run *run = imap->run;
	enum imap_turn turn = IMAP_DONE;

	if (!run->answered)
		turn = call_handler(imap);
	if (turn == IMAP_DONE && !imap->idling)
		turn = tell_news(imap);
	if (turn == IMAP_WAIT)
		return;
	if (turn == IMAP_MORE) {
		/* while the peer reads, the stream watches its progress (H35) */
		session_set_deadline(&imap->session, 0, CLOSE_NONE);
		go_on_later(imap);
		return;
	}
	imap->run = NULL;
	if (imap->idling)
		arena_reset(&imap->session.command);
	else
		imap_answer(imap, run->reply);
}

static void
run_idle(struct imap_session *imap)
{
	enum imap_turn turn;

	do {
		imap->selected->changed = false;
		if (!imap_selected_refresh(imap, false))
			return;
		turn = imap_sync(imap, true);
		if (turn == IMAP_MORE) {
			go_on_later(imap);
			return;
		}
		arena_reset(&imap->session.command);
	} while (imap->selected->changed);
}

void
imap_go_on(struct imap_session *imap)
{
	imap->slice_until_us = imap_now_us() + IMAP_SLICE_US;
	if (session_is_closing(&imap->session))
		return;
	if (imap->run)
		run_command(imap);
	if (!imap->run && imap->idling && imap->selected && !session_is_closing(&imap->session))
		run_idle(imap);
}

/* Commands that come together share turns as one long one does (H36). True: the rest comes later. */
bool
imap_turn_is_over(struct imap_session *imap, int64_t began_us)
{
	if (imap_now_us() - began_us < IMAP_SLICE_US)
		return false;
	go_on_later(imap);
	return true;
}

/* ---- from the machine ---- */

static unsigned
state_of(const struct imap_session *imap)
{
	return imap->selected ? IMAP_SELECTED : imap->user_id ? IMAP_LOGGED_IN : IMAP_BEFORE;
}

/* OK: it may run. Else the answer. */
static bool
may_run(struct imap_session *imap, const struct imap_row *row, struct imap_reply *reply)
{
	if (!row || !row->run)
		*reply = IMAP_BAD("No such command");
	else if (!(row->states & state_of(imap)))
		*reply = row->states & IMAP_BEFORE ? IMAP_BAD("Logged in already")
			: !imap->user_id	   ? IMAP_BAD("Log in first")
						   : IMAP_BAD("No folder is selected");
	else if ((row->flags & IMAP_WRITES) && imap->selected->read_only)
		*reply = IMAP_NO("", "The folder is open for reading only"); /* RFC 9051, 6.3.3 */
	else
		return true;
	return false;
}

static struct imap_run *
run_new(struct imap_session *imap)
{
	imap->run = ARENA_NEW(imap_arena(imap), struct imap_run);
	return imap->run;
}

void
imap_dispatch(struct imap_session *imap, const struct imap_event *ev)
{
	const struct imap_row *row = imap_command_find(ev->name, ev->uid);
	struct imap_reply reply;

	if (!imap_selected_refresh(imap, row && (row->flags & IMAP_QUIET)))
		return;
	if (!may_run(imap, row, &reply)) {
		imap_answer(imap, reply);
		return;
	}
	*run_new(imap) = (struct imap_run){ .row = row, .args = ev->args, .by_uid = ev->uid };
	session_set_doing(&imap->session, row->name);
	imap_go_on(imap);
}

void
imap_dispatch_answered(struct imap_session *imap, struct span name, struct imap_reply reply)
{
	if (!imap_selected_refresh(imap, false))
		return; /* no news of what he may not read any more */
	*run_new(imap) = (struct imap_run){ .row = imap_command_find(name, false),
		.answered = true, .reply = reply };
}

void
imap_dispatch_idle_done(struct imap_session *imap, struct imap_reply reply)
{
	imap->idling = false;
	imap_dispatch_answered(imap, SPAN("IDLE"), reply);
	imap_go_on(imap);
}
