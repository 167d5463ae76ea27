/*
 * prune_rules.h - rules of what is removed by itself: for everybody, and of a user (PRN).
 *
 * A message that any rule of either set matches goes to the bin; all conditions of a rule must hold. Rules
 * say which messages go and nothing else. What they are held against, and how, is prune.h's.
 *
 * A row that comes, changes or goes while a change is open can be undone. Rules of a removed user stay while
 * he is in the bin, and go with him.
 *
 * Errors: ERR_NOT_FOUND, ERR_CORRUPT, ERR_IO, for writes ERR_FULL. Spans live as users.h says.
 */
#ifndef STORE_PRUNE_RULES_H
#define STORE_PRUNE_RULES_H

#include "store/fields.h"

struct snapshot;
struct txn;

#define PRUNE_FOR_ALL 0		   /* the user_id of rules for everybody */
#define PRUNE_ALL_FOLDERS SPAN("*") /* alone; in other company it is no wildcard (PRN-03) */
#define PRUNE_FOLDER_MAX 200	   /* bytes, as FOLDER_NAME_MAX */
#define PRUNE_AGE_MAX 36500	   /* days */
#define PRUNE_RULES_A_USER 100	   /* and as many for everybody */
#define PRUNE_RULES_MAX 10000	   /* rows: one is found by a walk */

enum prune_read { PRUNE_READ_ANY, PRUNE_READ, PRUNE_UNREAD };
enum prune_flagged { PRUNE_FLAGGED_ANY, PRUNE_FLAGGED, PRUNE_UNFLAGGED };
extern const char *const prune_read_words[];	/* any read unread */
extern const char *const prune_flagged_words[]; /* any flagged unflagged */

#define PRUNE_FIELDS(X)                                                                            \
	X(folder, 1, FIELD_TEXT, PRUNE_FOLDER_MAX, NULL, FIELD_SETTABLE | FIELD_SHOWN)             \
	X(age, 2, FIELD_COUNT, PRUNE_AGE_MAX, NULL, FIELD_SETTABLE | FIELD_SHOWN)                  \
	X(size, 3, FIELD_COUNT, UINT32_MAX, NULL, FIELD_SETTABLE | FIELD_SHOWN)                    \
	X(read, 4, FIELD_WORD, 2, prune_read_words, FIELD_SETTABLE | FIELD_SHOWN)                  \
	X(flagged, 5, FIELD_WORD, 2, prune_flagged_words, FIELD_SETTABLE | FIELD_SHOWN)            \
	X(deleted, 6, FIELD_FLAG, 1, NULL, FIELD_SETTABLE | FIELD_SHOWN)                           \
	X(spam, 7, FIELD_FLAG, 1, NULL, FIELD_SETTABLE | FIELD_SHOWN)                              \
	X(created_ms, 50, FIELD_TIME, INT64_MAX, NULL, FIELD_SHOWN)                                \
	X(changed_ms, 51, FIELD_TIME, INT64_MAX, NULL, FIELD_SHOWN)

struct prune_rule {
	uint64_t user_id, rule_id; /* the key; a rule_id is given once, whoever the user is */
	struct span folder;	   /* default INBOX */
	uint64_t age;		   /* days; 0: every message. Default 365 */
	uint64_t size;		   /* bytes at least; 0: any */
	uint8_t read, flagged;
	bool deleted, spam; /* false: no condition */
	int64_t created_ms, changed_ms;
};
extern const struct field_table prune_rule_table;

/* What a new rule says where nothing else is said. */
struct prune_rule prune_rule_default(uint64_t user_id);

/* By the number alone: a walk, 3 ms at PRUNE_RULES_MAX. */
MUST_CHECK enum err prune_rule_find(
	struct snapshot *snap, uint64_t rule_id, struct prune_rule *out);
/* The first behind OUT's key, those for everybody first; {0, 0} is the front. */
MUST_CHECK enum err prune_rule_next(struct snapshot *snap, struct prune_rule *out);

/*
 * ERR_SYNTAX: no folder can be called so. ERR_EXISTS: the set has a rule that says the same. ERR_LIMIT: a number
 * is too large, or there are PRUNE_RULES_A_USER of that user, or PRUNE_RULES_MAX.
 */
MUST_CHECK enum err prune_rule_add(
	struct txn *txn, const struct prune_rule *rule, int64_t now_ms, uint64_t *rule_id);
/* Write the whole of it, found by user_id and rule_id. */
MUST_CHECK enum err prune_rule_set(struct txn *txn, const struct prune_rule *rule, int64_t now_ms);
MUST_CHECK enum err prune_rule_remove(struct txn *txn, const struct prune_rule *rule);
/* All of a user, at his end. */
MUST_CHECK enum err prune_rules_purge(struct txn *txn, uint64_t user_id);

#endif
