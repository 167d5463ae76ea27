/*
 * screens.h - the screens by name, for screens.c and for screens that open one another.
 */
#ifndef TUI_SCREENS_H
#define TUI_SCREENS_H

#include "tui/screen.h"

extern const struct screen_class screen_overview, screen_queue, screen_trace, screen_logs, screen_users,
	screen_mappings, screen_lists, screen_groups, screen_services, screen_access, screen_sessions,
	screen_blocked, screen_shared, screen_settings, screen_audit, screen_connections, screen_routes,
	screen_destinations, screen_schedules, screen_runs, screen_lan_rules, screen_dkim, screen_rules, screen_prune,
	screen_monitor, screen_archiving, screen_archive, screen_seats, screen_journal, screen_scripts,
	screen_functions, screen_content, screen_collect, screen_download, screen_asked, screen_forwards, screen_security, screen_bins, screen_signature;
/* below another */
extern const struct screen_class screen_message, screen_trace_steps, screen_user, screen_logins,
	screen_mapped, screen_mailbox, screen_mailbox_bin, screen_group, screen_group_members,
	screen_list, screen_list_members, screen_access_test,
	screen_queue_header, screen_queue_body, screen_queue_parts, screen_queue_raw, screen_letter_header,
	screen_letter_body, screen_letter_parts, screen_letter_raw, screen_setting, screen_folders, screen_folder_mail,
	screen_folder_rights, screen_history, screen_route, screen_connection, screen_modifiers, screen_dkim_key, screen_prune_preview, screen_user_prune,
	screen_archived_header, screen_archived_body, screen_archived_parts, screen_archived_raw,
	screen_user_script, screen_rule_try, screen_rule_paste, screen_rules_text, screen_week, screen_collector, screen_order,
	screen_download_try, screen_download_paste, screen_download_text;

/* ---- shared by screens that show the same rows ---- */

extern const struct screen_class *const user_tabs[], *const rule_tabs[], *const sending_tabs[];
extern const struct column mapping_columns[], member_columns[], mail_columns[];
extern const struct key_action mapping_keys[], member_keys[], mail_keys[];

#endif
