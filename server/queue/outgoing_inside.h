/*
 * outgoing_inside.h - what the files of outgoing share: outgoing.c (connections), outgoing_scan.c (the
 * due index), outgoing_flush.c (what waits for a destination that cannot be reached), outgoing_look.c (what
 * is shown).
 */
#ifndef SERVER_QUEUE_OUTGOING_INSIDE_H
#define SERVER_QUEUE_OUTGOING_INSIDE_H

#include "conf/conf.h"
#include "server/net/loop.h"
#include "server/queue/delivery.h"
#include "server/queue/outgoing.h"
#include "server/queue/route_records.h"
#include "store/queued.h"

struct outgoing {
	struct host *host; /* the front loop's */
	struct lanes lanes;
	struct tls_client *roots;
	struct list deliveries; /* struct delivery.all_link */
	unsigned connections, lan_connections; /* all, and of these to LAN targets */
	unsigned paused; /* how many want no new connection just now */
	struct route_records *records;
	unsigned of_loop[LOOP_MAX]; /* connections of each */
	bool ending;
	/* The place of reading. */
	struct queued_due at;
	bool scans, scan_again; /* a slice is posted; and once more from there */
	struct loop_timer due;	/* the next row's time */
	struct loop_timer idle; /* connections that wait too long */
	struct loop_timer look; /* the whole index again */
	struct queued seen;	/* the last entry that was looked at; id 0: none */
	char sender[QUEUED_ADDRESS_MAX];
	_Atomic bool kicked, look_again;
};

/* ---- outgoing_scan.c ---- */

/* Read the due index from the place of reading on, a slice a turn. */
void outgoing_scan(struct outgoing *all);
/* From its begin. */
void outgoing_scan_all(struct outgoing *all);

/* ---- outgoing_hold.c ---- */

/* May mail of ROUTE that arrived then leave now? LAN hops always may (LAN-08). */
bool outgoing_goes(const struct outgoing *all, struct span route, int64_t arrived_ms);
/* D has ended: its connection is told how. */
void outgoing_tell(struct outgoing *all, const struct delivery *d);

/* ---- outgoing_flush.c ---- */

/* It rests: what waits there is noted as not delivered. */
void outgoing_flush(struct outgoing *all, struct lane *lane);
/* D could not reach a server: its lane rests. */
void outgoing_rest(struct outgoing *all, struct lane *lane, const struct delivery *d);
bool outgoing_rests(const struct outgoing *all, const struct lane *lane);

/* ---- outgoing.c ---- */

void outgoing_expect(struct outgoing *all, int64_t due_ms); /* wall clock: look then */
void outgoing_answer(struct delivery *d, struct item *batch); /* an idle one; NULL: it ends */
void outgoing_pump(struct outgoing *all); /* connections for the lanes that want one */

#endif
