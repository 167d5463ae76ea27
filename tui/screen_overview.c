/*
 * screen_overview.c - the Overview: where the console begins, and where q leads back to.
 */
#include "tui/overview_inside.h"
#include "tui/screen_rows.h"

const struct screen_class screen_overview = {
	.name = "overview",
	.title = "Overview",
	.digit = '1',
	.panel = &overview_panel,
	.keys = (const struct key_action[]){
		{ 'C', "Collect or connect now", "collect.now", .run = overview_start, .help = "The collector or connection under the cursor; elsewhere all collectors." },
		{ 'S', "Stop", "collect.stop", .run = overview_stop, .help = "End the collection or run under the cursor; elsewhere all collections." },
		{ 0 } },
	.help = "What needs attention, what flows, the last messages. Enter goes to the screen behind a line.",
};
