/*
 * connect_run.c - one run: the link comes up, mail leaves and is collected until there is none, the link goes down.
 *
 * Programs of the administrator stand at both ends of it (EXT-12). Sending begins after the last collector where the
 * connection says so (CON-03).
 */
#include <stdio.h>
#include <stdlib.h>

#include "server/connect/connect_inside.h"
#include "server/generation.h"
#include "server/metrics.h"
#include "server/queue/outgoing.h"
#include "server/shared.h"

/* ---- noted in the store ---- */

struct note {
	struct store_job job;
	struct connected row;
	char name[CONNECTED_NAME_MAX + 1], result[CONNECT_RESULT_SIZE];
};

static enum step
apply_note(struct store_job *job, struct txn *txn)
{
	struct note *n = LIST_ITEM(job, struct note, job);

	return step_of(job, connected_put(txn, span_of(n->name), &n->row));
}

static void
note_done(struct store_job *job, enum err result)
{
	(void)result; /* logged where it failed; it is told again at the end of the next run */
	free(LIST_ITEM(job, struct note, job));
}

static void
note(const struct connection *c)
{
	struct note *n = calloc(1, sizeof(*n));

	ENSURE(n);
	n->row = c->last;
	snprintf(n->name, sizeof(n->name), "%s", c->name);
	snprintf(n->result, sizeof(n->result), "%s", c->result);
	n->row.result = span_of(n->result);
	n->job = (struct store_job){ .apply = apply_note, .done = note_done,
		.inbox = c->all->host->inbox, .size_bytes = sizeof(*n) };
	if (store_submit(c->all->host->store, &n->job) != OK)
		free(n);
}

/* ---- the end ---- */

static void
say_result(struct connection *c, bool failed)
{
	c->last.failed = failed;
	if (failed)
		snprintf(c->result, sizeof(c->result), "the link did not come up: %.200s", c->problem);
	else
		snprintf(c->result, sizeof(c->result), "%s%u sent%.200s", c->hung_up ? "hung up, " : "",
			c->sent, c->collected);
}

/* CON-17. */
static void
log_end(const struct connection *c, bool failed)
{
	struct host *host = c->all->host;

	log_put(host->log,
		&(struct log_line){ .level = failed ? LEVEL_WARNING : LEVEL_INFO, .area = "connect",
			.text = failed ? "failed" : "ended",
			.fields = { { "connection", span_of(c->name), 0 },
				{ "seconds", .number = (host_steady_ms(host) - c->began_steady_ms) / 1000 },
				{ "sent", .number = c->sent }, { "result", span_of(c->result), 0 } } });
}

static void
end_run(struct connection *c, bool failed)
{
	struct connect *all = c->all;
	char because[CONNECT_BECAUSE_SIZE];

	failed = failed && !c->hung_up; /* who hangs up while it comes up knows */
	say_result(c, failed);
	if (!failed && c->last.began_ms == c->began_ms)
		c->last.ended_ms = host_now_ms(all->host);
	log_end(c, failed);
	note(c);
	if (failed) {
		metric_add(all->host->metrics, connect_failures, 1);
		connection_tell_failure(c);
	}
	loop_timer_clear(&c->timer);
	c->runs = c->sends = c->collects_first = c->waits = false;
	c->stage = RUN_BEGINS;
	c->conf = NULL;
	generation_release(&c->generation);
	c->watch_at_ms = host_steady_ms(all->host) + CONNECT_WATCH_MS;
	if (!c->kept) {
		connection_free(c);
	} else if (c->again && !all->ending) {
		c->again = false;
		snprintf(because, sizeof(because), "%s", c->because);
		connection_start(c, because);
	}
}

/* ---- what it is for ---- */

static void
begin_sending(struct connection *c)
{
	struct host *host = c->all->host;

	c->collects_first = false;
	c->sends = c->looked = true;
	c->cycle_ms = host_now_ms(host); /* what came while the link came up was there in time */
	outgoing_look_again(host);
}

static void
work(struct connection *c)
{
	c->stage = RUN_WORKS;
	connection_collect(c);
	c->collects_first = c->conf->pop3_then_smtp && connection_collects(c);
	if (!c->collects_first)
		begin_sending(c);
	loop_timer_set(c->all->host->loop, &c->timer, CONNECT_RUN_LOOK_MS);
}

