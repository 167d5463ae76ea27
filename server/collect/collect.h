/*
 * collect.h - collectors: mailboxes elsewhere that are fetched (INM), and what is known of each.
 *
 *     a run of a connection, `collect now`, IDLE --> collect_start --> a collection on one of the loops
 *                                                                        |
 *     collect_busy, collect_view_at  <--- what it tells as it goes  <----+--> over
 *
 * One collection of a collector at a time. Front loop, all of it.
 */
#ifndef SERVER_COLLECT_COLLECT_H
#define SERVER_COLLECT_COLLECT_H

#include "conf/conf.h"
#include "server/host.h"

#define COLLECT_AT_ONCE 100	/* collections under way; the others wait their turn */
#define COLLECT_STOP_MS 10000	/* a collection that is told to stop has so long to finish its commits and QUIT */
#define COLLECT_ERROR_SIZE 250
#define COLLECT_BECAUSE_SIZE 120
#define COLLECT_ERRORS_MAX 20	/* kept of one collection, for `collect now --wait` */

struct collect;
struct connection;

struct collect *collect_open(struct host *front);
void collect_end(struct collect *all); /* collections stop */
bool collect_is_over(const struct collect *all);
void collect_close(struct collect **all); /* the loops have ended */
void collect_follow(void *all);		  /* a new generation came to the front loop */

enum collect_state {
	COLLECT_IDLE,
	COLLECT_WAITS,	  /* for its turn */
	COLLECT_CONNECTS, /* names, dialling, TLS, login */
	COLLECT_LISTS,
	COLLECT_FETCHES,
	COLLECT_CLOSES,
	COLLECT_LISTENS,  /* IMAP IDLE */
};
const char *collect_state_name(enum collect_state state); /* "fetching" */

struct collect_counts {
	uint64_t fetched, left, deleted, failed; /* messages: stored; still there; removed there; each with an error */
	uint64_t bytes;				 /* fetched */
	uint64_t to_fetch, to_fetch_bytes;	 /* of this collection in all, as far as known */
};

struct collect_view {
	struct span name;
	const struct conf_collector *conf; /* as the file has it in this turn; NULL: it has left */
	bool enabled;
	enum collect_state state;
	struct collect_counts counts;	  /* of the one under way, else of the last one */
	int64_t began_ms, last_ms;	  /* wall clock; of the one under way or 0; of the last that ended, or 0 */
	bool failed;			  /* the last one */
	const char *error;		  /* one line; "" */
	const char *because;
	const char *const *errors;	  /* of the one under way or the last */
	size_t error_count;
	uint64_t number;		  /* of the collection: rises by each */
};
/* By its place in the file, from 0; false: there are no more. Spans live until the next turn of the loop. */
bool collect_view_at(const struct collect *all, size_t i, struct collect_view *out);
/* All of them, in the order of the file. */
void collect_each(
	const struct collect *all, void (*see)(void *arg, const struct collect_view *v), void *arg);
/* ERR_NOT_FOUND. */
MUST_CHECK enum err collect_view_named(
	const struct collect *all, struct span name, struct collect_view *out);

size_t collect_under_way(const struct collect *all); /* how many are at work or wait for their turn */

/*
 * Collect NAME. ERR_NOT_FOUND: no such collector; ERR_DENIED: it is disabled (INM-29), or mail is brought to it (kind smtp). One under way goes on, and
 * collects once more behind it. *NUMBER (may be NULL): of the collection that is meant.
 */
MUST_CHECK enum err collect_now(
	struct collect *all, struct span name, const char *because, uint64_t *number);
/* What is being stored is finished, what was removed is settled. ERR_NOT_FOUND: none is under way. */
MUST_CHECK enum err collect_stop(struct collect *all, struct span name);

/* ---- what a run of a connection asks (connect_run.c) ---- */

/* All enabled collectors linked to the connection; how many. */
size_t collect_start_of(struct collect *all, struct span connection, const char *because);
bool collect_busy_of(const struct collect *all, struct span connection); /* any of them, waiting ones too */
void collect_stop_of(struct collect *all, struct span connection);
bool collector_is_of(const struct conf *conf, const struct conf_collector *c, struct span connection);

/* ---- a login without collecting (dry test) ---- */

struct collect_probe {
	void (*done)(struct collect_probe *p); /* on the front loop */
	bool ok;
	uint64_t count, bytes, fresh; /* in the mailbox; fresh: not fetched before */
	bool has_unique, has_head, has_sizes;
	bool has_token, is_connected, wants_tls;
	unsigned addresses;	 /* that the server's name has; 0: nobody was asked for them */
	const char *failed_step; /* where it is not OK, as collect_failed_step() */
	char remote[200], tls[200], why[COLLECT_ERROR_SIZE]; /* why: where it is not OK */
	struct collect_probing *under_way;
};
/* ERR_NOT_FOUND. `done` follows, unless cancelled. */
MUST_CHECK enum err collect_probe(struct collect *all, struct span name, struct collect_probe *p);
void collect_probe_cancel(struct collect_probe *p);

#endif
