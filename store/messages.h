/*
 * messages.h - messages in folders: placing, reading, flags, expunging.
 *
 * A message is an entry (entries.h) that names a copy that names a content:
 *	entry   uid flags size received modseq copy_id        in its folder's block
 *	copy    content_id, lines in front, save date          one placement, never changes its id
 *	content header, body_id                                shared by all copies
 * As a client reads it, it is: the lines in front, the header, the body.
 */
#ifndef STORE_MESSAGES_H
#define STORE_MESSAGES_H

#include "store/contents.h"
#include "store/entries.h"
#include "store/folders.h"

#define COPY_FRONT_MAX 16384    /* bytes of lines put in front of the header */
#define COPY_KEYWORDS_MAX 4096  /* bytes */

struct copy {
	uint64_t copy_id;
	uint64_t content_id;
	uint64_t save_ms;     /* when it came into this folder: SAVEDATE */
	uint64_t first_ms;    /* when this server first received the message, wherever it was since (PRN-04) */
	struct span front;    /* Return-Path and the like, each line with its CRLF */
	struct span keywords; /* those without a bit in the folder (keywords.h), blanks between */
	uint64_t receipt_no;  /* who collects it causes a receipt, and this is its message_no; 0: none (HDR-05) */
};

/* ERR_NOT_FOUND, ERR_CORRUPT. */
MUST_CHECK enum err copy_get(struct snapshot *snap, uint64_t copy_id, struct copy *out);

/* All of one message at once. ERR_NOT_FOUND: no such uid. ERR_CORRUPT. */
struct message {
	struct entry entry;
	struct copy copy;
	struct content content;
};
MUST_CHECK enum err message_find(
	struct snapshot *snap, uint64_t folder_id, uint32_t uid, struct message *out);
/*
 * A message that left the folder but not the view of a session that knew it at SINCE_MODSEQ: read
 * from the bin or from the folder that it was moved to. out->entry has its uid and flags of then,
 * keyword bits excepted. ERR_NOT_FOUND: nobody knows it any more.
 */
MUST_CHECK enum err message_find_gone(struct snapshot *snap, uint64_t folder_id, uint32_t uid,
	uint64_t since_modseq, struct message *out);
/*
 * The same from a copy_id: how POP3 reads what it listed at login, also when it was expunged since.
 */
MUST_CHECK enum err message_by_copy(
	struct snapshot *snap, uint64_t copy_id, struct copy *copy, struct content *content);

/*
 * The receipt of that copy is written in this transaction: *message_no is for whom, and the copy asks no more.
 * ERR_NOT_FOUND: it does not ask, or is gone.
 */
MUST_CHECK enum err message_take_receipt(struct txn *txn, uint64_t copy_id, uint64_t *message_no);

/* One content into one folder. The caller fills the first part, message_place() the second. */
struct placement {
	uint64_t user_id;
	uint64_t folder_id;
	const struct content *content; /* of content_add() or content_get() */
	struct span front;             /* lines put in front, each with CRLF */
	struct span keywords;          /* words with blanks between; those that can get a bit do */
	uint32_t flags;                /* FLAG_KEYWORD() bits are those of the folder */
	uint32_t received_s; /* INTERNALDATE; 0 is now */
	uint64_t receipt_no; /* as of struct copy */
	uint64_t first_ms;   /* likewise; 0 is now, in message_move() what it was */

	uint32_t uid;
	uint32_t uidvalidity;
	uint64_t copy_id;
	uint64_t modseq;
};
/*
 * Place it: entry, copy, counts, owner; the folder is noted as changed. So that N recipients share
 * one content, call content_add() once with owners = N and this N times.
 * ERR_NOT_FOUND: the folder is gone. ERR_LIMIT: uids used up, or over the limits above. ERR_FULL,
 * ERR_IO.
 */
MUST_CHECK enum err message_place(struct txn *txn, struct placement *place);

/*
 * The messages of one folder that a change is for: uids that rise, each once. Uids that are not
 * there (any more) are passed over. Where a function says so, uids NULL is all of the folder.
 */
