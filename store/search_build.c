/*
 * search_build.c - a hash table of words, each with a chain of its messages, latest first.
 */
#include "store/search_build.h"

#include <stdlib.h>

#include "store/search_write.h"

#define SLOTS_FIRST 4096 /* of the table, which doubles when half of them are taken */
#define NO_POST UINT32_MAX

/* Message DOC has the word, in PLACES; the one before it in the chain. */
struct post {
	uint32_t before;
	uint16_t doc;
	uint16_t places;
};
_Static_assert(SEARCH_RUN_MESSAGES <= UINT16_MAX, "a message's number in its run");

struct word {
	uint32_t at; /* of its bytes in `text` */
	uint32_t last; /* its latest post */
	uint32_t tag; /* of its hash, so that few words are compared */
	uint8_t len; /* 0: a free slot */
};

struct doc {
	uint64_t id;
	bool unsure;
};

struct search_builder {
	struct search_index *index;
	enum search_space space;
	struct word *slots;
	struct post *posts;
	char *text;
	struct doc *docs;
	uint32_t slot_count, post_count, word_count, text_len, doc_count;
	uint32_t doc_words; /* of the message at work */
};

struct search_builder *
search_builder_new(struct search_index *index, enum search_space space)
{
	struct search_builder *b = calloc(1, sizeof(*b));

	ENSURE(b); /* out of memory ends the process, see arena.h */
	b->index = index;
	b->space = space;
	return b;
}

/* Untouched pages of these cost nothing, so they are as large as they may become. */
static void
take_memory(struct search_builder *b)
{
	if (b->slots)
		return;
	b->slot_count = SLOTS_FIRST;
	b->slots = calloc(b->slot_count, sizeof(*b->slots));
	b->posts = malloc(SEARCH_BUILD_POSTS * sizeof(*b->posts));
	b->text = malloc(SEARCH_BUILD_TEXT);
	b->docs = malloc(SEARCH_RUN_MESSAGES * sizeof(*b->docs));
	ENSURE(b->slots && b->posts && b->text && b->docs);
}

void
search_build_drop(struct search_builder *b)
{
	free(b->slots);
	free(b->posts);
	free(b->text);
	free(b->docs);
	*b = (struct search_builder){ .index = b->index, .space = b->space };
}

void
search_builder_free(struct search_builder **builder)
{
	if (!*builder)
		return;
	search_build_drop(*builder);
	free(*builder);
	*builder = NULL;
}

size_t
search_build_count(const struct search_builder *b)
{
	return b->doc_count;
}

bool
search_build_is_full(const struct search_builder *b)
{
	return b->doc_count == SEARCH_RUN_MESSAGES ||
		b->post_count + SEARCH_MESSAGE_WORDS > SEARCH_BUILD_POSTS ||
		b->word_count + SEARCH_MESSAGE_WORDS > SEARCH_BUILD_WORDS ||
		b->text_len + SEARCH_MESSAGE_WORDS * SEARCH_WORD_MAX > SEARCH_BUILD_TEXT;
}

void
search_build_message(struct search_builder *b, uint64_t id, bool unsure)
{
	take_memory(b);
	ENSURE(!search_build_is_full(b));
	b->docs[b->doc_count++] = (struct doc){ id, unsure };
	b->doc_words = 0;
}

void
search_build_unsure(struct search_builder *b)
{
	ENSURE(b->doc_count > 0);
	b->docs[b->doc_count - 1].unsure = true;
}

static struct word *
find_slot(struct search_builder *b, struct span bytes)
{
	uint64_t hash = hash64(b->index->options.hash_key, bytes);
	uint32_t tag = (uint32_t)(hash >> 32);

	for (uint32_t i = (uint32_t)hash % b->slot_count;; i = (i + 1) % b->slot_count) {
		struct word *w = &b->slots[i];

		if (w->len == 0) {
			w->tag = tag;
			return w;
		}
		if (w->tag == tag && w->len == bytes.len &&
			memcmp(b->text + w->at, bytes.ptr, bytes.len) == 0)
			return w;
	}
}

static void
add_word(struct search_builder *b, struct word *w, struct span bytes)
{
	w->len = (uint8_t)bytes.len;
	w->at = b->text_len;
	w->last = NO_POST;
	memcpy(b->text + b->text_len, bytes.ptr, bytes.len);
	b->text_len += (uint32_t)bytes.len;
	b->word_count++;
}

