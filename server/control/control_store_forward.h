/*
 * control_store_forward.h - the fields of store and forward as they are set: checked, the password sealed, and
 * what stands in its way said (SNF-02, SNF-08, LAN-14).
 *
 * The field of a user holds "account@host:port"; the password that was given with it is sealed under
 * forward_secret_name() and is shown nowhere again (H66).
 */
#ifndef SERVER_CONTROL_CONTROL_STORE_FORWARD_H
#define SERVER_CONTROL_CONTROL_STORE_FORWARD_H

#include "server/control/control_call.h"
#include "store/users.h"

struct control_forward {
	struct span given;    /* in: a password beside the fields (--password-stdin); else empty */
	bool drops;           /* the account goes, or is another one */
	struct span password; /* to be sealed; else empty */
	bool in_field;        /* it stood in the field, as the words of a command do */
	const char *field;    /* where it is refused: which one of the user is to blame */
};

/*
 * Writer. USER has the new fields, OLD those before (none of a new user): check them and take the password out
 * of them into *F, of which `given` is set. NULL, or why not: static text. Spans of the call's arena.
 */
const char *control_forward_take(struct control_call *call, const struct user *old,
	struct user *user, struct control_forward *f);
/* The same transaction, when the user is there. */
MUST_CHECK enum err control_forward_seal(
	struct control_call *call, struct txn *txn, uint64_t user_id, const struct control_forward *f);

/* Loop, in `finish`: what the administrator should know of USER_ID's fields, behind the note. */
void control_forward_warn(
	struct control_call *call, uint64_t user_id, const struct control_forward *f);
/* Worker: as members "store_forward_pending" and "warnings" of the open object, for `user show`. */
void control_forward_put(struct control_call *call, struct snapshot *snap, const struct user *user);

#endif
