/*
 * screen_schedules.c - when connections are made by the clock, and the runs that follow.
 */
#include "tui/params.h"
#include "tui/screen_rows.h"
#include "tui/table_panel.h"

#define WEEKDAYS "mon|tue|wed|thu|fri|sat|sun"

static const struct form_class schedule_add = {
	.title = "New schedule",
	.fields = (const struct form_field[]){
		{ "New schedule", "name", "Name", FORM_TEXT, NULL, "its name in the log", .names_row = true },
		{ NULL, "days", "Days", FORM_WORDS, WEEKDAYS, "none: every day", .keyed = true },
		{ NULL, "from", "From", FORM_TEXT, NULL, "begin of its window: 9:00", .keyed = true },
		{ NULL, "to", "To", FORM_TEXT, NULL, "end of its window, included: 17:00", .keyed = true },
		{ NULL, "every", "Every", FORM_TIME, NULL, "15m, 1h; empty where it has fixed times", .keyed = true },
		{ NULL, "at", "At", FORM_LIST, NULL, "fixed times instead: 8:00;12:00", .keyed = true },
		{ NULL, "connections", "Connections", FORM_LIST, NULL, "empty: all primary ones", .keyed = true },
		{ 0 } },
};

static const struct form_class schedule_edit = {
	.title = "Change schedule",
	.fields = (const struct form_field[]){
		{ "Change", "enabled", "On", FORM_FLAG, NULL, "off: it never fires", "enabled", .keyed = true },
		{ NULL, "days", "Days", FORM_WORDS, WEEKDAYS, "days it counts on", "days", .keyed = true },
		{ NULL, "from", "From", FORM_TEXT, NULL, "begin of its window: 9:00", "from", .keyed = true },
		{ NULL, "to", "To", FORM_TEXT, NULL, "end of its window, included: 17:00", "to", .keyed = true },
		{ NULL, "at", "At", FORM_LIST, NULL, "fixed times: 8:00;12:00", "at", .keyed = true },
		{ NULL, "every", "Every", FORM_TIME, NULL, "15m, 1h; 0 where it has fixed times", "every", .keyed = true },
		{ NULL, "connections", "Connections", FORM_LIST, NULL, "empty: all primary ones", "connections", .keyed = true },
		{ 0 } },
};

static void
switch_schedule(struct screen *s)
{
	const struct json *row = NULL;
	struct span key;
	struct params p;

	if (!screen_panel(s)->row(s, &row, &key))
		return;
	params_begin(&p);
	json_put_member_string(&p.w, SPAN("name"), key);
	json_put_name(&p.w, SPAN("keys"));
	json_put_object(&p.w);
	json_put_member_string(&p.w, SPAN("enabled"), json_truth(json_find(row, SPAN("enabled"))) ? SPAN("no") : SPAN("yes"));
	json_put_close(&p.w);
	params_do(&p, s->console, "schedule.set");
}

static void
open_runs(struct screen *s)
{
	console_open(s->console, &screen_runs, NULL, SPAN("next runs"));
}

/* ---- what holds for all ---- */

static const struct form_class modifiers_form = {
	.title = "Modifiers",
	.save = "schedule.modify",
	.fields = (const struct form_field[]){
		{ "Modifiers", "send_immediately", "Send at once", FORM_FLAG, NULL, "outgoing mail that arrives while online; off: it waits for the next run" },
		{ NULL, "skip_if_connected_within", "Skip within", FORM_TIME, NULL, "so soon after a connection a schedule does not fire: 5m; 0: it always does" },
		{ NULL, "connect_after_people", "After people", FORM_NUMBER, NULL, "connect when so many have checked their mail; 0: never" },
		{ NULL, "connect_after_people_within", "... within", FORM_TIME, NULL, "how soon after the first of them: 5m" },
		{ NULL, "connect_for_priority", "Urgent mail", FORM_FLAG, NULL, "connects at once; headers.priority says what is urgent" },
		{ NULL, "follow_clock_changes", "Clock changes", FORM_FLAG, NULL, "when somebody sets the clock: fire for the time jumped over" },
		{ NULL, "drop", "Drop folder", FORM_TEXT, NULL, "a file connect.now in it connects; wants a restart; empty: none" },
		{ 0 } },
};

