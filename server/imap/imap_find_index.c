/*
 * imap_find_index.c - what the index of words says of a key, and which messages it leaves.
 */
#include "server/imap/imap_find.h"
#include "server/search/search.h"
#include "server/search/search_words.h"

/* ---- ids ---- */

static void
ids_set(struct find_ids *set, const uint64_t *ids, size_t count)
{
	set->ids = ids;
	set->count = count;
	for (size_t i = 0; i < count; i++)
		set->sieve[ids[i] % FIND_SIEVE / 64] |= UINT64_C(1) << ids[i] % 64;
}

static bool
ids_have(const struct find_ids *set, uint64_t id)
{
	size_t low = 0, high = set->count;

	if (!(set->sieve[id % FIND_SIEVE / 64] >> id % 64 & 1))
		return false;
	while (low < high) {
		size_t middle = (low + high) / 2;

		if (set->ids[middle] == id)
			return true;
		if (set->ids[middle] < id)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

/* ---- asking ---- */

static void
answer_free(struct find_answer *answer)
{
	search_answer_free(&answer->contents);
	search_answer_free(&answer->copies);
}

void
find_answers_free(struct imap_find *f)
{
	for (size_t i = 0; f->keys && i < f->search->count; i++)
		if (f->keys[i].answer)
			answer_free(f->keys[i].answer);
}

static void
answer_index(struct find_answer *a)
{
	ids_set(&a->content_ids, a->contents.ids, a->contents.count);
	ids_set(&a->content_unsure, a->contents.unsure, a->contents.unsure_count);
	ids_set(&a->copy_ids, a->copies.ids, a->copies.count);
	ids_set(&a->copy_unsure, a->copies.unsure, a->copies.unsure_count);
}

/* Where in a message a key of KIND looks; 0: it does not look for text. */
static unsigned
places_of(enum imap_key_kind kind)
{
	if (kind == IMAP_KEY_BODY)
		return SEARCH_IN_BODY;
	if (kind == IMAP_KEY_TEXT)
		return SEARCH_IN_BODY | SEARCH_IN_HEADER;
	return kind >= IMAP_KEY_FROM ? SEARCH_IN_HEADER : 0;
}

/* Do the lines in front of a copy count for it? */
static bool
looks_in_front(enum imap_key_kind kind)
{
	return kind == IMAP_KEY_TEXT || kind == IMAP_KEY_HEADER;
}

/* Of a field the index tells only that it may hold the text: it knows headers as a whole. */
static void
ask_key(struct imap_find *f, const struct imap_key *key, struct find_key *ready)
{
	struct search_question q = { .space = SEARCH_CONTENTS, .where = places_of(key->kind) };
	struct find_answer *a = ARENA_NEW(&f->arena, struct find_answer);
	struct search_index *index = search_index_of(f->index);

	if (!search_words_question(ready->needle, &q, &a->exact) ||
		search_ask(index, &q, &a->contents) != OK)
		return;
	a->exact &= key->kind == IMAP_KEY_TEXT || key->kind == IMAP_KEY_BODY;
	a->copies.cursor = UINT64_MAX;
	q.space = SEARCH_COPIES;
	if (looks_in_front(key->kind) && search_ask(index, &q, &a->copies) != OK) {
		answer_free(a);
		return;
	}
	answer_index(a);
	ready->answer = a;
}

void
find_ask(struct imap_find *f, bool *more)
{
	while (f->index && f->asked < f->search->count) {
		const struct imap_key *key = &f->search->keys[f->asked];
		struct find_key *ready = &f->keys[f->asked++];

		if (!places_of(key->kind) || ready->needle.len == 0)
			continue;
		ask_key(f, key, ready);
		*more = true;
		return;
	}
	*more = false;
}

enum imap_verdict
find_answer_of(const struct find_answer *a, uint64_t content_id, uint64_t copy_id)
{
	bool content = ids_have(&a->content_ids, content_id), copy = ids_have(&a->copy_ids, copy_id);

	if (a->exact && (content || copy))
		return IMAP_VERDICT_YES;
	if (content || copy || content_id >= a->contents.cursor || copy_id >= a->copies.cursor ||
		ids_have(&a->content_unsure, content_id) || ids_have(&a->copy_unsure, copy_id))
		return IMAP_VERDICT_UNKNOWN;
	return IMAP_VERDICT_NO;
}

/* ---- the map ---- */

static bool
has_answer(const struct imap_find *f)
{
	for (size_t i = 0; i < f->search->count; i++)
		if (f->keys[i].answer)
			return true;
	return false;
}

/* A copy that cannot be read has no content: it is looked at, and that is logged. */
static enum err
map_block(struct imap_find *f, struct snapshot *snap, const struct entry_block *block, unsigned from)
{
	for (unsigned i = from; i < block->count; i++) {
		const struct entry *e = &block->entries[i];
		struct copy copy = { .content_id = UINT64_MAX };
		enum err err = copy_get(snap, e->copy_id, &copy);

		if (err == ERR_IO || err == ERR_BUSY)
			return err;
		search_map_add(f->map, e->uid, copy.content_id, e->copy_id);
	}
	return OK;
}

enum err
find_map(struct imap_find *f, struct snapshot *snap, int64_t until_us, bool *more)
{
	struct search_maps *maps = f->index ? search_maps_of(f->index) : NULL;
	uint32_t last = view_uid(f->view, f->view->count);
	enum err err = OK;

	*more = false;
	if (!has_answer(f) || last == 0)
		return OK;
	if (!f->map)
		f->map = search_map_get(maps, f->folder_id, last, &f->map_is_whole);
	while (!f->map_is_whole && f->map->last_uid < last && err == OK) {
		unsigned from;

		if (find_now_us() > until_us) {
			*more = true;
			return OK;
		}
		err = entry_block_next(snap, f->folder_id, f->map->last_uid, &f->block, &from);
		if (err == OK)
			err = map_block(f, snap, &f->block, from);
	}
	f->block.count = 0;
	if (err != OK && err != ERR_NOT_FOUND) /* not found: what was last has left */
		return err;
	if (!f->map_is_whole)
		search_map_put(maps, f->map);
	f->map_is_whole = true;
	return OK;
}

/* ---- what is left ---- */

/*
 * Of many rows the sieves say no to nearly all: both in one bit each, the copies' only where there is something
 * in it.
 */
struct narrow_sieve {
	uint64_t contents[FIND_SIEVE / 64], copies[FIND_SIEVE / 64];
	uint64_t content_cursor, copy_cursor;
	bool asks_copies;
};

static struct narrow_sieve *
narrow_sieve_new(struct imap_find *f, const struct find_answer *a)
{
	struct narrow_sieve *s = ARENA_NEW(&f->arena, struct narrow_sieve);

	for (size_t i = 0; i < FIND_SIEVE / 64; i++) {
		s->contents[i] = a->content_ids.sieve[i] | a->content_unsure.sieve[i];
		s->copies[i] = a->copy_ids.sieve[i] | a->copy_unsure.sieve[i];
	}
	s->content_cursor = a->contents.cursor;
	s->copy_cursor = a->copies.cursor;
	s->asks_copies = a->copy_ids.count + a->copy_unsure.count > 0 || s->copy_cursor != UINT64_MAX;
	return s;
}

/* False: certainly not one that the index found, or does not know. */
static inline bool
sieve_lets(const struct narrow_sieve *s, const struct search_map *map, size_t row)
{
	uint64_t content = map->contents[row];

	if ((s->contents[content % FIND_SIEVE / 64] >> content % 64 & 1) ||
		content >= s->content_cursor)
		return true;
	return s->asks_copies &&
		((s->copies[map->copies[row] % FIND_SIEVE / 64] >> map->copies[row] % 64 & 1) ||
			map->copies[row] >= s->copy_cursor);
}

static bool
map_row_is_left(const struct imap_find *f, size_t row)
{
	for (unsigned i = 1; i < f->search->count; i = f->search->keys[i].next) {
		const struct find_answer *a = f->keys[i].answer;

		if (a && find_answer_of(a, f->map->contents[row], f->map->copies[row]) == IMAP_VERDICT_NO)
			return false;
	}
	return true;
}

/*
 * Keys that stand side by side are all to hold: what one of them rules out need not be walked, nor what
 * the map has not: it left the store.
 */
void
find_narrow(struct imap_find *f)
{
	struct uid_ranges left = { NULL, 0, 0 };
	const struct narrow_sieve *sieve = NULL; /* of the first that was answered */
	size_t range = 0;

	for (unsigned i = 1; f->map && !sieve && i < f->search->count; i = f->search->keys[i].next)
		if (f->keys[i].answer)
			sieve = narrow_sieve_new(f, f->keys[i].answer);
	if (!sieve)
		return;
	for (size_t row = 0; row < f->map->count; row++) {
		uint32_t seq;

		if (!sieve_lets(sieve, f->map, row) || !map_row_is_left(f, row) || !(seq = view_seq(f->view, f->map->uids[row])))
			continue;
		while (range < f->ranges.count && f->ranges.items[range].last < seq)
			range++;
		if (range < f->ranges.count && f->ranges.items[range].first <= seq)
			uid_ranges_add(&left, &f->arena, seq, seq);
	}
	f->ranges = left;
}
