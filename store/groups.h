/*
 * groups.h - groups of users: a name and settings that members share (GRP).
 *
 * Who is a member stands in the user's own row (user.group), so a user is in one group at most
 * (USR-18). Spans live as those of struct user do. Errors as in users.h.
 */
#ifndef STORE_GROUPS_H
#define STORE_GROUPS_H

#include "store/fields.h"
#include "store/group_fields.h"

struct snapshot;
struct txn;
struct user;

struct group {
	uint64_t group_id;
	struct span name, comment;
	bool enabled; /* off: no member logs in, mail still arrives (GRP-05) */
	bool force;   /* on: on and off override the members' own values (GRP-04) */
	uint8_t admin, everyone, send_internet, receive_internet, monitor; /* enum tri */
	struct span reply_address; /* each '*' becomes the user's name (GRP-06, Q-06) */
	uint64_t max_out_kb;
	int64_t created_ms, changed_ms;
	uint64_t revision;
};

extern const struct field_table group_table;

void group_init(struct group *group); /* enabled, all else unset */

MUST_CHECK enum err group_find(struct snapshot *snap, uint64_t group_id, struct group *out);
MUST_CHECK enum err group_find_by_name(struct snapshot *snap, struct span name, struct group *out);
/* Paging by name, as user_after and user_before. */
MUST_CHECK enum err group_after(struct snapshot *snap, struct span name, struct group *out);
MUST_CHECK enum err group_before(struct snapshot *snap, struct span name, struct group *out);
/*
 * The next live member after USER_ID, by id: a walk costs O(members). ERR_NOT_FOUND at the end. At
 * ERR_CORRUPT out->user_id is the damaged one, so that a walk can go on behind it.
 */
MUST_CHECK enum err group_member_next(
	struct snapshot *snap, uint64_t group_id, uint64_t user_id, struct user *out);

/* Names are as users' (USR-02), and shared with them (GRP-01): ERR_SYNTAX, ERR_EXISTS. */
#define GROUPS_MAX 10000
MUST_CHECK enum err group_add(
	struct txn *txn, const struct group *group, int64_t now_ms, uint64_t *group_id);
/* As user_set: the name stays, ERR_EXISTS where the revision is not the stored one. */
MUST_CHECK enum err group_set(struct txn *txn, const struct group *group, int64_t now_ms);
MUST_CHECK enum err group_rename(
	struct txn *txn, uint64_t group_id, struct span name, int64_t now_ms);
/* Members go to no group first (GRP-09), all in this transaction; copied values stay. */
MUST_CHECK enum err group_remove(struct txn *txn, uint64_t group_id, int64_t now_ms);

/*
 * Put USER into the group, or in none (0), in *user only: the caller then sets him. With force off,
 * on and off values of the group become the user's own now (GRP-04: starting values).
 */
MUST_CHECK enum err group_join(struct snapshot *snap, uint64_t group_id, struct user *user);

/* Does GROUP force a value upon that field of its members (GRP-04)? Pure. */
bool group_locks(const struct group *group, struct span field);
/* GRP-06, Q-06: the reply address of a member, each '*' of it replaced by NAME. In A. Pure. */
struct span group_reply_address(struct arena *a, struct span reply_address, struct span name);

/* What holds for USER in GROUP (may be NULL) after force, GRP-03 to GRP-07, into *out. Pure. */
void group_apply(const struct group *group, const struct user *user, struct user *out);

#endif
