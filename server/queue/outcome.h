/*
 * outcome.h - how a try ended, written for all its recipients in one job (H18).
 *
 * The job is submitted as soon as the last reply is there; the connection goes on meanwhile. It is never
 * given up: where the store has no room it is submitted again, for a message that a server has taken
 * must not be sent twice while we live.
 *
 *   OUTCOME_SENT      the recipient is gone from the queue
 *   OUTCOME_DEFERRED  it is due again by schedule.h; as FAILED where its time is over
 *   OUTCOME_FAILED    gone, and the report about it is written (bounce.h) in the same transaction
 *
 * The delay warning is written here too (OUT-17).
 * Each entry gets one more part of its trace.
 */
#ifndef SERVER_QUEUE_OUTCOME_H
#define SERVER_QUEUE_OUTCOME_H

#include "proto/base/arena.h"
#include "server/net/loop.h"
#include "server/pipeline/note.h"
#include "server/queue/bounce.h"
#include "server/queue/schedule.h"
#include "store/commit.h"

#define OUTCOME_ROWS_MAX 100	/* of one job that defers many entries */
#define OUTCOME_REPORTS_MAX 10	/* of one that fails many, for each may want a report */
#define OUTCOME_NOTES_MAX 4	/* of what was done to the message for this try */
#define OUTCOME_AGAIN_MS 2000	/* until a job that found no room is submitted again */

enum outcome_kind { OUTCOME_SENT, OUTCOME_DEFERRED, OUTCOME_FAILED };

struct outcome_row {
	uint64_t queue_id;
	uint32_t recipient_no;
	enum outcome_kind kind;
	unsigned code;	   /* of the reply; 0: nothing was said, TEXT is our reason */
	struct span enhanced; /* "5.1.1", or empty */
	struct span text;  /* reply without its code, or reason */
	const char *stage; /* what it answered, "RCPT TO"; static; NULL: nothing */
};

struct outcome_note {
	enum note_code code;
	struct span found, because;
};

struct outcome {
	struct arena arena; /* of all spans here */
	struct outcome_row *rows; /* those of one entry are neighbours */
	size_t count;
	struct span route;    /* its name; empty: none fits */
	struct span remote;   /* "mx.example.net 192.0.2.1:25"; empty: none was reached */
	struct span tls;      /* what became of TLS; empty: there was no connection */
	struct outcome_note notes[OUTCOME_NOTES_MAX]; /* for the trace, of the message as a whole */
	size_t note_count;
	bool remote_has_dsn;  /* it sends the reports that were asked for (RFC 3461) */
	int64_t not_before_ms; /* no next try earlier: the destination rests */
	/* On the loop of HOST, when all is on disk; O is freed behind it. May be NULL. */
	void (*done)(struct outcome *o);
	void *arg;

	/* What follows is its own. */
	struct host *host;
	struct store_job job;
	struct loop_timer again;
	struct bounce_ground ground; /* of the time when it was submitted */
	bool reports_queued; /* reports were written that leave */
	int64_t next_try_ms; /* the earliest that was written; 0: none */
	struct schedule schedule; /* of the settings when it was submitted */
};

struct outcome *outcome_new(struct host *host, size_t rows);
void outcome_drop(struct outcome **o); /* nothing is noted */
/* OUTCOME is not the caller's any more; `done` always comes, later, while the loop runs. */
void outcome_submit(struct outcome *o);

/* "mx.example.net 192.0.2.1:25: RCPT TO: 550 5.1.1 nobody", what the queue shows. */
void outcome_text(const struct outcome *o, const struct outcome_row *row, char *text, size_t size);

#endif
