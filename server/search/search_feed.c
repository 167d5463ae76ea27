/*
 * search_feed.c - what is new in the store, read in slices.
 *
 * Ids rise with the commits that write their rows, so a place in each table is all that must be kept.
 */
#include "server/search/search_feed.h"

#include <time.h>

#include "server/search/search.h"
#include "server/search/search_words.h"
#include "store/messages.h"

static const enum store_table tables[SEARCH_SPACES] = {
	[SEARCH_CONTENTS] = TABLE_contents,
	[SEARCH_COPIES] = TABLE_copies,
};

static uint64_t
now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

void
search_feed_restart(struct search_feed *f)
{
	for (int i = 0; i < SEARCH_SPACES; i++) {
		search_build_drop(f->builders[i]);
		f->next[i] = search_cursor(f->index, (enum search_space)i);
	}
}

void
search_feed_init(struct search_feed *f, struct store *store, struct search_index *index)
{
	*f = (struct search_feed){ .store = store, .index = index };
	for (int i = 0; i < SEARCH_SPACES; i++)
		f->builders[i] = search_builder_new(index, (enum search_space)i);
	search_feed_restart(f);
}

void
search_feed_fini(struct search_feed *f)
{
	for (int i = 0; i < SEARCH_SPACES; i++)
		search_builder_free(&f->builders[i]);
}

bool
search_feed_is_full(const struct search_feed *f)
{
	return search_build_is_full(f->builders[SEARCH_CONTENTS]) ||
		search_build_is_full(f->builders[SEARCH_COPIES]);
}

bool
search_feed_is_empty(const struct search_feed *f)
{
	for (int i = 0; i < SEARCH_SPACES; i++)
		if (f->next[i] != search_cursor(f->index, (enum search_space)i))
			return false;
	return true;
}

/* ---- one message ---- */

/* What is damaged or encrypted is read by each who searches, who is told so as well. */
static void
feed_content(struct snapshot *snap, struct search_builder *builder, uint64_t id)
{
	struct search_words words = { .builder = builder };
	struct search_sink sink = { SEARCH_IN_HEADER | SEARCH_IN_BODY, search_words_piece, &words };
	struct content content;
	enum err err = content_get(snap, id, &content);

	if (err == ERR_NOT_FOUND)
		return;
	search_build_message(builder, id, err != OK || content.salt != 0);
	if (err == OK && content.salt == 0 && search_text_read(snap, &content, &sink) != OK)
		search_build_unsure(builder);
}

/* A copy without lines in front has nothing to be found by. */
static void
feed_copy(struct snapshot *snap, struct search_builder *builder, uint64_t id)
{
	struct search_words words = { .builder = builder };
	struct search_sink sink = { SEARCH_IN_HEADER, search_words_piece, &words };
	struct copy copy;
	enum err err = copy_get(snap, id, &copy);

	if (err == ERR_NOT_FOUND || (err == OK && copy.front.len == 0))
		return;
	search_build_message(builder, id, err != OK);
	if (err == OK)
		search_text_header(copy.front, &sink);
}

/* ---- slices ---- */

/* The id of the first row at or behind FROM. ERR_NOT_FOUND: none. */
static enum err
next_id(struct snapshot *snap, enum search_space space, uint64_t from, uint64_t *out)
{
	struct span at;
	struct row row;
	struct key key;
	enum err err;

	key_u64(&key, from);
	err = table_seek(snap, tables[space], &key, &row);
	at = row.key;
	if (err == OK && key_take_u64(&at, out) != OK)
		err = ERR_IO; /* logged by whoever reads it; the walk cannot pass it */
	return err;
}

static enum err
feed_space(struct search_feed *f, struct snapshot *snap, enum search_space space, uint64_t until_us,
	uint64_t *found)
{
	struct search_builder *builder = f->builders[space];
	enum err err = OK;
	uint64_t id;

	while (!search_build_is_full(builder) && now_us() < until_us) {
		err = next_id(snap, space, f->next[space], &id);
		if (err != OK)
			break;
		if (space == SEARCH_CONTENTS)
			feed_content(snap, builder, id);
		else
			feed_copy(snap, builder, id);
		snapshot_forget_copies(snap);
		f->next[space] = id + 1;
		*found += 1;
	}
	return err;
}

enum err
search_feed_some(struct search_feed *f, bool *more, uint64_t *found)
{
	uint64_t until_us = now_us() + SEARCH_SLICE_US;
	struct snapshot *snap = NULL;
	enum err err = snapshot_open(f->store, &snap);

	*more = false;
	*found = 0;
	for (int i = 0; i < SEARCH_SPACES && err == OK; i++) {
		err = feed_space(f, snap, (enum search_space)i, until_us, found);
		*more |= err == OK;
		if (err == ERR_NOT_FOUND)
			err = OK;
	}
	if (snap)
		snapshot_close(&snap);
	return err;
}

enum err
search_feed_write(struct search_feed *f)
{
	enum err err = OK;

	for (int i = 0; i < SEARCH_SPACES && err == OK; i++)
		if (f->next[i] != search_cursor(f->index, (enum search_space)i))
			err = search_build_write(f->builders[i], f->next[i]);
	return err;
}

/* ---- questions to the store ---- */

uint64_t
search_behind(struct store *store, uint64_t cursor)
{
	uint64_t last = 0, rows = 0;
	struct snapshot *snap;
	struct span at;
	struct row row;
	struct key key;

	if (snapshot_open(store, &snap) != OK)
		return 0;
	key_u64(&key, UINT64_MAX);
	if (table_seek_before(snap, TABLE_contents, &key, &row) == OK) {
		at = row.key;
		if (key_take_u64(&at, &last) != OK || table_count(snap, TABLE_contents, &rows) != OK)
			last = 0;
	}
	snapshot_close(&snap);
	last = last >= cursor ? last - cursor + 1 : 0;
	return last < rows ? last : rows;
}

enum err
search_still_there(struct store *store, enum search_space space, const uint64_t *ids, size_t count, bool *alive)
{
	struct snapshot *snap;
	struct span value;
	struct key key;
	enum err err = snapshot_open(store, &snap);

	if (err != OK)
		return err;
	for (size_t i = 0; i < count && err == OK; i++) {
		key_u64(&key, ids[i]);
		err = table_get(snap, tables[space], &key, &value);
		alive[i] = err == OK;
		if (err == ERR_NOT_FOUND)
			err = OK;
	}
	snapshot_close(&snap);
	return err;
}
