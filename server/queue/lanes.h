/*
 * lanes.h - what is due now, in memory: one queue for each destination, so that none waits for another.
 *
 * An item is one recipient that is due; it costs LANE_ITEM_SIZE bytes, the message stays in the store
 * (H37). A lane is a route and, for direct delivery, the recipient's domain. It says how many
 * connections it may have (one, until a server has answered) and until when it rests after a failure.
 * Lanes that share a limit, those of one route and those of all LAN targets, are of one group.
 * An item is known from the moment it is added until it is forgotten, also while a delivery has it, so
 * that the due index can be read again at any time.
 *
 * A lane with work stands in one line at most:
 *
 *   first     it has no connection; these are served before all others
 *   more      it has some and would use another one
 *   doubtful  it was slow, or failed: together these never get all connections
 *   paced     its rate says: not yet
 *   refused   it rests: what waits is noted as not delivered
 *   (of its group)  the group has all it may have
 *
 * Values and lists only: no clock, no store, no socket. Front loop.
 */
#ifndef SERVER_QUEUE_LANES_H
#define SERVER_QUEUE_LANES_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/err.h"
#include "proto/base/list.h"
#include "proto/base/span.h"

#define LANES_KEEP_MS (60 * 60 * 1000) /* an empty lane remembers its failures so long */
#define LANES_MAX 50000		       /* destinations in memory, those that are remembered included */
#define LANE_ITEMS_MIN 100	       /* that a lane may always hold; more while there is room */
#define LANE_WHY_SIZE 300
#define PACE_BEHIND_US 1000000 /* so much of what a rate allowed may be caught up */

struct item {
	struct item *next;	/* in its lane, or in the batch of a delivery */
	struct item *hash_next; /* among the known */
	uint64_t queue_id;
	uint32_t recipient_no;
	bool is_given; /* a delivery has it */
};
#define LANE_ITEM_SIZE sizeof(struct item)

#define LANE_SIZES 24 /* classes of size, each twice as large as the one before; the first is 1 kB */

struct item_line {
	struct item *first, **last;
};

struct item_name {
	uint64_t queue_id;
	uint32_t recipient_no;
};

/* When the next message may go where a rate is set. */
struct pace {
	int64_t next_us; /* wall clock */
};
bool pace_allows(struct pace *pace, int64_t per_minute, int64_t now_ms); /* 0 a minute: no rate */
void pace_note(struct pace *pace, int64_t per_minute, int64_t now_ms);	 /* a message goes */

/* What lanes share. Lives as long as the lanes. */
struct lane_group {
	struct lane_group *next;
	const struct lanes *lanes;
	struct span name; /* of the route; LAN_ROUTE_PREFIX. Behind the struct */
	unsigned connections;
	unsigned limit;	   /* of these; 0: none */
	int64_t rate;	   /* messages a minute of all its lanes together; 0: any */
	int64_t lane_rate; /* and of each */
	struct pace pace;
	struct list line; /* lanes that want a connection, when one of the group has ended */
	struct list idle; /* deliveries that wait for an item, who has waited longest first */
};

/* Why a lane rests. */
struct lane_failure {
	bool fails; /* what waits is refused for good, not deferred */
	unsigned code;
	char enhanced[12], why[LANE_WHY_SIZE], remote[LANE_WHY_SIZE], tls[LANE_WHY_SIZE];
	const char *stage;
};

