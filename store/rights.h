/*
 * rights.h - who may do what in a folder of somebody else (RFC 4314, SHF-02).
 *
 * A row says what one user, one group or anyone is given in a folder, and what he is denied
 * ("negative rights", RFC 4314, 2). What holds for a user is all that is given to him, to his group
 * and to anyone, less all that is denied to these. The folder's owner has every right always. Who
 * is removed from the bin of users takes his rows along, a group at once.
 *
 * Rows are recorded while a change is open, so what an administrator sets can be undone.
 */
#ifndef STORE_RIGHTS_H
#define STORE_RIGHTS_H

#include "store/folders.h"
#include "store/users.h"

/* Bit n is letter n. */
#define RIGHTS_LETTERS "lrswipkxtea"
#define RIGHT_LOOKUP (1u << 0)      /* l: it is in LIST and can be subscribed */
#define RIGHT_READ (1u << 1)        /* r: SELECT, STATUS, COPY from it */
#define RIGHT_SEEN (1u << 2)        /* s: \Seen is kept */
#define RIGHT_WRITE (1u << 3)       /* w: flags other than \Seen and \Deleted */
#define RIGHT_INSERT (1u << 4)      /* i: APPEND, COPY into it */
#define RIGHT_POST (1u << 5)        /* p: mail to the folder's address */
#define RIGHT_CREATE (1u << 6)      /* k: CREATE below it, RENAME to below it */
#define RIGHT_DELETE (1u << 7)      /* x: DELETE or RENAME it */
#define RIGHT_DELETED (1u << 8)     /* t: \Deleted */
#define RIGHT_EXPUNGE (1u << 9)     /* e: EXPUNGE */
#define RIGHT_ADMINISTER (1u << 10) /* a: SETACL, DELETEACL, GETACL, LISTRIGHTS */
#define RIGHTS_ALL 0x7ffu

#define RIGHTS_A_FOLDER 1000 /* rows; more is ERR_LIMIT */

enum right_kind { RIGHT_OF_USER = 1, RIGHT_OF_GROUP = 2, RIGHT_OF_ANYONE = 3 };

struct folder_right {
	uint64_t folder_id;
	uint8_t kind;        /* enum right_kind */
	uint64_t subject_id; /* user_id, group_id, or 0 */
	uint64_t owner_id;   /* whose folder it is */
	uint32_t given, denied;
};

/* Set the row, or remove it where it gives and denies nothing. ERR_LIMIT. */
MUST_CHECK enum err right_set(struct txn *txn, const struct folder_right *right);
/* ERR_NOT_FOUND: there is no such row. */
MUST_CHECK enum err right_get(struct snapshot *snap, uint64_t folder_id, enum right_kind kind,
	uint64_t subject_id, struct folder_right *out);
/*
 * The row behind *AT (folder_id, kind, subject_id; zero but for folder_id at the start), which it
 * becomes. ERR_NOT_FOUND: no more. ERR_CORRUPT: that one is damaged, go on behind it.
 */
MUST_CHECK enum err right_next(struct snapshot *snap, struct folder_right *at);

/* What USER may do in FOLDER: RIGHT_ bits. A user in the bin may nothing. */
MUST_CHECK enum err rights_of(struct snapshot *snap, const struct user *user,
	const struct folder *folder, uint32_t *out);

/*
 * The folders of others that have a row for USER, his group or anyone, each once. Zero *AT at the
 * start; at->folder_id and at->owner_id are what was found. rights_of() then says what it is worth.
 * ERR_NOT_FOUND: no more.
 */
MUST_CHECK enum err rights_shared_next(
	struct snapshot *snap, const struct user *user, struct folder_right *at);

/* For folders.c: TO_ID gets the rows of FROM_ID; and MOST rows of a folder that goes. */
MUST_CHECK enum err rights_inherit(struct txn *txn, uint64_t from_id, uint64_t to_id);
MUST_CHECK enum err rights_forget_folder(
	struct txn *txn, uint64_t folder_id, unsigned most, bool *more);
/* MOST rows of a user or group that goes for good. */
MUST_CHECK enum err rights_forget_subject(struct txn *txn, enum right_kind kind,
	uint64_t subject_id, unsigned most, bool *more);

#endif
