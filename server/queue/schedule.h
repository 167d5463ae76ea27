/*
 * schedule.h - when a recipient that could not be reached is tried again, and when no more.
 *
 * Pure. The wait doubles from `first_ms` to `longest_ms`. A try falls on the moment when the author is
 * warned, and on the one when time is over (OUT-17): that is the last one (contract 8).
 */
#ifndef SERVER_QUEUE_SCHEDULE_H
#define SERVER_QUEUE_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

struct schedule {
	int64_t first_ms, longest_ms; /* waits */
	int64_t warn_ms, give_up_ms;  /* ages, without the time an entry was held */
};

struct conf;

/* By the settings: LAN forwarding has times of its own, and warns as the rest does (LAN-05). */
struct schedule schedule_of(const struct conf *conf, bool lan);
/* How long to wait after TRIES tries (at least 1) at AGE_MS; 0: no more, it has failed. */
int64_t schedule_next_ms(const struct schedule *s, uint64_t tries, int64_t age_ms);
/* Is it time for the delay warning? */
bool schedule_warns(const struct schedule *s, int64_t age_ms);

#endif
