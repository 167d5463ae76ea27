/*
 * archive_search.c - which rows are looked at: by blocks, by the index of words, or all of them.
 */
#include "server/archive/archive_search.h"

#include <string.h>

#include "proto/base/ascii.h"
#include "proto/base/find.h"
#include "proto/base/utf8.h"
#include "server/archive/archive_look.h"
#include "server/search/search_words.h"

#define DRIVER_SHARE 16 /* a word that at most one of so many has is looked up instead of walked to */

/* ---- what is asked ---- */

static bool
is_pattern(struct span term)
{
	return span_find_any(term, SPAN("*?")) < term.len;
}

static void
take_term(struct archive_search *s, struct span term, enum archive_role role, struct span *out,
	uint32_t *words, size_t *count, struct archive_reach *reach)
{
	*out = arena_lower(s->arena, span_trim(term));
	*count = 0;
	if (!is_pattern(*out))
		*count = archive_words_of(*out, role, words, 0, ARCHIVE_TERM_WORDS_MAX);
	else
		*reach = (struct archive_reach){ .pattern = *out, .role = role };
}

static enum err
add_needle(struct archive_search *s, struct span text, unsigned where, bool exact)
{
	struct archive_needle *n = &s->needles[s->needle_count];
	struct buf folded;
	enum err err;

	text = span_trim(text);
	if (text.len == 0)
		return OK;
	if (s->needle_count == ARCHIVE_NEEDLES_MAX)
		return ERR_LIMIT;
	buf_init(&folded, SEARCH_NEEDLE_MAX);
	err = utf8_put_folded(&folded, text);
	*n = (struct archive_needle){ .where = where, .exact = exact };
	n->text = arena_lower(s->arena, buf_span(&folded));
	s->needle_count += err == OK;
	buf_fini(&folded);
	return err == OK ? OK : ERR_LIMIT;
}

/* Words with blanks between; several in double quotes are one needle. */
static enum err
take_text(struct archive_search *s, struct span text)
{
	enum err err = OK;

	while ((text = span_trim(text)).len > 0 && err == OK) {
		bool quoted = text.ptr[0] == '"';
		size_t end;

		text = span_from(text, quoted);
		end = quoted ? span_find(text, '"') : span_find_any(text, SPAN(" \t"));
		err = add_needle(
			s, span_range(text, 0, end), SEARCH_IN_HEADER | SEARCH_IN_BODY, true);
		text = span_from(text, end < text.len ? end + 1 : end);
	}
	return err;
}

enum err
archive_search_init(struct archive_search *s, const struct archive_query *query,
	struct search *index, uint64_t before_id, struct arena *a)
{
	enum err err;

	*s = (struct archive_search){ .query = *query, .index = index, .arena = a,
		.before_id = before_id ? before_id : UINT64_MAX, .before_content = UINT64_MAX,
		.block = UINT64_MAX };
	take_term(s, query->from, ARCHIVE_FROM, &s->from_term, s->from_words, &s->from_count,
		&s->from_reach);
	take_term(s, query->to, ARCHIVE_TO, &s->to_term, s->to_words, &s->to_count,
		&s->to_reach);
	err = add_needle(s, query->subject, ARCHIVE_IN_SUBJECT, false);
	if (err == OK)
		err = add_needle(s, query->attachment, ARCHIVE_IN_FILE_NAME, false);
	return err == OK ? take_text(s, query->text) : err;
}

void
archive_search_fini(struct archive_search *s)
{
	for (size_t i = 0; i < s->needle_count; i++)
		search_answer_free(&s->needles[i].answer);
	s->needle_count = 0;
}

/* ---- the index ---- */

/* Subject and names of files are in headers: the index tells only that they may be there. */
void
archive_search_ask(struct archive_search *s, const atomic_bool *stop, bool *more)
{
	struct archive_needle *n = s->needles;

	while (n < s->needles + s->needle_count && n->asked)
		n++;
	*more = s->index && n < s->needles + s->needle_count;
	if (*more) {
		struct search_question q = { .space = SEARCH_CONTENTS, .stop = stop,
			.where = n->where & SEARCH_IN_BODY ? n->where : SEARCH_IN_HEADER };
		bool exact;

		n->asked = true;
		n->answered = search_words_question(n->text, &q, &exact) &&
			search_ask(search_index_of(s->index), &q, &n->answer) == OK;
		n->exact &= n->answered && exact;
	}
}

