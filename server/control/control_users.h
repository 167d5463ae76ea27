/*
 * control_users.h - what the changes of users share: who must stay, who goes with what, the welcome.
 */
#ifndef SERVER_CONTROL_CONTROL_USERS_H
#define SERVER_CONTROL_CONTROL_USERS_H

#include "server/control/control_call.h"
#include "store/users.h"

/* The Main Administrator's name as the configuration has it (ADM-01), in the call's arena. Loop. */
struct span control_main_admin(struct control_call *call);

/*
 * Writer, in `each` or `change`: may OLD become USER? Refuses what would lock the Main Administrator
 * or the caller out (USR-15, USR-22). NULL, or why not; static text.
 */
const char *control_user_must_stay(const struct control_call *call, struct span main_admin,
	const struct user *old, const struct user *user);

/*
 * Writer, in `each`: put the user NAME into the bin (USR-13). Refused with call->skip_why: the Main
 * Administrator, the last administrator (USR-15), the caller, one with a session (USR-14).
 */
MUST_CHECK enum err control_user_remove(struct control_call *call, struct txn *txn,
	struct span name, struct span main_admin);

/*
 * On the loop: end the sessions of USER_ID, where that is 0 those that began under the name USER, but not
 * the caller's own. How many. The other says so in the note, behind what stands there.
 */
uint64_t control_sessions_end(struct control_call *call, struct span user, uint64_t user_id);
void control_sessions_note(struct control_call *call, uint64_t ended);

/* In `wait`, on the loop: write the welcome message to users that were added (USR-46). */
struct welcomes;
struct welcomes *control_welcomes(struct control_call *call); /* in `check`: the texts of now */
/* True: the call is ended later, when all are handed on (`wait`). NAMES live in the call's arena. */
bool control_welcomes_send(struct welcomes *w, const struct span *names, size_t count);

#endif
