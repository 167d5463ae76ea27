/*
 * traces.h - what happened to each message, and why (H88).
 *
 * A trace is the rows of one message_no: part 0 is written with the message's arrival or refusal,
 * later parts as delivery goes on. Numbers rise, so the newest stands last. Whatever belongs to one
 * message is accounted to the hour of its arrival:
 *
 *   traces        message_no part              -> trace
 *   trace_find    hour hash message_no         -> ""   (from, to and Message-ID, each hashed)
 *   trace_hours   hour                         -> first and last message_no, rows, bytes
 *   refusals      hour hash(address, reason)   -> refusal with its count
 *
 * so that the oldest hour is removed as a few runs of keys, and a look-up asks each hour once.
 *
 * Errors: ERR_NOT_FOUND, ERR_CORRUPT, ERR_IO; writes ERR_FULL. Spans live as in queued.h.
 */
#ifndef STORE_TRACES_H
#define STORE_TRACES_H

#include "store/fields.h"

struct snapshot;
struct txn;

#define TRACE_NOTES_MAX 2048     /* bytes of notes in one part; more is refused */
#define TRACE_TEXT_MAX 512       /* bytes of a text field; the rest is cut */
#define TRACE_RECIPIENTS_MAX 1024 /* bytes of recipients kept in the row; all are found (below) */
#define TRACE_INDEXED_MAX 1000   /* recipients of one message that can be found by address */
#define TRACE_PARTS_MAX 1000     /* parts of one trace; later ones are dropped */
#define TRACE_HOUR_MS 3600000
#define REFUSALS_IN_FULL 3       /* traces written in full an hour, address and reason */
#define REFUSALS_HOUR_MAX 10000  /* rows an hour; beyond it all count under the address "*" */

struct trace {
	uint64_t message_no;
	uint32_t part; /* 0: arrival or refusal; set here for later ones */
	int64_t time_ms;
	struct span session; /* session id as text */
	struct span peer;    /* address of the other side */
	struct span service; /* smtp, submission, pop3, queue, ... */
	struct span auth_user;
	struct span sender;
	struct span recipients; /* each ended by NUL, see trace_recipient_next */
	uint64_t recipient_count;
	uint64_t size_bytes;
	struct span subject;
	struct span message_id; /* of the header, with its <> */
	uint64_t code;          /* reply code, 250, 550; 0 where there was none */
	struct span text;       /* reply or reason */
	struct span notes;      /* written and read by the pipeline alone */
};

extern const struct field_table trace_table;

/* Append one address to a list of recipients as struct trace wants it. */
MUST_CHECK enum err trace_recipient_put(struct buf *out, struct span address);
bool trace_recipient_next(struct span *rest, struct span *address);

/*
 * Write part 0 under t->message_no. T->recipients may be longer than is kept: all of them (up to
 * TRACE_INDEXED_MAX) can be found. ERR_EXISTS where there is one; ERR_LIMIT for notes too long.
 */
MUST_CHECK enum err trace_add(struct txn *txn, const struct trace *t);
/*
 * Add a later part to t->message_no; the number of the part is given here. ERR_NOT_FOUND where part
 * 0 is gone by age; beyond TRACE_PARTS_MAX OK, and dropped.
 */
MUST_CHECK enum err trace_append(struct txn *txn, const struct trace *t);

MUST_CHECK enum err trace_find(struct snapshot *snap, uint64_t message_no, struct trace *out);
/* The next part after PART. ERR_NOT_FOUND at the end. */
MUST_CHECK enum err trace_part_next(
	struct snapshot *snap, uint64_t message_no, uint32_t part, struct trace *out);

/*
 * Newest first. An empty span and a zero ask nothing; several questions must all hold. The last two
 * are the place of the search, both zero at its start: they move on with each call, and a search
 * can go on in another snapshot with them.
 */
struct trace_query {
	struct span from, to;       /* an address, case ignored */
	struct span message_id;     /* of the header, with or without <> */
	int64_t since_ms, until_ms; /* arrival at or after, before */
	int64_t before_ms;
	uint64_t before_no;
};
/*
 * Part 0 of the next trace that fits. ERR_NOT_FOUND at the end; ERR_BUSY: looked at TRACE_LOOKS_MAX
 * others and none fitted, call again when others had their turn.
 */
#define TRACE_LOOKS_MAX 5000
MUST_CHECK enum err trace_search(
	struct snapshot *snap, struct trace_query *query, struct trace *out);

struct refusal {
	int64_t hour_ms; /* start of the hour */
	struct span address, service, reason;
	uint64_t count;
	int64_t first_ms, last_ms;
	struct span sender, recipient; /* of the last one */
};
extern const struct field_table refusal_table;
/*
 * Count COUNT refusals of the kind that T shows: t->peer, t->service and t->text, the reason, which
 * must be the same words for the same kind, without addresses or figures. The first
 * REFUSALS_IN_FULL of the hour are written as traces under T->message_no too: *in_full says so, and
 * only then is the number used up. Meant to ride with another commit (H88).
 */
MUST_CHECK enum err trace_refuse(
	struct txn *txn, const struct trace *t, uint64_t count, bool *in_full);
/* Newest hour first: the next before *AT, which moves on; start with all zero. */
struct refusal_at {
	uint32_t hour;
	uint64_t hash;
};
MUST_CHECK enum err refusal_prev(
	struct snapshot *snap, struct refusal_at *at, struct refusal *out);

struct trace_counts {
	uint64_t rows, bytes;
	int64_t oldest_ms; /* start of the oldest hour; 0 where there is none */
};
MUST_CHECK enum err trace_count(struct snapshot *snap, struct trace_counts *out); /* O(1) */
/*
 * Remove what arrived before KEEP_FROM_MS, and the oldest hours while all take more than MAX_BYTES:
 * one slice of a patient job; *more: call again.
 */
MUST_CHECK enum err traces_prune(
	struct txn *txn, int64_t keep_from_ms, uint64_t max_bytes, bool *more);

#endif
