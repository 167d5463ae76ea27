/*
 * intake.h - one message from its first byte to the disk; the one door by which mail enters.
 *
 * An intake owns a transaction: its arena, its mail and its plan. The holder asks the pipeline, feeds the
 * text as it comes, and submits. One store_job then writes body, content, a copy for each
 * local user, queue rows for the rest and the trace; `done` comes when all of that is on disk
 * (H40), or nothing of it.
 *
 *     open --text--> text ... --> submit --> done --> drop
 *                      |                              ^
 *                      +-- (peer gone, refused) ------+
 *
 * Up to INTAKE_PIECE of a body wait in memory; of a larger one whole pieces go to the writer as they
 * come, without an owner (docs/queue-states.md, Q1). The bytes that all intakes hold are counted
 * against limits.memory_in_flight.
 */
#ifndef SERVER_QUEUE_INTAKE_H
#define SERVER_QUEUE_INTAKE_H

#include "server/host.h"
#include "server/pipeline/pipeline.h"

#define INTAKE_PIECE        (257 * 4072) /* bytes of one job of a large body, about 1 MiB */
#define INTAKE_JOBS_MAX     2            /* such jobs under way for one message */
#define INTAKE_ROOM_POLL_MS 20           /* how often one that waits for memory looks again */

struct intake;

struct intake_events {
	/* The plan is carried out and durable, or ERR_FULL, ERR_BUSY, ERR_IO and nothing is. */
	void (*done)(struct intake *in, enum err result);
	/* intake_text() said ERR_BUSY and may be tried again. */
	void (*room)(struct intake *in);
};

struct intake {
	struct arena arena; /* the transaction's */
	struct mail mail;
	struct plan plan;
	void *holder;       /* the caller's own */
	/* what follows is intake.c's */
	struct host *host;
	const struct intake_events *events;
	struct header_end header_end;
	struct buf header;
	struct intake_body *body;
	struct intake_job *final;
	bool failed_limit, dropped, submitted;
};

/* A transaction begins. Loop thread of HOST, as all else here. HOLDER is for the events. */
struct intake *intake_open(struct host *host, const struct intake_events *events, void *holder);

/*
 * Text of the message, in pieces of any size, header first. ERR_BUSY: nothing was taken, wait for
 * `room`. ERR_LIMIT: the header is over limits.header_size: refuse the message, drop the rest.
 */
MUST_CHECK enum err intake_text(struct intake *in, struct span text);

/*
 * The text has ended: fills mail.header, facts, size, message_no, id and arrived_ms, so that the
 * pipeline can be asked AT_END. ERR_BUSY: no number to be had now.
 */
MUST_CHECK enum err intake_text_end(struct intake *in);

/* Carry out the plan; `done` follows, always and later. */
void intake_submit(struct intake *in);

/*
 * The holder lets go, at any time, also inside an event. What was written without an owner is given
 * up; a message already submitted is still written, and no event comes. NULLs *in.
 */
void intake_drop(struct intake **in);

/* Message bytes that all intakes of the process hold now, for `status`. */
size_t intake_memory_held(const struct host *host);

#endif
