/*
 * maillists.h - lists: a name whose mail goes to its members (LST).
 *
 * Kinds (LST-01): a distribution list, whose members an administrator keeps; a forwarding, a list
 * of one address; a mailing list, which people may join. Groups are lists too, but live in groups.h
 * and so do the built-in ones, which no row has (LST-07).
 *
 * A member is a text: the name of a user, a group or another list, a built-in group, or an address
 * (LST-03). What it means is the business of whoever expands it; a name that is gone meanwhile is
 * nobody. Members stand in the order of their text in lower case, each once.
 *
 * Spans live as those of struct user do. Errors, unless said otherwise: ERR_NOT_FOUND, ERR_CORRUPT,
 * ERR_IO, and for writes ERR_FULL.
 */
#ifndef STORE_MAILLISTS_H
#define STORE_MAILLISTS_H

#include "store/fields.h"

struct snapshot;
struct txn;

enum maillist_kind { MAILLIST_DISTRIBUTION, MAILLIST_FORWARDING, MAILLIST_MAILING };
extern const char *const maillist_kind_words[]; /* distribution forwarding mailing */

#define MAILLISTS_MAX 1000000          /* lists */
#define MAILLIST_NAME_MAX 64           /* bytes: a local-part (RFC 5321, 4.5.3.1.1) */
#define MAILLIST_COMMENT_MAX 250       /* characters, LST-02 */
#define MAILLIST_MEMBERS_MAX 10000     /* of one list: what one message may have (H16) */
#define MAILLIST_MEMBER_MAX 320        /* bytes of one member */

#define MAILLIST_FIELDS(X)                                                                         \
	X(name, 1, FIELD_TEXT, MAILLIST_NAME_MAX, NULL, FIELD_SHOWN)                               \
	X(comment, 2, FIELD_TEXT, 4 * MAILLIST_COMMENT_MAX, NULL, FIELD_SETTABLE | FIELD_SHOWN)    \
	X(kind, 3, FIELD_WORD, 2, maillist_kind_words, FIELD_SETTABLE | FIELD_SHOWN)               \
	X(created_ms, 50, FIELD_TIME, INT64_MAX, NULL, FIELD_SHOWN)                                \
	X(changed_ms, 51, FIELD_TIME, INT64_MAX, NULL, FIELD_SHOWN)                                \
	X(revision, 53, FIELD_COUNT, UINT64_MAX, NULL, FIELD_SHOWN)

struct maillist {
	uint64_t list_id; /* the key, not a field */
	struct span name, comment;
	uint8_t kind; /* enum maillist_kind */
	int64_t created_ms, changed_ms;
	uint64_t revision; /* rises with every maillist_set, not with its members */
};
extern const struct field_table maillist_table;

struct list_member {
	uint64_t list_id;
	struct span member; /* as it was typed; the domain of an address in lower case */
	int64_t added_ms;
};
extern const struct field_table list_member_table;

/*
 * 1 to 64 letters, digits, . _ - + = with no dot at an end or beside another, and no reserved name
 * (LST-02, Q-01). Pure.
 */
bool maillist_name_is_valid(struct span name);
bool maillist_is_builtin(struct span name); /* Everyone, No-one, Admins (LST-07) */
/*
 * TEXT as a member is kept: an address in its usual form, a name as it is. In A. ERR_SYNTAX,
 * ERR_LIMIT: it can be neither.
 */
MUST_CHECK enum err maillist_member_parse(struct arena *a, struct span text, struct span *out);

/* ---- reading ---- */

MUST_CHECK enum err maillist_find(struct snapshot *snap, uint64_t list_id, struct maillist *out);
MUST_CHECK enum err maillist_find_by_name(
	struct snapshot *snap, struct span name, struct maillist *out);
/* Paging by name, as user_after and user_before. */
MUST_CHECK enum err maillist_after(struct snapshot *snap, struct span name, struct maillist *out);
MUST_CHECK enum err maillist_before(struct snapshot *snap, struct span name, struct maillist *out);
/* How many lists there are, and how many members one has. O(1). */
MUST_CHECK enum err maillist_count(struct snapshot *snap, uint64_t *lists);
MUST_CHECK enum err maillist_size(struct snapshot *snap, uint64_t list_id, uint64_t *members);

/*
 * The first member after MEMBER, which need not be one; the empty text is the front. Each call is a
 * search of its own: the walk holds no memory, and others may walk meanwhile. MEMBER may be the
 * span that the last call gave. ERR_NOT_FOUND at the end, and for a list that is not there.
 */
MUST_CHECK enum err maillist_member_after(
	struct snapshot *snap, uint64_t list_id, struct span member, struct list_member *out);
/* Is MEMBER one, whatever its case? ERR_NOT_FOUND. */
MUST_CHECK enum err maillist_member_find(
	struct snapshot *snap, uint64_t list_id, struct span member, struct list_member *out);

/* ---- writing ---- */

/*
 * Add LIST without members (list_id, revision and times are set here). ERR_SYNTAX for the name,
 * ERR_EXISTS where a user, group or list has it, ERR_LIMIT for a text too long or at MAILLISTS_MAX.
 */
MUST_CHECK enum err maillist_add(
	struct txn *txn, const struct maillist *list, int64_t now_ms, uint64_t *list_id);
/*
 * Write the whole of LIST, found by list_id; the name stays. ERR_EXISTS where the stored revision
 * is not list->revision; ERR_DENIED for a forwarding that would have several members (LST-09).
 */
MUST_CHECK enum err maillist_set(struct txn *txn, const struct maillist *list, int64_t now_ms);
/* ERR_SYNTAX, ERR_EXISTS as maillist_add. A change of case alone is allowed. */
MUST_CHECK enum err maillist_rename(
	struct txn *txn, uint64_t list_id, struct span name, int64_t now_ms);
/* With all its members, in this transaction. */
MUST_CHECK enum err maillist_remove(struct txn *txn, uint64_t list_id);

/*
 * ERR_SYNTAX: no name and no address. ERR_EXISTS: it is one already. ERR_LIMIT at
 * MAILLIST_MEMBERS_MAX. ERR_DENIED: a forwarding has its one member.
 */
MUST_CHECK enum err maillist_member_add(
	struct txn *txn, uint64_t list_id, struct span member, int64_t now_ms);
/* ERR_NOT_FOUND: the list has no such member. */
MUST_CHECK enum err maillist_member_remove(
	struct txn *txn, uint64_t list_id, struct span member);

/* For indexes.c and check: the figure of maillist_size, which follows the rows of list_members. */
MUST_CHECK enum err maillist_size_put(struct txn *txn, uint64_t list_id, uint64_t members);

#endif
