/*
 * source.h - where a collection takes its messages from: a POP3 mailbox, an IMAP folder, a folder of files.
 *
 *     start --> ready --> item, item, ... listed --> orders, each with its answer --> close --> over
 *                |                                                                        ^
 *                +-- no connection, no login, cut: at any time -----------------------------+
 *
 * The collection (collection.h) decides what is new, what is fetched and what is removed; a source only speaks
 * with the other side. Orders are answered in the order in which they were given, SOURCE_AHEAD of them under way at most.
 * A source reads no store and keeps nothing. On one loop, all of it; no event comes inside source_start(),
 * an order, or source_close().
 */
#ifndef SERVER_COLLECT_SOURCE_H
#define SERVER_COLLECT_SOURCE_H

#include "conf/conf.h"
#include "server/host.h"

#define SOURCE_AHEAD 64		/* orders given and not answered */
#define SOURCE_UNIQUE_MAX 512	/* bytes of a unique id that count; the rest is cut (RFC 1939, 7: 70) */
#define SOURCE_ITEMS_MAX 1000000 /* messages of one mailbox; more are left for the next time */
#define SOURCE_WHY_SIZE 250	/* of a line for people; with several addresses it names them */
#define SOURCE_ANSWER_SIZE 200	/* of what the other side said: cut and cleaned */
#define SOURCE_COMMAND_SIZE 80	/* of the last command; of PASS and AUTH its word alone (H66) */
#define SOURCE_SIZE_UNKNOWN UINT64_MAX

struct generation;
struct source;

enum source_fault {
	SOURCE_FINE,	      /* closed as asked; what was removed is gone */
	SOURCE_NO_CONNECTION, /* nobody could be reached (TRB-01) */
	SOURCE_NO_TLS,	      /* or not as the file wants it (H68) */
	SOURCE_NO_LOGIN,      /* the account was refused, or no way to log in */
	SOURCE_LOCKED,	      /* somebody else is in the mailbox: another time (INM-30) */
	SOURCE_REFUSED,	      /* an error answer that ends it (TRB-02) */
	SOURCE_LOST,	      /* the connection broke, or nothing came in time (TRB-02) */
	SOURCE_NONSENSE,      /* what it says cannot be understood, or is over a limit */
	SOURCE_OWN,	      /* our side: no descriptor, no memory, no token */
};

/* How far it came on its way to the server. */
enum source_way {
	SOURCE_BEGUN, /* of a folder of files: all of it */
	SOURCE_WANTS_TOKEN,
	SOURCE_LOOKS_UP,
	SOURCE_DIALS,
	SOURCE_CONNECTED,
};

/* Why it ended. All text is clean and holds no secret. */
struct source_problem {
	enum source_fault fault;
	enum source_way way;
	unsigned addresses; /* that the name of the server has; 0: it is one, or a proxy looks it up */
	bool removed_unsure; /* removals were asked for and their end is not known */
	char why[SOURCE_WHY_SIZE];	  /* one line for people; "" where SOURCE_FINE */
	char answer[SOURCE_ANSWER_SIZE];  /* what it said last; or "" */
	char command[SOURCE_COMMAND_SIZE]; /* the last command; or "" */
	char remote[SOURCE_ANSWER_SIZE];  /* "pop.isp.test 192.0.2.7:110" */
	char tls[SOURCE_ANSWER_SIZE];	  /* "TLSv1.2 ..., verified"; "in clear" */
};

/* After the login. */
struct source_offer {
	uint64_t count, bytes; /* SOURCE_SIZE_UNKNOWN: not said */
	bool has_sizes;	       /* of each item, before it is fetched (INM-25) */
	bool has_unique;       /* each item has a unique id; false may turn out only at `listed` */
	bool has_head;	       /* SOURCE_HEAD is worth a try */
	uint32_t epoch;	       /* UIDVALIDITY: in another one the same messages have other unique ids; 0: there is no such thing */
	const char *remote, *tls; /* for traces, as in source_problem; they live as long as the source; NULL: "" */
};

struct source_item {
	uint32_t number;    /* by which orders name it: message number, UID, place */
	uint64_t size;	    /* bytes; SOURCE_SIZE_UNKNOWN */
	struct span unique; /* empty: none. Lives for the call */
	bool unwanted;	    /* it is there, but not to be fetched: seen, where the file says `unseen_only` */
};

enum source_order {
	SOURCE_HEAD,   /* the header, without being fetched (TOP n 0) */
	SOURCE_FETCH,  /* all of it */
	SOURCE_REMOVE, /* when the source is closed at the latest; SOURCE_FINE says that it is so */
	SOURCE_KEEP,   /* IMAP: mark it as seen; others: nothing */
};
enum source_result {
	SOURCE_DONE,
	SOURCE_GONE,	/* it is not there (any more); the others are not touched by it */
	SOURCE_CANNOT,	/* the other side cannot do that at all: TOP, for instance */
	SOURCE_FAILED,	/* an error answer to this order alone */
	SOURCE_BROKEN,	/* it is there, and is no message: it is set aside */
};

struct source_events {
	void (*ready)(struct source *s, const struct source_offer *offer);
	void (*item)(struct source *s, const struct source_item *item);
	void (*listed)(struct source *s, bool has_unique);
	/*
	 * Text of the oldest order without an answer, HEAD or FETCH: as it is stored, CRLF lines, no dots. False: not
	 * taken; the source stops reading and offers the same again after source_resume().
	 */
	bool (*text)(struct source *s, uint32_t number, struct span text);
	/* ANSWER is clean; of FETCH the text is whole where SOURCE_DONE. */
	void (*answered)(struct source *s, uint32_t number, enum source_order order,
		enum source_result result, struct span answer);
	/* IMAP IDLE: there may be new mail; the list may be asked for anew. */
	void (*news)(struct source *s);
	/* Once, and nothing after it; source_free() from now on. */
	void (*over)(struct source *s, const struct source_problem *problem);
};

struct source_kind; /* the functions of one kind, in its file */
extern const struct source_kind source_pop3, source_imap, source_spool;

/* The begin of each kind's own struct. */
struct source {
	const struct source_kind *kind;
	const struct source_events *events;
	void *holder;
	struct host *host;
	const struct conf_collector *conf; /* of GENERATION */
	struct generation *generation;	   /* held */
	uint64_t bytes_in;		   /* from the network, for progress */
	bool hurries;			   /* somebody waits for a test: each address once. Before source_start() */
	unsigned ahead;			   /* orders that may be given now in all; 1 without pipelining */
	/* Of the message whose text comes, or came last: its envelope, where the server tells it (INM-18); ptr NULL: not known. */
	struct span envelope_from, envelope_to;
};

/* By the kind that CONF says; NULL: there is no such source (kind smtp). GENERATION is held by it. */
struct source *source_new(struct host *host, struct generation *generation,
	const struct conf_collector *conf, const struct source_events *events, void *holder);
void source_start(struct source *s);
void source_list(struct source *s); /* after `ready`, and again after `news`; then `item`s and `listed` */
void source_order(struct source *s, enum source_order order, uint32_t number);
void source_resume(struct source *s); /* text is wanted again */
void source_idle(struct source *s);   /* nothing is under way: wait for `news` (IMAP; others: no effect) */
void source_close(struct source *s);  /* what was ordered is finished, removals settled; `over` follows */
void source_cut(struct source *s);    /* at once, nothing is removed that was not; `over` follows */
void source_free(struct source **s);  /* not inside an event; at any time */

#endif
