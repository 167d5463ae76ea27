/*
 * search_ask.c - the dictionary of each run looked through, the postings of what fits gathered.
 *
 * All under one read transaction, so that no run is merged away meanwhile; it is short, and pins
 * pages of the index alone.
 */
#include "store/search_ask.h"

#include <stdlib.h>

#include "proto/base/find.h"
#include "store/search_read.h"

#define LOOK_BLOCKS 64 /* between two looks at the clock */

/* A bit for each message of a run. */
struct bits {
	uint64_t *words;
	size_t count; /* of words */
};

struct ask {
	struct search_index *index;
	const struct search_question *q;
	MDB_txn *txn;
	const struct search_run *run;
	struct search_stream posts;
	struct bits found[SEARCH_PIECES_MAX];
	uint64_t until_us;
	struct search_answer *out;
	size_t ids_room, unsure_room;
};

static void
set_bit(struct bits *bits, uint64_t n)
{
	if (n / 64 < bits->count)
		bits->words[n / 64] |= UINT64_C(1) << n % 64;
}

/* ---- one word ---- */

static enum err
gather(struct ask *a, struct bits *found, uint64_t at, uint64_t len)
{
	uint64_t doc = 0;

	stream_seek(&a->posts, at);
	while (len > 0 && a->posts.err == OK) {
		uint64_t post = stream_take_of(&a->posts, &len);

		doc += post / 4;
		if (post & 3 & a->q->where)
			set_bit(found, doc);
	}
	return a->posts.err;
}

/* Where in a block its words and their postings stand, as one goes through it. */
struct place {
	struct span words, lengths; /* that are left */
	uint64_t posts_at;
};

/* Move to the word that holds byte AT of the words left; *len is that of its postings. */
static void
place_word(struct place *p, size_t at, uint64_t *len)
{
	*len = 0;
	for (;;) {
		size_t end = span_find(p->words, '\n');

		p->posts_at += *len;
		*len = search_varint(&p->lengths);
		if (at <= end || p->words.len == 0)
			return;
		p->words = span_from(p->words, end + 1);
		at -= end + 1;
	}
}

static void
place_next(struct place *p, uint64_t len)
{
	p->words = span_from(p->words, span_find(p->words, '\n') + 1);
	p->posts_at += len;
}

/* All words of a block that have PIECE. */
static enum err
ask_block(struct ask *a, const struct search_dict *dict, size_t piece)
{
	struct place p = { dict->text, dict->lengths, dict->posts_at };
	enum err err = OK;
	uint64_t len;

	for (;;) {
		size_t at = find_bytes(p.words, a->q->pieces[piece]);

		if (at == p.words.len || err != OK)
			return err;
		place_word(&p, at, &len);
		err = gather(a, &a->found[piece], p.posts_at, len);
		place_next(&p, len);
	}
}

/* ---- one run ---- */

static bool
must_stop(const struct ask *a)
{
	return (a->q->stop && atomic_load(a->q->stop)) || store_monotonic_us() > a->until_us;
}

static enum err
ask_dictionary(struct ask *a)
{
	enum err err = OK;

	for (uint32_t n = 0; err == OK; n++) {
		struct search_dict dict;

		err = n % LOOK_BLOCKS == 0 && must_stop(a)
			? ERR_BUSY : dict_get(a->index, a->txn, a->run->run_id, n, &dict);
		for (size_t i = 0; err == OK && i < a->q->count; i++)
			err = ask_block(a, &dict, i);
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

static void
add_id(uint64_t **ids, size_t *count, size_t *room, uint64_t id)
{
	if (*count == *room) {
		*room = *room ? *room * 2 : 64;
		*ids = realloc(*ids, *room * sizeof(**ids));
		ENSURE(*ids); /* out of memory ends the process, see arena.h */
	}
	(*ids)[(*count)++] = id;
}

static bool
is_found(const struct ask *a, uint32_t n)
{
	uint64_t all = UINT64_MAX;

	for (size_t i = 0; i < a->q->count; i++)
		all &= a->found[i].words[n / 64];
	return all >> n % 64 & 1;
}

static enum err
take_docs(struct ask *a)
{
	struct search_docs docs;

	docs_begin(&docs, a->index, a->txn, a->run);
	for (uint32_t n = 0; docs_next(&docs); n++) {
		if (docs.unsure)
			add_id(&a->out->unsure, &a->out->unsure_count, &a->unsure_room, docs.id);
		else if (is_found(a, n))
			add_id(&a->out->ids, &a->out->count, &a->ids_room, docs.id);
	}
	return docs.stream.err;
}

static enum err
ask_run(struct ask *a)
{
	enum err err;

	stream_begin(&a->posts, a->index, a->txn, a->run->run_id, ROW_POSTS);
	for (size_t i = 0; i < a->q->count; i++) {
		a->found[i].count = a->run->docs / 64 + 1;
		a->found[i].words = calloc(a->found[i].count, sizeof(uint64_t));
		ENSURE(a->found[i].words);
	}
	err = ask_dictionary(a);
	if (err == OK)
		err = take_docs(a);
	for (size_t i = 0; i < a->q->count; i++)
		free(a->found[i].words);
	return err;
}

/* ---- all ---- */

static int
by_id(const void *a, const void *b)
{
	uint64_t one = *(const uint64_t *)a, two = *(const uint64_t *)b;

	return (one > two) - (one < two);
}

static void
sort_ids(uint64_t *ids, size_t count)
{
	if (count > 1)
		qsort(ids, count, sizeof(*ids), by_id);
}

/* What counts in the eyes of this transaction: the row, not what was committed since. */
static enum err
ask_runs(struct ask *a)
{
	struct search_meta meta;
	enum err err = search_meta_read(a->index, a->txn, &meta);

	for (unsigned i = 0; i < meta.run_count && err == OK; i++) {
		a->run = &meta.runs[i];
		if (a->run->space == a->q->space)
			err = ask_run(a);
	}
	if (err == OK)
		a->out->cursor = meta.cursor[a->q->space];
	sort_ids(a->out->ids, a->out->count);
	sort_ids(a->out->unsure, a->out->unsure_count);
	return err;
}

enum err
search_ask(struct search_index *index, const struct search_question *question,
	struct search_answer *out)
{
	struct ask a = { .index = index, .q = question, .out = out,
		.until_us = store_monotonic_us() + SEARCH_ASK_MS * UINT64_C(1000) };
	enum err err = ERR_IO;

	ENSURE(question->count > 0 && question->count <= SEARCH_PIECES_MAX);
	*out = (struct search_answer){ .cursor = 0 };
	pthread_rwlock_rdlock(&index->gate);
	if (index->env)
		err = search_failed(
			index, mdb_txn_begin(index->env, NULL, MDB_RDONLY, &a.txn), "begin");
	if (err == OK) {
		err = ask_runs(&a);
		mdb_txn_abort(a.txn);
	}
	pthread_rwlock_unlock(&index->gate);
	if (err != OK)
		search_answer_free(out);
	return err;
}

void
search_answer_free(struct search_answer *answer)
{
	free(answer->ids);
	free(answer->unsure);
	*answer = (struct search_answer){ .cursor = 0 };
}