#define MESSAGE_SLICE 5000
struct uid_list {
	const uint32_t *uids;
	size_t count;
};

/* ---- flags: message_flags.c ---- */

/*
 * Set the bits of change.add and clear those of change.remove. What it really changes gets one new
 * modseq, which is *modseq (0 where nothing changed). For a list of MESSAGE_SLICE at most.
 */
struct flag_change {
	uint32_t add;
	uint32_t remove;
};
MUST_CHECK enum err message_set_flags(struct txn *txn, const struct folder *where,
	struct uid_list list, struct flag_change change, uint64_t *modseq);

/* What STORE orders (RFC 9051, 6.4.6; RFC 7162, 3.1.3). */
enum flag_op { FLAGS_ADD, FLAGS_REMOVE, FLAGS_REPLACE };
struct flag_order {
	enum flag_op op;
	uint32_t flags;              /* FLAG_SEEN to FLAG_DRAFT */
	uint32_t may;                /* the rest is left as it is; FLAGS_KEYWORDS for keywords */
	const struct span *keywords; /* names; those new to the folder get a bit while there are any */
	size_t keyword_count;
	uint64_t unchanged_since;    /* a message with a higher modseq is left; UINT64_MAX: none is */
	uint64_t user_id;            /* who does it: his own \Seen where the folder has that (seen.h) */
	uint64_t known;              /* the modseq up to which he was told what others did */
};
/* Of one slice. */
struct flag_result {
	uint64_t modseq;     /* the new one of what changed; 0: nothing did */
	size_t changed;      /* messages */
	bool stale;          /* one of them had a modseq over order->known */
	size_t next;         /* so many of the list are done; all of them, or call again with the rest */
	uint32_t *failed;    /* room for list.count, or NULL: those that unchanged_since left */
	size_t failed_count;
};
/*
 * Carry it out for as much of the list as a slice may (4 ms). Of what a client sees in it: held
 * messages are passed over, and a message on which nothing changes keeps its modseq. A new modseq
 * each slice, so that no session can miss the second half.
 * ERR_NOT_FOUND: the folder is gone. ERR_LIMIT: keywords are too long, or too many on one message.
 */
MUST_CHECK enum err message_store(struct txn *txn, const struct folder *where,
	struct uid_list list, const struct flag_order *order, struct flag_result *result);

/* All keywords of a message, words with blanks between, in A. */
MUST_CHECK enum err message_keywords(struct snapshot *snap, uint64_t folder_id,
	const struct entry *entry, struct arena *a, struct span *out);

/*
 * message_hold.c: hide the message UID from clients, or show it again, then under *new_uid.
 * ERR_EXISTS: it is so already. ERR_NOT_FOUND, ERR_LIMIT.
 */
MUST_CHECK enum err message_hold(struct txn *txn, const struct folder *where, uint32_t uid,
	bool hold, uint32_t *new_uid);

/* ---- leaving: message_leave.c ---- */

/*
 * Remove them for good, past the bin: rows of `expunged`, counts, and a grave for each copy that is
 * buried DELAY_MS from now; until then message_by_copy() still reads it. *count: how many there
 * were. uids NULL: as many of the folder as a slice may. What users and administrators remove goes
 * through bin_take() of bin.h.
 */
MUST_CHECK enum err message_expunge(struct txn *txn, const struct folder *where,
	struct uid_list list, uint64_t delay_ms, size_t *count);

/*
 * Take the message UID out of a folder and put it behind the others of PLACE's: the same copy_id,
 * so that its POP3 unique id survives (H27); a new uid and save date. The caller gives user_id,
 * folder_id, keywords and flags; the rest of *place is filled.
 * ERR_EXISTS: it is in that folder; ERR_NOT_FOUND, ERR_LIMIT: as message_place(); after these
 * nothing is changed. ERR_CORRUPT, ERR_FULL, ERR_IO.
 */
MUST_CHECK enum err message_move(
	struct txn *txn, const struct folder *where, uint32_t uid, struct placement *place);

#endif
