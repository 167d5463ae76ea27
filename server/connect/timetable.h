/*
 * timetable.h - when a schedule fires: arithmetic of days, windows and clock times (SCH-02, Q-26).
 *
 * Pure: times are Unix milliseconds, and the caller says how far the local clock is from UTC at a moment.
 * The local clock may jump: what falls into the hour that a day lacks fires when that hour would have begun,
 * and what falls into an hour that comes twice fires in the first one alone (SCH-07).
 *
 *     days: [mon, tue], from: 09:00, to: 17:00, every: 15m      9:00, 9:15, ... 17:00: both ends
 *     from: 22:00, to: 02:00                                    over midnight; the day is that of its begin
 *     at: [08:30, 24:00]                                        instead of a window
 *
 * A window to 24:00 ends with the day: 0:00 belongs to the next one.
 */
#ifndef SERVER_CONNECT_TIMETABLE_H
#define SERVER_CONNECT_TIMETABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/conf_types.h"

#define TIMETABLE_TIMES_MAX 100 /* fixed times of one schedule */

struct timetable {
	unsigned days; /* bit 0 is Monday */
	int64_t from_ms, to_ms, every_ms; /* of the day; every_ms 0: fixed times, or never */
	int64_t at_ms[TIMETABLE_TIMES_MAX];
	size_t at_count;
};

/* Minutes that the local clock is east of UTC at a moment: host_zone_minutes(). */
typedef int (*timetable_zone)(int64_t now_ms);

void timetable_read(const struct conf_schedule *schedule, struct timetable *out);
/* The first moment behind AFTER_MS; 0: never. */
int64_t timetable_next_ms(const struct timetable *t, int64_t after_ms, timetable_zone zone);

/* What one schedule has done, and does next. */
struct firing {
	int64_t next_ms; /* 0: never */
	int64_t last_ms; /* the moment that it fired for; 0: none yet */
};
#define FIRING_BACK_MS INT64_C(86400000) /* further back, the clock was wrong before and not now */

void firing_start(struct firing *f, const struct timetable *t, int64_t now_ms, timetable_zone zone);
/*
 * Has its time come? It is then set to the next one; what was missed since counts as one.
 *
 * JUMPED: somebody has set the clock since the last call. Nothing fires for that, the next one is the first
 * behind the new time, and never one that it has fired for already. FOLLOWS: the new time counts, so what it
 * jumped over fires, and what it went back before fires again (SCH-07).
 */
bool firing_is_due(struct firing *f, const struct timetable *t, int64_t now_ms, bool jumped,
	bool follows, timetable_zone zone);

#endif