static void
grow(struct search_builder *b)
{
	struct word *old = b->slots;
	uint32_t count = b->slot_count;

	b->slot_count *= 2;
	b->slots = calloc(b->slot_count, sizeof(*b->slots));
	ENSURE(b->slots);
	for (uint32_t i = 0; i < count; i++)
		if (old[i].len > 0)
			*find_slot(b, (struct span){ b->text + old[i].at, old[i].len }) = old[i];
	free(old);
}

void
search_build_word(struct search_builder *b, struct span word, unsigned where)
{
	uint16_t doc = (uint16_t)(b->doc_count - 1);
	struct word *w;

	ENSURE(word.len > 0 && word.len <= SEARCH_WORD_MAX);
	if (2 * b->word_count >= b->slot_count)
		grow(b);
	w = find_slot(b, word);
	if (w->len > 0 && w->last != NO_POST && b->posts[w->last].doc == doc) {
		b->posts[w->last].places |= (uint16_t)where;
		return;
	}
	if (b->doc_words == SEARCH_MESSAGE_WORDS) {
		search_build_unsure(b);
		return;
	}
	b->doc_words++;
	if (w->len == 0)
		add_word(b, w, word);
	b->posts[b->post_count] = (struct post){ w->last, doc, (uint16_t)where };
	w->last = b->post_count++;
}

/* ---- writing ---- */

static int
by_bytes(const void *a, const void *b, void *text)
{
	const struct word *one = a, *two = b;

	return span_cmp((struct span){ (const char *)text + one->at, one->len },
		(struct span){ (const char *)text + two->at, two->len });
}

/* The words that are there to the front of the table, in order. */
static void
sort_words(struct search_builder *b)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < b->slot_count; i++)
		if (b->slots[i].len > 0)
			b->slots[n++] = b->slots[i];
	qsort_r(b->slots, n, sizeof(*b->slots), by_bytes, b->text);
}

/* The chain stands latest first: turn it. It is walked once only. */
static void
put_posts(struct search_builder *b, struct run_writer *w, uint32_t at)
{
	uint32_t first = NO_POST;

	while (at != NO_POST) {
		uint32_t before = b->posts[at].before;

		b->posts[at].before = first;
		first = at;
		at = before;
	}
	for (; first != NO_POST; first = b->posts[first].before)
		run_put_post(w, b->posts[first].doc, b->posts[first].places);
}

static void
put_all(struct search_builder *b, struct run_writer *w)
{
	for (uint32_t i = 0; i < b->doc_count; i++)
		run_put_doc(w, b->docs[i].id, b->docs[i].unsure);
	for (uint32_t i = 0; i < b->word_count; i++) {
		run_put_word(w, (struct span){ b->text + b->slots[i].at, b->slots[i].len });
		put_posts(b, w, b->slots[i].last);
	}
}

/* Only the cursor moves: what it passed had nothing to index. */
static enum err
write_cursor(struct search_builder *b, uint64_t next_id)
{
	struct search_meta meta;
	MDB_txn *txn;
	enum err err = search_failed(
		b->index, mdb_txn_begin(b->index->env, NULL, 0, &txn), "begin");

	if (err != OK)
		return err;
	search_meta_get(b->index, &meta);
	meta.cursor[b->space] = next_id;
	return search_meta_commit(b->index, txn, &meta);
}

static enum err
write_run(struct search_builder *b, struct run_writer *w, uint64_t next_id)
{
	struct search_meta meta;
	enum err err;

	search_meta_get(b->index, &meta);
	if (meta.run_count == SEARCH_RUNS_MAX)
		return ERR_FULL; /* merges fail: the disk is full */
	run_begin(w, b->index, b->space, meta.next_run++);
	put_all(b, w);
	err = run_end(w);
	if (err != OK)
		return err;
	meta.runs[meta.run_count++] = w->run;
	meta.cursor[b->space] = next_id;
	return search_meta_commit(b->index, w->txn, &meta);
}

enum err
search_build_write(struct search_builder *b, uint64_t next_id)
{
	struct run_writer *w;
	enum err err;

	if (!b->index->env)
		return ERR_IO;
	if (b->doc_count == 0)
		return write_cursor(b, next_id);
	w = malloc(sizeof(*w));
	ENSURE(w);
	sort_words(b);
	err = write_run(b, w, next_id);
	if (err == OK) {
		pthread_mutex_lock(&b->index->lock);
		b->index->written += w->run.bytes;
		pthread_mutex_unlock(&b->index->lock);
	}
	free(w);
	search_build_drop(b); /* sorted and turned: of no more use */
	return err;
}
