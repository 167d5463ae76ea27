/*
 * archive_remove.c - entries that retention takes out, and the row of the chain that says so.
 *
 *	.. 6 | 7 8 9 | 10 ..          entries
 *	.. 6 | gap 7-9 (count 3, chain of 9, removal 41) | 10 .. | 41 removal: 7-9, chain of 9
 *
 * A gap that borders on another becomes one with it, and the removal names it as it is then. What would hide a
 * break is left alone: an entry whose own chain does not hold, one beside a gap that no removal names.
 */
#include "store/archive_inside.h"

#include "store/contents.h"
#include "store/ids.h"

#define RUN_ROOM (3 * 10 + ARCHIVE_HASH_SIZE)

struct removing {
	struct txn *txn;
	archive_hash_fn *hash;
	struct archive_head head;
	uint64_t gaps[ARCHIVE_REMOVE_MAX]; /* first ids of those that this removal made or changed */
	size_t gap_count;
	size_t removed;
};

static bool
same_hash(const unsigned char *a, const unsigned char *b)
{
	return memcmp(a, b, ARCHIVE_HASH_SIZE) == 0;
}

static bool
is_ours(const struct removing *r, uint64_t first)
{
	for (size_t i = 0; i < r->gap_count; i++)
		if (r->gaps[i] == first)
			return true;
	return false;
}

enum err
archive_gap_is_named(struct snapshot *snap, const struct archive_row *gap, bool *out)
{
	struct archive_row removal;
	struct archive_run run;
	enum err err = archive_find(snap, gap->removal_id, &removal);

	*out = false;
	if (err == ERR_NOT_FOUND || err == ERR_CORRUPT || (err == OK && removal.kind != ARCHIVE_REMOVAL))
		return OK;
	if (err != OK)
		return err;
	while (!*out && archive_run_take(&removal, &run) == OK)
		*out = run.first == gap->run.first && run.last == gap->run.last &&
			run.count == gap->run.count && same_hash(run.chain, gap->run.chain);
	return OK;
}

static enum err
gap_is_good(struct removing *r, const struct archive_row *gap, bool *out)
{
	*out = true;
	return is_ours(r, gap->run.first) ? OK : archive_gap_is_named(txn_view(r->txn), gap, out);
}

/* Does the chain hold from BEFORE, which may be none, to ROW? */
static bool
link_holds(struct removing *r, const struct archive_row *before, const struct archive_row *row)
{
	static const unsigned char none[ARCHIVE_HASH_SIZE];
	unsigned char chain[ARCHIVE_HASH_SIZE];
	uint64_t before_id = before->kind == ARCHIVE_GAP ? before->run.last : before->archive_id;

	archive_chain(r->hash, before_id ? before->chain : none, row, chain);
	return row->before_id == before_id && same_hash(chain, row->chain);
}

static enum err
put_gap(struct removing *r, const struct archive_row *gap, uint64_t removal_id)
{
	unsigned char chain[ARCHIVE_HASH_SIZE];
	struct archive_writing w;

	archive_begin(&w, gap);
	record_put_varint(&w.out, gap->run.last - gap->run.first);
	record_put_varint(&w.out, gap->run.count);
	record_put_varint(&w.out, removal_id);
	memcpy(chain, gap->run.chain, sizeof(chain));
	return archive_put(r->txn, &w, gap->run.first, SPAN(""), NULL, NULL, chain);
}

static enum err
delete_row(struct removing *r, uint64_t id)
{
	struct key key;

	key_u64(&key, id);
	return table_delete(r->txn, TABLE_archive, &key);
}

/* The gap behind ROW is one with it from now on. */
static enum err
join_next(struct removing *r, struct archive_row *gap)
{
	struct archive_row next;
	enum err err = archive_next(txn_view(r->txn), gap->run.last, &next);
	bool good = false;

	if (err == ERR_NOT_FOUND || err == ERR_CORRUPT)
		return OK;
	if (err != OK || next.kind != ARCHIVE_GAP || next.before_id != gap->run.last)
		return err;
	err = gap_is_good(r, &next, &good);
	if (err != OK || !good)
		return err;
	gap->run.last = next.run.last;
	gap->run.count += next.run.count;
	gap->time_ms = next.time_ms;
	gap->content_mark = next.content_mark;
	memcpy(gap->run.chain, next.run.chain, ARCHIVE_HASH_SIZE);
	return delete_row(r, next.run.first);
}

