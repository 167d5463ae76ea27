/*
 * wheel.c - a ring of slots, each a list.
 */
#include "server/net/wheel.h"

void
wheel_init(struct wheel *w, int64_t tick_ms, int64_t now_ms)
{
	for (size_t i = 0; i < WHEEL_SLOTS; i++)
		list_init(&w->slots[i]);
	w->tick_ms = tick_ms;
	w->done_tick = now_ms / tick_ms;
}

static struct list *
slot_of(struct wheel *w, int64_t tick)
{
	return &w->slots[(uint64_t)tick % WHEEL_SLOTS];
}

/* The first tick that is not before DUE_MS: a deadline fires late rather than early. */
static int64_t
tick_of(const struct wheel *w, int64_t due_ms)
{
	return (due_ms + w->tick_ms - 1) / w->tick_ms;
}

int64_t
wheel_put(struct wheel *w, struct list *link, int64_t due_ms)
{
	int64_t tick = tick_of(w, due_ms);

	if (tick <= w->done_tick)
		tick = w->done_tick + 1;
	list_remove(link);
	list_append(slot_of(w, tick), link);
	return tick * w->tick_ms;
}

static void
take_slot(struct wheel *w, struct list *slot, int64_t now_tick,
	int64_t (*due_ms_of)(const struct list *), struct list *due)
{
	struct list *at, *following;

	list_for_each(at, following, slot) {
		if (tick_of(w, due_ms_of(at)) > now_tick)
			continue; /* a later round */
		list_remove(at);
		list_append(due, at);
	}
}

void
wheel_take(struct wheel *w, int64_t now_ms, int64_t (*due_ms_of)(const struct list *),
	struct list *due)
{
	int64_t now_tick = now_ms / w->tick_ms;
	int64_t from = w->done_tick + 1;

	if (now_tick - from >= WHEEL_SLOTS)
		from = now_tick - WHEEL_SLOTS + 1; /* a whole round: each slot once */
	for (int64_t tick = from; tick <= now_tick; tick++)
		take_slot(w, slot_of(w, tick), now_tick, due_ms_of, due);
	if (now_tick > w->done_tick)
		w->done_tick = now_tick;
}

int64_t
wheel_next_ms(const struct wheel *w)
{
	for (int64_t tick = w->done_tick + 1; tick <= w->done_tick + WHEEL_SLOTS; tick++) {
		if (!list_is_empty(&w->slots[(uint64_t)tick % WHEEL_SLOTS]))
			return tick * w->tick_ms;
	}
	return WHEEL_NEVER;
}
