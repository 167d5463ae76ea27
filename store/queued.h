/*
 * queued.h - mail that waits to leave: one entry a message, one row a recipient, and the due index.
 *
 * The queue_id is the message_no, so an entry and its trace have one number. An entry holds one
 * owner's share of its content; the share is given back when the entry goes (a grave follows,
 * docs/queue-states.md).
 *
 *   recipient   A active    waits for its first try, due at once
 *               D deferred  was tried, due at next_try_ms
 *               x gone      delivered, failed or redirected; the row stays until all are gone
 *   entry       held        none of its recipients is due (shown as H); the expiry clock stands
 *               in the bin  none is due (shown as B); purged at bin_until_ms, until then restorable
 *
 * Holding and the bin are of the entry and leave the recipients' own states as they were, so
 * release and restore need no memory. A due row exists for each A or D recipient of an entry that
 * is neither held nor in the bin; each entry in the bin has one for the end of its time there. When
 * the last recipient is gone the entry is gone.
 *
 * Errors: ERR_NOT_FOUND, ERR_CORRUPT, ERR_IO; writes ERR_FULL. Spans live in the snapshot, or in a
 * write transaction until the next write.
 */
#ifndef STORE_QUEUED_H
#define STORE_QUEUED_H

#include "store/fields.h"

struct snapshot;
struct txn;

#define QUEUED_RECIPIENTS_MAX 10000 /* of one entry */
#define QUEUED_ADDRESS_MAX 320      /* bytes */
#define QUEUED_ROUTE_MAX 300        /* bytes of a route's name, or of "lan:host:port" (lan_target.h) */
#define QUEUED_ERROR_MAX 512        /* bytes of the last reply kept; the rest is cut */
#define QUEUED_PARAM_MAX 512        /* bytes of ORCPT or ENVID as xtext */
#define QUEUED_TEXT_MAX 256         /* bytes of subject, source; the rest is cut */

enum queued_state {
	QUEUED_ACTIVE,
	QUEUED_DEFERRED,
	QUEUED_GONE,
	QUEUED_HELD, /* only as what is shown */
	QUEUED_BIN,  /* only as what is shown */
};
extern const char *const queued_state_words[]; /* active deferred gone held bin */
char queued_state_letter(enum queued_state state); /* A D x H B */

enum queued_ret { QUEUED_RET_UNSET, QUEUED_RET_FULL, QUEUED_RET_HDRS }; /* RFC 3461, 4.3 */
enum queued_notify { /* bits; none set: not given. RFC 3461, 4.1 */
	QUEUED_NOTIFY_NEVER = 1,
	QUEUED_NOTIFY_SUCCESS = 2,
	QUEUED_NOTIFY_FAILURE = 4,
	QUEUED_NOTIFY_DELAY = 8,
};

enum queued_report { /* is it a report of our own, and what becomes of it where it fails (H15) */
	QUEUED_REPORT_NONE,
	QUEUED_REPORT_FIRST, /* goes to the Main Administrator */
	QUEUED_REPORT_LAST,  /* is held */
	QUEUED_REPORT_COPY,  /* none, but a copy of the server's own making: goes to the Main Administrator */
};

struct queued {
	uint64_t queue_id;
	struct span sender; /* reverse-path without <>; empty is the null one */
	uint64_t content_id;
	uint64_t size_bytes;
	int64_t received_ms;
	struct span auth_user, source, peer, session, subject;
	uint8_t ret; /* enum queued_ret */
	struct span envid;
	bool eightbit, utf8; /* BODY=8BITMIME as given or as the text is, SMTPUTF8 as given */
	bool ours;           /* its sender showed to be one of us, or the server wrote it: it may be signed */
	bool warned;         /* the delay warning went out (OUT-17) */
	uint8_t report;      /* enum queued_report */
	bool forged;         /* SPF said that the sender is not the sender: he gets no report (H14) */
	bool receipt;        /* its header asks to be told when it was sent (HDR-07) */
	bool held;
	struct span held_why; /* why the server held it; empty where an operator did */
	int64_t held_since_ms, held_total_ms; /* age for the expiry is now - received - held */
	int64_t bin_until_ms;                 /* 0: not in the bin */
	uint64_t recipients, open;            /* all, and those not gone */
};

struct queued_recipient {
	uint64_t queue_id;
	uint32_t recipient_no; /* from 1 */
	struct span address;
	struct span route; /* name of the way out; empty: chosen when it is tried */
	uint8_t state;     /* enum queued_state: ACTIVE, DEFERRED or GONE */
	uint64_t tries;
	int64_t last_try_ms, next_try_ms;
	struct span last_error; /* reply or reason; for GONE how it ended */
	struct span orcpt;
	uint32_t notify; /* enum queued_notify */
};

extern const struct field_table queued_table, queued_recipient_table;

/* What a person is shown: held and bin of the entry go over the recipient's own state. Pure. */
enum queued_state queued_shown_state(const struct queued *q, const struct queued_recipient *r);
/* Age that counts towards giving up: without the time it was held. */
int64_t queued_age_ms(const struct queued *q, int64_t now_ms);

