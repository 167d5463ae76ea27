/*
 * archive_verify.c - does the chain hold, row by row.
 */
#include "store/archive_inside.h"

static enum err
fault(struct archive_verify *v, uint64_t id, const char *what)
{
	v->fault_id = id;
	v->fault = what;
	return ERR_SYNTAX;
}

static bool
same_hash(const unsigned char *a, const unsigned char *b)
{
	return memcmp(a, b, ARCHIVE_HASH_SIZE) == 0;
}

/* The rows are over: the head names the last of them. */
static enum err
verify_end(struct snapshot *snap, struct archive_verify *v)
{
	struct archive_head head;
	enum err err = archive_head_get(snap, &head);

	if (err == ERR_CORRUPT)
		return fault(v, v->last_id, "the end of the chain is not known: its record is damaged");
	if (err != OK)
		return err;
	if (head.last_id > v->last_id)
		return fault(v, v->last_id + 1, "the archive ends too early: what followed is gone");
	if (head.last_id != v->last_id || !same_hash(head.chain, v->chain))
		return fault(v, v->last_id, "it is not the one that the end of the chain names");
	return ERR_NOT_FOUND;
}

static enum err
verify_gap(struct snapshot *snap, struct archive_verify *v, const struct archive_row *row)
{
	bool named = false;
	enum err err = archive_gap_is_named(snap, row, &named);

	if (err == OK && !named)
		return fault(v, row->archive_id, "it is gone, and retention did not take it");
	v->removed += row->run.count;
	v->last_id = row->run.last;
	memcpy(v->chain, row->run.chain, sizeof(v->chain));
	return err;
}

static enum err
verify_link(archive_hash_fn *hash, struct archive_verify *v, const struct archive_row *row)
{
	unsigned char chain[ARCHIVE_HASH_SIZE];

	archive_chain(hash, v->chain, row, chain);
	if (!same_hash(chain, row->chain))
		return fault(v, row->archive_id, "what the archive says of it was changed");
	v->messages += row->kind == ARCHIVE_MESSAGE;
	v->removals += row->kind == ARCHIVE_REMOVAL;
	v->last_id = row->archive_id;
	memcpy(v->chain, chain, sizeof(v->chain));
	return OK;
}

/* Retention took what was before, and more, since the snapshot of the last call: the gap goes on behind it. */
static bool
is_gap_since(struct snapshot *snap, const struct archive_verify *v, const struct archive_row *row,
	struct archive_row *gap)
{
	return archive_prev(snap, row->archive_id, gap) == OK && gap->kind == ARCHIVE_GAP &&
		gap->run.first <= v->last_id && gap->run.last > v->last_id;
}

enum err
archive_verify_next(struct snapshot *snap, archive_hash_fn *hash, struct archive_verify *v,
	struct archive_row *row)
{
	struct archive_row gap;
	enum err err = archive_next(snap, v->last_id, row);

	if (err == ERR_NOT_FOUND)
		return verify_end(snap, v);
	if (err == ERR_CORRUPT)
		return fault(v, row->archive_id, "its row is damaged");
	if (err != OK)
		return err;
	if (row->before_id > v->last_id && is_gap_since(snap, v, row, &gap)) {
		*row = gap;
		return verify_gap(snap, v, row);
	}
	if (row->before_id > v->last_id)
		return fault(v, v->last_id + 1, "it is gone, and retention did not take it");
	if (row->before_id < v->last_id)
		return fault(v, row->archive_id, "it was put in between");
	return row->kind == ARCHIVE_GAP ? verify_gap(snap, v, row) : verify_link(hash, v, row);
}