struct lane {
	struct list turn; /* in one of the lines, or in none */
	struct list filled_link; /* in `filled`, while items are being added */
	struct lane *hash_next;
	struct lane_group *group;
	struct span route, hop; /* names; the hop is empty for a relay. Behind the struct */
	struct item_line line;
	struct item_line *sizes; /* LANE_SIZES of them, taken when `line` is empty; NULL: none was needed */
	struct list idle;      /* deliveries that wait for an item */
	struct lane_failure *failure; /* the last one; NULL: there was none */
	int64_t rests_until_ms; /* wall clock; 0: it does not; INT64_MAX: for ever */
	int64_t ceiling_until_ms; /* the server took no more than `ceiling` at one time */
	struct pace pace;
	uint64_t newest_id;   /* the entry of the item that was added last */
	unsigned waiting;     /* items in it */
	unsigned connections; /* that it has, idle ones and such under way included */
	unsigned connecting;  /* of these, without an answer yet */
	unsigned limit;	      /* that it may have now */
	unsigned ceiling;
	unsigned flushes;  /* jobs under way that defer items of it */
	unsigned failures; /* in a row */
	unsigned rested;   /* the value of `epoch` when it failed: tried at once when that has moved on */
	bool slow;	   /* the last message took long, or something has not been answered for long */
	bool in_first;	   /* the line it stands in is `first` */
	bool left_out;	   /* there were rows of it for which it had no room */
};

struct lanes {
	struct lane **table;
	struct item **known;
	size_t table_size, known_size; /* powers of 2 */
	size_t lane_count, item_count, first_count, swept;
	unsigned epoch;
	struct lane_group *groups;
	struct list first, more, doubtful, paced, refused;
	struct list filled; /* lanes with items that nobody was told of yet */
};

void lanes_init(struct lanes *l);
void lanes_fini(struct lanes *l);

/* Made where there is none, in the group of that name. */
struct lane *lane_of(struct lanes *l, struct span group, struct span route, struct span hop);
/* Each lane; none may be added or freed meanwhile. */
#define lanes_for_each(lane, l)                                                                    \
	for (size_t place_ = 0; place_ < (l)->table_size; place_++)                                \
		for ((lane) = (l)->table[place_]; (lane); (lane) = (lane)->hash_next)
/* NULL: there is none. */
struct lane *lane_find(const struct lanes *l, struct span route, struct span hop);
/* NULL: not known. */
const struct item *item_find(const struct lanes *l, uint64_t queue_id, uint32_t recipient_no);
/* At the end of LANE, which is then one of `filled`; it must not be known. */
void item_add(struct lanes *l, struct lane *lane, uint64_t queue_id, uint32_t recipient_no);
/* The same, behind those of its class of size and in front of larger ones (OUT-03). */
void item_add_by_size(
	struct lanes *l, struct lane *lane, struct item_name name, uint64_t size_bytes);

/* The entry of which lane_take() gives items; 0: none waits. */
uint64_t lane_next_entry(struct lane *lane);
/* The first item and those behind it of the same entry, MAX at most; NULL where none waits. */
struct item *lane_take(struct lane *lane, size_t max);
/* MAX items at most, of any entries, and of one class of size. */
struct item *lane_take_any(struct lane *lane, size_t max);
/* A chain that lane_take() gave comes back to the front. */
void lane_give_back(struct lane *lane, struct item *chain);
/* They are not known any more, and freed. */
void items_forget(struct lanes *l, struct item *chain);
void lane_forget(struct lanes *l, struct lane *lane); /* all that waits in it */
size_t items_count(const struct item *chain);

struct lane_failure *lane_failure(struct lane *lane); /* made where there is none */
const struct lane_failure *lane_last_failure(const struct lane *lane); /* all empty where there is none */
/* Does it rest at NOW_MS? */
bool lane_rests(const struct lane *lane, int64_t now_ms);
/* How many items it may hold, where MAX may be in memory in all: the less room, the fewer. */
size_t lane_room(const struct lanes *l, size_t max);

/* Last in LINE; no effect where it stands in one already. */
void lane_stand(struct lanes *l, struct lane *lane, struct list *line);
/* The first one of LINE, or the last, taken out; NULL where nobody stands there. */
struct lane *lane_next(struct lanes *l, struct list *line, bool newest);

/*
 * Look at PLACES of the table, round and round: free the lanes that have nothing and have rested for
 * LANES_KEEP_MS at NOW_MS. All of them where PLACES is 0.
 */
void lanes_sweep(struct lanes *l, int64_t now_ms, size_t places);

#endif
