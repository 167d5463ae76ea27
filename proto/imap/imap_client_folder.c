/*
 * imap_client_folder.c - what is done in the open folder: lists, removal, waiting for news.
 */
#include <stdlib.h>

#include "proto/imap/imap_client_inside.h"

#define RANGE_SIZE 24 /* "4294967295:4294967295," */
#define REMOVED_FIRST 64 /* ranges */

bool
imap_client_is_quiet(const struct imap_client *m)
{
	return m->over == IMAP_OVER_NO && m->asked == IMAP_STAGE_READY && m->order_count == 0 && !m->listed &&
	       !m->expunged && !m->idled;
}

void
imap_client_list(struct imap_client *m, struct buf *out)
{
	ENSURE(imap_client_is_quiet(m));
	m->news = false;
	if (m->folder.exists == 0) /* 1:* would be an error for some */
		m->listed = true;
	else
		imap_client_ask(m, out, IMAP_STAGE_LIST,
			SPAN("UID FETCH 1:* (UID RFC822.SIZE FLAGS)"));
}

void
imap_client_logout(struct imap_client *m, struct buf *out)
{
	ENSURE(imap_client_is_quiet(m));
	imap_client_ask(m, out, IMAP_STAGE_LOGOUT, SPAN("LOGOUT"));
}

/* ---- removal ---- */

bool
imap_client_has_removed(const struct imap_client *m)
{
	return m->removed_count > 0;
}

/* One more that is marked; ranges grow at their end where UIDs rise, as they do. */
enum err
imap_client_remember_removed(struct imap_client *m, uint32_t uid)
{
	struct imap_range *last = m->removed_count > 0 ? &m->removed[m->removed_count - 1] : NULL;
	struct imap_range *grown;
	size_t size = m->removed_size > 0 ? m->removed_size * 2 : REMOVED_FIRST;

	if (last && uid > 0 && uid - 1 == last->last) {
		last->last = uid;
		return OK;
	}
	if (m->removed_count == IMAP_CLIENT_REMOVED_MAX)
		return ERR_LIMIT;
	if (m->removed_count == m->removed_size) {
		grown = realloc(m->removed, size * sizeof(*grown));
		ENSURE(grown != NULL);
		m->removed = grown;
		m->removed_size = size;
	}
	m->removed[m->removed_count++] = (struct imap_range){ uid, uid };
	return OK;
}

/* The next command's set: at most IMAP_CLIENT_SET_LINE bytes of it. */
static enum err
put_removed(struct imap_client *m, struct buf *line)
{
	size_t from = m->removed_at;

	while (m->removed_at < m->removed_count &&
		buf_span(line).len + (m->removed_at - from) * RANGE_SIZE < IMAP_CLIENT_SET_LINE)
		m->removed_at++;
	return imap_ranges_put(line, m->removed + from, m->removed_at - from);
}

/* What lies between the ranges, from search_from on: the UIDs that are not ours to remove. */
static enum err
put_others(struct imap_client *m, struct buf *line)
{
	struct imap_range gaps[IMAP_CLIENT_SET_LINE / RANGE_SIZE];
	size_t count = 0;

	while (count < COUNT(gaps) && m->search_from != 0) {
		bool last = m->removed_at == m->removed_count;
		struct imap_range next = last ? (struct imap_range){ UINT32_MAX, UINT32_MAX }
					      : m->removed[m->removed_at++];

		if (last)
			gaps[count++] = (struct imap_range){ m->search_from, UINT32_MAX };
		else if (next.first > m->search_from)
			gaps[count++] = (struct imap_range){ m->search_from, next.first - 1 };
		m->search_from = next.last == UINT32_MAX ? 0 : next.last + 1;
	}
	return imap_ranges_put(line, gaps, count);
}

static void
ask_with_set(struct imap_client *m, enum imap_client_stage stage, struct span words,
	enum err (*put)(struct imap_client *, struct buf *), struct buf *out)
{
	struct buf line;

	buf_init(&line, 2 * IMAP_CLIENT_SET_LINE);
	if (buf_put(&line, words) == OK && put(m, &line) == OK)
		imap_client_ask(m, out, stage, buf_span(&line));
	else
		imap_client_end(m, IMAP_OVER_OUTPUT, SPAN_NONE);
	buf_fini(&line);
}

