/*
 * fetched.h - what was fetched from where: so that nothing is fetched twice, and that it goes when its days are over.
 *
 * A collector is known by its lower-case name, which leads to a number; what was seen in its mailbox is a row of that
 * number and of 128 bits that tell a message from all others: a hash of its unique id, of its header, or of all of it. A
 * row of a stored message is written in the transaction that stores it (INM-03). So a new name is one row (INM-05).
 *
 * Rows belong to one account. A collector that is pointed at another has none there: what a strange server calls "1" is not
 * what the one before called so. Whoever takes a collector out of the file, or points it elsewhere, may go back: its rows
 * stay for FETCHED_KEPT_MS.
 */
#ifndef STORE_FETCHED_H
#define STORE_FETCHED_H

#include "store/table.h"

#define FETCHED_HASH_SIZE 16
#define FETCHED_NAME_MAX 64
#define FETCHED_ERROR_MAX 250			   /* bytes; the rest is cut */
#define FETCHED_LABEL_MAX 200			   /* the same */
#define FETCHED_KEPT_MS (INT64_C(30) * 86400 * 1000) /* behind the day on which its collector left the file or the account */
#define FETCHED_SLICE 200			   /* rows that are removed or marked in one transaction */

/* ---- collectors ---- */

struct fetched_account {
	uint64_t mark;	   /* two accounts have two; 0: none is known */
	struct span label; /* for people: "anna at pop.isp.test" */
};

struct fetched_collector {
	uint64_t id;
	int64_t left_ms; /* when it was found that the file has it no more; 0: it has it */
	int64_t last_ms; /* its last collection ended; 0: none */
	bool failed;
	struct span error; /* of that; "" */
	struct fetched_account account;
};

/* The collectors of the file, as far as rows are about them. Any thread. */
struct fetched_file {
	const void *of;
	size_t count;
	struct span (*name)(const void *of, size_t i);
	uint64_t (*mark)(const void *of, size_t i); /* of its account */
};

/* A collection of an account begins. */
struct fetched_ask {
	struct span name;
	struct fetched_account account;
	int64_t now_ms;
	const struct fetched_file *file; /* as it was when the collection was started */
};
struct fetched_entry {
	uint64_t id; /* 0: nothing is known of it */
	bool moved; /* until now the collector was of another account, */
	char before[FETCHED_LABEL_MAX + 1]; /* this one */
};

/* NAME in any letter case. ERR_NOT_FOUND, ERR_CORRUPT, ERR_IO. Spans live in the snapshot. */
MUST_CHECK enum err fetched_collector_find(
	struct snapshot *snap, struct span name, struct fetched_collector *out);
/*
 * The number under which all rows of this collection are, whatever its collector is called by its end; a new one where there
 * is none yet. A damaged row is made anew. ERR_LIMIT: the name is too long.
 *
 * Where the rows of the name are another account's, they are put away for FETCHED_KEPT_MS, and those of ACCOUNT are fetched
 * back if they were put away before. Rows of no account become its rows. Where there are none, those of ACCOUNT are
 * taken whose name the file has no more: the collector was renamed.
 */
MUST_CHECK enum err fetched_collector_enter(
	struct txn *txn, const struct fetched_ask *ask, struct fetched_entry *out);
/* What that would find; nothing is changed. */
MUST_CHECK enum err fetched_collector_look(
	struct snapshot *snap, const struct fetched_ask *ask, struct fetched_entry *out);
/* The next account that enters as NAME has its rows: the mailbox is the same (a server with a new name). OK too without any. */
MUST_CHECK enum err fetched_collector_free(struct txn *txn, struct span name);
/* How its last collection ended. OK too where nothing is known of it. */
MUST_CHECK enum err fetched_collector_note(
	struct txn *txn, struct span name, int64_t last_ms, bool failed, struct span error);
/*
 * It has another name from now on; what was known of that name before is put away for its account, as in
 * fetched_collector_enter(), and of no account or the same one given up. OK too where nothing is known of FROM. Names in any
 * letter case; both the same: nothing.
 */
MUST_CHECK enum err fetched_rename(struct txn *txn, struct span from, struct span to);

/*
 * FILE has another text: collectors that it has not have left it, at NOW_MS where that is not noted yet. One of which nothing
 * is known gets what is known of its account by a name that FILE has no more.
 */
MUST_CHECK enum err fetched_follow(struct txn *txn, const struct fetched_file *file, int64_t now_ms);
/* One slice of what left the file FETCHED_KEPT_MS before NOW_MS, with its rows. *MORE: there is more of it. */
MUST_CHECK enum err fetched_sweep(struct txn *txn, int64_t now_ms, bool *more);

/* ---- messages ---- */

enum fetched_state {
	FETCHED_SEEN = 1, /* it was left there, for a rule said so: only when it was first seen counts */
	FETCHED_STORED,	  /* it is here */
	FETCHED_ASIDE,	  /* it could not be stored, and stays there (TRB-06); fetched_s: when it was tried */
	FETCHED_REMOVED,  /* it is here, and its server says that it has removed it; until it is in the list no more */
	FETCHED_TO_GO,	  /* it is here, and goes from there with the next collection, whatever its leave_days say */
};

/* Seconds since 1970. */
struct fetched {
	unsigned char hash[FETCHED_HASH_SIZE];
	uint32_t first_s;   /* first seen */
	uint32_t fetched_s; /* 0: not */
	uint32_t gone_s;    /* since then it was not in a list; 0: it was in the last one */
	uint8_t state;	    /* enum fetched_state */
	uint32_t epoch;	    /* of its unique id: in another one the message has another id (UIDVALIDITY; of POP3 they are counted); 0: none */
	uint64_t mark;	    /* of what is stored: of its header, else of its text; 0: none was taken */
};

static inline bool
fetched_is_here(const struct fetched *f)
{
	return f->state == FETCHED_STORED || f->state == FETCHED_REMOVED || f->state == FETCHED_TO_GO;
}

MUST_CHECK enum err fetched_find(struct snapshot *snap, uint64_t id,
	const unsigned char hash[FETCHED_HASH_SIZE], struct fetched *out);
/* Insert or replace. */
MUST_CHECK enum err fetched_put(struct txn *txn, uint64_t id, const struct fetched *f);
/* OK also where there is none. */
MUST_CHECK enum err fetched_drop(
	struct txn *txn, uint64_t id, const unsigned char hash[FETCHED_HASH_SIZE]);

/*
 * The rows of collector ID behind AFTER (NULL: from the first), in order of their hashes, as many as *COUNT says; then
 * that is how many came. Fewer: there are no more. Damaged ones are left out (logged): such a message is fetched again.
 */
MUST_CHECK enum err fetched_read(struct snapshot *snap, uint64_t id,
	const unsigned char *after, struct fetched *out, size_t *count);

/* For check: a row of the table as it should be. */
bool fetched_decode(struct snapshot *snap, const struct row *row, uint64_t *id, struct fetched *out);
bool fetched_collector_decode(
	struct snapshot *snap, const struct row *row, struct fetched_collector *out);

#endif