/*
 * Add an entry under q->queue_id with COUNT recipients (their queue_id, number and state are set
 * here), due at RECIPIENTS[i].next_try_ms unless q->held. Takes one share of q->content_id. ERR_LIMIT over a limit
 * above, ERR_EXISTS where the id is in use.
 */
MUST_CHECK enum err queued_add(struct txn *txn, const struct queued *q,
	const struct queued_recipient *recipients, size_t count);

MUST_CHECK enum err queued_find(struct snapshot *snap, uint64_t queue_id, struct queued *out);
MUST_CHECK enum err queued_recipient_find(struct snapshot *snap, uint64_t queue_id,
	uint32_t recipient_no, struct queued_recipient *out);
/*
 * The next recipient of that entry after RECIPIENT_NO (0: the first). ERR_NOT_FOUND at the end. At
 * ERR_CORRUPT out->recipient_no is the damaged one, so that a walk can go on behind it.
 */
MUST_CHECK enum err queued_recipient_next(struct snapshot *snap, uint64_t queue_id,
	uint32_t recipient_no, struct queued_recipient *out);
/*
 * Paging by id: the first entry after (last before) QUEUE_ID; 0 is the front (the end). At
 * ERR_CORRUPT out->queue_id of queued_next is the damaged one.
 */
MUST_CHECK enum err queued_next(struct snapshot *snap, uint64_t queue_id, struct queued *out);
MUST_CHECK enum err queued_prev(struct snapshot *snap, uint64_t queue_id, struct queued *out);

struct queued_due {
	int64_t due_ms;
	uint64_t queue_id;
	uint32_t recipient_no;
};
/*
 * The next due recipient after *AT, which moves on; start with all zero. ERR_NOT_FOUND at the
 * end.
 */
MUST_CHECK enum err queued_due_next(struct snapshot *snap, struct queued_due *at);

/*
 * Entries; kept as counters, read in O(1). An entry is counted once: in the bin, held, or
 * waiting.
 */
struct queued_counts {
	uint64_t count, bytes; /* all but the bin */
	uint64_t held;
	uint64_t bin;
	uint64_t recipients; /* open ones, of all but the bin */
};
MUST_CHECK enum err queued_count(struct snapshot *snap, struct queued_counts *out);

struct queued_outcome {
	enum queued_state state; /* QUEUED_DEFERRED or QUEUED_GONE */
	int64_t now_ms, next_try_ms;
	struct span text; /* reply or reason */
	struct span route;
};
/*
 * Note how a try of one recipient ended (H18). *entry_gone is true where that was the last open
 * recipient: the whole entry is then removed. OK and no change for one that is gone already.
 */
MUST_CHECK enum err queued_note(struct txn *txn, uint64_t queue_id, uint32_t recipient_no,
	const struct queued_outcome *outcome, bool *entry_gone);
MUST_CHECK enum err queued_set_warned(struct txn *txn, uint64_t queue_id);

/* Each is OK and changes nothing where it is so already. In the bin: ERR_DENIED but for restore. */
MUST_CHECK enum err queued_hold(struct txn *txn, uint64_t queue_id, int64_t now_ms);
/* The server does it, and says why: the entry shows it until it is released. */
MUST_CHECK enum err queued_hold_because(
	struct txn *txn, uint64_t queue_id, int64_t now_ms, struct span why);
MUST_CHECK enum err queued_release(struct txn *txn, uint64_t queue_id, int64_t now_ms);
/* Every open recipient is due now, or one where RECIPIENT_NO is not 0. Held: ERR_DENIED. */
MUST_CHECK enum err queued_retry(
	struct txn *txn, uint64_t queue_id, uint32_t recipient_no, int64_t now_ms);
/* To the bin until BIN_UNTIL_MS; nobody is told. */
MUST_CHECK enum err queued_remove(struct txn *txn, uint64_t queue_id, int64_t bin_until_ms);
MUST_CHECK enum err queued_restore(struct txn *txn, uint64_t queue_id);
/*
 * Open recipients (all, or RECIPIENT_NO) get another address or route; a span that is empty leaves
 * it as it is. They are active again with no tries, due at NOW_MS unless held.
 */
struct queued_redirect {
	struct span address, route;
	int64_t now_ms;
};
MUST_CHECK enum err queued_redirect(struct txn *txn, uint64_t queue_id, uint32_t recipient_no,
	const struct queued_redirect *to);
/* Remove the entry for good, whatever its state, and give back its share of the content. */
MUST_CHECK enum err queued_purge(struct txn *txn, uint64_t queue_id);
/* Purge what left the bin by NOW_MS: one slice of a patient job; *more: call again. */
MUST_CHECK enum err queued_purge_bin(struct txn *txn, int64_t now_ms, bool *more);
/* Hold every entry after *AT (which moves on), for a restored store: a slice; *more: call again. */
MUST_CHECK enum err queued_hold_all(struct txn *txn, int64_t now_ms, uint64_t *at, bool *more);

#endif
