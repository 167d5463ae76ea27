/*
 * imap_cmd_search.c - SEARCH and UID SEARCH (RFC 9051, 6.4.4; RFC 3501, 6.4.4; RFC 4731, 5182, 7162).
 *
 *     keys -> find -> ranges of numbers -> * SEARCH, or * ESEARCH -> what `$` means from now on
 *
 * IMAP4rev2 and RETURN are answered with ESEARCH, all else with SEARCH.
 */
#include "proto/imap/imap_response.h"
#include "server/imap/imap_find.h"

struct search_task {
	struct imap_search search;
	struct imap_find *find;
	struct uid_ranges seqs; /* hits */
	uint64_t highest, first, last; /* modseqs: of all, of the lowest number, of the highest */
	bool extended;
	unsigned returns;
	bool begun;     /* the line is begun */
	struct uid_ranges named; /* what ALL says: numbers or uids */
	size_t range;   /* that is to be put next, */
	uint32_t next;  /* and the number in it; 0: its first */
};

static bool
on_hit(struct imap_find *f, const struct find_message *m)
{
	struct search_task *task = f->hit_arg;

	if (task->seqs.count == 0)
		task->first = m->entry.modseq;
	task->last = m->entry.modseq;
	if (m->entry.modseq > task->highest)
		task->highest = m->entry.modseq;
	uid_ranges_add(&task->seqs, &f->arena, m->seq, m->seq);
	return true;
}

static enum imap_turn
begin(struct imap_session *s, struct imap_cursor *args)
{
	struct search_task *task = ARENA_NEW(imap_arena(s), struct search_task);
	enum err err;

	s->run->task = task;
	if (!imap_take_search(args, &task->search) || !imap_take_end(args))
		return imap_bad_arguments(s, args);
	if (task->search.charset.len > 0 && s->enabled & IMAP_ENABLED_UTF8)
		return imap_end(s, IMAP_BAD("No CHARSET after ENABLE UTF8=ACCEPT")); /* RFC 6855, 3 */
	task->extended = task->search.extended || s->enabled & IMAP_ENABLED_REV2;
	task->returns = task->search.extended ? task->search.returns : IMAP_RETURN_ALL;
	if (task->search.has_modseq)
		imap_use_condstore(s);
	err = imap_find_begin(s, &task->search, FIND_ENTRY, &task->find);
	if (err != OK)
		return imap_end(s, imap_find_refused(err));
	task->find->hit = on_hit;
	task->find->hit_arg = task;
	return IMAP_MORE; /* at once, see below */
}

/* ---- the answer ---- */

static uint32_t
number_of(const struct imap_session *s, const struct search_task *task, uint32_t seq)
{
	return s->run->by_uid ? view_uid(task->find->view, seq) : seq;
}

static void
put_text(struct imap_session *s, struct span text)
{
	imap_put(buf_put(imap_out(s), text));
}

static void
put_number(struct imap_session *s, const char *name, uint64_t number)
{
	imap_put(buf_printf(imap_out(s), " %s %llu", name, (unsigned long long)number));
}

/* RFC 4731, 3.2: of what is named. */
static uint64_t
modseq_of(const struct search_task *task)
{
	unsigned wants = task->returns & ~IMAP_RETURN_SAVE;

	if (wants == IMAP_RETURN_MIN)
		return task->first;
	if (wants == IMAP_RETURN_MAX)
		return task->last;
	if (wants == (IMAP_RETURN_MIN | IMAP_RETURN_MAX))
		return task->first > task->last ? task->first : task->last;
	return task->highest;
}

/* All numbers, one by one; false: go on later. */
static bool
put_numbers(struct imap_session *s, struct search_task *task)
{
	for (; task->range < task->seqs.count; task->range++, task->next = 0) {
		struct imap_range r = task->seqs.items[task->range];

		for (uint32_t seq = task->next ? task->next : r.first; seq <= r.last; seq++) {
			task->next = seq;
			if (imap_must_yield(s))
				return false;
			imap_put(buf_put_char(imap_out(s), ' '));
			imap_put(buf_put_u64(imap_out(s), number_of(s, task, seq)));
		}
	}
	return true;
}

static enum imap_turn
put_search(struct imap_session *s, struct search_task *task)
{
	if (!task->begun)
		put_text(s, SPAN("* SEARCH"));
	task->begun = true;
	if (!put_numbers(s, task))
		return IMAP_MORE;
	if (task->search.has_modseq && task->seqs.count > 0)
		imap_put(buf_printf(imap_out(s), " (MODSEQ %llu)",
			(unsigned long long)task->highest));
	put_text(s, SPAN("\r\n"));
	return IMAP_DONE;
}

