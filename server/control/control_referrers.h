/*
 * control_referrers.h - what points at a user, a group or a list that is to go or to be renamed: the
 * mappings that lead to it and the lists that hold it, as its name or as an address of ours.
 *
 * THE one place for it; every `remove` and `rename` uses it like this:
 *
 *	check    call->state->refs = control_referrers_new(call)
 *	foresee  control_referrers_foresee(call, snap, refs, name) for each target: lines of the preview
 *	each     control_referrers_remove(call, txn, refs, name), in the transaction of the removal, so
 *	         that one undo brings all of it back; nothing with --keep-references
 *	finish   control_referrers_note(call, refs) tells what went along
 *
 * The method has the parameter "-keep_references:flag?". What is left behind, or named elsewhere (a
 * forward, an assistant), counts as unrecognised at delivery.
 */
#ifndef SERVER_CONTROL_CONTROL_REFERRERS_H
#define SERVER_CONTROL_CONTROL_REFERRERS_H

#include "server/control/control_call.h"

#define CONTROL_REFERRERS_MAX 1000 /* of one name, that go or follow in one change */

struct control_referrers;

/* Loop thread: of the domains that are ours now. Lives in the call's arena. */
struct control_referrers *control_referrers_new(struct control_call *call);
/* Worker: a line for each that would go, or with --keep-references would lead to nobody. */
MUST_CHECK enum err control_referrers_foresee(struct control_call *call, struct snapshot *snap,
	const struct control_referrers *refs, struct span name);
/* Worker: `foresee` of a method whose targets are `names`, whole. */
enum step control_referrers_foresee_all(struct control_call *call, struct snapshot *snap,
	const struct control_referrers *refs);
/* Writer: remove what points at NAME. ERR_LIMIT: too many; call->skip_why says it. */
MUST_CHECK enum err control_referrers_remove(struct control_call *call, struct txn *txn,
	struct control_referrers *refs, struct span name);
/* Writer: let what points at NAME point at NEW_NAME. */
MUST_CHECK enum err control_referrers_rename(struct control_call *call, struct txn *txn,
	struct control_referrers *refs, struct span name, struct span new_name);
/* Loop: ", with 2 mappings and 1 membership" behind call->note. */
void control_referrers_note(struct control_call *call, const struct control_referrers *refs);

#endif
