/*
 * seen.c - a row for each part: 4,096 bits, the lowest uid first.
 */
#include "store/seen.h"

#include "store/rows.h"

#define SEEN_VERSION 1
#define SEEN_BYTES (SEEN_PART / 8)

static void
part_key(struct key *key, uint64_t folder_id, uint64_t user_id, uint32_t part)
{
	key_u64_u64(key, folder_id, user_id);
	key_put_u32(key, part);
}

/* All zero where there is no row. */
static enum err
part_get(struct snapshot *snap, uint64_t folder_id, uint64_t user_id, uint32_t part,
	uint64_t bits[SEEN_PART / 64])
{
	struct record_in in;
	struct key key;
	enum err err;

	memset(bits, 0, SEEN_BYTES);
	part_key(&key, folder_id, user_id, part);
	err = table_get_record(snap, TABLE_seen, &key, SEEN_VERSION, &in);
	if (err != OK)
		return err == ERR_NOT_FOUND ? OK : err;
	for (size_t i = 0; i < SEEN_PART / 64; i++)
		bits[i] = record_take_u64(&in);
	if (record_end(&in) == OK)
		return OK;
	memset(bits, 0, SEEN_BYTES);
	return table_damaged(snap, TABLE_seen, key_span(&key), "fields");
}

static enum err
part_put(struct txn *txn, uint64_t folder_id, uint64_t user_id, uint32_t part,
	const uint64_t bits[SEEN_PART / 64])
{
	char room[RECORD_HEAD + SEEN_BYTES];
	struct record_out out;
	struct key key;

	record_begin(&out, room, sizeof(room), SEEN_VERSION);
	for (size_t i = 0; i < SEEN_PART / 64; i++)
		record_put_u64(&out, bits[i]);
	part_key(&key, folder_id, user_id, part);
	return table_put_record(txn, TABLE_seen, &key, &out);
}

bool
seen_holds(struct snapshot *snap, const struct row *row)
{
	uint64_t bits[SEEN_PART / 64], folder_id, user_id;
	struct span key = row->key;
	uint32_t part;

	return key_take_u64(&key, &folder_id) == OK && key_take_u64(&key, &user_id) == OK &&
	       key_take_u32(&key, &part) == OK && key.len == 0 &&
	       part_get(snap, folder_id, user_id, part, bits) == OK;
}

/* ---- reading ---- */

void
seen_reader_init(struct seen_reader *r, uint64_t folder_id, uint64_t user_id)
{
	r->folder_id = folder_id;
	r->user_id = user_id;
	r->loaded = false;
}

bool
seen_is(struct snapshot *snap, struct seen_reader *r, uint32_t uid)
{
	uint32_t part = uid / SEEN_PART, bit = uid % SEEN_PART;

	if (!r->loaded || r->part != part) {
		if (part_get(snap, r->folder_id, r->user_id, part, r->bits) != OK)
			memset(r->bits, 0, sizeof(r->bits)); /* logged where it was read */
		r->loaded = true;
		r->part = part;
	}
	return r->bits[bit / 64] >> bit % 64 & 1;
}

enum err
seen_count_unseen(struct snapshot *snap, uint64_t folder_id, uint64_t user_id, uint32_t *out)
{
	struct entry_block block;
	struct seen_reader r;
	uint32_t uid = 0;
	unsigned from;
	enum err err;

	*out = 0;
	seen_reader_init(&r, folder_id, user_id);
	while ((err = entry_block_next(snap, folder_id, uid, &block, &from)) == OK) {
		for (unsigned i = from; i < block.count; i++)
			*out += !(block.entries[i].flags & FLAG_HELD) &&
				!seen_is(snap, &r, block.entries[i].uid);
		uid = block.entries[block.count - 1].uid;
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

/* ---- changing ---- */

/* Those of the uids that are in the part of the first; how many. */
static size_t
part_mark(uint64_t bits[SEEN_PART / 64], const uint32_t *uids, size_t count, bool seen)
{
	uint32_t part = uids[0] / SEEN_PART;
	size_t i = 0;

	for (; i < count && uids[i] / SEEN_PART == part; i++) {
		uint32_t bit = uids[i] % SEEN_PART;
		uint64_t mask = UINT64_C(1) << bit % 64;

		if (seen)
			bits[bit / 64] |= mask;
		else
			bits[bit / 64] &= ~mask;
	}
	return i;
}

enum err
seen_set(struct txn *txn, uint64_t folder_id, uint64_t user_id, const uint32_t *uids, size_t count,
	bool seen)
{
	uint64_t bits[SEEN_PART / 64];
	enum err err = OK;

	while (count > 0 && err == OK) {
		uint32_t part = uids[0] / SEEN_PART;
		size_t done;

		err = part_get(txn_view(txn), folder_id, user_id, part, bits);
		if (err != OK && err != ERR_CORRUPT) /* what is damaged begins anew */
			return err;
		done = part_mark(bits, uids, count, seen);
		err = part_put(txn, folder_id, user_id, part, bits);
		uids += done;
		count -= done;
	}
	return err;
}

/* ---- forgetting ---- */

enum err
seen_forget_folder(struct txn *txn, uint64_t folder_id, unsigned most, bool *more)
{
	struct key prefix;

	key_u64(&prefix, folder_id);
	return rows_purge(txn, TABLE_seen, &prefix, most, more);
}

/* A look at each folder that has rows: there are few such. */
enum err
seen_forget_user(struct txn *txn, uint64_t user_id, unsigned most, bool *more)
{
	uint64_t folder_id = 0;
	struct row row;
	enum err err = OK;

	*more = false;
	while (err == OK && !*more) {
		struct key key;

		key_u64(&key, folder_id);
		err = table_seek(txn_view(txn), TABLE_seen, &key, &row);
		if (err != OK || key_take_u64(&row.key, &folder_id) != OK)
			break;
		key_u64_u64(&key, folder_id, user_id);
		err = rows_purge(txn, TABLE_seen, &key, most, more);
		if (folder_id == UINT64_MAX)
			break;
		folder_id++;
	}
	return err == ERR_NOT_FOUND ? OK : err;
}
