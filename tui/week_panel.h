/*
 * week_panel.h - one schedule as a table of days and hours, for week_panel.c (keys, the server) and week_draw.c.
 *
 * Nothing is changed before F2; until then the next runs are those that the schedule would have.
 */
#ifndef TUI_WEEK_PANEL_H
#define TUI_WEEK_PANEL_H

#include "tui/console.h"

#define WEEK_DAYS 7
#define WEEK_HOURS 24
#define WEEK_RUNS 10
#define WEEK_TEXT_MAX 512
#define WEEK_DAY_S 86400

/* A schedule as it is edited; what is not here stays as it is. */
struct week_plan {
	unsigned days; /* bit 0 is Monday */
	int from, to;  /* minutes of the day */
	int64_t every_s;
	char at[WEEK_TEXT_MAX]; /* "08:00;12:00": fixed times instead; empty: none */
	bool enabled;
};

struct week {
	struct screen *screen;
	struct week_plan base, plan;
	int day, hour; /* the cursor */
	unsigned counts[WEEK_DAYS][WEEK_HOURS]; /* runs in each hour */
	struct arena arena;
	const struct json *runs; /* rows of schedule.next; NULL: not known */
	bool asked, again, leaving;
};

/* How often PLAN fires in each hour of a week. */
void week_count(const struct week_plan *plan, unsigned counts[WEEK_DAYS][WEEK_HOURS]);
bool week_is_changed(const struct week *w);
/* "Mon-Fri", "Mon Wed Sun", "every day", "no day". */
void week_put_days(unsigned days, struct buf *out);
void week_draw(struct screen *screen, struct rect at);

extern const struct panel_class week_panel;

#endif
