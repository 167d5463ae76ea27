/*
 * search_ask.h - which messages hold a few pieces of words.
 *
 * A piece is found wherever it stands in a word: IMAP's SEARCH asks for substrings (RFC 9051,
 * 6.4.4), so the whole dictionary of a run is looked through, which is a few million bytes.
 */
#ifndef STORE_SEARCH_ASK_H
#define STORE_SEARCH_ASK_H

#include <stdatomic.h>

#include "proto/base/span.h"
#include "store/search_index.h"

#define SEARCH_PIECES_MAX 3   /* of one question; more than these three longest tell little */
#define SEARCH_ASK_MS 2000    /* a question that takes longer is given up: ERR_BUSY */

struct search_question {
	enum search_space space;
	struct span pieces[SEARCH_PIECES_MAX]; /* folded; 1 to SEARCH_WORD_OVERLAP bytes */
	size_t count;                          /* at least one; a message must have them all */
	unsigned where;                        /* SEARCH_IN_ bits; each piece in one of these */
	const atomic_bool *stop;               /* or NULL; set: ERR_BUSY soon */
};

struct search_answer {
	uint64_t *ids; /* ascending: of these messages the index knows the words, and they have them */
	size_t count;
	uint64_t *unsure; /* ascending: it knows not all of theirs; they are to be read */
	size_t unsure_count;
	uint64_t cursor; /* from this id on it knows nothing */
};

/*
 * Any thread; 100,000 messages take some ms. OUT is the caller's until search_answer_free(). ERR_BUSY:
 * stopped, took too long, or no reader is free. ERR_CORRUPT, ERR_IO: no index now. After an error OUT
 * is empty, and all messages are to be read.
 */
MUST_CHECK enum err search_ask(struct search_index *index, const struct search_question *question,
	struct search_answer *out);
void search_answer_free(struct search_answer *answer);

#endif
