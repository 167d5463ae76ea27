/*
 * outgoing_inside.h - what the files of outgoing share: outgoing.c (life, what deliveries tell), outgoing_turns.c
 * (who gets a connection), outgoing_watch.c (who waits too long), outgoing_scan.c (the due index),
 * outgoing_flush.c (what waits for a destination that cannot be reached), outgoing_look.c (what is shown).
 */
#ifndef SERVER_QUEUE_OUTGOING_INSIDE_H
#define SERVER_QUEUE_OUTGOING_INSIDE_H

#include "conf/conf.h"
#include "server/net/loop.h"
#include "server/queue/delivery.h"
#include "server/queue/outgoing.h"
#include "server/queue/route_records.h"
#include "server/queue/store_forward.h"
#include "store/queued.h"

struct outgoing {
	struct host *host; /* the front loop's */
	struct lanes lanes;
	struct tls_client *roots;
	struct list deliveries; /* struct delivery.all_link; the oldest first */
	struct list probes;	/* likewise, of tests */
	struct list idle_ones;	/* struct delivery.idle_link; who has waited longest first */
	struct list asking;	/* struct delivery.link: they have asked, and too much is not settled */
	unsigned connections;
	unsigned paused;	/* how many want no new connection just now */
	struct route_records *records;
	unsigned doubtful;	/* of these: to destinations that were slow, or failed, or say nothing */
	unsigned stuck;		/* of these: that wait for the answer to a text, so they cannot be given up */
	unsigned leaving;	/* of these: that were told to end for lack of use */
	unsigned of_loop[LOOP_MAX]; /* connections of each */
	unsigned turns;		/* how many have been taken */
	size_t unsettled;	/* messages that were given to deliveries, and whose outcome is not on disk */
	unsigned flushes;	/* jobs under way that defer what waits */
	bool ending;
	/* The place of reading. */
	struct queued_due at;
	bool scans, stopped; /* a slice is posted; it stopped for lack of room */
	uint64_t half_read;  /* the entry of which the next slice may add more; 0: none */
	bool left;	     /* rows were left out for lack of room in their lane, the first of them behind: */
	struct queued_due left_at;
	struct loop_timer due;	/* the next row's time */
	struct loop_timer watch;
	struct loop_timer look; /* the whole index again */
	struct loop_timer disk_look;
	int64_t disk_free, disk_seen_ms; /* bytes; when that was (steady, 0: never) */
	bool disk_low, disk_halts; /* halts: a connection found too little room, so none is begun for a while */
	struct queued seen;	/* the last entry that was looked at; id 0: none */
	char sender[QUEUED_ADDRESS_MAX];
	_Atomic bool kicked, look_again;
};

/* ---- outgoing_scan.c ---- */

/* Read the due index from the place of reading on, a slice a turn. */
void outgoing_scan(struct outgoing *all);
/* From its begin. */
void outgoing_scan_all(struct outgoing *all);

/* LANE has room again: read what was left out. */
void outgoing_scan_left(struct outgoing *all, struct lane *lane);
/* There is room again in memory. */
void outgoing_scan_on(struct outgoing *all);

/* ---- outgoing_hold.c ---- */

/* May mail of ROUTE that arrived then leave now? LAN hops always may (LAN-08). */
bool outgoing_goes(const struct outgoing *all, struct span route, int64_t arrived_ms);
/* D has ended: its connection is told how. */
void outgoing_tell(struct outgoing *all, const struct delivery *d);

/* ---- outgoing_flush.c ---- */

/* LANE rests: what waits there is noted as not delivered. */
void outgoing_flush(struct outgoing *all, struct lane *lane);
/* D could not reach a server: its lane rests, or has reached its ceiling. */
void outgoing_rest(struct outgoing *all, struct lane *lane, const struct delivery *d);
bool outgoing_rests(const struct outgoing *all, const struct lane *lane);

/* ---- outgoing_turns.c ---- */

/* D goes by the route, or to the LAN target, of that NAME. False: there is none. */
bool outgoing_route(const struct outgoing *all, struct delivery *d, struct span name);
/* What was added to LANE may go: to who waits there, or the lane stands in a line. */
void outgoing_filled(struct outgoing *all, struct lane *lane);
/* Something changed for LANE: it stands in the line where it belongs. */
void outgoing_stand(struct outgoing *all, struct lane *lane);
void outgoing_pump(struct outgoing *all); /* connections for the lanes that want one */
bool outgoing_is_full(const struct outgoing *all);
bool outgoing_lanes_wait(const struct outgoing *all); /* that could be served if it were not full */
bool outgoing_owes(const struct outgoing *all); /* too much is sent and not on disk */
void outgoing_group_limits(const struct outgoing *all, struct lane_group *group);
void outgoing_limits(struct outgoing *all);	/* the settings have changed */
/* A connection of GROUP has ended: the next lane of its line. */
void outgoing_line_moves(struct outgoing *all, struct lane_group *group);
/* The next message of its lane to D, which asked; or it waits for one. */
void outgoing_feed(struct outgoing *all, struct delivery *d);
/* Connections that wait for a message, made by settings that are no longer in force, end. */
void outgoing_end_old(struct outgoing *all);
/* D is told: BATCH, or the end. */
void outgoing_answer(struct outgoing *all, struct delivery *d, struct item *batch);

/* ---- outgoing_watch.c ---- */

void outgoing_watch(struct outgoing *all); /* begin, where it does not run */
void outgoing_on_watch(struct loop_timer *timer);
void outgoing_end_idle(struct outgoing *all); /* those that wait too long; at the end all */
/* D is (no longer) one of those that may not take all connections. */
void outgoing_doubt(struct outgoing *all, struct delivery *d, bool doubtful);

/* ---- outgoing.c ---- */

/* ---- outgoing_disk.c ---- */

void outgoing_disk_init(struct outgoing *all);
/* Is there room on the disk of the store to begin a connection, or, DURING one, a message (OUT-22)? */
bool outgoing_disk_allows(struct outgoing *all, bool during);
/* Why not, into TEXT; false: there is. */
bool outgoing_disk_why(const struct outgoing *all, char *text, size_t size);

/* ---- outgoing.c ---- */

void outgoing_expect(struct outgoing *all, int64_t due_ms); /* wall clock: look then */

#endif
