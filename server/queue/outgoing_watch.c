/*
 * outgoing_watch.c - who waits too long: idle connections end, silent ones are doubtful and then given up.
 */
#include "server/queue/outgoing_inside.h"

#define SWEEP_PLACES 2000 /* of the table of lanes in one round */
#define PACED_MAX 2000	  /* lanes whose rate is looked at in one round */

void
outgoing_watch(struct outgoing *all)
{
	if (!all->ending && !loop_timer_is_set(&all->watch))
		loop_timer_set(all->host->loop, &all->watch, OUTGOING_WATCH_MS);
}

void
outgoing_doubt(struct outgoing *all, struct delivery *d, bool doubtful)
{
	bool stuck = doubtful && d->has_text_out;

	all->doubtful += (unsigned)doubtful - (unsigned)d->is_doubtful;
	all->stuck += (unsigned)stuck - (unsigned)d->is_stuck;
	d->is_doubtful = doubtful;
	d->is_stuck = stuck;
}

void
outgoing_end_idle(struct outgoing *all)
{
	int64_t since_ms = loop_now_ms(all->host->loop) - (all->ending ? 0 : OUTGOING_IDLE_MS);

	while (!list_is_empty(&all->idle_ones)) {
		struct delivery *d = LIST_ITEM(all->idle_ones.next, struct delivery, idle_link);

		if (d->idle_since_ms > since_ms)
			return;
		outgoing_answer(all, d, NULL);
	}
}

/* How many of those that say nothing shall end, so that others get a connection. */
static unsigned
too_many(const struct outgoing *all)
{
	unsigned keep = (unsigned)all->host->conf->outgoing_max_connections * OUTGOING_SILENT_PERCENT / 100;

	if (!outgoing_is_full(all) || !outgoing_lanes_wait(all))
		return 0;
	return all->doubtful > keep ? all->doubtful - keep : 0;
}

static void
look_at_deliveries(struct outgoing *all)
{
	int64_t now_ms = loop_now_ms(all->host->loop);
	unsigned to_end = too_many(all);
	struct list *at, *following;

	list_for_each(at, following, &all->deliveries) {
		struct delivery *d = LIST_ITEM(at, struct delivery, all_link);
		int64_t silent_ms = now_ms - d->heard_ms;

		if (d->is_over || !list_is_empty(&d->link) || silent_ms <= OUTGOING_SLOW_MS)
			continue;
		d->lane->slow = true;
		outgoing_doubt(all, d, true);
		if (to_end == 0 || d->has_text_out || silent_ms <= OUTGOING_HANGS_MS)
			continue;
		to_end--; /* also for those that are about to end */
		if (!d->is_cut)
			loop_post(d->host->loop, delivery_give_up, d);
		d->is_cut = true;
	}
}

static void
look_at_paced(struct outgoing *all)
{
	struct lane *lane;
	struct list looked;

	list_init(&looked);
	for (unsigned i = 0; i < PACED_MAX; i++) {
		lane = lane_next(&all->lanes, &all->lanes.paced, false);
		if (!lane)
			break;
		list_append(&looked, &lane->turn);
	}
	while (!list_is_empty(&looked)) {
		lane = lane_next(&all->lanes, &looked, false);
		outgoing_stand(all, lane);
	}
}

void
outgoing_on_watch(struct loop_timer *timer)
{
	struct outgoing *all = LIST_ITEM(timer, struct outgoing, watch);

	outgoing_end_idle(all);
	look_at_deliveries(all);
	look_at_paced(all);
	lanes_sweep(&all->lanes, host_now_ms(all->host), SWEEP_PLACES);
	outgoing_scan_on(all);
	outgoing_pump(all);
	if (all->connections > 0 || all->stopped || !list_is_empty(&all->lanes.paced))
		outgoing_watch(all);
}
