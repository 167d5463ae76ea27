/*
 * folders.h - the folders of a user: names, uidvalidity, counts.
 *
 * A name is UTF-8 that proto/ has checked (H24), with '/' between its levels. A first level INBOX
 * has no case (RFC 9051, 5.1) and is kept in capitals; the parents of a folder need not be there.
 * INBOX is made with the user. folder_id is never given twice. The counts of a folder are kept
 * right by messages.c in the transaction that changes its entries.
 *
 * A name that begins with a control character is hidden: no client can name it, and it is in no
 * total. That is the user's bin (bin.h).
 */
#ifndef STORE_FOLDERS_H
#define STORE_FOLDERS_H

#include "store/table.h"

#define FOLDER_NAME_MAX 200    /* bytes (H24) */
#define FOLDER_LEVELS_MAX 20   /* of a name (H24) */
#define FOLDER_BIN SPAN("\001bin") /* no client can name it (H24) */
#define FOLDERS_A_USER 10000   /* more is ERR_LIMIT */
#define FOLDER_OWNER_SHARED 0  /* the user_id that owns what lies in Shared/ */
#define FOLDER_OWNER_NOBODY (UINT64_MAX - 1) /* and what is half done, see folder_jobs.h */

/* Bits of folder.attributes. The first are what it is used for (RFC 6154). */
#define FOLDER_USE_SENT (1u << 0)
#define FOLDER_USE_DRAFTS (1u << 1)
#define FOLDER_USE_TRASH (1u << 2)
#define FOLDER_USE_JUNK (1u << 3)
#define FOLDER_USE_ARCHIVE (1u << 4)
#define FOLDER_USE_ALL 0x1fu /* these bits */
#define FOLDER_OWN_SEEN (1u << 8)     /* everybody but its owner has a \Seen of his own, see seen.h */
#define FOLDER_SPECIAL_MADE (1u << 9) /* of INBOX: folders_make_special() was here */

struct folder {
	uint64_t user_id;
	uint64_t folder_id;
	struct span name; /* points into the map */
	uint32_t uidvalidity;
	uint32_t uidnext;
	uint64_t highest_modseq;
	uint64_t flags_modseq;   /* since then messages only came and left */
	uint64_t expunged_floor; /* what left until this modseq is not known one by one */
	uint64_t expunged_rows;
	uint64_t bytes;    /* of all messages, held ones included */
	uint32_t messages; /* held ones not included */
	uint32_t unseen;   /* of those */
	uint32_t deleted;  /* of those, flagged \Deleted */
	uint32_t held;
	uint32_t last_block_uid; /* for entries.c */
	uint32_t attributes;     /* FOLDER_USE_SENT and the like */
	uint32_t recent_uid;     /* a session was told of all uids below it; the others are \Recent */
	struct span extra;       /* fields to come */
};

/* ERR_NOT_FOUND, ERR_CORRUPT. */
MUST_CHECK enum err folder_get(
	struct snapshot *snap, uint64_t user_id, uint64_t folder_id, struct folder *out);
MUST_CHECK enum err folder_find(
	struct snapshot *snap, uint64_t user_id, struct span name, struct folder *out);
/* The first folder of USER_ID behind AFTER_ID (0: the first). ERR_NOT_FOUND: no more. */
MUST_CHECK enum err folder_next(
	struct snapshot *snap, uint64_t user_id, uint64_t after_id, struct folder *out);

/* Of whoever it is: a walk over all folders of all users, for repair. */
MUST_CHECK enum err folder_by_id(struct snapshot *snap, uint64_t folder_id, struct folder *out);

struct folder_totals {
	uint64_t folders, messages, unseen, held, bytes;
};
/* All folders of USER_ID together, hidden ones left out (QUO-01, RCY-02): some us for 50 folders. */
MUST_CHECK enum err folder_totals(
	struct snapshot *snap, uint64_t user_id, struct folder_totals *out);

/* Does NAME begin with a control character? Then no client ever sees it. */
bool folder_name_is_hidden(struct span name);
/* Is NAME the one called PARENT, or below it? INBOX in any case. */
bool folder_name_is_under(struct span name, struct span parent);
/* The same name, INBOX in any case. */
bool folder_name_eq(struct span a, struct span b);
/* ERR_LIMIT: empty, too long, or too many levels. */
MUST_CHECK enum err folder_name_check(struct span name);

/*
 * Make a folder; *folder_id is its id. It gets the rights of the nearest parent that is there.
 * ERR_EXISTS; ERR_LIMIT: too many, or the name is too long or too deep.
 */
MUST_CHECK enum err folder_make(
	struct txn *txn, uint64_t user_id, struct span name, uint64_t *folder_id);
/*
 * folder_rename.c: rename a folder and all below it, in one step. folder_id, uidvalidity and rights stay, and
 * subscriptions too: they are names (RFC 9051, 6.3.9).
 * ERR_NOT_FOUND; ERR_EXISTS: the name, or one that something below it would get, is taken;
 * ERR_LIMIT; ERR_DENIED: INBOX (see message_transfer for what a client means by that), a hidden
 * one, or NAME lies below it.
 */
MUST_CHECK enum err folder_rename(
	struct txn *txn, uint64_t user_id, uint64_t folder_id, struct span name);
/*
 * Set the bits of ADD and clear those of REMOVE. ERR_EXISTS: another folder of the user has one of
 * the FOLDER_USE_ bits; ERR_DENIED: such a bit for INBOX.
 */
MUST_CHECK enum err folder_set_attributes(
	struct txn *txn, uint64_t user_id, uint64_t folder_id, uint32_t add, uint32_t remove);
/*
 * Sent, Drafts, Trash, Junk and Archive with their uses, subscribed, and INBOX subscribed: what a
 * new user has. For a user of an older store it is called at his first IMAP login; a second call
 * does nothing, so that what he removed stays removed. *made, if not NULL: it did something.
 * Ask folders_are_special() in a snapshot first, so that most logins need no job.
 */
MUST_CHECK enum err folders_make_special(struct txn *txn, uint64_t user_id, bool *made);
MUST_CHECK enum err folders_are_special(struct snapshot *snap, uint64_t user_id, bool *out);
/*
 * Remove a folder that holds no entries (folder_jobs.h removes those that do); its `expunged` rows,
 * rights and the like go in slices of ROWS a call. *gone says that it is done. ERR_BUSY: it holds
 * messages.
 */
MUST_CHECK enum err folder_remove(
	struct txn *txn, uint64_t user_id, uint64_t folder_id, size_t rows, bool *gone);
/* Sessions were told of all uids below UID (RFC 3501, 2.3.2). No session hears of it; a lower UID is none. */
MUST_CHECK enum err folder_set_recent(
	struct txn *txn, uint64_t user_id, uint64_t folder_id, uint32_t uid);
/* After restore and repair: a new UIDVALIDITY (H27). */
MUST_CHECK enum err folder_renew_uidvalidity(
	struct txn *txn, uint64_t user_id, uint64_t folder_id);

/*
 * Count the entries of all folders of USER_ID anew and write what was wrong (USR-10); *wrong is how many
 * folders were. 100,000 messages take a few ms.
 */
MUST_CHECK enum err folders_recount(struct txn *txn, uint64_t user_id, unsigned *wrong);

/* ROW of TABLE_folders taken apart; false where it is damaged, of which the log hears nothing. */
bool folder_decode(const struct row *row, struct folder *out);
/* For messages.c and check.c: write the row back. Where its name is new, see folder_names.h. */
MUST_CHECK enum err folder_put(struct txn *txn, const struct folder *folder);

#endif
