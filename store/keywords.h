/*
 * keywords.h - the names of a folder's keywords: flags that clients make up (RFC 9051, 2.3.2).
 *
 * FOLDER_KEYWORDS of them are bits of the entries, FLAG_KEYWORD(n); the folder's row of `keywords`
 * says their names. A name keeps its bit for ever. What comes beyond stands in the copy of each
 * message that has it (copy.keywords, words with a blank between), and the entry says so with
 * FLAG_MORE_KEYWORDS. Names compare without case and are kept as they came first.
 */
#ifndef STORE_KEYWORDS_H
#define STORE_KEYWORDS_H

#include "proto/base/buf.h"
#include "store/entries.h"

#define FOLDER_KEYWORDS 16
#define KEYWORD_MAX 64 /* bytes of a name; longer is ERR_LIMIT */

struct folder_keywords {
	unsigned count;
	struct span names[FOLDER_KEYWORDS]; /* of FLAG_KEYWORD(0) and on; point into the map */
};

/* None where there is no row. ERR_CORRUPT, ERR_IO. */
MUST_CHECK enum err folder_keywords_get(
	struct snapshot *snap, uint64_t folder_id, struct folder_keywords *out);
/* The bit of NAME, or 0. */
uint32_t folder_keyword_bit(const struct folder_keywords *keywords, struct span name);

/* Put NAME behind the words of OUT; and the names of those bits that FLAGS has. */
MUST_CHECK enum err keyword_put(struct buf *out, struct span name);
MUST_CHECK enum err keywords_put(
	struct buf *out, const struct folder_keywords *keywords, uint32_t flags);
/* The longest text of all keywords of a message. */
#define KEYWORDS_WORDS_MAX (4096 + 1 + FOLDER_KEYWORDS * (KEYWORD_MAX + 1))

/* Is NAME one of the words of WORDS? */
bool keyword_in(struct span words, struct span name);
/* The next word of *WORDS, which moves on; false at the end. */
bool keyword_next(struct span *words, struct span *name);

/*
 * For what changes flags: give NAME a bit where one is free; *bit is 0 where none was. The names of
 * *KEYWORDS must not lie in the map (folder_keywords_load).
 */
MUST_CHECK enum err folder_keyword_add(struct txn *txn, uint64_t folder_id,
	struct folder_keywords *keywords, struct span name, uint32_t *bit);
/* folder_keywords_get() with the names in the arena of the transaction. */
MUST_CHECK enum err folder_keywords_load(
	struct txn *txn, uint64_t folder_id, struct folder_keywords *out);
MUST_CHECK enum err folder_keywords_put(
	struct txn *txn, uint64_t folder_id, const struct folder_keywords *keywords);

/* For check.c, where the names cannot be read: others, so that no bit ever means what it did not. */
MUST_CHECK enum err folder_keywords_mend(struct txn *txn, uint64_t folder_id);

#endif