/* The link is up. */
static void
begin_work(struct connection *c)
{
	struct host *host = c->all->host;

	link_failures_clear(&c->failures);
	metric_add(host->metrics, connects, 1);
	c->last.began_ms = c->began_ms;
	c->last.ended_ms = 0;
	note(c);
	c->stage = RUN_GREETS;
	if (!connection_run_hook(c, HOOK_UP))
		work(c);
}

static void
finish(struct connection *c)
{
	connection_say_collected(c, c->collected, sizeof(c->collected));
	if (!connection_is_online(c) || !c->all->host->conf->scheduling_immediately)
		outgoing_drop(c->all->host->outgoing, connection_has_route, c);
	if (c->conf->kind == CONNECTION_LAN)
		end_run(c, false);
	else
		connection_link(c, LINK_STOP);
}

static void
leave(struct connection *c)
{
	c->stage = RUN_LEAVES;
	c->sends = c->collects_first = false;
	if (c->conf->kind == CONNECTION_LINK)
		connection_collect_stop(c); /* who listens for more (IDLE) */
	if (!connection_run_hook(c, HOOK_DOWN))
		finish(c);
}

void
connection_hook_over(struct connection *c)
{
	if (c->stage == RUN_LEAVES)
		finish(c);
	else if (c->hung_up)
		leave(c);
	else
		work(c);
}

/* Is there mail on its way, or to be found? The queue is read once more behind the last message. */
static bool
still_sends(struct connection *c)
{
	enum outgoing_work work =
		outgoing_work(c->all->host->outgoing, connection_has_route, c);

	if (work == OUTGOING_BUSY)
		c->looked = false;
	if (work != OUTGOING_IDLE)
		return true;
	if (c->looked)
		return false;
	c->looked = true;
	outgoing_look_again(c->all->host);
	return true;
}

static bool
is_hung_up(struct connection *c)
{
	return host_steady_ms(c->all->host) - c->stop_steady_ms >= CONNECT_HANG_UP_MS ||
		(outgoing_work(c->all->host->outgoing, connection_has_route, c) != OUTGOING_BUSY &&
			!connection_collects(c));
}

static bool
is_busy(struct connection *c)
{
	bool collects = connection_collects(c);

	if (!collects && c->collects_first)
		begin_sending(c);
	return (c->sends && still_sends(c)) || collects;
}

static void
look_at_work(struct connection *c)
{
	if (c->stage != RUN_WORKS) {
		if (c->stage == RUN_GREETS && c->hung_up) {
			runner_cancel(&c->program);
			leave(c);
		}
	} else if (c->hung_up ? is_hung_up(c) : !is_busy(c)) {
		leave(c);
	} else {
		loop_timer_set(c->all->host->loop, &c->timer, CONNECT_RUN_LOOK_MS);
	}
}

/* ---- the link ---- */

static struct link_ways
ways_of(const struct conf_connection *conf)
{
	return (struct link_ways){ .can_ask = connection_can_ask(conf), .can_up = conf->up.count > 0,
		.can_down = conf->down.count > 0, .retries = (unsigned)conf->retries,
		.retry_wait_ms = conf->retry_wait_ms, .timeout_ms = conf->link_timeout_ms };
}

/* True: *event follows at once. */
static bool
ask(struct connection *c, enum link_event *event)
{
	if (c->conf->status.count > 0) {
		connection_run_program(c, &c->conf->status, c->conf->link_timeout_ms);
		return false;
	}
	*event = connection_interface_is_up(c->conf) ? LINK_YES : LINK_NO;
	if (*event == LINK_NO)
		snprintf(c->problem, sizeof(c->problem), "none of its interfaces is up");
	return true;
}

static void
wait_for_link(struct connection *c)
{
	int64_t wait_ms = c->link.wait_until_ms - host_steady_ms(c->all->host);

	loop_timer_set(c->all->host->loop, &c->timer, wait_ms > 0 ? wait_ms : 1);
}

