/*
 * search_read.h - the rows of a run as they are read: messages, dictionary blocks, postings.
 *
 * All is checked against its bounds: a damaged row is ERR_CORRUPT and makes the index damaged. For
 * search_ask.c and search_merge.c.
 */
#ifndef STORE_SEARCH_READ_H
#define STORE_SEARCH_READ_H

#include "store/search_inside.h"

/* A stream of pieces, read from any place on; spans point into the map of TXN. */
struct search_stream {
	struct search_index *index;
	MDB_txn *txn;
	uint64_t run_id;
	enum search_row kind;
	uint32_t number;   /* of the piece that is open, plus one; 0: none */
	struct span piece; /* all of it */
	struct span rest;  /* of it */
	enum err err;
};
void stream_begin(struct search_stream *s, struct search_index *index, MDB_txn *txn,
	uint64_t run_id, enum search_row kind);
void stream_seek(struct search_stream *s, uint64_t at);
/* A varint, also over the border of two pieces. 0 and s->err at the end or at damage. */
uint64_t stream_take(struct search_stream *s);
/* The same with its bytes counted down from *LEFT. */
uint64_t stream_take_of(struct search_stream *s, uint64_t *left);

/* The ids of a run's messages, in order. */
struct search_docs {
	struct search_stream stream;
	uint32_t left;
	uint64_t id;
	bool unsure;
};
void docs_begin(struct search_docs *d, struct search_index *index, MDB_txn *txn,
	const struct search_run *run);
bool docs_next(struct search_docs *d); /* false: the end, or damage in d->stream.err */

/* A block of the dictionary. */
struct search_dict {
	struct span text;    /* words, LF behind each */
	struct span lengths; /* of their postings, as varints */
	unsigned words;
	uint64_t posts_at;
};
/* ERR_NOT_FOUND: behind the last. */
MUST_CHECK enum err dict_get(struct search_index *index, MDB_txn *txn, uint64_t run_id,
	uint32_t number, struct search_dict *out);
/* The same from the bytes of a row that a walk found. */
MUST_CHECK enum err dict_open(struct search_index *index, struct span bytes, struct search_dict *out);

#endif