static bool
has_id(const uint64_t *ids, size_t count, uint64_t id)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ids[middle] < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count && ids[low] == id;
}

enum index_word { INDEX_NO, INDEX_YES, INDEX_LOOK };

static enum index_word
index_says(const struct archive_needle *n, uint64_t content_id)
{
	const struct search_answer *a = &n->answer;

	if (!n->answered || content_id >= a->cursor || has_id(a->unsure, a->unsure_count, content_id))
		return INDEX_LOOK;
	if (!has_id(a->ids, a->count, content_id))
		return INDEX_NO;
	return n->exact ? INDEX_YES : INDEX_LOOK;
}

/* The word that the fewest have, where these are few enough. */
static void
choose_driver(struct archive_search *s, uint64_t messages)
{
	size_t best = (size_t)(messages / DRIVER_SHARE);

	for (size_t i = 0; i < s->needle_count; i++) {
		struct archive_needle *n = &s->needles[i];
		size_t count = n->answer.count + n->answer.unsure_count;

		if (n->answered && count <= best) {
			best = count;
			s->driver = n;
		}
	}
}

/* ---- one row ---- */

static bool
fits_envelope(const struct archive_search *s, const struct archive_message *m)
{
	const struct archive_query *q = &s->query;
	uint64_t bits = archive_words_bits(s->from_words, s->from_count);

	return (m->sender_bits & bits) == bits && m->size >= q->min_size && (q->max_size == 0 || m->size <= q->max_size) &&
		(q->direction == 0 || (m->direction & q->direction)) &&
		(q->until_ms == 0 || m->time_ms < q->until_ms) &&
		(s->to_term.len == 0 || archive_has_recipient(m->recipients, s->to_term));
}

static bool
fits_hold(struct snapshot *snap, const struct archive_search *s, uint64_t id)
{
	struct archive_hold hold;

	return !s->query.held || archive_hold_find(snap, id, &hold) != ERR_NOT_FOUND;
}

/* ERR_NOT_FOUND: it does not fit. */
static enum err
look(struct snapshot *snap, struct archive_search *s, const struct archive_row *row)
{
	struct archive_needle *open[ARCHIVE_NEEDLES_MAX];
	struct archive_look l = { .message = &row->message, .arena = s->arena };
	size_t count = 0;

	s->looked++;
	if (row->kind != ARCHIVE_MESSAGE || !fits_envelope(s, &row->message))
		return ERR_NOT_FOUND;
	for (size_t i = 0; i < s->needle_count; i++) {
		enum index_word word = index_says(&s->needles[i], row->message.content_id);

		if (word == INDEX_NO)
			return ERR_NOT_FOUND;
		if (word == INDEX_LOOK)
			open[count++] = &s->needles[i];
	}
	if (!fits_hold(snap, s, row->archive_id))
		return ERR_NOT_FOUND;
	return archive_look(snap, &l, s->from_term, open, count);
}

/* ---- which rows ---- */

/* Over blocks that do not have the words of the addresses. */
static enum err
skip_block(struct snapshot *snap, struct archive_search *s, uint64_t id, bool *skips)
{
	uint64_t block = id / ARCHIVE_BLOCK;
	bool has = true;
	enum err err = OK;

	*skips = false;
	if (block == s->block)
		return OK;
	s->block = block;
	err = archive_block_has(snap, block, s->from_words, s->from_count, &has);
	if (err == OK && has)
		err = archive_block_has(snap, block, s->to_words, s->to_count, &has);
	if (err == OK && has)
		err = archive_reach_has(&s->from_reach, snap, block, &has);
	if (err == OK && has)
		err = archive_reach_has(&s->to_reach, snap, block, &has);
	*skips = !has;
	if (!has)
		s->before_id = block * ARCHIVE_BLOCK;
	return err;
}

/* No address that fits is in what lies before. */
static bool
is_over(const struct archive_search *s, uint64_t id)
{
	uint64_t block = id / ARCHIVE_BLOCK;
	const struct archive_reach *from = &s->from_reach, *to = &s->to_reach;

	return (from->pattern.len > 0 && !from->is_everywhere && block < from->first) ||
	       (to->pattern.len > 0 && !to->is_everywhere && block < to->first);
}

