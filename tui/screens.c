/*
 * screens.c - the screens, in the order of the screen bar and of the list of others.
 *
 * To add one: its file ends in a screen_class, and its line stands here (docs/console.md).
 */
#include "tui/screens.h"

const struct screen_class *const screens[] = {
	&screen_overview,
	&screen_queue,
	&screen_trace,
	&screen_logs,
	&screen_users,
	&screen_mappings,
	&screen_lists,
	&screen_rules,
	&screen_collect,
	/* reached by 0 and by name */
	&screen_connections,
	&screen_routes,
	&screen_destinations,
	&screen_schedules,
	&screen_runs,
	&screen_lan_rules,
	&screen_forwards,
	&screen_dkim,
	&screen_download,
	&screen_asked,
	&screen_prune,
	&screen_prune_preview,
	&screen_monitor,
	&screen_archive,
	&screen_archiving,
	&screen_seats,
	&screen_journal,
	&screen_content,
	&screen_scripts,
	&screen_functions,
	&screen_groups,
	&screen_shared,
	&screen_bins,
	&screen_signature,
	&screen_services,
	&screen_access,
	&screen_sessions,
	&screen_blocked,
	&screen_security,
	&screen_settings,
	&screen_audit,
	NULL,
};
