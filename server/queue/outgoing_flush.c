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
	return lane->rests_until_ms > host_now_ms(all->host);
}

void
outgoing_rest(struct outgoing *all, struct lane *lane, const struct delivery *d)
{
	const struct conf *conf = all->host->conf;
	struct schedule schedule = { conf->outgoing_retry_first_ms,
		conf->outgoing_retry_longest_ms, INT64_MAX, INT64_MAX };

	lane->failures++;
	lane->limit = 1;
	lane->rests_until_ms = host_now_ms(all->host) + schedule_next_ms(&schedule, lane->failures, 0);
	lane->fails = d->for_good;
	lane->code = d->why.code;
	lane->stage = d->why.stage;
	snprintf(lane->enhanced, sizeof(lane->enhanced), "%s", d->why_enhanced);
	snprintf(lane->why, sizeof(lane->why), "%.*s", SPAN_FMT(d->why.text));
	snprintf(lane->remote, sizeof(lane->remote), "%s", d->remote);
	snprintf(lane->tls, sizeof(lane->tls), "%s", d->tls);
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
	items_forget(&f->all->lanes, f->chain);
	outgoing_expect(f->all, o->next_try_ms);
	lane_stand(&f->all->lanes, f->lane);
	outgoing_pump(f->all);
	free(f);
}

static void
flush_some(struct outgoing *all, struct lane *lane)
{
	struct item *chain = lane_take_any(lane, lane->fails ? OUTCOME_REPORTS_MAX : OUTCOME_ROWS_MAX);
	struct outcome *o = outcome_new(all->host, items_count(chain));
	struct flush *f = calloc(1, sizeof(*f));
	struct span text = arena_copy(&o->arena, span_of(lane->why));
	struct span enhanced = arena_copy(&o->arena, span_of(lane->enhanced));

	ENSURE(f);
	*f = (struct flush){ all, lane, chain };
	lane->flushes++;
	for (const struct item *item = chain; item; item = item->next)
		o->rows[o->count++] = (struct outcome_row){ .queue_id = item->queue_id,
			.recipient_no = item->recipient_no, .code = lane->code, .text = text,
			.enhanced = enhanced, .stage = lane->stage,
			.kind = lane->fails ? OUTCOME_FAILED : OUTCOME_DEFERRED };
	o->route = arena_copy(&o->arena, lane->route);
	o->remote = arena_copy(&o->arena, span_of(lane->remote));
	o->tls = arena_copy(&o->arena, span_of(lane->tls));
	if (lane->rests_until_ms != INT64_MAX)
		o->not_before_ms = lane->rests_until_ms;
	o->done = on_flushed;
	o->arg = f;
	outcome_submit(o);
}

void
outgoing_flush(struct outgoing *all, struct lane *lane)
{
	while (lane->waiting > 0 && lane->flushes < OUTGOING_FLUSHES_MAX)
		flush_some(all, lane);
}