/* The row before the last one. ERR_NOT_FOUND: the end; ERR_BUSY: this one is none. */
static enum err
step_walk(struct snapshot *snap, struct archive_search *s, struct archive_row *row)
{
	bool skips = false;
	enum err err = archive_prev(snap, s->before_id, row);

	if (err == ERR_NOT_FOUND || err == ERR_IO)
		return err;
	if (is_over(s, row->archive_id))
		return ERR_NOT_FOUND;
	s->before_id = row->archive_id;
	if (err == ERR_CORRUPT)
		return ERR_BUSY;
	if (row->time_ms < s->query.since_ms)
		return ERR_NOT_FOUND;
	s->before_content = row->content_mark;
	err = skip_block(snap, s, row->archive_id, &skips);
	return err == OK && skips ? ERR_BUSY : err;
}

/* The highest below BEFORE, of two lists. */
static bool
highest(const struct search_answer *a, uint64_t before, uint64_t *out)
{
	const uint64_t *lists[] = { a->ids, a->unsure };
	size_t counts[] = { a->count, a->unsure_count };
	bool found = false;

	for (unsigned i = 0; i < COUNT(lists); i++) {
		size_t low = 0, high = counts[i];

		while (low < high) {
			size_t middle = low + (high - low) / 2;

			if (lists[i][middle] < before)
				low = middle + 1;
			else
				high = middle;
		}
		if (low > 0 && (!found || lists[i][low - 1] > *out)) {
			*out = lists[i][low - 1];
			found = true;
		}
	}
	return found;
}

static enum err
step_driver(struct snapshot *snap, struct archive_search *s, struct archive_row *row)
{
	uint64_t content_id = 0;
	enum err err;

	if (s->before_content > s->driver->answer.cursor) /* the index does not know these yet */
		return step_walk(snap, s, row);
	if (!highest(&s->driver->answer, s->before_content, &content_id))
		return ERR_NOT_FOUND;
	s->before_content = content_id;
	err = archive_find_content(snap, content_id, row);
	if (err == ERR_NOT_FOUND || err == ERR_CORRUPT)
		return ERR_BUSY; /* of a mailbox, or gone */
	if (err != OK)
		return err;
	if (row->time_ms < s->query.since_ms)
		return ERR_NOT_FOUND;
	return row->archive_id < s->before_id ? OK : ERR_BUSY;
}

/* Where addresses that fit a pattern end: nothing newer is looked at. */
static void
begin_within(struct archive_search *s, const struct archive_reach *r)
{
	uint64_t end = r->pattern.len == 0 || r->is_everywhere ? UINT64_MAX
		       : r->first > r->last			? 0
								: (r->last + UINT64_C(1)) * ARCHIVE_BLOCK;

	if (end < s->before_id)
		s->before_id = end;
}

/* ERR_BUSY: addresses are still looked at, call again. */
static enum err
begin(struct snapshot *snap, struct archive_search *s, unsigned looks)
{
	struct archive_head head;
	struct archive_row row;
	enum err err = archive_reach_look(&s->from_reach, snap, looks);

	if (err == OK)
		err = archive_reach_look(&s->to_reach, snap, looks);
	if (err != OK)
		return err;
	err = archive_head_get(snap, &head);
	s->begun = true;
	begin_within(s, &s->from_reach);
	begin_within(s, &s->to_reach);
	if (err == OK)
		choose_driver(s, head.messages);
	if (s->query.until_ms == 0)
		return err == ERR_IO ? err : OK;
	err = archive_find_time(snap, s->query.until_ms, &row);
	if (err == OK && row.archive_id < s->before_id)
		s->before_id = row.archive_id;
	return err == ERR_IO ? err : OK;
}

enum err
archive_search_next(struct snapshot *snap, struct archive_search *s, unsigned looks,
	struct archive_row *out)
{
	enum err err = s->begun ? OK : begin(snap, s, looks);

	for (; looks > 0 && err == OK; looks--) {
		err = s->driver ? step_driver(snap, s, out) : step_walk(snap, s, out);
		if (err == OK) {
			err = look(snap, s, out);
			if (err != ERR_NOT_FOUND)
				return err;
			err = ERR_BUSY;
		}
		if (err == ERR_BUSY)
			err = OK;
	}
	return err == OK ? ERR_BUSY : err;
}
