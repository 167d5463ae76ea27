/*
 * search_index.h - which messages may hold a word: an inverted index in an LMDB environment of its own.
 *
 * It is no part of the store: what it knows was read from there, it is in no backup, and where it is
 * damaged or of another format it is thrown away and made anew. So it may lag: what stands at or
 * behind search_cursor() is not in it and is to be read itself.
 *
 * An index has two spaces, contents by content_id and copies (the lines in front) by copy_id. A
 * space is a few sorted runs: the ids of some messages, and a dictionary of their words, each with
 * the places where it stands. A run is written once, 5,000 messages at most; more than SEARCH_RUNS
 * are merged into larger ones, and there the ids go that the store has no more.
 *
 * One thread writes (search_build.h, search_merge.h); any thread asks (search_ask.h). Words come
 * folded and cut by whoever feeds: here they are bytes.
 *
 *	data.mdb, lock.mdb	LMDB, default flags: a commit is on disk
 *	unproven		there while no commit or clean end proved that the index can be used
 */
#ifndef STORE_SEARCH_INDEX_H
#define STORE_SEARCH_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/hash64.h"
#include "store/store.h"

#define SEARCH_FORMAT 2 /* of the rows; another one is thrown away */
#define SEARCH_DIR "search"      /* in the folder of the store */
#define SEARCH_RUNS 16           /* of a space; more are merged */
#define SEARCH_RUN_MESSAGES 5000 /* of a new run */
#define SEARCH_WORD_MAX 64       /* bytes; a longer word comes in pieces */
#define SEARCH_WORD_OVERLAP 32   /* bytes that two pieces of a word share: a needle up to this is in one */
#define SEARCH_MAP_SIZE (UINT64_C(1) << 38) /* bytes of address space; halved where refused */
#define SEARCH_MAP_SIZE_MIN (UINT64_C(1) << 30)
#define SEARCH_STARTS_MAX 5      /* in a row that never came to a commit: it is damaged */

struct search_index;

enum search_space { SEARCH_CONTENTS, SEARCH_COPIES, SEARCH_SPACES };

/* Where in a message a word stands; bits. */
#define SEARCH_IN_HEADER 1u
#define SEARCH_IN_BODY 2u

struct search_options {
	const char *path; /* of its folder, which is made; copied */
	unsigned max_readers;
	struct hash64_key hash_key; /* random: a stranger chooses the words */
	void (*on_log)(void *arg, enum store_severity severity, const char *text); /* any thread */
	void *arg;
};

/*
 * Open it, or make it: what is damaged, foreign or of another format is made anew and the log told why.
 * ERR_IO: the folder cannot be used; logged.
 */
MUST_CHECK enum err search_index_open(const struct search_options *options,
	struct search_index **out);
/* All asks have ended. */
void search_index_close(struct search_index **index);

/*
 * Throw all away and begin at the first message: `search rebuild`, a damaged row, a store that was
 * restored. On the writer's thread; waits for asks under way. ERR_IO: there is no index now.
 */
MUST_CHECK enum err search_index_remake(struct search_index *index);
/* A row was found damaged: the writer is to remake it. Any thread. */
bool search_index_is_damaged(const struct search_index *index);

/* The first id that is not in the index: what has it or a higher one is to be read itself. */
uint64_t search_cursor(struct search_index *index, enum search_space space);

/*
 * Remove the index beside the store at STORE_PATH, which nobody has open: another store takes its
 * place (restore), whose messages have the same ids.
 */
void search_index_forget(const char *store_path);

/* It was used for a while and nothing ended the process: see SEARCH_STARTS_MAX. */
void search_index_proven(struct search_index *index);

struct search_stats {
	uint64_t cursor[SEARCH_SPACES];
	uint64_t messages; /* contents that are in it, until a merge those too that were deleted */
	uint64_t words;    /* of all runs together */
	unsigned runs;     /* of both spaces */
	uint64_t bytes;    /* of the file in use */
	uint64_t written;  /* bytes of rows written since it was opened */
	uint64_t merges;   /* since it was opened */
};
void search_stats(struct search_index *index, struct search_stats *out); /* any thread */

#endif
