/*
 * control_groups.h - who is in a group, and what a group locks; for the commands about users, groups
 * and lists.
 */
#ifndef SERVER_CONTROL_CONTROL_GROUPS_H
#define SERVER_CONTROL_CONTROL_GROUPS_H

#include "server/control/control_call.h"
#include "store/groups.h"
#include "store/users.h"

#define CONTROL_MEMBERS_SHOWN 200 /* names of a group's members in one answer */

/* Writer: let the user NAME join the group, 0: leave his. Fails the call where there is no such user. */
MUST_CHECK enum err control_group_join(
	struct control_call *call, struct txn *txn, uint64_t group_id, struct span name);
/* Writer: the users NAMES and no others are the members from now on. */
MUST_CHECK enum err control_group_members(struct control_call *call, struct txn *txn,
	uint64_t group_id, struct span names);
/* The first CONTROL_MEMBERS_SHOWN names of its members, copied; *total counts all. */
MUST_CHECK enum err control_group_names(struct control_call *call, struct snapshot *snap,
	uint64_t group_id, struct span names[CONTROL_MEMBERS_SHOWN], size_t *total);

/*
 * May KEY of USER be set? Not where his group forces a value upon it (GRP-04): the call then fails
 * with a line that names the group.
 */
MUST_CHECK enum err control_group_allows(struct control_call *call, struct snapshot *snap,
	const struct user *user, struct span key);
/* For `user show`: the member "forced", an array of "monitor=on (group crew)". */
void control_put_forced(struct control_call *call, struct snapshot *snap, const struct user *user);

#endif
