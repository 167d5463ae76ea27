/*
 * archive.h - the archive: every message that went through, with its envelope, linked into a chain of hashes (ARC).
 *
 *   archive         0                          -> head: the last id and chain, how many, how large
 *                   archive_id                 -> a message, a removal, or a gap that a removal made
 *   archive_words   block word_hash            -> ""   (words of addresses in 512 ids, see below)
 *   archive_addresses  role address            -> first and last block of an address, see archive_addresses.c
 *   archive_holds   archive_id                 -> who holds it, since when, why
 *
 * An entry owns the content it names, as a copy in a mailbox does, and shares it with these. Ids rise with time and
 * with content_id, and an entry never changes. Each names the one before it, and its chain is
 *
 *   SHA-256(chain before, archive_id and all fields of the row but the chain)
 *
 * The fields of a message have the digest of header and body in them, so whoever alters, adds or takes away an entry
 * breaks the chain there. Retention takes entries out by archive_remove(): what it took is one row of its own in the
 * chain (a removal), which names the runs of ids and the chain behind each; a gap row is in their place. So a gap
 * that no removal names is a break. A removal stays for ever.
 *
 * The store knows no SHA-256: who writes or verifies brings it. Errors: ERR_NOT_FOUND, ERR_CORRUPT, ERR_IO; writes
 * ERR_FULL. Spans live as the snapshot.
 */
#ifndef STORE_ARCHIVE_H
#define STORE_ARCHIVE_H

#include "store/table.h"

#define ARCHIVE_HASH_SIZE 32
#define ARCHIVE_BLOCK 512          /* ids of one block of archive_words */
#define ARCHIVE_WORDS_MAX 4096     /* words of one message that are found; with more it is looked at in each search */
#define ARCHIVE_ADDRESS_MAX 400    /* bytes of an address that has a row; keys have 511 */
#define ARCHIVE_ADDRESSES_MAX 1000 /* recipients of one message that have rows */
#define ARCHIVE_REMOVE_MAX 64      /* entries that one call of archive_remove() takes */
#define ARCHIVE_WHY_MAX 80         /* bytes of a removal's reason */
#define ARCHIVE_HOLD_TEXT_MAX 250  /* bytes of who holds, and of why */
#define ARCHIVE_RECIPIENTS_MAX (1u << 20) /* bytes; the rest of a longer list is left out, and counted */

/* SHA-256 of FIRST followed by SECOND. */
typedef void archive_hash_fn(
	struct span first, struct span second, unsigned char out[ARCHIVE_HASH_SIZE]);

/* Bits: a message may have several. */
enum archive_direction { ARCHIVE_INCOMING = 1, ARCHIVE_OUTGOING = 2, ARCHIVE_INTERNAL = 4 };

struct archive_message {
	uint64_t content_id;
	uint64_t message_no;     /* of its trace; 0: none */
	uint64_t time_ms;        /* of arrival; never before that of the entry in front */
	uint64_t size;           /* bytes of header and body as archived */
	unsigned direction;      /* ARCHIVE_ bits */
	uint64_t sender_bits;    /* archive_words_bits() of all words of the sender, those of From too */
	struct span from;        /* reverse-path; empty: the null one */
	struct span auth_user;   /* who logged in, or empty */
	struct span source;      /* service: "smtp", "lmtp", "journal" */
	struct span recipients;  /* of the envelope, Bcc too; each ended by NUL (trace_recipient_next()) */
	uint64_t recipient_count;
	unsigned char digest[ARCHIVE_HASH_SIZE]; /* archive_digest() of header and body */
};

/* Entries FIRST to LAST that were taken out; CHAIN is that of the last. */
struct archive_run {
	uint64_t first, last, count;
	unsigned char chain[ARCHIVE_HASH_SIZE];
};

enum archive_kind { ARCHIVE_MESSAGE = 1, ARCHIVE_REMOVAL = 2, ARCHIVE_GAP = 3 };

struct archive_row {
	uint64_t archive_id;
	enum archive_kind kind;
	uint64_t before_id; /* the entry in front of it; 0: it is the first */
	unsigned char chain[ARCHIVE_HASH_SIZE];
	struct span fields; /* the row's, behind its chain: what is hashed */
	uint64_t time_ms;   /* never falls from row to row */
	uint64_t content_mark; /* nor does this: the last content_id until here */
	struct archive_message message;
	/* A removal. */
	struct span why;
	uint64_t runs;        /* how many follow */
	struct span run_rows; /* for archive_run_take() */
	/* A gap. */
	struct archive_run run;
	uint64_t removal_id; /* the removal that names it as it is now */
};

struct archive_head {
	uint64_t last_id, last_ms, last_content;
	unsigned char chain[ARCHIVE_HASH_SIZE];
	uint64_t messages, bytes; /* that are there */
	uint64_t removed;         /* messages that retention took */
};

/* ---- writing, in apply() ---- */

/*
 * Add M behind all others; its content must be there and gets an owner more. WORDS are archive_words_of() of its
 * addresses, sorted, without repeats; more than ARCHIVE_WORDS_MAX: give that many and one more. m->time_ms may be raised.
 */
