/*
 * outgoing_flush.c - a destination that cannot be reached rests, and what waits for it is told so.
 *
 * All items that wait go in jobs of OUTCOME_ROWS_MAX, so that the queue shows what happened to each and
 * memory is free for what can be delivered (H37). They are due again when the rest is over.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/queue/outgoing_inside.h"

bool
outgoing_rests(const struct outgoing *all, const struct lane *lane)
{
	return lane_rests(lane, host_now_ms(all->host));
}

/* The others that it has go on: it takes no more at one time. */
static bool
is_ceiling(struct outgoing *all, struct lane *lane, const struct delivery *d)
{
	unsigned at_work = lane->connections - lane->connecting;

	if (at_work == 0 || d->for_good)
		return false;
	lane->limit = lane->ceiling = at_work;
	lane->ceiling_until_ms = host_now_ms(all->host) + OUTGOING_CEILING_MS;
	return true;
}

static int64_t
rest_ms(const struct conf *conf, const struct lane *lane)
{
	struct schedule schedule = schedule_of(conf, route_is_lan(lane->route));

	schedule.warn_ms = schedule.give_up_ms = INT64_MAX;
	return schedule_next_ms(&schedule, lane->failures, 0);
}

void
outgoing_rest(struct outgoing *all, struct lane *lane, const struct delivery *d)
{
	struct lane_failure *f;

	if (is_ceiling(all, lane, d))
		return;
	f = lane_failure(lane);
	lane->failures++;
	lane->limit = 1;
	lane->rests_until_ms = host_now_ms(all->host) + rest_ms(all->host->conf, lane);
	lane->rested = all->lanes.epoch;
	f->fails = d->for_good;
	f->code = d->why.code;
	f->stage = d->why.stage;
	snprintf(f->enhanced, sizeof(f->enhanced), "%s", d->why_enhanced);
	snprintf(f->why, sizeof(f->why), "%.*s", SPAN_FMT(d->why.text));
	snprintf(f->remote, sizeof(f->remote), "%s", d->remote);
	snprintf(f->tls, sizeof(f->tls), "%s", d->tls);
}

struct flush {
	struct outgoing *all;
	struct lane *lane;
	struct item *chain;
};

static void
on_flushed(struct outcome *o)
{
	struct flush *f = o->arg;

	f->lane->flushes--;
	f->all->flushes--;
	items_forget(&f->all->lanes, f->chain);
	outgoing_expect(f->all, o->next_try_ms);
	outgoing_scan_on(f->all);
	outgoing_stand(f->all, f->lane);
	outgoing_pump(f->all);
	free(f);
}

static void
flush_some(struct outgoing *all, struct lane *lane)
{
	const struct lane_failure *why = lane_last_failure(lane);
	struct item *chain = lane_take_any(lane, why->fails ? OUTCOME_REPORTS_MAX : OUTCOME_ROWS_MAX);
	struct outcome *o = outcome_new(all->host, items_count(chain));
	struct flush *f = calloc(1, sizeof(*f));
	struct span text = arena_copy(&o->arena, span_of(why->why));
	struct span enhanced = arena_copy(&o->arena, span_of(why->enhanced));

	ENSURE(f);
	*f = (struct flush){ all, lane, chain };
	lane->flushes++;
	all->flushes++;
	for (const struct item *item = chain; item; item = item->next)
		o->rows[o->count++] = (struct outcome_row){ .queue_id = item->queue_id,
			.recipient_no = item->recipient_no, .code = why->code, .text = text,
			.enhanced = enhanced, .stage = why->stage,
			.kind = why->fails ? OUTCOME_FAILED : OUTCOME_DEFERRED };
	o->route = arena_copy(&o->arena, lane->route);
	o->remote = arena_copy(&o->arena, span_of(why->remote));
	o->tls = arena_copy(&o->arena, span_of(why->tls));
	if (lane->rests_until_ms != INT64_MAX)
		o->not_before_ms = lane->rests_until_ms;
	o->done = on_flushed;
	o->arg = f;
	outcome_submit(o);
}

void
outgoing_flush(struct outgoing *all, struct lane *lane)
{
	while (lane->waiting > 0 && lane->flushes < OUTGOING_FLUSHES_MAX &&
		all->flushes < OUTGOING_ALL_FLUSHES)
		flush_some(all, lane);
	if (lane->waiting > 0 && lane->flushes == 0) /* others take all: again when one has ended */
		lane_stand(&all->lanes, lane, &all->lanes.refused);
	if (lane->left_out && lane->waiting == 0)
		outgoing_scan_left(all, lane);
}