/* The next command of a removal; nothing is left: it is over. */
static void
go_on_expunge(struct imap_client *m, struct buf *out)
{
	bool plus = m->can & IMAP_CAN_UIDPLUS;

	if (plus && m->removed_at < m->removed_count) {
		ask_with_set(m, IMAP_STAGE_EXPUNGE, SPAN("UID EXPUNGE "), put_removed, out);
	} else if (!plus && !m->others_deleted && m->search_from != 0) {
		ask_with_set(m, IMAP_STAGE_SEARCH, SPAN("UID SEARCH DELETED UID "), put_others, out);
	} else {
		m->expunged = true;
		m->expunged_all = plus || !m->others_deleted;
		m->removed_count = 0;
	}
}

void
imap_client_expunge(struct imap_client *m, struct buf *out)
{
	ENSURE(imap_client_is_quiet(m));
	m->removed_count = imap_ranges_merge(m->removed, m->removed_count);
	m->removed_at = 0;
	m->search_from = 1;
	m->others_deleted = false;
	if (m->removed_count == 0)
		m->expunged = m->expunged_all = true;
	else
		go_on_expunge(m, out);
}

static void
on_expunged(struct imap_client *m, struct imap_client_status s, struct buf *out)
{
	if (s.word != IMAP_WORD_OK) {
		m->expunged = true;
		m->expunged_all = false;
		m->removed_count = 0;
	} else if (!(m->can & IMAP_CAN_UIDPLUS)) { /* that was EXPUNGE, of all */
		m->expunged = m->expunged_all = true;
		m->removed_count = 0;
	} else {
		go_on_expunge(m, out);
	}
}

/* Without UIDPLUS: nobody else has marked anything, then EXPUNGE takes nothing of theirs. */
static void
on_searched(struct imap_client *m, struct imap_client_status s, struct buf *out)
{
	m->others_deleted |= s.word != IMAP_WORD_OK;
	if (!m->others_deleted && m->search_from == 0)
		imap_client_ask(m, out, IMAP_STAGE_EXPUNGE, SPAN("EXPUNGE"));
	else
		go_on_expunge(m, out);
}

/* ---- news ---- */

void
imap_client_idle(struct imap_client *m, struct buf *out)
{
	ENSURE(imap_client_is_quiet(m) && (m->can & IMAP_CAN_IDLE));
	m->idle_going = m->idle_end_wanted = false;
	imap_client_ask(m, out, IMAP_STAGE_IDLE, SPAN("IDLE"));
}

void
imap_client_noop(struct imap_client *m, struct buf *out)
{
	ENSURE(imap_client_is_quiet(m));
	imap_client_ask(m, out, IMAP_STAGE_NOOP, SPAN("NOOP"));
}

/* "+": it waits with us; DONE is not said before (RFC 2177). */
void
imap_client_on_idling(struct imap_client *m, struct buf *out)
{
	if (m->idle_going) {
		imap_client_end(m, IMAP_OVER_UNASKED, SPAN("+"));
		return;
	}
	m->idle_going = true;
	if (m->idle_end_wanted)
		imap_client_put(m, out, SPAN("DONE"));
}

void
imap_client_idle_end(struct imap_client *m, struct buf *out)
{
	if (imap_client_stage(m) != IMAP_STAGE_IDLE || m->idle_end_wanted)
		return;
	m->idle_end_wanted = true;
	if (m->idle_going)
		imap_client_put(m, out, SPAN("DONE"));
}

/* ---- answers ---- */

static void
on_idled(struct imap_client *m, struct imap_client_status s)
{
	if (s.word != IMAP_WORD_OK)
		m->can &= ~(unsigned)IMAP_CAN_IDLE;
	m->idle_going = false;
	m->idled = true;
}

void
imap_client_on_folder(struct imap_client *m, enum imap_client_stage stage, struct imap_client_status s,
	struct buf *out)
{
	/* A list that was refused is no empty list: what is missing in it would be forgotten. */
	if (stage == IMAP_STAGE_LOGOUT || (stage == IMAP_STAGE_LIST && s.word != IMAP_WORD_OK)) {
		imap_client_end(m, stage == IMAP_STAGE_LOGOUT ? IMAP_OVER_LOGOUT : IMAP_OVER_REFUSED, s.text);
		return;
	}
	m->asked = IMAP_STAGE_READY;
	if (stage == IMAP_STAGE_LIST)
		m->listed = true;
	else if (stage == IMAP_STAGE_SEARCH)
		on_searched(m, s, out);
	else if (stage == IMAP_STAGE_EXPUNGE)
		on_expunged(m, s, out);
	else if (stage == IMAP_STAGE_IDLE || stage == IMAP_STAGE_NOOP)
		on_idled(m, s);
	else
		imap_client_on_orders(m, stage, s);
}
