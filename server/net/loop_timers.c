/*
 * loop_timers.c - deadlines of a loop: many in a wheel, one timer of the library for the next.
 */
#include "server/net/loop_inside.h"

static struct loop_timer *
timer_of(const struct list *link)
{
	return LIST_ITEM((struct list *)(uintptr_t)link, struct loop_timer, link);
}

static int64_t
timer_due_ms(const struct list *link)
{
	return timer_of(link)->due_ms;
}

static void
set_tick(struct loop *l, int64_t at_ms)
{
	l->wake_ms = at_ms;
	ev_timer_stop(l->ev, &l->tick);
	if (l->fake || at_ms == WHEEL_NEVER)
		return;
	ev_timer_set(&l->tick, (double)(at_ms * 1000 - l->now_us) / 1e6, 0.);
	ev_timer_start(l->ev, &l->tick);
}

void
loop_run_deadlines(struct loop *l)
{
	struct list due = LIST_INIT(due), *link;

	wheel_take(&l->wheel, loop_now_ms(l), timer_due_ms, &due);
	while ((link = list_take_first(&due)))
		timer_of(link)->fn(timer_of(link));
	set_tick(l, wheel_next_ms(&l->wheel));
}

static void
on_tick(struct ev_loop *ev, ev_timer *w, int events)
{
	(void)ev;
	(void)events;
	loop_run_deadlines(w->data);
}

void
loop_timer_init(struct loop_timer *t, void (*fn)(struct loop_timer *))
{
	list_init(&t->link);
	t->due_ms = 0;
	t->fn = fn;
}

void
loop_timer_set(struct loop *l, struct loop_timer *t, int64_t after_ms)
{
	int64_t at_ms;

	t->due_ms = loop_now_ms(l) + (after_ms > 0 ? after_ms : 0);
	at_ms = wheel_put(&l->wheel, &t->link, t->due_ms);
	if (at_ms < l->wake_ms)
		set_tick(l, at_ms);
}

void
loop_timer_clear(struct loop_timer *t)
{
	list_remove(&t->link);
}

void
loop_init_timers(struct loop *l)
{
	wheel_init(&l->wheel, LOOP_TICK_MS, loop_now_ms(l));
	l->wake_ms = WHEEL_NEVER;
	ev_timer_init(&l->tick, on_tick, 0., 0.);
	l->tick.data = l;
}
