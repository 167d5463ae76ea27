/*
 * link.c - the states of a link.
 */
#include "server/connect/link.h"

const char *const link_state_words[] = {
	[LINK_DOWN] = "down",
	[LINK_ASKS] = "coming up",
	[LINK_COMES_UP] = "coming up",
	[LINK_WAITS] = "coming up",
	[LINK_CLEARS] = "coming up",
	[LINK_RESTS] = "tries again",
	[LINK_UP] = "up",
	[LINK_CLOSES] = "going down",
};

static enum link_act
be(struct link *l, enum link_state state, enum link_act act)
{
	l->state = state;
	return act;
}

static enum link_act
try_up(struct link *l, const struct link_ways *ways, int64_t now_ms)
{
	if (!ways->can_up)
		return be(l, LINK_DOWN, LINK_FAILED);
	l->tries++;
	l->until_ms = l->wait_until_ms = now_ms + ways->timeout_ms;
	return be(l, LINK_COMES_UP, LINK_RUN_UP);
}

/* This try came to nothing. */
static enum link_act
try_again(struct link *l, const struct link_ways *ways, int64_t now_ms)
{
	if (l->stopped || l->tries >= ways->retries)
		return be(l, LINK_DOWN, LINK_FAILED);
	l->wait_until_ms = now_ms + ways->retry_wait_ms;
	return be(l, LINK_RESTS, LINK_WAIT);
}

static enum link_act
take_down(struct link *l, const struct link_ways *ways, enum link_state while_it_runs)
{
	if (!l->found && ways->can_down)
		return be(l, while_it_runs, LINK_RUN_DOWN);
	return be(l, LINK_DOWN, LINK_IS_DOWN);
}

static enum link_act
start(struct link *l, const struct link_ways *ways, int64_t now_ms)
{
	*l = (struct link){ .state = LINK_ASKS };
	return ways->can_ask ? LINK_ASK : try_up(l, ways, now_ms);
}

/* LINK_STOP: what runs is let run, its end is looked at then. */
static enum link_act
stop(struct link *l, const struct link_ways *ways)
{
	l->stopped = true;
	if (l->state == LINK_UP)
		return take_down(l, ways, LINK_CLOSES);
	if (l->state == LINK_RESTS)
		return be(l, LINK_DOWN, LINK_FAILED);
	return LINK_NOTHING;
}

static enum link_act
on_asked(struct link *l, const struct link_ways *ways, bool yes, int64_t now_ms)
{
	if (l->stopped)
		return be(l, LINK_DOWN, LINK_FAILED);
	if (!yes)
		return try_up(l, ways, now_ms);
	l->found = true;
	return be(l, LINK_UP, LINK_IS_UP);
}

/* Give up on a link that `up` has begun to bring up. */
static enum link_act
clear(struct link *l, const struct link_ways *ways, int64_t now_ms)
{
	if (ways->can_down)
		return be(l, LINK_CLEARS, LINK_RUN_DOWN);
	return try_again(l, ways, now_ms);
}

static enum link_act
on_came_up(struct link *l, const struct link_ways *ways, bool yes, int64_t now_ms)
{
	if (!yes)
		return try_again(l, ways, now_ms);
	if (l->stopped)
		return clear(l, ways, now_ms);
	if (ways->can_ask)
		return be(l, LINK_WAITS, LINK_ASK);
	return be(l, LINK_UP, LINK_IS_UP);
}

static enum link_act
on_waited(struct link *l, const struct link_ways *ways, enum link_event event, int64_t now_ms)
{
	if (event == LINK_TIME)
		return LINK_ASK;
	if (event == LINK_YES && !l->stopped)
		return be(l, LINK_UP, LINK_IS_UP);
	if (l->stopped || now_ms >= l->until_ms)
		return clear(l, ways, now_ms);
	l->wait_until_ms = now_ms + LINK_LOOK_MS;
	return LINK_WAIT;
}

enum link_act
link_step(struct link *l, const struct link_ways *ways, enum link_event event, int64_t now_ms)
{
	if (event == LINK_STOP)
		return stop(l, ways);
	switch (l->state) {
	case LINK_DOWN:
		return event == LINK_START ? start(l, ways, now_ms) : LINK_NOTHING;
	case LINK_ASKS:
		return on_asked(l, ways, event == LINK_YES, now_ms);
	case LINK_COMES_UP:
		return on_came_up(l, ways, event == LINK_YES, now_ms);
	case LINK_WAITS:
		return on_waited(l, ways, event, now_ms);
	case LINK_CLEARS:
		return try_again(l, ways, now_ms);
	case LINK_RESTS:
		return event == LINK_TIME ? try_up(l, ways, now_ms) : LINK_NOTHING;
	case LINK_CLOSES:
		return be(l, LINK_DOWN, LINK_IS_DOWN);
	case LINK_UP:
		break;
	}
	return LINK_NOTHING;
}

void
link_found(struct link *l)
{
	*l = (struct link){ .state = LINK_UP, .found = true };
}

/* ---- who is told ---- */

bool
link_failures_add(struct link_failures *f, int64_t day)
{
	f->count++;
	if (f->count < LINK_FAILURES_TOLD || f->told_day == day)
		return false;
	f->told_day = day;
	return true;
}

void
link_failures_clear(struct link_failures *f)
{
	*f = (struct link_failures){ 0 };
}
