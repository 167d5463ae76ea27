/*
 * intake.h - one message from its first byte to the disk; the one door by which mail enters.
 *
 * An intake owns a transaction: its arena, its mail and its plan. The holder asks the pipeline,
 * feeds the text as it comes, and submits. One store_job then writes body, content, a copy for each
 * local user, queue rows for the rest and the trace; `done` comes when all of that is on disk (H40),
 * or nothing of it.
 *
 *     open --text--> text_end --> submit --> done --> drop
 *                      |                               ^
 *                      +-- (peer gone, refused) -------+
 *
 * Up to INTAKE_PIECE of a body wait in memory; of a larger one whole pieces go to the writer as they
 * come, without an owner (docs/queue-states.md, Q1). The bytes that all intakes hold are counted
 * against limits.memory_in_flight.
 */
#ifndef SERVER_QUEUE_INTAKE_H
#define SERVER_QUEUE_INTAKE_H

#include "server/archive/archive_write.h"
#include "server/host.h"
#include "server/net/loop.h"
#include "server/pipeline/pipeline.h"
#include "store/body_joins.h"
#include "store/commit.h"
#include "store/contents.h"
#include "store/fetched.h"

#define INTAKE_PIECE (1024 * 1024) /* bytes of one job of a large body, about */
#define INTAKE_JOBS_MAX 2          /* such jobs under way for one message */
#define INTAKE_ROOM_POLL_MS 20     /* how often one that waits for memory looks again */
#define INTAKE_TRACE_MAX 65536     /* bytes of recipients that a trace is given */

struct forward;
struct intake;
struct mime_parser;
struct intake_reports;
struct refusals_batch;
struct queued_recipient;

/* What an entry of the queue is for; entries are made in this order. */
enum intake_entry_kind {
	ENTRY_OUTGOING, /* to the Internet, and all others where the content is the same */
	ENTRY_LAN,      /* by LAN rules: without what is changed for the Internet (OUT-10) */
	ENTRY_HELD,     /* to the Internet, held (limits.user_recipients_hour) */
	ENTRY_FORWARD,  /* store and forward: a pair with what is in a mailbox (forwards.h) */
	ENTRY_ROLE,     /* nobody's who was addressed: for a monitor, the journal */
	ENTRY_KINDS,
};
/* One entry that a message becomes: recipients with one content, one sender, one end in case of failure. */
struct intake_entry {
	enum intake_entry_kind kind;
	uint64_t queue_id; /* the first has the message's own number */
	size_t from, count; /* of intake.queued */
	size_t content;     /* of intake.contents */
	const struct plan_copy *copy; /* the first: role, sender and report are the same in all */
};

/* A collected message is known as fetched in the transaction that stores it (INM-03). */
struct fetched_order {
	uint64_t collector_id;
	struct fetched row;
};

/* A header and a body that somebody gets: what came, or a version of it (plan.h). */
struct intake_content {
	const struct plan_version *version; /* NULL: as it came, under HEADER */
	struct span header, derived;
	uint64_t size;           /* of its body */
	uint64_t owners;         /* copies in folders and entries */
	struct span *texts;      /* of a version: the bytes that it adds, together one body */
	size_t text_count;
	struct body_slice *slices; /* and how it is made of that (member 1) and what came (member 0) */
	size_t slice_count;      /* 0: it is what came */
	bool needs_body;         /* there is something of what came in it */
	bool left_out;           /* the writer's: nobody gets it after all */
	struct content row;      /* the writer's */
};

struct intake_events {
	/*
	 * The plan is carried out and durable; or ERR_FULL, ERR_BUSY, ERR_IO: nothing of it is. ERR_NOT_FOUND,
	 * by LMTP alone: neither, for a mailbox of the plan has gone; with another plan it may be
	 * submitted again.
	 */
	void (*done)(struct intake *in, enum err result);
	/* intake_gather() said false, and would now say true. */
	void (*gathered)(struct intake *in);
	/* intake_text() said ERR_BUSY and may be tried again. NULL: it is just tried again. */
	void (*room)(struct intake *in);
	/*
	 * Not NULL: no plan is carried out. The text is whole and what was given to the writer of it is on
	 * disk, or RESULT says why not; the holder writes it by intake_write_content() in a job of its own and
	 * then calls intake_written(), in any case. `done` does not come. May come inside intake_submit().
	 */
	void (*whole)(struct intake *in, enum err result);
};

