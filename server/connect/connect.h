/*
 * connect.h - connections: the ways onto the Internet, and the runs that use them (CON, SCH).
 *
 *     schedule, people, connect.now, urgent mail, an operator, a link that came up
 *            |
 *            v            lan: at once           nothing left to do, or hung up
 *     run:  link comes up -----------> mail of its routes leaves ----------> link goes down
 *                 |                                                            |
 *                 +-- failed: its mail waits for the next one                  +-- noted in the store
 *
 * A run is what its routes send and its collectors fetch, at the same time (CON-02) or one after the other
 * (CON-03); it is over when neither has anything left. Outside a run mail waits for the next one, but that of
 * a connection that is online, which leaves at once (scheduling.send_immediately, SCH-03) and collects nothing.
 * Online is a lan connection, a link that somebody else has brought up, and one that is collected by (SCH-04), each
 * for the routes that go by it: a lan connection beside a link does not make the link be dialled for each message.
 *
 * Without connections in the file there is one of kind lan. LAN forwarding is never asked (LAN-08).
 * Front loop, all of it, but for what says any loop.
 */
#ifndef SERVER_CONNECT_CONNECT_H
#define SERVER_CONNECT_CONNECT_H

#include "conf/conf.h"
#include "server/host.h"

#define CONNECT_DEFAULT_NAME "lan" /* where the file has none */
#define CONNECT_LOOK_MS 1000	   /* schedules, people, connect.now */
#define CONNECT_WATCH_MS 10000	   /* is a link up that others bring up? */
#define CONNECT_RUN_LOOK_MS 100	   /* is a run over? */
#define CONNECT_HANG_UP_MS 10000   /* what is being sent has so long when it is hung up */
#define CONNECT_BROUGHT_REST_MS 2000 /* after mail that was brought, for the next connection (INM-26) */
#define CONNECT_PROGRAM_OUTPUT 65536 /* bytes of what a program says; it is not kept */
#define CONNECT_BECAUSE_SIZE 120
#define CONNECT_RESULT_SIZE 250
#define CONNECT_FILE "connect.now" /* in the folder scheduling.drop (CON-13) */

struct connect;

struct connect *connect_open(struct host *front);
/* Runs are hung up, links taken down. */
void connect_end(struct connect *all);
bool connect_is_over(const struct connect *all);
void connect_close(struct connect **all); /* the loops have ended */
/* The file has changed: after the new generation came to the front loop. */
void connect_follow(void *all);
/* The clock was moved by `clock advance`. */
void connect_look(struct connect *all);

/* ---- what the queue asks ---- */

bool connect_may_send(const struct host *front, const struct conf_route *route);
/* The same for a message that arrived then: a run of a route that is `waiting_only` leaves it (OUT-03). */
bool connect_takes(const struct host *front, const struct conf_route *route, int64_t arrived_ms);
/* Why mail of ROUTE waits, or false: it does not wait for a connection. */
bool connect_why(const struct host *front, const struct conf_route *route, char *text, size_t size);
/* COUNT messages went by ROUTE. */
void connect_sent(const struct host *front, const struct conf_route *route, unsigned count);
/*
 * No server of ROUTE could be reached, or, CUT, one left in the middle of a session; WHY says more. The Main
 * Administrator is told (CON-15).
 */
void connect_server_failed(
	struct host *front, const struct conf_route *route, bool cut, const char *why);
void connect_server_answered(const struct host *front, const struct conf_route *route);
/* Any loop: an urgent message is in the queue, on disk (HDR-03). */
void connect_urgent(struct host *host, uint64_t queue_id);

/* ---- runs ---- */

struct connect_wanted {
	enum connect_which { CONNECT_ONE, CONNECT_PRIMARY, CONNECT_ALL } which;
	struct span name;    /* of CONNECT_ONE */
	const char *because; /* "by root": why it connects (SCH-09) */
};
/* How many that is; each has a run from now on. One that has begun sends anew what waits. */
size_t connect_now(struct connect *all, const struct connect_wanted *wanted);
/* How many that is. What is being sent is finished; the rest stays in the queue (CON-12). */
size_t connect_hang_up(struct connect *all, const struct connect_wanted *wanted);
size_t connect_runs(const struct connect *all, const struct connect_wanted *wanted); /* under way */

/* ---- what is shown ---- */

struct connect_view {
	struct span name, result, because;
	const char *kind, *state;
	bool primary, online, runs, failed;
	int64_t last_ms, ended_ms, next_ms; /* 0: never */
	int64_t began_ms;		    /* of the run under way, or 0 */
};
/* By its place in the file; false: there are no more. Spans live until the next turn of the loop. */
bool connect_view_at(const struct connect *all, size_t i, struct connect_view *out);
int64_t connect_last_ms(const struct connect *all); /* of any; 0: never */
int64_t connect_next_ms(const struct connect *all); /* of any by a schedule; 0: none is scheduled (SCH-08) */
size_t connect_people(const struct connect *all);   /* who checked mail since the last connection (SCH-06) */

/* ---- collectors: connect_collect.c ---- */

/* When C is fetched next, by a schedule or its own `every`; LAST_MS is when it was last, or 0. 0: by neither. */
int64_t connect_collects_next_ms(
	const struct connect *all, const struct conf_collector *c, int64_t last_ms);
/* What the collectors of V's connection say of its last run, in words for people. */
void connect_each_collect_error(const struct connect *all, const struct connect_view *v,
	void (*tell)(void *arg, struct span collector, const char *error), void *arg);
/* Of kind smtp: is a run of it waiting for mail? */
bool connect_waits_for(const struct connect *all, const struct conf_collector *c);

/* ---- connection_conf.c: the file alone; any loop ---- */

/* That ROUTE goes by; the one of kind lan where the file has none, or where ROUTE is NULL. */
const struct conf_connection *connection_of_route(
	const struct conf *conf, const struct conf_route *route);
size_t connection_count(const struct conf *conf);
const struct conf_connection *connection_at(const struct conf *conf, size_t i);
/* NULL: there is none. */
const struct conf_connection *connection_named(const struct conf *conf, struct span name);
bool connection_is_of(const struct conf_schedule *schedule, const struct conf_connection *c);

#endif
