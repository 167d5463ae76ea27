/*
 * control_guarded.h - what message security locks (SEC-09, MON-10, ARC-05): while it is on, these are refused unless the
 * session was opened with its password. A method that shows what people wrote, or changes who gets to see it, has a
 * line here.
 */
#ifndef PROTO_CONTROL_CONTROL_GUARDED_H
#define PROTO_CONTROL_CONTROL_GUARDED_H

/* Methods. */
#define CONTROL_GUARDED(X) \
	X(message_list) X(message_show) X(message_hold) X(message_release) X(message_move) X(message_copy) \
	X(message_remove) X(message_purge) X(message_bin) X(message_restore) \
	X(queue_message) X(queue_redirect) \
	X(mapping_list) X(mapping_add) X(mapping_set) X(mapping_remove) X(mapping_test) \
	X(mapping_import) X(mapping_export) \
	X(rule_monitor_list) X(rule_monitor_show) X(rule_monitor_set) X(rule_monitor_remove) X(rule_monitor_test) \
	X(archive_set) X(archive_search) X(archive_show) X(archive_copy) X(archive_export) \
	X(archive_verify) X(archive_hold) X(archive_release) X(rule_archive_apply) \
	X(user_export) X(user_import) X(user_script) X(user_script_set) \
	X(rule_smtp_apply) X(rule_smtp_on) X(rule_smtp_move) X(rule_smtp_add) X(rule_smtp_set) \
	X(rule_download_apply) X(rule_download_on) X(rule_download_move) X(rule_download_add) \
	X(rule_download_set) X(rule_download_try) X(collect_add) X(collect_set) \
	X(rule_content_apply) X(folder_share) X(route_lan_apply) X(apppass_add) X(user_legacy) X(explain) \
	X(rule_smtp_try) X(rule_prune_preview) X(journal_set) X(config_undo) X(config_diff)

/*
 * Fields of methods that are free else: X(method, parameter, name or front of a name that ends in a dot). Of a parameter
 * of type keys its names count, of another one its value; "" is any: the parameter is there. The keys of config_set are
 * also what the text of config_edit may not alter.
 */
#define CONTROL_GUARDED_KEYS(X) \
	X(user_set, "keys", "assistants") X(user_set, "keys", "assistant_redirect") \
	X(user_set, "keys", "monitor") X(user_set, "keys", "forward_to") X(user_set, "keys", "forward") \
	X(user_set, "keys", "size_over_to") X(user_set, "keys", "size_under_to") \
	X(user_set, "keys", "store_forward_address") X(user_set, "keys", "store_forward_server") \
	X(group_set, "keys", "monitor") X(config_get, "key", "monitor") X(config_get, "key", "monitor.") \
	X(config_set, "key", "archive.") X(config_set, "key", "monitor") X(config_set, "key", "monitor.") \
	X(config_unset, "key", "archive.") X(config_unset, "key", "monitor") \
	X(config_unset, "key", "monitor.") X(config_change, "keys", "archive.") \
	X(config_change, "keys", "monitor") X(config_change, "keys", "monitor.") \
	X(config_set, "key", "journal.") X(config_unset, "key", "journal.") \
	X(config_change, "keys", "journal.") X(config_set, "key", "rules.") X(config_unset, "key", "rules.") \
	X(config_change, "keys", "rules.") X(config_set, "key", "collecting.collectors") \
	X(config_set, "key", "collecting.collectors.") X(config_set, "key", "collecting.unknown.") \
	X(config_unset, "key", "collecting.collectors") X(config_unset, "key", "collecting.collectors.") \
	X(config_unset, "key", "collecting.unknown.") X(config_change, "keys", "collecting.collectors") \
	X(config_change, "keys", "collecting.collectors.") X(config_change, "keys", "collecting.unknown.") \
	X(collect_test, "message", "") X(rule_download_test, "message", "")

/* Columns of free methods that stay empty: what a filter or an order looks for there is not found either. */
#define CONTROL_GUARDED_COLUMNS(X) X(queue_list, "subject") X(trace, "subject") X(rule_download_ask_list, "subject") \
	X(user_list, "store_forward_address") X(user_list, "store_forward_server")
/* Fields that `user show`, `group show` and `queue show` leave out. */
#define CONTROL_GUARDED_FIELDS(X) \
	X("assistants") X("assistant_redirect") X("monitor") X("forward_to") X("forward") \
	X("size_over_to") X("size_under_to") X("store_forward_address") X("store_forward_server") X("subject")

#endif
