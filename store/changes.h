/*
 * changes.h - who changed what, and the way back: the audit and undo log.
 *
 * While a change is open in a transaction, every row put or deleted in a table of the directory
 * (users, names, groups, mappings, queue) is kept with its image before and after. Undo writes the
 * images from before where the row still is as the change left it; where somebody changed it since,
 * that is a clash and nothing is written. An undo is itself a change, so it can be undone (redo).
 *
 *     struct change_recorder recorder;
 *     change_begin(&recorder, txn, &start);
 *     ... user_set(txn, ...), queued_remove(txn, ...) ...
 *     change_end(&recorder)           the row of the log; only now it counts
 *
 * A change over CHANGE_ROWS_MAX or CHANGE_BYTES_MAX stays in the log but cannot be undone.
 */
#ifndef STORE_CHANGES_H
#define STORE_CHANGES_H

#include "store/fields.h"
#include "store/table.h"

struct snapshot;
struct txn;

#define CHANGE_ROWS_MAX 10100 /* the largest list, its name and what points at it */
#define CHANGE_BYTES_MAX (8u << 20)
#define CHANGE_TEXT_MAX 512      /* bytes of what, object, reason; the rest is cut */
#define CHANGES_UNDO_BYTES_MAX (256u << 20) /* images kept in all; the oldest become too old */
#define CHANGES_MAX 1000000      /* rows of the log; the oldest go */

enum change_state {
	CHANGE_CAN_UNDO,
	CHANGE_UNDONE,  /* by the change `undone_by` */
	CHANGE_TOO_OLD, /* its images were dropped */
	CHANGE_CANNOT,  /* too large, or of a kind that has no way back; see reason */
};
extern const char *const change_state_words[]; /* "can undo" "undone" "too old" "cannot" */

struct change {
	uint64_t change_id;
	int64_t time_ms;
	struct span who, via;     /* user; console, cli, file */
	struct span what, object; /* "user.set", "anna" */
	uint8_t state;
	struct span reason;       /* why it cannot be undone */
	uint64_t rows, bytes;
	uint64_t undo_of;   /* the change that this one undid; 0 */
	uint64_t undone_by; /* 0 */
	uint64_t config_no; /* history number of the file it changed, and which file; 0: store only */
};
extern const struct field_table change_table;

struct change_start {
	struct span who, via, what, object;
	int64_t now_ms;
	uint64_t undo_of;   /* 0 */
	uint64_t config_no; /* 0; with one, undo is carried out by the server */
	struct span cannot; /* not empty: why this change has no way back */
};

struct change_recorder {
	struct txn *txn;
	struct change_start start;
	uint64_t change_id;
	uint64_t rows, bytes;
	bool too_large;
	bool continued;
};

/* One change at a time in a transaction. RECORDER and START's spans live until change_end. */
MUST_CHECK enum err change_begin(
	struct change_recorder *recorder, struct txn *txn, const struct change_start *start);
/* Add rows to a change that an earlier slice of the same job ended. */
MUST_CHECK enum err change_continue(
	struct change_recorder *recorder, struct txn *txn, uint64_t change_id);
/* Close and write it. ERR_* of what went wrong: the job must then fail. */
MUST_CHECK enum err change_end(struct change_recorder *recorder);

/*
 * For rows.c: keep a row of TABLE before (NULL: none) and after; OK and nothing where none is
 * open.
 */
MUST_CHECK enum err change_record(struct txn *txn, enum store_table table, const struct key *key,
	const struct span *before, const struct span *after);

MUST_CHECK enum err change_find(struct snapshot *snap, uint64_t change_id, struct change *out);
/* Newest first: the last before CHANGE_ID; 0 is the end. ERR_NOT_FOUND at the front. */
MUST_CHECK enum err change_prev(struct snapshot *snap, uint64_t change_id, struct change *out);
/*
 * The newest that can be undone and is no undo itself: `undo` without an id. ERR_NOT_FOUND also
 * where the newest CHANGE_LAST_LOOKS have none.
 */
#define CHANGE_LAST_LOOKS 10000
MUST_CHECK enum err change_last(struct snapshot *snap, struct change *out);

struct change_row {
	struct span table, key; /* name of the table; raw key */
	bool existed, exists;   /* before, after */
	struct span before, after;
};
/* Row ROW_NO (from 0) of a change, for showing the difference. ERR_NOT_FOUND beyond the last. */
MUST_CHECK enum err change_row_find(
	struct snapshot *snap, uint64_t change_id, uint64_t row_no, struct change_row *out);

/* What an undo would meet in the store: ERR_EXISTS with the clash named in OBJECT (e.g. "users 17"), or
 * OK. */
MUST_CHECK enum err change_undo_check(
	struct snapshot *snap, uint64_t change_id, struct buf *object);
/*
 * Undo. It is a change of its own: START says who and when (what, object and undo_of are set here),
 * *undo_id is its number. ERR_EXISTS: a clash, named in OBJECT; ERR_DENIED: its state does not
 * allow it, or it is one of a file and START has no config_no: then the file was not put back. After an
 * error the job must fail, which undoes it all.
 */
MUST_CHECK enum err change_undo(struct txn *txn, uint64_t change_id,
	const struct change_start *start, struct buf *object, uint64_t *undo_id);
/* Note that change CHANGE_ID of the configuration was undone by UNDO_ID. */
MUST_CHECK enum err change_set_undone(struct txn *txn, uint64_t change_id, uint64_t undo_id);
/* Drop images and rows over the limits above: one slice of a patient job; *more: call again. */
MUST_CHECK enum err changes_prune(struct txn *txn, bool *more);

#endif
