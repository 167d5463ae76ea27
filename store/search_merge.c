/*
 * search_merge.c - a merge of sorted runs: messages in order of their ids, words in order of their bytes.
 *
 * The runs of a space hold ranges of ids that do not overlap, so the new run has their messages one
 * run after the other, and the postings of a word likewise. It is written in slices under a run_id
 * that does not count; the last commit names it in the place of the old ones, whose rows then go.
 * The old ones are read under one read transaction: what that pins are a few pages of the index.
 */
#include "store/search_merge.h"

#include <stdlib.h>

#include "store/search_read.h"
#include "store/search_write.h"

#define ALIVE_AT_ONCE 500 /* messages that the store is asked about */
#define LOOK_WORDS 1000   /* between two calls of go_on() */
#define GONE UINT32_MAX

/* A run that is read, word by word. */
struct source {
	struct search_run run;
	uint32_t *numbers; /* of its messages in the new run, or GONE */
	struct search_stream posts;
	struct span words, lengths; /* that are left of the block */
	uint32_t next_block;
	struct span word; /* empty: at its end */
	uint64_t posts_at, posts_len;
};

struct merge {
	struct search_index *index;
	const struct search_merge_ask *ask;
	struct search_meta meta; /* as it will be */
	MDB_txn *read;
	struct source sources[SEARCH_RUNS_MAX];
	unsigned count;
	struct run_writer w;
	uint32_t docs;
};

/* ---- messages ---- */

struct doc_batch {
	uint64_t ids[ALIVE_AT_ONCE];
	bool unsure[ALIVE_AT_ONCE];
	bool alive[ALIVE_AT_ONCE];
	size_t count;
};

static enum err
number_batch(struct merge *m, struct source *s, struct doc_batch *batch, uint32_t from)
{
	enum err err = m->ask->alive(
		m->ask->arg, s->run.space, batch->ids, batch->count, batch->alive);

	for (size_t i = 0; i < batch->count && err == OK; i++) {
		s->numbers[from + i] = batch->alive[i] ? m->docs++ : GONE;
		if (batch->alive[i])
			run_put_doc(&m->w, batch->ids[i], batch->unsure[i]);
	}
	if (err == OK && !m->ask->go_on(m->ask->arg))
		err = ERR_BUSY;
	return err;
}

/* The runs' ranges do not overlap and are in order: what lives gets the next number. */
static enum err
number_docs(struct merge *m, struct source *s)
{
	struct doc_batch batch = { .count = 0 };
	struct search_docs docs;
	uint32_t from = 0;
	enum err err = OK;

	s->numbers = malloc((s->run.docs + 1) * sizeof(*s->numbers));
	ENSURE(s->numbers); /* out of memory ends the process, see arena.h */
	docs_begin(&docs, m->index, m->read, &s->run);
	while (err == OK && docs_next(&docs)) {
		batch.ids[batch.count] = docs.id;
		batch.unsure[batch.count++] = docs.unsure;
		if (batch.count < ALIVE_AT_ONCE && docs.left > 0)
			continue;
		err = number_batch(m, s, &batch, from);
		from += (uint32_t)batch.count;
		batch.count = 0;
	}
	return err == OK ? docs.stream.err : err;
}

/* ---- words ---- */

static enum err
next_block(struct merge *m, struct source *s)
{
	struct search_dict dict;
	enum err err = dict_get(m->index, m->read, s->run.run_id, s->next_block, &dict);

	s->word = SPAN_NONE;
	if (err == ERR_NOT_FOUND)
		return OK;
	if (err != OK)
		return err;
	s->next_block++;
	s->words = dict.text;
	s->lengths = dict.lengths;
	s->posts_at = dict.posts_at;
	s->posts_len = 0;
	return OK;
}

static enum err
next_word(struct merge *m, struct source *s)
{
	enum err err = OK;

	s->posts_at += s->posts_len;
	if (s->words.len == 0) {
		err = next_block(m, s);
		if (err != OK || s->words.len == 0)
			return err;
	}
	s->posts_len = search_varint(&s->lengths);
	if (!span_cut(s->words, '\n', &s->word, &s->words) || s->word.len == 0 ||
		s->word.len > SEARCH_WORD_MAX)
		return search_damaged(m->index, "a block of words is cut");
	return OK;
}

/* The lowest word that any of them stands at; empty: all are at their end. */
static struct span
lowest_word(const struct merge *m)
{
	struct span low = SPAN_NONE;

	for (unsigned i = 0; i < m->count; i++) {
		struct span word = m->sources[i].word;

		if (word.len > 0 && (low.len == 0 || span_cmp(word, low) < 0))
			low = word;
	}
	return low;
}

/* The postings of S's word, of those that live; *begun: the word itself is put. */
static enum err
put_posts(struct merge *m, struct source *s, bool *begun)
{
	uint64_t left = s->posts_len, doc = 0;

	stream_seek(&s->posts, s->posts_at);
	while (left > 0 && s->posts.err == OK) {
		uint64_t post = stream_take_of(&s->posts, &left);

		doc += post / 4;
		if (doc >= s->run.docs)
			return search_damaged(m->index, "a message's number");
		if (s->numbers[doc] == GONE)
			continue;
		if (!*begun)
			run_put_word(&m->w, s->word);
		*begun = true;
		run_put_post(&m->w, s->numbers[doc], post & 3);
	}
	return s->posts.err;
}