/* The hits as what was asked for: numbers, or uids; the latter are what is saved too. */
static struct uid_ranges
hits_by(struct imap_session *s, struct search_task *task, bool by_uid)
{
	struct uid_ranges uids;

	if (!by_uid)
		return task->seqs;
	imap_numbers_uids(s, &task->seqs, &uids);
	return uids;
}

static void
put_extended_head(struct imap_session *s, const struct search_task *task)
{
	const struct uid_ranges *seqs = &task->seqs;
	struct buf *out = imap_out(s);

	put_text(s, SPAN("* ESEARCH (TAG "));
	imap_put(imap_put_string(out, (struct span){ s->machine.tag, s->machine.tag_len }));
	put_text(s, s->run->by_uid ? SPAN(") UID") : SPAN(")"));
	if (task->returns & IMAP_RETURN_MIN && seqs->count > 0)
		put_number(s, "MIN", number_of(s, task, seqs->items[0].first));
	if (task->returns & IMAP_RETURN_MAX && seqs->count > 0)
		put_number(s, "MAX", number_of(s, task, seqs->items[seqs->count - 1].last));
	if (task->returns & IMAP_RETURN_COUNT)
		put_number(s, "COUNT", uid_ranges_total(seqs));
	if (task->returns & IMAP_RETURN_ALL && seqs->count > 0)
		put_text(s, SPAN(" ALL "));
}

/* Ranges from task->range on; false: go on later. */
static bool
put_ranges(struct imap_session *s, struct search_task *task)
{
	const struct uid_ranges *hits = &task->named;

	for (; task->range < hits->count; task->range++) {
		if (imap_must_yield(s))
			return false;
		if (task->range > 0)
			imap_put(buf_put_char(imap_out(s), ','));
		imap_put(imap_ranges_put(imap_out(s), &hits->items[task->range], 1));
	}
	return true;
}

static enum imap_turn
put_extended(struct imap_session *s, struct search_task *task)
{
	if (task->returns == IMAP_RETURN_SAVE)
		return IMAP_DONE; /* RFC 5182, 2.1: nothing is said */
	if (!task->begun) {
		put_extended_head(s, task);
		if (task->returns & IMAP_RETURN_ALL)
			task->named = hits_by(s, task, s->run->by_uid);
	}
	task->begun = true;
	if (!put_ranges(s, task))
		return IMAP_MORE;
	if (task->search.has_modseq && task->seqs.count > 0)
		put_number(s, "MODSEQ", modseq_of(task));
	put_text(s, SPAN("\r\n"));
	return IMAP_DONE;
}

/* ---- what `$` means ---- */

/* RFC 5182, 2.1: with MIN or MAX, and neither ALL nor COUNT, these alone. */
static void
save(struct imap_session *s, struct search_task *task)
{
	struct uid_ranges uids = hits_by(s, task, true), few = { NULL, 0, 0 };
	unsigned wants = task->returns & ~IMAP_RETURN_SAVE;

	if (uids.count > 0 && wants && !(wants & (IMAP_RETURN_ALL | IMAP_RETURN_COUNT))) {
		uint32_t min = uids.items[0].first, max = uids.items[uids.count - 1].last;

		if (wants & IMAP_RETURN_MIN)
			uid_ranges_add(&few, imap_arena(s), min, min);
		if (wants & IMAP_RETURN_MAX && (max != min || few.count == 0))
			uid_ranges_add(&few, imap_arena(s), max, max);
		uids = few;
	}
	imap_saved_set(s, &uids);
}

/* RFC 5182, 2.1: what failed with NO leaves it empty. */
static void
save_nothing(struct imap_session *s, const struct search_task *task)
{
	struct uid_ranges none = { NULL, 0, 0 };

	if (task->search.returns & IMAP_RETURN_SAVE)
		imap_saved_set(s, &none);
}

enum imap_turn
imap_cmd_search(struct imap_session *s, struct imap_cursor *args)
{
	struct search_task *task = s->run->task;
	enum imap_turn turn = IMAP_MORE;

	if (!task) {
		turn = begin(s, args);
		task = s->run->task;
		if (turn == IMAP_DONE) {
			if (s->run->reply.status == IMAP_STATUS_NO)
				save_nothing(s, task);
			return turn;
		}
	}
	turn = imap_find_go_on(task->find);
	if (turn != IMAP_DONE)
		return turn;
	if (task->find->err != OK) {
		save_nothing(s, task);
		return imap_end(s, imap_find_refused(task->find->err));
	}
	turn = task->extended ? put_extended(s, task) : put_search(s, task);
	if (turn != IMAP_DONE)
		return turn;
	if (task->search.extended && task->returns & IMAP_RETURN_SAVE)
		save(s, task);
	return imap_end(s, IMAP_OK("Search is done"));
}
