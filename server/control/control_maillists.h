/*
 * control_maillists.h - what the commands about lists share.
 */
#ifndef SERVER_CONTROL_CONTROL_MAILLISTS_H
#define SERVER_CONTROL_CONTROL_MAILLISTS_H

#include "server/control/control_call.h"
#include "store/maillists.h"
#include "store/users.h"

/*
 * TEXT as a member of a list: an address, or the name of a user, group or list that is there, in A.
 * *why says what is wrong where it is none (ERR_SYNTAX, ERR_NOT_FOUND); static text.
 */
MUST_CHECK enum err control_member(struct arena *a, struct snapshot *snap, struct span text,
	struct span *out, const char **why);

/* Why a list's name is refused with ERR, static text; NULL: for no reason of names. */
const char *control_list_name_why(enum err err);

/* For `user show`: the member "lists", whose mail he gets by being on them (USR-36). */
void control_put_lists(struct control_call *call, struct snapshot *snap, const struct user *user);

/* "user", "group", "list", "address", or "nobody": what a member is now. */
MUST_CHECK enum err control_member_kind(
	struct snapshot *snap, struct span member, const char **kind);

#endif
