/*
 * outgoing.h - mail leaves: what is due goes into lanes, lanes get connections (house, section 6).
 *
 * Front loop. The due index is read in slices into lanes (lanes.h); each lane in turn gets a connection
 * while there is room for one: first those that have none, then those that would use another. Connections are
 * dealt out to the loops; one that is ready asks here for the next message of its lane, and waits a moment
 * for one before it is closed. What fails for a whole destination is noted for all that waits there, and
 * the destination rests.
 *
 * Nobody holds up the others. Who is slow, failed the last time or says nothing is doubtful, and all of these
 * together get OUTGOING_DOUBT_PERCENT of the connections; who says nothing for OUTGOING_HANGS_MS loses his where
 * others wait and such ones have more than OUTGOING_SILENT_PERCENT, but for one that waits for the answer to a
 * text: giving that up might send it twice, so beyond their share such connections are not counted, as many again
 * at most.
 *
 *   due index --scan--> lane --(a connection)--> delivery --> outcome --> known no more
 *                        ^                          |
 *                        +---- ask, end ------------+
 *
 * Without a route in the file only what goes to a LAN target is touched: all else waits.
 */
#ifndef SERVER_QUEUE_OUTGOING_H
#define SERVER_QUEUE_OUTGOING_H

#include "proto/mail/lan_target.h"
#include "server/host.h"
#include "server/queue/lanes.h"
#include "server/queue/store_forward.h"

struct conf;
struct conf_route;
struct delivery;
struct outcome;
struct outgoing;
struct tls_client;

#define OUTGOING_ITEMS_MAX 200000 /* in memory; the rest stays in the store until there is room */
#define OUTGOING_SCAN_ROWS 400	  /* of the due index in one turn of the loop, and the rest of an entry */
#define OUTGOING_LOOK_MS 60000	  /* the whole due index is read again so often */
#define OUTGOING_BEHIND_MS 60000  /* rows may appear so far behind the place of reading */
#define OUTGOING_IDLE_MS 1000	  /* a connection waits so long for another message */
#define OUTGOING_TURN_MESSAGES 20 /* on one connection while lanes without any wait for one */
#define OUTGOING_TURN_MS 1000	  /* and so long */
#define OUTGOING_NEWEST_TURN 4	  /* each such turn is the one's who came last: he is not behind all the dead */
#define OUTGOING_SLOW_MS 2000	  /* a message, or an answer, that takes longer is slow */
#define OUTGOING_HANGS_MS 10000	  /* who says nothing for so long is given up where others need the connection */
#define OUTGOING_DOUBT_PERCENT 75 /* of all connections, that slow and failing destinations get at most */
#define OUTGOING_SILENT_PERCENT 25 /* of all connections, that such ones keep nevertheless */
#define OUTGOING_CEILING_MS (10 * 60 * 1000) /* a server that took no more connections is not asked for more */
#define OUTGOING_UNSETTLED_MAX 300 /* messages besides those under way whose outcome is not on disk */
#define OUTGOING_RECIPIENTS 1000  /* of one transaction where the route says "any" */
#define OUTGOING_FLUSHES_MAX 4	  /* jobs under way that defer what waits for one destination */
#define OUTGOING_ALL_FLUSHES 20	  /* and for all */
#define OUTGOING_WATCH_MS 250
#define OUTGOING_LAN_GROUP LAN_ROUTE_PREFIX /* all LAN targets share lan.deliveries (LAN-05) */
#define OUTGOING_HOP_PREFIX LAN_ROUTE_PREFIX /* of a recipient's route: HOST[:PORT] itself follows */

/* Front loop; ROOTS may be replaced later. */
struct outgoing *outgoing_start(struct host *front, struct tls_client *roots);
void outgoing_set_roots(struct outgoing *all, struct tls_client *roots); /* takes its own count */
struct tls_client *outgoing_roots(const struct outgoing *all); /* the caller's count; front loop */
/* No message is begun any more; connections end as soon as what they send has been answered. */
void outgoing_end(struct outgoing *all);
bool outgoing_is_over(const struct outgoing *all); /* no connection is left */
void outgoing_free(struct outgoing **all); /* the loops have ended */