static void
act(struct connection *c, enum link_act what)
{
	switch (what) {
	case LINK_RUN_UP:
		connection_log(c, LEVEL_INFO, "brings the link up");
		connection_run_program(c, &c->conf->up, c->conf->link_timeout_ms);
		break;
	case LINK_RUN_DOWN:
		connection_log(c, LEVEL_INFO, "takes the link down");
		connection_run_program(c, &c->conf->down, c->conf->link_timeout_ms);
		break;
	case LINK_WAIT:
		wait_for_link(c);
		break;
	case LINK_IS_UP:
		connection_log(c, LEVEL_INFO, c->link.found ? "the link was up already" : "the link is up");
		begin_work(c);
		break;
	case LINK_IS_DOWN:
		end_run(c, false);
		break;
	case LINK_FAILED:
		end_run(c, true);
		break;
	case LINK_NOTHING:
	case LINK_ASK:
		break;
	}
}

void
connection_link(struct connection *c, enum link_event event)
{
	struct link_ways ways = ways_of(c->conf);
	enum link_act what;

	do {
		what = link_step(&c->link, &ways, event, host_steady_ms(c->all->host));
	} while (what == LINK_ASK && ask(c, &event));
	act(c, what);
}

void
connection_on_timer(struct loop_timer *timer)
{
	struct connection *c = LIST_ITEM(timer, struct connection, timer);
	bool waits = c->link.state == LINK_WAITS || c->link.state == LINK_RESTS;

	if (!c->runs)
		return;
	if (c->conf->kind == CONNECTION_LAN || c->link.state == LINK_UP)
		look_at_work(c);
	else if (waits && host_steady_ms(c->all->host) >= c->link.wait_until_ms && !c->program.order)
		connection_link(c, LINK_TIME);
	else if (waits && !c->program.order)
		wait_for_link(c);
}

/* ---- the begin ---- */

static bool
begin(struct connection *c, const char *because)
{
	struct connect *all = c->all;

	c->conf = connection_now(c);
	if (!c->conf || all->ending)
		return false;
	runner_cancel(&c->program); /* a question of between the runs */
	c->generation = generation_hold(all->host->generation);
	snprintf(c->because, sizeof(c->because), "%s", because);
	c->began_ms = host_now_ms(all->host);
	c->began_steady_ms = host_steady_ms(all->host);
	c->runs = true;
	c->held = c->hung_up = c->again = c->sends = false;
	c->was_used = true;
	c->sent = 0;
	c->stage = RUN_BEGINS;
	c->collects = c->collects_first = c->waits = c->is_collected = false;
	c->problem[0] = c->collected[0] = '\0';
	shared_people_forget(all->host->shared);
	all->people_due_ms = 0;
	connection_log(c, LEVEL_INFO, "starts");
	return true;
}

/* One that is at work already: another cycle, for all that waits by now. */
static void
join(struct connection *c, const char *because)
{
	snprintf(c->because, sizeof(c->because), "%s", because);
	if (c->hung_up || c->stage == RUN_LEAVES || (!c->sends && c->link.state == LINK_CLOSES)) {
		c->again = true;
		return;
	}
	if (c->stage == RUN_WORKS)
		connection_collect(c);
	if (c->sends) {
		c->cycle_ms = host_now_ms(c->all->host);
		c->looked = true;
		outgoing_look_again(c->all->host);
	}
}

void
connection_start(struct connection *c, const char *because)
{
	if (c->runs)
		join(c, because);
	else if (!begin(c, because))
		return;
	else if (c->conf->kind == CONNECTION_LAN)
		begin_work(c);
	else
		connection_link(c, LINK_START);
}

void
connection_use(struct connection *c, const char *because)
{
	if (c->runs || !begin(c, because))
		return;
	link_found(&c->link);
	begin_work(c);
}

void
connection_hang_up(struct connection *c)
{
	bool was_online = connection_is_online(c);

	c->again = false;
	c->held = was_online; /* or what is left would leave in the next moment */
	c->sends = false;
	outgoing_drop(c->all->host->outgoing, connection_has_route, c);
	connection_collect_stop(c);
	if (c->runs && !c->hung_up) {
		connection_log(c, LEVEL_INFO, "is hung up");
		c->hung_up = true;
		c->stop_steady_ms = host_steady_ms(c->all->host);
		if (c->conf->kind == CONNECTION_LINK && c->link.state != LINK_UP)
			connection_link(c, LINK_STOP);
		else
			loop_timer_set(c->all->host->loop, &c->timer, 1);
	}
}
