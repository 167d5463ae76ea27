/*
 * imap_find.h - the messages that search keys ask for: what SEARCH, SORT and THREAD have in common.
 *
 *     begin (loop) -> slices -> hits, in order of their numbers
 *                       |
 *                       +-- on the loop where entries tell all: flags, dates, sizes, numbers
 *                       +-- on a worker else: ask the index, walk, read what must be read
 *
 * A key is judged as soon as something tells it: the entry, then the index, then the copy, the stored
 * fields, and at the last the text (imap_search_judge()). A slice is FIND_SLICE_US of one
 * snapshot; between two of them others have their turn, and a session that ends takes its search with it.
 */
#ifndef SERVER_IMAP_IMAP_FIND_H
#define SERVER_IMAP_IMAP_FIND_H

#include "proto/imap/imap_search.h"
#include "server/imap/imap_numbers.h"
#include "server/search/search_derived.h"
#include "server/search/search_map.h"
#include "server/search/search_match.h"
#include "store/search_ask.h"
#include "store/messages.h"
#include "store/seen.h"

#define FIND_SLICE_US 10000               /* of a worker (H25) */
#define FIND_MEMORY_MAX (256u << 20)      /* bytes of hits and what is sorted by */

/* How far a message must be looked into. */
enum find_depth { FIND_ENTRY, FIND_COPY, FIND_FIELDS, FIND_TEXT };

/* A message that is looked at. */
struct find_message {
	uint32_t seq, uid;
	struct entry entry;
	enum find_depth depth; /* so far: */
	struct copy copy;
	struct content content;
	struct search_derived derived; /* from FIND_FIELDS on; also where it could not be read: empty */
	bool has_derived;
};

/* Ids that the index found, with a sieve before them that says no to nearly all others. */
#define FIND_SIEVE 65536 /* bits */
struct find_ids {
	const uint64_t *ids;
	size_t count;
	uint64_t sieve[FIND_SIEVE / 64];
};

/* What the index said of one key. */
struct find_answer {
	struct search_answer contents, copies;
	struct find_ids content_ids, content_unsure, copy_ids, copy_unsure;
	bool exact; /* what it found need not be looked at */
};

/* A key, made ready. */
struct find_key {
	struct span needle;       /* folded UTF-8 */
	struct uid_ranges seqs;   /* of a set */
	uint32_t bit;             /* of a keyword; 0: none of the folder's */
	int64_t from_s, to_s;     /* of a day */
	struct search_needle *looked; /* of BODY and TEXT: where the text says it */
	struct find_answer *answer;   /* NULL: the index is not asked */
};

struct imap_find;
/* A hit, in FIND's arena. False: no more memory may be used. On the thread of the slice. */
typedef bool find_hit_fn(struct imap_find *f, const struct find_message *m);

struct imap_find {
	struct work work;
	struct imap_session *session;
	const struct imap_search *search;
	struct store *store;
	struct search *index; /* NULL: there is none */
	struct arena arena;   /* without a pool: slices run on any thread */
	struct folder_view *view;
	uint64_t folder_id, user_id;
	bool own_seen;
	struct seen_reader seen;
	struct uid_ranges recent; /* empty where the client hears nothing of it */
	int64_t now_s;
	enum find_depth needs; /* of each hit, by who asks */
	enum find_depth deepest;
	struct find_key *keys; /* as many as search->count */
	unsigned char *verdicts;
	struct search_needle *needles, *open; /* all; those of the message at work */
	size_t needle_count;
	struct search_match match;
	find_hit_fn *hit;
	void *hit_arg;

	enum { FIND_ASKS, FIND_MAPS, FIND_WALKS, FIND_DONE } phase;
	unsigned asked; /* keys */
	struct search_map *map;
	bool map_is_whole;
	struct entry_block block;
	unsigned block_at;
	struct uid_ranges ranges; /* of numbers, that are walked */
	struct view_walk walk;
	struct buf scratch, folded; /* of a header's field */
	enum err err;
};

/*
 * Make FIND ready in the command arena, for the keys of SEARCH; HIT and the deepest that it NEEDS of a
 * message. ERR_SYNTAX: a message number that does not exist; ERR_NOT_FOUND: the charset; ERR_LIMIT: a
 * text over SEARCH_NEEDLE_MAX.
 */
MUST_CHECK enum err imap_find_begin(struct imap_session *s, const struct imap_search *search,
	enum find_depth needs, struct imap_find **out);
/* Go on. IMAP_DONE: all were found, or f->err says why not; else give it to the dispatcher and call again. */
enum imap_turn imap_find_go_on(struct imap_find *f);
/* The hits are used up: give their memory back, on whichever thread has FIND now. */
void imap_find_forget(struct imap_find *f);
/* The answer to what begin said. */
struct imap_reply imap_find_refused(enum err err);

/* ---- imap_find_judge.c ---- */

/* Judge the message at what M->depth tells. */
enum imap_verdict find_judge(struct imap_find *f, struct snapshot *snap, struct find_message *m);

/* ---- imap_find_index.c ---- */

/* Ask the index for the next key; *more: there is another. */
void find_ask(struct imap_find *f, bool *more);
/* Go on with the map until UNTIL_US. */
MUST_CHECK enum err find_map(struct imap_find *f, struct snapshot *snap, int64_t until_us, bool *more);
/* Leave of f->ranges what the index does not rule out. */
void find_narrow(struct imap_find *f);
enum imap_verdict find_answer_of(const struct find_answer *answer, uint64_t content_id, uint64_t copy_id);
void find_answers_free(struct imap_find *f);

int64_t find_now_us(void);

#endif
