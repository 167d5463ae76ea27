/*
 * search_rows.c - rows of the index: put and got with their checksums; the row of facts; rows that count no more.
 */
#include "store/search_inside.h"

#define META_ROOM (RECORD_HEAD + (4 + SEARCH_RUNS_MAX * 7) * 10)
#define SWEEP_ROWS 2000 /* of one transaction */

void
search_key(struct key *key, uint64_t run_id, enum search_row kind, uint32_t number)
{
	key_u64(key, run_id);
	key_put_u8(key, (uint8_t)kind);
	key_put_u32(key, number);
}

static uint32_t
row_crc(struct span key, struct span value)
{
	return crc32c(crc32c(0, key), span_from(value, SEARCH_PIECE_HEAD));
}

bool
search_row_is_whole(struct span key, struct span value)
{
	uint32_t crc;

	if (value.len < SEARCH_PIECE_HEAD)
		return false;
	memcpy(&crc, value.ptr, sizeof(crc));
	return crc == row_crc(key, value);
}

enum err
search_put(struct search_index *index, MDB_txn *txn, const struct key *key, char *value, size_t len)
{
	struct span bytes = { value, len };
	MDB_val k = { key->len, (void *)(uintptr_t)key->bytes }, v = { len, value };
	uint32_t crc = row_crc(key_span(key), bytes);

	memcpy(value, &crc, sizeof(crc));
	return search_failed(index, mdb_put(txn, index->rows, &k, &v, 0), "write");
}

enum err
search_get(struct search_index *index, MDB_txn *txn, const struct key *key, struct span *bytes)
{
	MDB_val k = { key->len, (void *)(uintptr_t)key->bytes }, v;
	enum err err = search_failed(index, mdb_get(txn, index->rows, &k, &v), "read");

	if (err != OK)
		return err;
	*bytes = (struct span){ v.mv_data, v.mv_size };
	if (!search_row_is_whole(key_span(key), *bytes))
		return search_damaged(index, "a checksum is wrong");
	*bytes = span_from(*bytes, SEARCH_PIECE_HEAD);
	return OK;
}

/* ---- what counts ---- */

void
search_meta_get(struct search_index *index, struct search_meta *out)
{
	pthread_mutex_lock(&index->lock);
	*out = index->meta;
	pthread_mutex_unlock(&index->lock);
}

static void
put_run(struct record_out *out, const struct search_run *run)
{
	record_put_varint(out, run->run_id);
	record_put_varint(out, run->space);
	record_put_varint(out, run->docs);
	record_put_varint(out, run->words);
	record_put_varint(out, run->first_id);
	record_put_varint(out, run->last_id);
	record_put_varint(out, run->bytes);
}

static enum err
meta_put(struct search_index *index, MDB_txn *txn, const struct search_meta *meta)
{
	char room[META_ROOM];
	struct record_out out;
	struct key key;

	record_begin(&out, room, sizeof(room), SEARCH_FORMAT);
	record_put_varint(&out, meta->next_run);
	for (unsigned i = 0; i < SEARCH_SPACES; i++)
		record_put_varint(&out, meta->cursor[i]);
	record_put_varint(&out, meta->run_count);
	for (unsigned i = 0; i < meta->run_count; i++)
		put_run(&out, &meta->runs[i]);
	ENSURE(!out.overflow);
	search_key(&key, 0, ROW_META, 0);
	return search_put(index, txn, &key, room, out.len);
}

static void
take_run(struct record_in *in, struct search_run *run)
{
	run->run_id = record_take_varint(in);
	run->space = (enum search_space)(record_take_varint(in) % SEARCH_SPACES);
	run->docs = (uint32_t)record_take_varint(in);
	run->words = (uint32_t)record_take_varint(in);
	run->first_id = record_take_varint(in);
	run->last_id = record_take_varint(in);
	run->bytes = record_take_varint(in);
}

enum err
search_meta_read(struct search_index *index, MDB_txn *txn, struct search_meta *meta)
{
	struct record_in in = { .bad = false };
	struct span bytes;
	struct key key;
	enum err err;

	search_key(&key, 0, ROW_META, 0);
	err = search_get(index, txn, &key, &bytes);
	if (err != OK)
		return err;
	if (bytes.len == 0 || bytes.ptr[0] != SEARCH_FORMAT)
		return search_damaged(index, "it is of another format");
	in.at = bytes.ptr + 1;
	in.end = bytes.ptr + bytes.len;
	meta->next_run = record_take_varint(&in);
	for (unsigned i = 0; i < SEARCH_SPACES; i++)
		meta->cursor[i] = record_take_varint(&in);
	meta->run_count = (unsigned)record_take_varint(&in);
	if (meta->run_count > SEARCH_RUNS_MAX)
		return search_damaged(index, "it has too many runs");
	for (unsigned i = 0; i < meta->run_count; i++)
		take_run(&in, &meta->runs[i]);
	return record_end(&in) == OK ? OK : search_damaged(index, "its facts are cut");
}

enum err
search_meta_commit(struct search_index *index, MDB_txn *txn, const struct search_meta *meta)
{
	enum err err = meta_put(index, txn, meta);

	if (err != OK) {
		mdb_txn_abort(txn);
		return err;
	}
	err = search_failed(index, mdb_txn_commit(txn), "commit");
	if (err != OK)
		return err;
	pthread_mutex_lock(&index->lock);
	index->meta = *meta;
	pthread_mutex_unlock(&index->lock);
	return OK;
}

/* ---- rows of runs that do not count ---- */

static bool
run_counts(const struct search_meta *meta, uint64_t run_id)
{
	for (unsigned i = 0; i < meta->run_count; i++)
		if (meta->runs[i].run_id == run_id)
			return true;
	return run_id == 0;
}

/* Delete up to SWEEP_ROWS rows from the run *FROM on; *from is where to go on, 0 at the end. */
static int
sweep_some(struct search_index *index, MDB_txn *txn, const struct search_meta *meta, uint64_t *from)
{
	unsigned left = SWEEP_ROWS;
	MDB_cursor *cursor;
	struct key key;
	MDB_val k, v;
	int rc = mdb_cursor_open(txn, index->rows, &cursor);

	if (rc != 0)
		return rc;
	while (rc == 0 && left > 0) {
		struct span at;

		key_u64(&key, *from);
		k = (MDB_val){ key.len, key.bytes };
		rc = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE);
		at = (struct span){ k.mv_data, k.mv_size };
		if (rc != 0 || key_take_u64(&at, from) != OK)
			break;
		if (run_counts(meta, *from)) {
			*from += 1;
			continue;
		}
		rc = mdb_cursor_del(cursor, 0);
		left--;
	}
	mdb_cursor_close(cursor);
	if (rc == MDB_NOTFOUND)
		*from = 0;
	return rc == MDB_NOTFOUND ? 0 : rc;
}

enum err
search_sweep(struct search_index *index)
{
	struct search_meta meta;
	uint64_t from = 1;
	enum err err = OK;

	search_meta_get(index, &meta);
	while (from && err == OK) {
		MDB_txn *txn;
		int rc = mdb_txn_begin(index->env, NULL, 0, &txn);

		if (rc == 0) {
			rc = sweep_some(index, txn, &meta, &from);
			if (rc == 0)
				rc = mdb_txn_commit(txn);
			else
				mdb_txn_abort(txn);
		}
		err = search_failed(index, rc, "delete");
	}
	return err;
}
