/*
 * forwards.h - store and forward: a message in a mailbox that also waits in the queue for the user's other
 * server (SNF-01). The two are a pair, tied by the message's identity, its copy_id, which survives every
 * move inside the mailbox.
 *
 *     the server took it (250)        the copy leaves the mailbox, past the bin       forward_taken()
 *     the copy leaves the mailbox     the recipient in the queue is cancelled         forward_left()
 *     the recipient ends otherwise    the copy stays, and is tied no more             forward_untie()
 *
 * Each is part of the transaction that it follows from, so no crash parts them. Into the bin, a shared folder
 * or another user's is out of the mailbox. What was cancelled stays so: a message that is taken back out of the
 * bin is only here.
 *
 * A COPY inside the mailbox is an heir: the pair is tied to the oldest copy that is there, and when that leaves
 * to the next one; only the last one's leaving cancels. So a client that moves by COPY and expunge moves.
 *
 *     forwards         user_id copy_id                     the recipient, and where the copy is
 *     forward_copies   queue_id recipient_no copy_id       user_id: the pair's copies, the oldest first
 *
 * Errors, unless said otherwise: ERR_NOT_FOUND, ERR_CORRUPT, ERR_IO; writes ERR_FULL. A write makes no use of
 * the log of changes.
 */
#ifndef STORE_FORWARDS_H
#define STORE_FORWARDS_H

#include "store/users.h"

struct folder;
struct row;

struct forward {
	uint64_t user_id, copy_id; /* the key */
	uint64_t queue_id;
	uint32_t recipient_no;
	uint64_t folder_id; /* where the copy is */
	uint32_t uid;
};

/* Does store and forward act for this user (SNF-01)? Both fields are set, and he is not in the bin. */
bool forward_acts(const struct user *user);

MUST_CHECK enum err forward_find(
	struct snapshot *snap, uint64_t user_id, uint64_t copy_id, struct forward *out);
/* The first of the user's behind COPY_ID (0: the front). */
MUST_CHECK enum err forward_next(
	struct snapshot *snap, uint64_t user_id, uint64_t copy_id, struct forward *out);
/* Has the user one? One look; false where it cannot be read. */
bool forward_user_has(struct snapshot *snap, uint64_t user_id);
/* How many recipients wait for him: MOST at most are counted. */
MUST_CHECK enum err forward_count(
	struct snapshot *snap, uint64_t user_id, uint64_t most, uint64_t *count);
/* The copy that the recipient is tied to: the oldest of the pair. */
MUST_CHECK enum err forward_tied(
	struct snapshot *snap, uint64_t queue_id, uint32_t recipient_no, struct forward *out);

/* F is a pair from now on, or its copy an heir. */
MUST_CHECK enum err forward_put(struct txn *txn, const struct forward *f);

/* ---- a copy moves, comes, leaves: OK where it is of no pair ---- */

/* The mailbox that FOLDER is part of, a user_id; 0: none, and for a bin too. */
uint64_t forward_mailbox(const struct folder *folder);
MUST_CHECK enum err forward_moved(
	struct txn *txn, uint64_t user_id, uint64_t copy_id, uint64_t folder_id, uint32_t uid);
/* COPY_ID was copied inside the mailbox: *heir has the new copy_id, and where that is. */
MUST_CHECK enum err forward_copied(
	struct txn *txn, uint64_t user_id, uint64_t copy_id, const struct forward *heir);
MUST_CHECK enum err forward_left(struct txn *txn, uint64_t user_id, uint64_t copy_id);
/* All copies in that folder leave at once. */
MUST_CHECK enum err forwards_left_folder(
	struct txn *txn, uint64_t user_id, uint64_t folder_id);

/* ---- the recipient ends ---- */

/* The server took it: the copy leaves, wherever it is. */
MUST_CHECK enum err forward_taken(struct txn *txn, uint64_t queue_id, uint32_t recipient_no);
/* It will not be sent; the mail stays. RECIPIENT_NO 0: all of the entry. */
MUST_CHECK enum err forward_untie(struct txn *txn, uint64_t queue_id, uint32_t recipient_no);

/* ---- the user changes ---- */

enum forward_turn {
	FORWARD_STAYS,
	FORWARD_ENDS,  /* emptied, or the user goes: what waits is cancelled, the mail stays */
	FORWARD_TURNS, /* another target: what waits goes there, at once */
};
enum forward_turn forward_turn_of(const struct user *before, const struct user *after);
/*
 * After the user's row was written. FORWARDS_SLICE of them at once; of what is left a mark tells, which
 * forwards_follow_some() works on.
 */
MUST_CHECK enum err forwards_follow(struct txn *txn, uint64_t user_id, enum forward_turn turn);
#define FORWARDS_SLICE 100 /* pairs in a transaction: some 4 ms */
/* A slice; *more: there may be another. */
MUST_CHECK enum err forwards_follow_some(struct txn *txn, bool *more);
bool forwards_have_marks(struct snapshot *snap); /* one look */
/* Is there something left to do for him? Then nothing is sent. Pairs up to *end_to are cancelled already. */
bool forward_is_marked(struct snapshot *snap, uint64_t user_id, uint64_t *end_to);

/* ---- for check.c ---- */

bool forward_decode(struct snapshot *snap, const struct row *row, struct forward *out);
/* A row of `forward_copies`: where the copy is, is not filled in. */
bool forward_copy_decode(const struct row *row, struct forward *out);
/* Both rows go, and where it was the last of its pair the recipient is cancelled with CANCEL. */
MUST_CHECK enum err forward_mend(struct txn *txn, const struct forward *f, bool cancel);
/* Is the copy where the row says, in the user's mailbox? */
bool forward_is_there(struct snapshot *snap, const struct forward *f);
void forward_copies_key(struct key *key, const struct forward *f);

#endif
