/*
 * imap_target.h - a folder that a command makes, renames or removes: looked up by its job.
 *
 * Names are taken apart on the loop; what is there and what the user may do is looked at by the job
 * that changes it, so nothing can happen between.
 */
#ifndef SERVER_IMAP_IMAP_TARGET_H
#define SERVER_IMAP_IMAP_TARGET_H

#include "server/imap/imap_mailbox.h"

/* A folder's name and who owns it. */
struct imap_target {
	uint64_t owner_id;
	struct span name; /* as the store has it; in the command arena */
};

/*
 * From an argument. ERR_SYNTAX: no folder can be called so; ERR_NOT_FOUND: no such owner, or a level
 * above all folders; *place is filled then too.
 */
MUST_CHECK enum err imap_target_take(struct imap_session *imap, struct span wire,
	struct imap_place *place, struct imap_target *out);

static inline bool
imap_place_is_inbox(const struct imap_place *place)
{
	return place->space != IMAP_SPACE_SHARED && span_eq(place->folder, SPAN("INBOX"));
}

/* ---- in a job ---- */

/* The folder, where ASKER has WANTED in it; the errors are those of imap_mailbox_find(). */
MUST_CHECK enum err imap_target_find(struct snapshot *view, uint64_t asker_id,
	const struct imap_target *target, uint32_t wanted, struct folder *out);
/*
 * ERR_DENIED: ASKER has no `k` in its nearest parent that is there (RFC 4314, 4). Where there is none, its
 * owner may, and in Shared/ an administrator.
 */
MUST_CHECK enum err imap_target_may_make(
	struct snapshot *view, uint64_t asker_id, const struct imap_target *target);
/* Make the levels above it that are not there (RFC 9051, 6.3.4). As folder_make(). */
MUST_CHECK enum err imap_target_make_parents(struct txn *txn, const struct imap_target *target);

/* ---- after it ---- */

/* NO in the words for what can go wrong with the above; says IMAP_DONE. */
enum imap_turn imap_folder_no(struct imap_session *imap, enum err err);

#endif