/* What stands before ID; all zero where it is the first. */
static enum err
row_before(struct removing *r, uint64_t id, struct archive_row *out)
{
	enum err err = archive_prev(txn_view(r->txn), id, out);

	if (err == ERR_NOT_FOUND)
		*out = (struct archive_row){ 0 };
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum err
take_out(struct removing *r, const struct archive_row *row, const struct archive_row *before)
{
	struct archive_row gap = { .archive_id = row->archive_id, .kind = ARCHIVE_GAP,
		.before_id = row->before_id, .time_ms = row->time_ms,
		.content_mark = row->content_mark,
		.run = { .first = row->archive_id, .last = row->archive_id, .count = 1 } };
	uint64_t content_id = row->message.content_id, size = row->message.size;
	enum err err;

	memcpy(gap.run.chain, row->chain, ARCHIVE_HASH_SIZE);
	if (before->kind == ARCHIVE_GAP) {
		gap.archive_id = gap.run.first = before->run.first;
		gap.before_id = before->before_id;
		gap.run.count += before->run.count;
	}
	err = delete_row(r, gap.run.last);
	if (err == OK)
		err = join_next(r, &gap);
	if (err == OK)
		err = put_gap(r, &gap, 0);
	if (err == OK)
		err = content_own(r->txn, content_id, -1);
	if (!is_ours(r, gap.run.first))
		r->gaps[r->gap_count++] = gap.run.first;
	r->head.messages--;
	r->head.bytes -= size;
	r->head.removed++;
	r->removed++;
	return err;
}

static enum err
remove_one(struct removing *r, uint64_t id)
{
	struct archive_row row, before;
	struct archive_hold hold;
	bool good = true;
	enum err err = archive_hold_find(txn_view(r->txn), id, &hold);

	if (err != ERR_NOT_FOUND)
		return err == ERR_CORRUPT ? OK : err; /* what is not sure is held */
	err = row_before(r, id, &before);
	if (err == OK)
		err = archive_find(txn_view(r->txn), id, &row);
	if (err == OK && before.kind == ARCHIVE_GAP)
		err = gap_is_good(r, &before, &good);
	if (err == ERR_NOT_FOUND || err == ERR_CORRUPT)
		return OK;
	if (err != OK || !good || row.kind != ARCHIVE_MESSAGE || !link_holds(r, &before, &row))
		return err;
	return take_out(r, &row, &before);
}

/* The row that says what went, and its number into the gaps. */
static enum err
put_removal(struct removing *r, struct span why)
{
	struct archive_row row = { .kind = ARCHIVE_REMOVAL, .before_id = r->head.last_id,
		.content_mark = r->head.last_content, .time_ms = txn_now_ms(r->txn) }, gap;
	char *room = arena_alloc(txn_arena(r->txn), r->gap_count * RUN_ROOM);
	struct record_out runs = { .bytes = room, .max = r->gap_count * RUN_ROOM };
	unsigned char chain[ARCHIVE_HASH_SIZE];
	struct archive_writing w;
	enum err err = OK;

	row.archive_id = id_next(r->txn, COUNTER_archive);
	if (row.archive_id <= r->head.last_id) /* the counters were lost: repair */
		row.archive_id = r->head.last_id + 1;
	if (row.time_ms < r->head.last_ms)
		row.time_ms = r->head.last_ms;
	for (size_t i = 0; i < r->gap_count && err == OK; i++) {
		err = archive_find(txn_view(r->txn), r->gaps[i], &gap);
		if (err != OK)
			return err;
		record_put_varint(&runs, gap.run.first);
		record_put_varint(&runs, gap.run.last - gap.run.first);
		record_put_varint(&runs, gap.run.count);
		record_put_raw(&runs, (struct span){ (const char *)gap.run.chain, ARCHIVE_HASH_SIZE });
		err = put_gap(r, &gap, row.archive_id);
	}
	archive_begin(&w, &row);
	record_put_span(&w.out, span_range(why, 0, ARCHIVE_WHY_MAX));
	record_put_varint(&w.out, r->gap_count);
	if (err == OK)
		err = archive_put(r->txn, &w, row.archive_id, (struct span){ room, runs.len },
			r->hash, r->head.chain, chain);
	memcpy(r->head.chain, chain, sizeof(chain));
	r->head.last_id = row.archive_id;
	r->head.last_ms = row.time_ms;
	return err == OK ? archive_head_put(r->txn, &r->head) : err;
}

enum err
archive_remove(struct txn *txn, archive_hash_fn *hash, const uint64_t *ids, size_t count,
	struct span why, size_t *removed)
{
	struct removing r = { .txn = txn, .hash = hash };
	enum err err = archive_head_sure(txn_view(txn), &r.head);

	ENSURE(count <= ARCHIVE_REMOVE_MAX);
	for (size_t i = 0; i < count && err == OK; i++)
		err = remove_one(&r, ids[i]);
	if (err == OK && r.gap_count > 0)
		err = put_removal(&r, why);
	*removed = r.removed;
	return err;
}