const struct screen_class screen_modifiers = {
	.name = "modifiers",
	.title = "Modifiers",
	.panel = &form_panel,
	.method = "schedule.modifiers",
	.form = &modifiers_form,
	.help = "What holds for all schedules: what is sent at once, what is skipped, what else connects.",
};

static uint64_t
number_of(const struct json *answer, const char *field)
{
	return json_number_or(json_find(answer, span_of(field)), 0);
}

/* "Sends at once; skips within 5m of a connection; connects after 3 people in 5m, for urgent mail" */
static void
put_modifiers(const struct json *answer, const struct print_style *style, struct buf *out)
{
	uint64_t skip = number_of(answer, "skip_if_connected_within"), people = number_of(answer, "connect_after_people");
	bool urgent = json_truth(json_find(answer, SPAN("connect_for_priority")));
	bool drop = json_text(json_find(answer, SPAN("drop"))).len > 0;

	(void)style;
	print_put(out, json_truth(json_find(answer, SPAN("send_immediately"))) ? SPAN("M: sends at once") :
		SPAN("M: online too mail waits for a run"));
	if (skip > 0) {
		print_put(out, SPAN("; skips within "));
		print_interval(out, skip);
	}
	if (people > 0) {
		out->overflow |= buf_printf(out, "; connects: %llu people in ", (unsigned long long)people) != OK;
		print_interval(out, number_of(answer, "connect_after_people_within"));
	}
	print_put(out, urgent ? SPAN("; for urgent mail") : SPAN(""));
	print_put(out, drop ? SPAN("; by connect.now") : SPAN(""));
	print_put(out, json_truth(json_find(answer, SPAN("follow_clock_changes"))) ? SPAN("; follows the clock") : SPAN(""));
}

static const struct above modifiers_above = { "schedule.modifiers", put_modifiers };

static void
open_modifiers(struct screen *s)
{
	console_open(s->console, &screen_modifiers, NULL, SPAN("modifiers"));
}

/* ---- the list ---- */

const struct screen_class screen_schedules = {
	.name = "schedules",
	.title = "Schedule",
	.method = "schedule.list",
	.columns = (const struct column[]){
		{ "Name", "name", 14, 0, COLUMN_GROW },
		{ "On", "enabled", 4 },
		{ "Days", "days", 14, 1, COLUMN_GROW },
		{ "From", "from", 5, 2 },
		{ "To", "to", 5, 2 },
		{ "Every", "every", 7 },
		{ "At", "at", 12, 3, COLUMN_GROW },
		{ "Next", "next", 12 },
		{ "Connections", "connections", 14, 4, COLUMN_GROW },
		{ 0 } },
	.keys = (const struct key_action[]){
		{ KEY_RETURN, "Week", .open = &screen_week },
		{ 'E', "On/off", "schedule.set", .run = switch_schedule, .help = "A schedule that is off never fires." },
		{ 'c', "Create", "schedule.add", .form = &schedule_add },
		{ 'e', "Edit", "schedule.set", .form = &schedule_edit },
		{ 'd', "Remove", "schedule.remove" },
		{ 'L', "Next runs", "schedule.next", .run = open_runs, .help = "The next ten runs of all schedules." },
		{ 'M', "Modifiers", "schedule.modifiers", .run = open_modifiers, .help = "What holds for all schedules: what is sent at once, what is skipped." },
		{ 0 } },
	.above = &modifiers_above,
	.tabs = sending_tabs,
	.help = "When connections are made by the clock. No connections named: all primary ones.",
	.poll = true,
};

const struct screen_class screen_runs = {
	.name = "runs",
	.title = "Runs",
	.method = "schedule.next",
	.columns = (const struct column[]){
		{ "When", "time", 16 },
		{ "Schedule", "schedule", 20, 0, COLUMN_GROW },
		{ "Connections", "connections", 30, 0, COLUMN_GROW },
		{ 0 } },
	.help = "The next ten times at which schedules fire.",
	.poll = true,
};
