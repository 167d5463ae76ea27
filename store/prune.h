/*
 * prune.h - prune rules held against messages, in slices; and the messages taken (PRN).
 *
 *	scan    snapshots, on a worker: reads entries, and copies where an age must be known
 *	take    the writer: those that nobody touched since go to the bin
 *
 * It acts in the mailboxes of users: not in their bins, nor in Shared/, which is nobody's. What an
 * administrator holds is passed over. The age is the time since this server first received the message,
 * whatever its Date, its INTERNALDATE, its flags and its folder (PRN-04). Spam is what has the keyword $Junk,
 * from this server or a client (or Junk, as older clients say), and not $NotJunk (NotJunk, NonJunk).
 */
#ifndef STORE_PRUNE_H
#define STORE_PRUNE_H

#include "store/commit.h"
#include "store/messages.h"
#include "store/prune_rules.h"
#include "store/users.h"

/* What rules look at. */
struct prune_look {
	struct span folder;
	uint32_t flags;	   /* FLAGS_SYSTEM */
	bool spam;
	uint32_t size;
	uint64_t first_ms; /* when this server first received it */
};
/* Do all its conditions hold at NOW_MS? Pure. */
bool prune_rule_matches(
	const struct prune_rule *rule, const struct prune_look *look, uint64_t now_ms);

/* One that matches. It lives for the call. */
struct prune_found {
	const struct user *user;
	const struct folder *folder;
	const struct entry *entry;
	const struct prune_rule *rule;
	uint64_t first_ms; /* 0: the rule has no age, nobody looked */
};
/* True: this one was enough, stop behind it. */
typedef bool prune_fn(void *arg, const struct prune_found *found);

/* A walk over all mailboxes, by user, folder and uid. Zero it, set now_ms and only_user, init the arena. */
struct prune_scan {
	uint64_t now_ms;
	uint64_t only_user; /* of him alone, by the rules for everybody and his own; 0: all */
	uint64_t looked;    /* at so many messages, in folders that a rule is for */
	struct arena arena; /* the rules; the owner's to reset */
	/* its own: where it is, and the rules */
	uint64_t user_id, folder_id;
	uint32_t after_uid;
	struct prune_rule *rules;
	size_t rule_count;
	uint64_t change_id; /* of the log when they were read */
	bool has_rules;
};
/*
 * One slice, some ms: FN for each that matches. The rules are read anew when the log of changes grew.
 * *more: call again with another snapshot. ERR_IO.
 */
MUST_CHECK enum err prune_scan_some(
	struct snapshot *snap, struct prune_scan *scan, prune_fn *fn, void *arg, bool *more);

/* ---- taking ---- */

#define PRUNE_BATCH 4000   /* messages of a batch */
#define PRUNE_GROUPS 400   /* folders of a batch */
#define PRUNE_SLICE 1000   /* messages that a slice takes, of PRUNE_SLICE_GROUPS folders */
#define PRUNE_SLICE_GROUPS 40

struct prune_batch {
	uint32_t uids[PRUNE_BATCH]; /* of one folder they rise */
	size_t count, group_count;
	struct prune_group {
		uint64_t user_id, folder_id;
		uint64_t modseq; /* of the folder when they were found: what changed since stays */
		size_t first;	 /* of uids; the next group's is the end */
	} groups[PRUNE_GROUPS];
	/* of the taking */
	struct slice_place place, taken; /* of uids; how many were there and went */
};
static inline void
prune_batch_clear(struct prune_batch *batch)
{
	batch->count = batch->group_count = 0;
	batch->place = batch->taken = (struct slice_place){ 0 };
}
static inline bool
prune_batch_is_full(const struct prune_batch *batch)
{
	return batch->count == PRUNE_BATCH || batch->group_count == PRUNE_GROUPS;
}
/* There must be room. True: now there is none. */
bool prune_batch_add(struct prune_batch *batch, const struct prune_found *found);
/* One slice of a patient job. *more: call again. batch->taken.at is how many went so far. */
MUST_CHECK enum err prune_take_some(struct txn *txn, struct prune_batch *batch, bool *more);

#endif
