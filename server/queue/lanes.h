/*
 * lanes.h - what is due now, in memory: one queue for each destination, so that none waits for another.
 *
 * An item is one recipient that is due; it costs LANE_ITEM_SIZE bytes, the message stays in the store
 * (H37). A lane is a route and, for direct delivery, the recipient's domain. It says how many
 * connections it may have (one, until a server has answered) and until when it rests after a failure.
 * An item is known from the moment it is added until it is forgotten, also while a delivery has it, so
 * that the due index can be read again at any time.
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
#define LANE_WHY_SIZE 300

struct item {
	struct item *next;	/* in its lane, or in the batch of a delivery */
	struct item *hash_next; /* among the known */
	uint64_t queue_id;
	uint32_t recipient_no;
};
#define LANE_ITEM_SIZE sizeof(struct item)

struct lane {
	struct list turn; /* in lanes.ready, when it may want a connection */
	struct list all;  /* in lanes.lanes */
	struct lane *hash_next;
	struct span route, hop; /* names; the hop is empty for a relay. Behind the struct */
	struct item *first, **last;
	size_t waiting;	      /* items in it */
	unsigned connections; /* that it has, idle ones and such under way included */
	unsigned connecting;  /* of these, without an answer yet */
	unsigned limit;	      /* that it may have now */
	unsigned flushes;     /* jobs under way that defer items of it */
	struct list idle;     /* deliveries that wait for an item */
	/* After a failure: */
	unsigned failures;     /* in a row */
	int64_t rests_until_ms; /* wall clock; 0: it does not */
	bool fails;	       /* what waits is refused for good, not deferred */
	unsigned code;
	char enhanced[12], why[LANE_WHY_SIZE], remote[LANE_WHY_SIZE], tls[LANE_WHY_SIZE];
	const char *stage;
};

struct lanes {
	struct lane **table;
	struct item **known;
	size_t table_size, known_size; /* powers of 2 */
	size_t lane_count, item_count;
	struct list lanes, ready;
};

void lanes_init(struct lanes *l);
void lanes_fini(struct lanes *l);

/* Made where there is none. */
struct lane *lane_of(struct lanes *l, struct span route, struct span hop);
/* NULL: there is none. */
struct lane *lane_find(const struct lanes *l, struct span route, struct span hop);
bool item_is_known(const struct lanes *l, uint64_t queue_id, uint32_t recipient_no);
/* At the end of LANE; it must not be known. */
void item_add(struct lanes *l, struct lane *lane, uint64_t queue_id, uint32_t recipient_no);

/* The first item and those behind it of the same entry, MAX at most; NULL where none waits. */
struct item *lane_take(struct lane *lane, size_t max);
/* MAX items at most, of any entries. */
struct item *lane_take_any(struct lane *lane, size_t max);
/* A chain that lane_take() gave comes back to the front. */
void lane_give_back(struct lane *lane, struct item *chain);
/* They are not known any more, and freed. */
void items_forget(struct lanes *l, struct item *chain);
size_t items_count(const struct item *chain);

/* It may want a connection: last in the row of those (no effect where it stands there). */
void lane_stand(struct lanes *l, struct lane *lane);
/* Free the lanes that have nothing and have rested for LANES_KEEP_MS at NOW_MS. */
void lanes_sweep(struct lanes *l, int64_t now_ms);

#endif
