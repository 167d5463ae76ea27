/*
 * screen_schedules.c - when connections are made by the clock, and the runs that follow.
 */
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
	struct json_writer w;
	struct buf params;

	if (!screen_panel(s)->row(s, &row, &key))
		return;
	buf_init(&params, CONTROL_LINE_MAX);
	json_writer_init(&w, &params);
	json_put_object(&w);
	json_put_member_string(&w, SPAN("name"), key);
	json_put_name(&w, SPAN("keys"));
	json_put_object(&w);
	json_put_member_string(&w, SPAN("enabled"), json_truth(json_find(row, SPAN("enabled"))) ? SPAN("no") : SPAN("yes"));
	json_put_close(&w);
	json_put_close(&w);
	if (json_writer_end(&w) == OK)
		console_do_params(s->console, control_method_find(SPAN("schedule.set")), buf_span(&params));
	buf_fini(&params);
}

static void
open_runs(struct screen *s)
{
	console_open(s->console, &screen_runs, NULL, SPAN("next runs"));
}

/* What holds for all schedules stands among the settings. */
static void
open_modifiers(struct screen *s)
{
	(void)console_go(s->console, &screen_settings);
	table_filter(console_screen(s->console), SPAN("key:scheduling"));
}

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
		{ 'M', "Modifiers", "config.show", .run = open_modifiers, .help = "Settings that hold for all schedules: what is sent at once, what is skipped." },
		{ 0 } },
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
