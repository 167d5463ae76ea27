/*
 * screen_overview.c - the Overview: where the console begins, and where q leads back to.
 */
#include "tui/screen_rows.h"

const struct screen_class screen_overview = {
	.name = "overview",
	.title = "Overview",
	.digit = '1',
	.panel = &overview_panel,
	.help = "What needs attention, what flows, the last messages. Enter goes to the screen behind a line.",
};