struct intake {
	struct arena arena; /* the transaction's */
	struct mail mail;
	struct plan plan;
	void *holder; /* the caller's own */
	const struct fetched_order *fetched; /* the caller's, in `arena`, before submit: written with it; or NULL */
	enum err (*beside)(void *arg, struct txn *txn); /* likewise: on the writer's thread, perhaps more than once; or NULL */
	void *beside_arg;

	/* What follows is intake's own. */
	struct host *host;
	const struct intake_events *events;
	struct header_end header_end;
	struct buf header;
	struct list blocks;     /* of the body, in order */
	size_t held;            /* bytes counted against limits.memory_in_flight */
	uint64_t body_size;     /* that came */
	bool has_8bit;          /* in the body */
	struct archive_digest digest; /* of the body, where archive.on is set */
	struct archive_digest kept;   /* of what the archive keeps, where that was hashed later (intake_digest.h) */
	uint64_t flushed;       /* of it, given to the writer */
	struct mime_parser *parser; /* of what came */
	struct buf derived;     /* the record it made */
	unsigned jobs;          /* under way: pieces and the last one */
	enum err failed;        /* of a piece */
	bool waits, gathers, dropped, submitted;
	struct loop_timer room;

	/* Between submit and done these are the writer's. */
	struct store_job job;
	uint64_t body_id;
	struct span *spans; /* what is held of the body */
	size_t span_count;
	struct queued_recipient *queued;
	size_t queued_count;
	struct intake_entry *entries; /* together all of `queued` */
	size_t entry_count;
	struct intake_content *contents;
	size_t content_count;
	struct forward *forwards; /* by the recipients of ENTRY_FORWARD, which are together too, */
	size_t forwards_from, forwards_count; /* of `queued` */
	struct span held_why;
	size_t placed_count; /* copies for folders of recipients */
	struct archive_order *archive; /* NULL: the archive does not keep it */
	size_t archive_content; /* of intake.contents */
	struct buf recipients, subject; /* for the trace */
	char *notes;
	size_t notes_len;
	struct span admin; /* whose INBOX takes what lost its own */
	struct refusals_batch *refusals;
	struct intake_reports *reports; /* intake_report.h; NULL: there is nothing to tell */
	size_t reports_queued;
};

/*
 * A transaction begins. Loop thread of HOST, as all else here. EVENTS must outlive IN; HOLDER is the
 * caller's. mail and plan are empty but for their arena.
 */
struct intake *intake_open(struct host *host, const struct intake_events *events, void *holder);

/*
 * Text of the message as it is stored (no dots), in pieces of any size, header first. ERR_BUSY:
 * nothing was taken; again after `room`. A header over limits.header_size is remembered in mail, and
 * refused by the pipeline AT_END; the rest is passed over.
 */
MUST_CHECK enum err intake_text(struct intake *in, struct span text);

/*
 * The text has ended: fills mail.header, facts, size, message_no, id, arrived_ms and zone_minutes,
 * so that the pipeline can be asked AT_END. ERR_BUSY: no number to be had now.
 */
MUST_CHECK enum err intake_text_end(struct intake *in);
/*
 * After it: true, mail.body can be read now. False: pieces of a large body are on their way to the disk;
 * `gathered` follows, and this is to be asked again.
 */
bool intake_gather(struct intake *in);

/* The same for a message that no pipeline is asked about: header and size alone. */
void intake_text_close(struct intake *in);

/* Carry out the plan; `done` follows, always and later. With `whole` that comes instead. */
void intake_submit(struct intake *in);
void intake_written(struct intake *in, enum err result); /* after `whole` */

/*
 * The holder lets go, at any time, also inside an event. What was written without an owner is given
 * up; a message already submitted is still written, and no event comes. NULLs *in.
 */
void intake_drop(struct intake **in);

#endif
