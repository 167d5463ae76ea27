/*
 * schedule.c - waits between tries.
 */
#include "server/queue/schedule.h"

#include "conf/conf.h"

#define DOUBLINGS_MAX 30

/* WAIT_MS, or less where MARK_MS lies between now and then. */
static int64_t
not_beyond(int64_t wait_ms, int64_t age_ms, int64_t mark_ms)
{
	return age_ms < mark_ms && age_ms + wait_ms > mark_ms ? mark_ms - age_ms : wait_ms;
}

struct schedule
schedule_of(const struct conf *conf, bool lan)
{
	struct schedule s = { conf->outgoing_retry_first_ms, conf->outgoing_retry_longest_ms,
		conf->outgoing_warn_ms, conf->outgoing_give_up_ms };

	if (lan) {
		s.first_ms = s.longest_ms = conf->lan_retry_ms;
		s.give_up_ms = conf->lan_give_up_ms;
	}
	return s;
}

int64_t
schedule_next_ms(const struct schedule *s, uint64_t tries, int64_t age_ms)
{
	int64_t wait_ms = s->first_ms > 0 ? s->first_ms : 1;

	if (age_ms >= s->give_up_ms)
		return 0;
	for (uint64_t i = 1; i < tries && i < DOUBLINGS_MAX && wait_ms < s->longest_ms; i++)
		wait_ms *= 2;
	if (wait_ms > s->longest_ms && s->longest_ms > 0)
		wait_ms = s->longest_ms;
	wait_ms = not_beyond(wait_ms, age_ms, s->warn_ms);
	return not_beyond(wait_ms, age_ms, s->give_up_ms);
}

bool
schedule_warns(const struct schedule *s, int64_t age_ms)
{
	return age_ms >= s->warn_ms;
}
