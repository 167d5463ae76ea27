/*
 * search_inside.h - what the search_*.c files share: rows, runs, pieces. Shows LMDB as lmdb_txn.h does.
 *
 * Keys are  run_id u64 | kind u8 | number u32 , big-endian; a value begins with the CRC32C of key
 * and bytes. A value fills one page of LMDB at most, so that no free run of pages must be found.
 *
 *	run 0, ROW_META		format, next run_id, cursors, the runs that count
 *	run n, ROW_DOCS		ids of its messages, ascending: first as varint, then steps, times two, plus
 *				one where the words are not all there (unsure)
 *	run n, ROW_DICT		u64 place of the first word's postings | u16 words | u16 bytes | the words, each
 *				with LF behind | for each the varint length of its postings
 *	run n, ROW_POSTS	one stream of bytes in pieces: for each message that has the word a varint,
 *				(number of the message in its run, less that of the one before) * 4 + where
 *
 * A run that ROW_META does not name is a rest of what was broken off, and is deleted at the start.
 */
#ifndef STORE_SEARCH_INSIDE_H
#define STORE_SEARCH_INSIDE_H

#include <lmdb.h>
#include <pthread.h>
#include <stdatomic.h>

#include "proto/base/crc32c.h"
#include "store/key.h"
#include "store/record.h"
#include "store/search_index.h"

uint64_t store_monotonic_us(void); /* store.c */

#define SEARCH_PIECE 4080 /* bytes of a value: one overflow page of LMDB */
#define SEARCH_PIECE_HEAD 4
#define SEARCH_PIECE_DATA (SEARCH_PIECE - SEARCH_PIECE_HEAD)
#define SEARCH_DICT_HEAD (SEARCH_PIECE_HEAD + 8 + 2 + 2)
#define SEARCH_COMMIT_BYTES (4u << 20) /* of rows in one transaction: they lie in memory until then */
#define SEARCH_RUNS_MAX 64 /* rows of ROW_META: the runs of both spaces, and what waits for a merge */

enum search_row { ROW_META = 1, ROW_DOCS, ROW_DICT, ROW_POSTS };

struct search_run {
	uint64_t run_id;
	enum search_space space;
	uint32_t docs;
	uint32_t words;
	uint64_t first_id, last_id;
	uint64_t bytes; /* of its rows */
};

/* What ROW_META says. */
struct search_meta {
	uint64_t next_run;
	uint64_t cursor[SEARCH_SPACES];
	unsigned run_count;
	struct search_run runs[SEARCH_RUNS_MAX];
};

struct search_index {
	struct search_options options;
	char *path;
	MDB_env *env; /* NULL: it could not be made anew */
	MDB_dbi rows;
	pthread_rwlock_t gate; /* shared by who reads `env`, exclusive for who replaces it */
	pthread_mutex_t lock;  /* of `meta` and the figures */
	struct search_meta meta;
	uint64_t written, merges;
	atomic_bool damaged;
};

void search_say(struct search_index *index, enum store_severity severity, const char *format, ...)
	PRINTF_LIKE(3, 4);
/* The house's name for LMDB's code; logged, and what cannot be read makes the index damaged. */
enum err search_failed(struct search_index *index, int rc, const char *what);
/* A row makes no sense: logged once, and the index is damaged. ERR_CORRUPT, for `return`. */
enum err search_damaged(struct search_index *index, const char *what);

void search_key(struct key *key, uint64_t run_id, enum search_row kind, uint32_t number);
/* Fill in the checksum of VALUE, whose first four bytes are free for it, and put it. */
MUST_CHECK enum err search_put(struct search_index *index, MDB_txn *txn, const struct key *key,
	char *value, size_t len);
/* The bytes behind the checksum. ERR_NOT_FOUND, ERR_CORRUPT. */
MUST_CHECK enum err search_get(struct search_index *index, MDB_txn *txn, const struct key *key,
	struct span *bytes);
bool search_row_is_whole(struct span key, struct span value);

/* A copy of what counts now. */
void search_meta_get(struct search_index *index, struct search_meta *out);
/* What counts in TXN. ERR_NOT_FOUND: a new index. ERR_CORRUPT: damaged, or of another format. */
MUST_CHECK enum err search_meta_read(struct search_index *index, MDB_txn *txn, struct search_meta *meta);
/* Put META into TXN and commit it; then it is what counts. TXN is over in any case. */
MUST_CHECK enum err search_meta_commit(struct search_index *index, MDB_txn *txn,
	const struct search_meta *meta);
/* Delete the rows of runs that do not count, in slices. */
MUST_CHECK enum err search_sweep(struct search_index *index);

/* Take a varint from the front of *IN; 0, and *IN empty, where there is none. */
static inline uint64_t
search_varint(struct span *in)
{
	uint64_t value = 0;
	unsigned shift = 0;

	while (in->len > 0 && shift < 64) {
		unsigned char byte = (unsigned char)*in->ptr++;

		in->len--;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return value;
		shift += 7;
	}
	in->len = 0;
	return 0;
}

/* VALUE as a varint into ROOM of 10 bytes; how many it took. */
static inline size_t
search_put_varint(char *room, uint64_t value)
{
	size_t len = 0;

	for (; value >= 0x80; value >>= 7)
		room[len++] = (char)(value | 0x80);
	room[len++] = (char)value;
	return len;
}

#endif