static enum err
merge_word(struct merge *m, struct span word)
{
	bool begun = false;
	enum err err = OK;

	for (unsigned i = 0; i < m->count && err == OK; i++) {
		struct source *s = &m->sources[i];

		if (!span_eq(s->word, word))
			continue;
		err = put_posts(m, s, &begun);
		if (err == OK)
			err = next_word(m, s);
	}
	return err;
}

static enum err
merge_words(struct merge *m)
{
	enum err err = OK;
	struct span word;

	for (unsigned i = 0; i < m->count && err == OK; i++) {
		struct source *s = &m->sources[i];

		stream_begin(&s->posts, m->index, m->read, s->run.run_id, ROW_POSTS);
		err = next_word(m, s);
	}
	for (unsigned n = 1; err == OK && (word = lowest_word(m)).len > 0; n++) {
		err = merge_word(m, word);
		if (err == OK && n % LOOK_WORDS == 0 && !m->ask->go_on(m->ask->arg))
			err = ERR_BUSY;
	}
	return err;
}

/* ---- which runs ---- */

static int
by_first_id(const void *a, const void *b)
{
	const struct source *one = a, *two = b;

	return (one->run.first_id > two->run.first_id) - (one->run.first_id < two->run.first_id);
}

static uint64_t
docs_of(const struct source *sources, unsigned count)
{
	uint64_t sum = 0;

	while (count-- > 0)
		sum += sources[count].run.docs;
	return sum;
}

/* Of ALL neighbours the SEARCH_MERGE_MIN that are smallest together: where they begin. */
static unsigned
smallest_window(const struct source *sources, unsigned all)
{
	unsigned best = 0;

	for (unsigned i = 1; i + SEARCH_MERGE_MIN <= all; i++)
		if (docs_of(sources + i, SEARCH_MERGE_MIN) < docs_of(sources + best, SEARCH_MERGE_MIN))
			best = i;
	return best;
}

/*
 * Neighbours only, so that ranges never overlap; the smallest, and on to both sides as long as the
 * next is no larger than those together: each message is written again a few times only, however
 * many come.
 */
static void
choose(struct merge *m, enum search_space space, unsigned most)
{
	unsigned all = 0, from = 0, to = 0;

	for (unsigned i = 0; i < m->meta.run_count; i++)
		if (m->meta.runs[i].space == space)
			m->sources[all++].run = m->meta.runs[i];
	if (all <= most)
		return;
	qsort(m->sources, all, sizeof(*m->sources), by_first_id);
	to = all;
	if (most > SEARCH_MERGE_MIN) {
		from = smallest_window(m->sources, all);
		to = from + SEARCH_MERGE_MIN;
	}
	for (bool grows = true; grows;) {
		uint64_t sum = docs_of(m->sources + from, to - from);

		grows = false;
		if (from > 0 && m->sources[from - 1].run.docs <= sum) {
			from--;
			grows = true;
		} else if (to < all && m->sources[to].run.docs <= sum) {
			to++;
			grows = true;
		}
	}
	m->count = to - from;
	memmove(m->sources, m->sources + from, m->count * sizeof(*m->sources));
}

static bool
is_source(const struct merge *m, uint64_t run_id)
{
	for (unsigned i = 0; i < m->count; i++)
		if (m->sources[i].run.run_id == run_id)
			return true;
	return false;
}

static void
replace_runs(struct merge *m)
{
	unsigned n = 0;

	for (unsigned i = 0; i < m->meta.run_count; i++)
		if (!is_source(m, m->meta.runs[i].run_id))
			m->meta.runs[n++] = m->meta.runs[i];
	if (m->w.run.docs > 0)
		m->meta.runs[n++] = m->w.run;
	m->meta.run_count = n;
}

/* ---- all ---- */

static enum err
merge_chosen(struct merge *m, enum search_space space)
{
	enum err err = OK, end;

	run_begin(&m->w, m->index, space, m->meta.next_run++);
	for (unsigned i = 0; i < m->count && err == OK; i++)
		err = number_docs(m, &m->sources[i]);
	if (err == OK)
		err = merge_words(m);
	end = run_end(&m->w);
	if (end != OK)
		return err == OK ? end : err;
	if (err != OK) {
		mdb_txn_abort(m->w.txn);
		return err;
	}
	replace_runs(m);
	return search_meta_commit(m->index, m->w.txn, &m->meta);
}

static void
note_merge(struct merge *m)
{
	pthread_mutex_lock(&m->index->lock);
	m->index->written += m->w.run.bytes;
	m->index->merges++;
	pthread_mutex_unlock(&m->index->lock);
}

/* The rows that do not count any more go in both cases: the old ones, or the rest of the new. */
static enum err
merge_and_sweep(struct merge *m, enum search_space space)
{
	enum err err, swept;

	err = search_failed(
		m->index, mdb_txn_begin(m->index->env, NULL, MDB_RDONLY, &m->read), "begin");
	if (err != OK)
		return err;
	err = merge_chosen(m, space);
	mdb_txn_abort(m->read);
	for (unsigned i = 0; i < m->count; i++)
		free(m->sources[i].numbers);
	if (err == OK)
		note_merge(m);
	swept = search_sweep(m->index);
	return err == OK ? swept : err;
}

enum err
search_merge(struct search_index *index, enum search_space space, unsigned most,
	const struct search_merge_ask *ask, bool *merged)
{
	struct merge *m = calloc(1, sizeof(*m));
	enum err err = OK;

	ENSURE(m);
	m->index = index;
	m->ask = ask;
	search_meta_get(index, &m->meta);
	if (index->env)
		choose(m, space, most);
	*merged = m->count > 0;
	if (m->count > 0)
		err = merge_and_sweep(m, space);
	free(m);
	return err;
}
