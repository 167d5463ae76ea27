/*
 * archive_search.h - which messages of the archive fit, the newest first (ARC-02).
 *
 * Senders and recipients are found by blocks (store/archive.h), words by the index of words, asked once a word; what
 * neither knows for certain is looked at; a pattern is held against the addresses first (archive_reach.h). Without an index all is read, and the answer is the same. Where a word is rare
 * its messages are looked up by their contents instead of walking over all.
 */
#ifndef SERVER_ARCHIVE_ARCHIVE_SEARCH_H
#define SERVER_ARCHIVE_ARCHIVE_SEARCH_H

#include "server/archive/archive_reach.h"
#include "server/search/search.h"
#include "server/search/search_match.h"
#include "store/archive.h"
#include "store/search_ask.h"

#define ARCHIVE_NEEDLES_MAX 8     /* words of `text`, a subject, a name of an attachment */
#define ARCHIVE_TERM_WORDS_MAX 16 /* words of an address that is looked for */
#define ARCHIVE_LOOKS 64          /* rows that are looked at between two looks at the clock */

/* Empty and 0 ask nothing; all of it must hold. */
struct archive_query {
	struct span from;       /* an address or words of one, any case; with * or ?, a pattern for all of it */
	struct span to;         /* the same of a recipient of the envelope, Bcc too */
	struct span subject;    /* a part of it, any case */
	struct span text;       /* words, each somewhere in header or body; "several words" together */
	struct span attachment; /* a part of a file's name */
	uint64_t since_ms, until_ms; /* archived at or after, before */
	uint64_t min_size, max_size; /* bytes */
	unsigned direction;     /* ARCHIVE_ bits: any of these */
	bool held;              /* only what is held */
};

/* A word that is looked for, and what the index says of it. */
struct archive_needle {
	struct span text; /* folded */
	unsigned where;   /* SEARCH_IN_ bits */
	bool asked, answered;
	bool exact; /* what the index has is the truth: not looked at */
	struct search_answer answer;
};

struct archive_search {
	struct archive_query query;
	struct search *index; /* NULL: none */
	struct arena *arena;
	struct archive_needle needles[ARCHIVE_NEEDLES_MAX];
	size_t needle_count;
	struct span from_term, to_term; /* in small letters */
	uint32_t from_words[ARCHIVE_TERM_WORDS_MAX], to_words[ARCHIVE_TERM_WORDS_MAX];
	size_t from_count, to_count;
	struct archive_reach from_reach, to_reach; /* where one is a pattern */
	uint64_t before_id, before_content; /* looked at down to here */
	uint64_t block; /* that may have the words; UINT64_MAX: none was asked */
	struct archive_needle *driver; /* whose contents are looked up one by one, or NULL */
	bool begun;
	uint64_t looked;
};

/*
 * Begin; QUERY's spans and A live as long as the search. BEFORE_ID: only older ones, 0 any. ERR_LIMIT: too many words, or too long
 * ones. archive_search_fini() in any case.
 */
MUST_CHECK enum err archive_search_init(struct archive_search *s, const struct archive_query *query,
	struct search *index, uint64_t before_id, struct arena *a);
void archive_search_fini(struct archive_search *s);

/*
 * Ask the index for one word that it was not asked for: on a worker, without a snapshot. *more: there is another. STOP
 * makes it give up.
 */
void archive_search_ask(struct archive_search *s, const atomic_bool *stop, bool *more);
/*
 * The next that fits, at most LOOKS rows further. ERR_BUSY: none among these, call again; ERR_NOT_FOUND: no more.
 * ERR_IO. What is damaged is passed over.
 */
MUST_CHECK enum err archive_search_next(struct snapshot *snap, struct archive_search *s,
	unsigned looks, struct archive_row *out);

#endif