/* Any thread: something may be due now. */
void outgoing_kick(struct host *host);
/* Any thread: what is due may be anywhere in the index, and destinations that rest are tried at once. */
void outgoing_look_again(struct host *host);

/* ---- for connections (connect.h); front loop ---- */

/* Is a lane of this route meant? */
typedef bool (*outgoing_filter)(void *arg, struct span route);
enum outgoing_work {
	OUTGOING_IDLE,	/* nothing is due for them */
	OUTGOING_READS, /* the queue is being read, then it is known */
	OUTGOING_BUSY,	/* messages wait, or connections are open */
};
enum outgoing_work outgoing_work(const struct outgoing *all, outgoing_filter mine, void *arg);
/* What waits for them is forgotten until the queue is read again; idle connections end. ALL may be NULL. */
void outgoing_drop(struct outgoing *all, outgoing_filter mine, void *arg);

/*
 * The way out of a recipient: its own, or by the filters. False: none, *why says so. Spans of CONF or of
 * ROUTE_NAME. Pure.
 */
struct way {
	struct span route, hop;
};
bool outgoing_way(const struct conf *conf, struct span sender, struct span recipient,
	struct span route_name, struct way *way, const char **why);
/* The same of store and forward too, which the fields of the user tell: the spans are of ASK then. */
struct way_ask {
	struct span sender, recipient;
	struct span route_name; /* the recipient's own, or empty */
	struct store_forward_way room; /* its own */
};
bool outgoing_way_now(const struct conf *conf, struct snapshot *snap, struct way_ask *ask,
	struct way *way, const char **why);

/*
 * No new connection between the two; front loop. For a change of the file that belongs together with
 * one of the store: a route must not log in before its password is there.
 */
void outgoing_pause(struct outgoing *all);
void outgoing_resume(struct outgoing *all);

/* How a route or LAN target did since the start. Any thread. */
struct route_record;
void outgoing_record(const struct outgoing *all, struct span route, struct route_record *out);
void outgoing_record_note(const struct outgoing *all, const struct outcome *o, int64_t now_ms);

/* Every destination that is known now, in no order; front loop. */
void outgoing_each(const struct outgoing *all, void (*see)(const struct lane *lane, void *arg), void *arg);

/* Does a connection have it at this moment? Until its outcome is on disk. Front loop. */
bool outgoing_sends(const struct outgoing *all, uint64_t queue_id, uint32_t recipient_no);

/* For `status`, `queue show`; front loop. */
struct outgoing_stats {
	size_t items, lanes, resting;
	unsigned connections, slow;
};
struct outgoing_stats outgoing_stats(const struct outgoing *all);
/*
 * Why a recipient that is due was not tried: one line into TEXT, "" where nothing is known. ROUTE is
 * the recipient's own, or empty.
 */
void outgoing_why(const struct outgoing *all, struct span sender, struct span recipient,
	struct span route, char *text, size_t size);

/* ---- for delivery.c: on the front loop, by loop_post() ---- */

/* It is ready: the next message, or wait for one, or the end follows by delivery_take(). */
void outgoing_on_ask(void *delivery);
/* It is over and has been closed; the memory is ours now. */
void outgoing_on_end(void *delivery);
/* delivery_give_up() has been there. */
void outgoing_on_given_up(void *delivery);
/* A chain of items that were settled: *RETURNED is freed. */
struct outgoing_returned {
	struct outgoing *all;
	struct item *chain;
	int64_t next_try_ms; /* when something of them is due again; 0: never */
	struct lane *lane;   /* nothing was said of them: they wait there again; NULL: they were */
};
void outgoing_on_settled(void *returned);

#endif