MUST_CHECK enum err archive_add(struct txn *txn, archive_hash_fn *hash, struct archive_message *m,
	const uint32_t *words, size_t count, uint64_t *archive_id);

/*
 * Take COUNT messages out, for retention alone: IDS rise, ARCHIVE_REMOVE_MAX at most. Those that are held or gone
 * already are passed over. WHY is kept in the chain. *removed: how many went.
 */
MUST_CHECK enum err archive_remove(struct txn *txn, archive_hash_fn *hash, const uint64_t *ids,
	size_t count, struct span why, size_t *removed);

/* Delete the words of blocks in which no message is left, and addresses of such, MOST rows at once. *more: call again. */
MUST_CHECK enum err archive_words_sweep(struct txn *txn, unsigned most, bool *more);

/* ---- reading ---- */

MUST_CHECK enum err archive_head_get(struct snapshot *snap, struct archive_head *out); /* all zero: empty */
/* ERR_NOT_FOUND also for one inside a gap; a gap is found by its first id. */
MUST_CHECK enum err archive_find(struct snapshot *snap, uint64_t id, struct archive_row *out);
/* The row behind ID, and the last one before it. ERR_CORRUPT with out->archive_id: that one is damaged. */
MUST_CHECK enum err archive_next(struct snapshot *snap, uint64_t id, struct archive_row *out);
MUST_CHECK enum err archive_prev(struct snapshot *snap, uint64_t id, struct archive_row *out);
/* The first row whose time is TIME_MS or later; the message whose content is CONTENT_ID. By halves. */
MUST_CHECK enum err archive_find_time(
	struct snapshot *snap, uint64_t time_ms, struct archive_row *out);
MUST_CHECK enum err archive_find_content(
	struct snapshot *snap, uint64_t content_id, struct archive_row *out);
/* Does the removal that a gap names name it, as it is? */
MUST_CHECK enum err archive_gap_is_named(
	struct snapshot *snap, const struct archive_row *gap, bool *out);
/* The next of a removal's runs. ERR_NOT_FOUND: no more. */
MUST_CHECK enum err archive_run_take(struct archive_row *removal, struct archive_run *out);
/* The chain that ROW must have behind BEFORE. */
void archive_chain(archive_hash_fn *hash, const unsigned char before[ARCHIVE_HASH_SIZE],
	const struct archive_row *row, unsigned char out[ARCHIVE_HASH_SIZE]);

/* ---- verifying ---- */

/* All zero at the start; it may go on in another snapshot. */
struct archive_verify {
	uint64_t last_id; /* until here it holds */
	unsigned char chain[ARCHIVE_HASH_SIZE];
	uint64_t messages, removals, removed; /* so far */
	uint64_t fault_id;
	const char *fault; /* static text: "its row is damaged" */
};
/*
 * The next row, whose place in the chain holds; whether the content of a message is what its digest says is for the
 * caller to see. ERR_NOT_FOUND: the end, all of it holds. ERR_SYNTAX: broken, v->fault_id and v->fault say where and
 * how. ERR_IO.
 */
MUST_CHECK enum err archive_verify_next(struct snapshot *snap, archive_hash_fn *hash,
	struct archive_verify *v, struct archive_row *row);

/* ---- words of addresses ---- */

/*
 * A word is letters and digits (and all that is not ASCII), in lower case. It is hashed with ROLE, so that a sender
 * is not found as a recipient. Appends to OUT up to MAX; how many there are then.
 */
enum archive_role { ARCHIVE_FROM = 'f', ARCHIVE_TO = 't' };
size_t archive_words_of(
	struct span text, enum archive_role role, uint32_t *out, size_t count, size_t max);
/* Sort, and leave out repeats; how many are left. */
size_t archive_words_sort(uint32_t *words, size_t count);
/* Few bits for many words: what has all of some words has all of their bits. */
uint64_t archive_words_bits(const uint32_t *words, size_t count);
/* May a message of this block have all of these words? */
MUST_CHECK enum err archive_block_has(struct snapshot *snap, uint64_t block,
	const uint32_t *words, size_t count, bool *out);

/* ---- addresses ---- */

struct archive_address {
	struct span text;     /* lower case */
	uint32_t first, last; /* blocks; there may be others between that it is not in */
	bool is_none;         /* of archive_addresses_all(): every message has rows */
};
/* Blocks with messages of which not all addresses have rows. ERR_NOT_FOUND: rows are not kept, do not ask them. */
MUST_CHECK enum err archive_addresses_all(struct snapshot *snap, struct archive_address *out);
/* The address behind BEHIND (ptr NULL: the first; "" is the null sender). ERR_NOT_FOUND: no more. */
MUST_CHECK enum err archive_address_next(struct snapshot *snap, enum archive_role role,
	struct span behind, struct archive_address *out);

/* ---- legal hold ---- */

struct archive_hold {
	uint64_t since_ms;
	struct span who, why;
};
/* Recorded for undo. */
MUST_CHECK enum err archive_hold_put(
	struct txn *txn, uint64_t archive_id, const struct archive_hold *hold);
MUST_CHECK enum err archive_hold_remove(struct txn *txn, uint64_t archive_id);
MUST_CHECK enum err archive_hold_find(
	struct snapshot *snap, uint64_t archive_id, struct archive_hold *out);

#endif
