/*
 * search_write.h - a run, written from front to back: its messages, then word after word in order.
 *
 * It does not count until search_meta_commit() names it. What fails is remembered, and said by
 * run_end(); the calls before it then do nothing. For search_build.c and search_merge.c.
 */
#ifndef STORE_SEARCH_WRITE_H
#define STORE_SEARCH_WRITE_H

#include "store/search_inside.h"

/* A value that is being filled. */
struct search_piece {
	char bytes[SEARCH_PIECE];
	size_t len;
	uint32_t number; /* of its key */
};

struct run_writer {
	struct search_index *index;
	struct search_run run;
	MDB_txn *txn; /* of the slice */
	size_t slice; /* bytes written in it */
	enum err err;
	uint64_t last_id;

	struct search_piece docs, posts;
	uint64_t posts_at; /* place in the stream */

	struct search_piece dict; /* of it the words; */
	char lengths[SEARCH_PIECE];
	size_t lengths_len;
	uint16_t dict_words;
	uint64_t dict_posts_at; /* of the first word */

	bool in_word;
	uint64_t word_posts_at;
	uint32_t word_last;
};

/* Begin a run of SPACE under RUN_ID, which was never used. W is large: not for a frame. */
void run_begin(struct run_writer *w, struct search_index *index, enum search_space space,
	uint64_t run_id);
/* The next message, of a higher id. */
void run_put_doc(struct run_writer *w, uint64_t id, bool unsure);
/* The next word, behind all others by its bytes; 1 to SEARCH_WORD_MAX of them, none is LF. */
void run_put_word(struct run_writer *w, struct span word);
/* It stands in message NUMBER of the run, which is higher than the one before. */
void run_put_post(struct run_writer *w, uint32_t number, unsigned where);
/*
 * Write what is left. OK: w->run is the run and w->txn the transaction of its last rows, for
 * search_meta_commit(). Else there is no transaction.
 */
MUST_CHECK enum err run_end(struct run_writer *w);

#endif
