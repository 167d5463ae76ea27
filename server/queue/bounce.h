/*
 * bounce.h - who is told what became of a message, and who is not.
 *
 *     on the loop       bounce_ground_init()                 holds the configuration, asks the clock
 *     in apply()        bounce_for(txn, ground, &bounce)     the report is written, or decided against,
 *                                                            in the transaction that notes the outcome
 *     in done()         bounce_ground_fini()
 *
 * A report goes through the pipeline like any message, but on the writer thread and by the transaction's
 * own view (the pipeline is a function of values): a local author has it in his folder, another one in
 * the queue, with the outcome, or there is neither. It comes from Mailer_Daemon@<default domain> with a
 * null reverse-path (OUT-20, HDR-09). One report tells of all recipients of one outcome (OUT-19).
 *
 *     author       null                     a report of ours goes to the Main Administrator, once (H15);
 *                                           that one is held when it fails too. Nothing about a recipient
 *                                           unknown here (ADM-07)
 *                  a robot, ours or a list's   nobody (ADM-07)
 *                  forged, as SPF says      nobody (H14)
 *                  unknown here, refused    the Main Administrator in his place
 *     NOTIFY       NEVER: nobody; unsaid: FAILURE and DELAY (RFC 3461, 4.1)
 */
#ifndef SERVER_QUEUE_BOUNCE_H
#define SERVER_QUEUE_BOUNCE_H

#include "server/host.h"
#include "server/pipeline/note.h"
#include "store/queued.h"

struct generation;

#define BOUNCE_RECIPIENTS_MAX 1000  /* of one report */
#define BOUNCE_HEADER_MAX 65536     /* bytes of a header that a report returns; the rest is cut */

/* What writing on the writer thread needs of a loop. Not to be moved. */
struct bounce_ground {
	struct host host; /* conf and store alone: what any thread may look at */
	struct generation *generation;
	struct arena arena;
	struct span hostname, domain, daemon; /* daemon: Mailer_Daemon@domain */
	int64_t now_ms;
	int zone_minutes;
};

/* Loop thread of HOST. It holds the configuration of now until fini, which any thread may call. */
void bounce_ground_init(struct bounce_ground *g, struct host *host);
void bounce_ground_fini(struct bounce_ground *g);

enum bounce_kind {
	BOUNCE_FAILED,    /* a permanent reply, no route fits, or the time is over (OUT-17) */
	BOUNCE_DELAYED,   /* not yet; by outgoing.warnings, one a message (OUT-17, 18) */
	BOUNCE_SENT,      /* the next hop took it: NOTIFY=SUCCESS (OUT-21), transmission receipts (HDR-07) */
	BOUNCE_DELIVERED, /* it is in a folder here */
	BOUNCE_EXPANDED,  /* it went to several: a list, a group, a forwarding */
};

struct bounce_recipient {
	struct span address, orcpt; /* of struct queued_recipient */
	uint32_t notify;            /* enum queued_notify */
	unsigned code;       /* of the remote's reply; 0: nobody answered, `reply` is our reason */
	struct span status;  /* "5.1.1", "4.4.7"; may be empty */
	struct span reply;   /* what it said without the code, or why */
	struct span remote;  /* "mx.example.net 192.0.2.1:25"; empty where nobody answered */
	bool transport;      /* the connection failed, not the message: OUT-24 */
	int64_t last_try_ms; /* 0: never */
};

/* What the report returns of the message, where it does not lie in the store yet. */
struct bounce_original {
	struct span header, body; /* body: its front */
	uint64_t body_size;       /* all of it */
};

struct bounce {
	enum bounce_kind kind;
	const struct queued *queued; /* queue_id is the number of its trace; sender, ret, envid, ... */
	const struct bounce_recipient *recipients;
	size_t count;                /* at most BOUNCE_RECIPIENTS_MAX */
	bool remote_has_dsn;         /* BOUNCE_SENT: it was passed on, and reports itself */
	bool lan;                    /* BOUNCE_SENT: to a server of our own, not to the Internet (HDR-07) */
	bool unknown;                /* BOUNCE_FAILED: nobody here has that name (SMT-12, ADM-06) */
	int64_t retry_until_ms;      /* BOUNCE_DELAYED */
	const struct bounce_original *original; /* NULL: what queued->content_id has */

	/* How it ended. */
	bool held;      /* nobody could be told: the entry is held, do not note its recipients as gone */
	size_t reports; /* that were written */
	size_t queued_count; /* of these, to be sent: the queue has work */
};

/*
 * Write what B asks for, where anybody wants it. On the writer thread, inside apply(), before or after the
 * outcome is noted, but before the last recipient is gone (the text is read from the entry's content).
 * Spans of B may lie in the map: they are copied before the first write. OK also where nobody is told; the
 * trace of the message says which. ERR_BUSY: no number for a message now. ERR_LIMIT, ERR_FULL, ERR_IO.
 */
MUST_CHECK enum err bounce_for(
	struct txn *txn, const struct bounce_ground *g, struct bounce *b);

/* One note on the trace of MESSAGE_NO. OK too where that has gone by age. */
MUST_CHECK enum err bounce_note(struct txn *txn, const struct bounce_ground *g, uint64_t message_no,
	enum note_code code, const struct span values[2]);

/* Would B have anything to do? So that success costs nothing where nobody asks for it. Pure. */
bool bounce_is_wanted(const struct conf *conf, const struct bounce *b);

#endif
