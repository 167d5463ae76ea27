/*
 * mappings.h - mappings: address pattern -> target, when (MAP-01 to 12).
 *
 * Patterns (MAP-02):   sales            that local-part at any valid domain
 *                      sales@x.test     that address
 *                      *@*.x.test       either form with wildcards (MAP-03)
 *                      ~@x.test         any address of x.test that nothing else recognises (MAP-05)
 *
 * A pattern without a wildcard is found by its hash. Those with one lie together in one run of
 * small rows that is scanned, so a look-up costs O(wildcard patterns). Letter case is ignored.
 */
#ifndef STORE_MAPPINGS_H
#define STORE_MAPPINGS_H

#include "store/fields.h"

struct snapshot;
struct txn;

enum mapping_when {
	MAPPING_ALWAYS, /* MAP-07 */
	MAPPING_POP3,   /* collected mail, of `collect` only where that is set (MAP-08) */
	MAPPING_SMTP,   /* from outside or from users (MAP-09) */
	MAPPING_SENDER, /* the pattern is held against the sender (MAP-10) */
};
extern const char *const mapping_when_words[]; /* always pop3 smtp sender */

#define MAPPING_PATTERN_MAX 320 /* bytes */
#define MAPPING_TARGET_MAX 320  /* bytes */
#define MAPPING_COMMENT_MAX 80  /* characters, MAP-01 */
#define MAPPING_COLLECT_MAX 64  /* bytes of a collector's name */
#define MAPPINGS_MAX 100000     /* rows */
#define MAPPING_WILDCARDS_MAX 5000 /* of them with a wildcard: the length of the scan */

#define MAPPING_FIELDS(X)                                                                          \
	X(pattern, 1, FIELD_TEXT, MAPPING_PATTERN_MAX, NULL, FIELD_SETTABLE | FIELD_SHOWN)         \
	X(target, 2, FIELD_TEXT, MAPPING_TARGET_MAX, NULL, FIELD_SETTABLE | FIELD_SHOWN)           \
	X(when, 3, FIELD_WORD, 3, mapping_when_words, FIELD_SETTABLE | FIELD_SHOWN)                \
	X(collect, 4, FIELD_TEXT, MAPPING_COLLECT_MAX, NULL, FIELD_SETTABLE | FIELD_SHOWN)         \
	X(comment, 5, FIELD_TEXT, 4 * MAPPING_COMMENT_MAX, NULL, FIELD_SETTABLE | FIELD_SHOWN)     \
	X(created_ms, 50, FIELD_TIME, INT64_MAX, NULL, FIELD_SHOWN)                                \
	X(changed_ms, 51, FIELD_TIME, INT64_MAX, NULL, FIELD_SHOWN)

struct mapping {
	uint64_t mapping_id;
	struct span pattern, target; /* as typed; the target is not looked at here (MAP-06) */
	uint8_t when;                /* enum mapping_when */
	struct span collect;
	struct span comment;
	int64_t created_ms, changed_ms;
};

extern const struct field_table mapping_table;

#define MAPPING_REMOTE SPAN("*REMOTE") /* the target of MAP-11 */

/* Is PATTERN one of the four forms? Pure. ERR_SYNTAX, ERR_LIMIT. */
MUST_CHECK enum err mapping_pattern_check(struct span pattern);
/* Would PATTERN match the address? A pattern without domain needs DOMAIN_IS_VALID. Pure. */
bool mapping_pattern_matches(
	struct span pattern, struct span local_part, struct span domain, bool domain_is_valid);

struct mapping_query {
	struct span local_part, domain; /* as parsed */
	bool domain_is_valid;           /* LOC-03: only then do patterns without domain count */
	enum mapping_when from;         /* MAPPING_POP3, MAPPING_SMTP: those and ALWAYS count;
	                                   MAPPING_SENDER: those; MAPPING_ALWAYS: ALWAYS */
	struct span collect;            /* the collector at work, with MAPPING_POP3 */
};

/* M lives for the call. Anything but OK ends the walk. It must not look up mappings itself. */
typedef enum err mapping_fn(void *arg, const struct mapping *m);

/* Every mapping that matches, each once, catch-all ones (~@) left out (MAP-04). */
MUST_CHECK enum err mapping_each_match(
	struct snapshot *snap, const struct mapping_query *query, mapping_fn *fn, void *arg);
/* The ~@domain mappings of the domain: ask only when nothing else recognised (MAP-05). */
MUST_CHECK enum err mapping_each_catch_all(
	struct snapshot *snap, const struct mapping_query *query, mapping_fn *fn, void *arg);
/* Those with exactly this pattern, whatever their condition: for `mapping set` and `remove`. */
MUST_CHECK enum err mapping_each_pattern(
	struct snapshot *snap, struct span pattern, mapping_fn *fn, void *arg);

MUST_CHECK enum err mapping_find(struct snapshot *snap, uint64_t mapping_id, struct mapping *out);
/* The first after (last before) MAPPING_ID; 0 is the front (the end). ERR_NOT_FOUND at the end. */
MUST_CHECK enum err mapping_next(struct snapshot *snap, uint64_t mapping_id, struct mapping *out);
MUST_CHECK enum err mapping_prev(struct snapshot *snap, uint64_t mapping_id, struct mapping *out);

struct mapping_counts {
	uint64_t total, wildcards;
};
MUST_CHECK enum err mapping_count(struct snapshot *snap, struct mapping_counts *out); /* O(1) */

/*
 * ERR_SYNTAX for a pattern or a comment that is not allowed, ERR_LIMIT for one too long or at
 * MAPPINGS_MAX or MAPPING_WILDCARDS_MAX, ERR_EXISTS where pattern, target, when and collect are all
 * the same as of another.
 */
MUST_CHECK enum err mapping_add(
	struct txn *txn, const struct mapping *mapping, int64_t now_ms, uint64_t *mapping_id);
/* Write the whole of it, found by mapping_id; errors as mapping_add. */
MUST_CHECK enum err mapping_set(struct txn *txn, const struct mapping *mapping, int64_t now_ms);
MUST_CHECK enum err mapping_remove(struct txn *txn, uint64_t mapping_id);

/*
 * For check.c: is M found by its pattern; does a row of the index lead to a mapping; index it
 * anew.
 */
struct row;
bool mapping_is_indexed(struct snapshot *snap, const struct mapping *m);
bool mapping_index_holds(struct snapshot *snap, const struct row *row);
MUST_CHECK enum err mapping_reindex(struct txn *txn, uint64_t mapping_id);

#endif
