/*
 * connect_inside.h - what the files of connect share: connect.c (life, what the queue asks),
 * connect_run.c (a run), connect_when.c (what begins one), connect_collect.c (collectors), connect_etrn.c (mail
 * that is asked for), connect_program.c (programs of a link), connect_hooks.c (programs of the administrator),
 * connect_tell.c (letters).
 */
#ifndef SERVER_CONNECT_CONNECT_INSIDE_H
#define SERVER_CONNECT_CONNECT_INSIDE_H

#include "proto/base/buf.h"
#include "server/connect/connect.h"
#include "server/connect/link.h"
#include "server/connect/timetable.h"
#include "server/log.h"
#include "server/net/loop.h"
#include "server/runner/runner.h"
#include "store/commit.h"
#include "store/connected.h"

#define CONNECT_SCHEDULES_MAX 100 /* as many as the file may have */
#define CONNECT_ROUTES_TOLD 100

/*
 *     link comes up -> RUN_GREETS --> RUN_WORKS ----> RUN_LEAVES --> link goes down
 *                     (post_connect)  sends, collects (pre_disconnect)
 */
enum run_stage { RUN_BEGINS, RUN_GREETS, RUN_WORKS, RUN_LEAVES };
enum connect_hook { HOOK_UP, HOOK_DOWN };

struct connection {
	struct list link_all; /* in connect.connections */
	struct connect *all;
	char name[CONNECTED_NAME_MAX + 1];
	bool kept; /* by the file; else it goes when its run is over */

	/* A run. */
	bool runs, sends, hung_up;
	bool again; /* somebody asked while it was being hung up: another follows */
	enum run_stage stage;
	bool collects_first; /* and does so still: nothing is sent before (CON-03) */
	bool collects;	     /* collectors belong to it */
	char collected[CONNECT_RESULT_SIZE]; /* what they came to; of its end */

	/* Mail that is brought to us while it runs (INM-26). */
	bool waits, brought;
	int64_t wait_until_ms; /* steady */
	uint64_t sessions_before;

	/* A program of the administrator. */
	enum connect_hook hook;
	int64_t hook_told_day[2];
	struct generation *generation; /* of its begin; held */
	const struct conf_connection *conf; /* of that */
	char because[CONNECT_BECAUSE_SIZE];
	int64_t began_ms, cycle_ms; /* wall clock; of the run, and of its sending */
	int64_t began_steady_ms, stop_steady_ms;
	bool looked; /* the queue was read, and nothing has been found since */
	unsigned sent;
	struct link link;
	struct link_failures failures;
	struct loop_timer timer;
	struct runner_job program;
	char problem[RUNNER_SAYS_SIZE + 40]; /* of its last program; "" */

	/* Between runs: a link that others bring up (CON-08), a connection that was told to stop. */
	bool watched, seen_up, was_used, held;
	bool is_collected; /* of a link: collectors are at work by it, without a run */
	int64_t watch_at_ms, use_at_ms; /* steady */

	/* The last one (CON-16). */
	struct connected last; /* that came to be; `failed` and `result` are of the last attempt */
	char result[CONNECT_RESULT_SIZE];
};

/* What was told of a route's servers, on which day: none answers, one left (CON-15). 0: nothing. */
struct connect_told {
	char route[CONNECTED_NAME_MAX + 1];
	int64_t day[2]; /* cut, or not */
};

struct connect {
	struct host *host; /* the front loop's */
	struct list connections;
	struct loop_timer look;
	bool ending;
	struct firing firings[CONNECT_SCHEDULES_MAX]; /* by place in the file */
	const struct conf *firings_of;
	int64_t wall_ms, steady_ms; /* of the last look */
	int64_t people_due_ms;	    /* steady; 0: not so many yet */
	struct connect_told told[CONNECT_ROUTES_TOLD];
	size_t told_count;
	struct list asks; /* for mail that waits elsewhere: connect_etrn.c */
};

/* ---- connect.c ---- */

struct connection *connect_named(const struct connect *all, struct span name);
/* The settings of now; NULL: it is not in the file any more. */
const struct conf_connection *connection_now(const struct connection *c);
bool connection_is_online(const struct connection *c);
/* A lane's route: does it go by C? */
bool connection_has_route(void *c, struct span route);
void connection_free(struct connection *c);
/* Of a link: it can be used now, or no more, without a run of ours. */
void connection_online_changed(struct connection *c);
/* By a schedule; 0: none. */
int64_t connection_next_ms(const struct connect *all, const struct conf_connection *conf);
int64_t connect_day(const struct connect *all); /* a number that rises at midnight */

/* ---- connect_run.c ---- */

void connection_start(struct connection *c, const char *because);
/* The link is up already, and not by us. */
void connection_use(struct connection *c, const char *because);
void connection_hang_up(struct connection *c);
void connection_on_timer(struct loop_timer *timer);
/* What EVENT means for its link, and what follows. */
void connection_link(struct connection *c, enum link_event event);

/* After connection_run_hook(). */
void connection_hook_over(struct connection *c);

/* ---- connect_collect.c ---- */

/* All that a run does besides sending begins, again where it has ended already. */
void connection_collect(struct connection *c);
bool connection_collects(struct connection *c); /* is there still something to wait for? */
void connection_collect_stop(struct connection *c);
/* ", 12 collected" */
void connection_say_collected(const struct connection *c, char *text, size_t size);
/* Each second: collectors that begin by themselves. */
void connect_look_at_collectors(struct connect *all);

/* ---- connect_etrn.c ---- */

void connection_ask_for_mail(struct connection *c, const struct conf_collector *collector);
void connect_free_asks(struct connect *all);

/* ---- connect_hooks.c ---- */

/* False: there is none, or it cannot be run, which is told. Else connection_hook_over() follows, whatever came of it. */
bool connection_run_hook(struct connection *c, enum connect_hook hook);

/* ---- connect_program.c ---- */

/* Then connection_link() with LINK_YES or LINK_NO. */
void connection_run_program(struct connection *c, const struct conf_list *argv, int64_t timeout_ms);
/* The same question outside a run: connection_seen(). False: it cannot be asked. */
bool connection_watch(struct connection *c, const struct conf_connection *conf);
bool connection_can_ask(const struct conf_connection *conf);
/* By its interfaces alone. */
bool connection_interface_is_up(const struct conf_connection *conf);

/* ---- connect_when.c ---- */

void connect_on_look(struct loop_timer *timer);
void connection_seen(struct connection *c, bool up);
void connect_read_schedules(struct connect *all);

/* ---- connect_tell.c ---- */

void connection_tell_failure(struct connection *c);
void connection_tell_hook(struct connection *c, const char *program, const char *why);
void connect_tell_etrn(struct connect *all, const char *collector, const char *route, const char *why);
void connection_log(const struct connection *c, enum log_level level, const char *what);
void connection_log_left_up(const struct connection *c, const char *why);

#endif
