/*
 * control_guarded.h - what message security locks (SEC-09, MON-10, ARC-05): while it is on, these are refused unless the
 * session was opened with its password. A method that shows what people wrote, or changes who gets to see it, has a
 * line here.
 */
#ifndef PROTO_CONTROL_CONTROL_GUARDED_H
#define PROTO_CONTROL_CONTROL_GUARDED_H

/* Methods. */
#define CONTROL_GUARDED(X) \
	X(message_list) X(message_show) X(message_move) X(message_copy) X(message_bin) \
	X(queue_message) X(queue_redirect) \
	X(mapping_list) X(mapping_add) X(mapping_set) X(mapping_remove) X(mapping_test) \
	X(mapping_import) X(mapping_export) \
	X(rule_monitor_list) X(rule_monitor_show) X(rule_monitor_set) X(rule_monitor_remove) \
	X(archive_set) X(archive_search) X(archive_show) X(archive_copy) X(archive_export) \
	X(archive_verify) X(archive_hold) X(archive_release)

/*
 * Fields of methods that are free else: X(method, parameter, name or front of a name that ends in a dot). Of a parameter
 * of type keys its names count, of another one its value.
 */
#define CONTROL_GUARDED_KEYS(X) \
	X(user_set, "keys", "assistants") X(user_set, "keys", "assistant_redirect") \
	X(user_set, "keys", "monitor") X(user_set, "keys", "forward_to") \
	X(group_set, "keys", "monitor") \
	X(config_set, "key", "archive.") X(config_set, "key", "monitor") X(config_set, "key", "monitor.") \
	X(config_unset, "key", "archive.") X(config_unset, "key", "monitor") \
	X(config_unset, "key", "monitor.") X(config_change, "keys", "archive.") \
	X(config_change, "keys", "monitor") X(config_change, "keys", "monitor.")

#endif
