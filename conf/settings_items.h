/*
 * settings_items.h - rows of what repeats in the file: services, routes, collectors, connections,
 * schedules, monitoring profiles and domain maps. Rows are read as in settings.h; the key is the key
 * inside the item.
 */
#ifndef CONF_SETTINGS_ITEMS_H
#define CONF_SETTINGS_ITEMS_H

#include "conf/settings.h"

/* Names that may stand under `services:`; 1 where TLS begins with the first byte. */
#define SERVICE_NAMES(X)                                                                           \
	X(smtp, 0) X(submission, 0) X(submissions, 1) X(pop3, 0) X(pop3s, 1) X(imap, 0)            \
	X(imaps, 1) X(lmtp, 0) X(ldap, 0) X(finger, 0) X(password, 0) X(metrics, 0)

#define SERVICE_ROWS(X)                                                                            \
	X(listen, "listen", LISTEN, 1, 16, "[]", "address", RELOAD,                                \
		"Where to listen: 127.0.0.1:25, [::1]:25, *:25 (both families), unix:PATH.")       \
	X(access, "access", ACCESS, 0, 10000, "[]", "", NOTHING,                                   \
		"Who may connect, line by line (ACC-01); empty: everybody.")                       \
	X(max_connections, "max_connections", COUNT, 0, COUNT_MAX, "0", "connections", NOTHING,    \
		"0: limits.max_connections.")                                                      \
	X(max_per_ip, "max_per_ip", COUNT, 0, COUNT_MAX, "0", "connections", NOTHING,              \
		"0: limits.max_per_ip.")                                                           \
	X(timeout_ms, "timeout", DURATION, 0, 7 * DAY_MS, "0", "time", NOTHING,                    \
		"Idle time; 0: what timeouts.* says.")                                             \
	X(group, "group", TEXT, 0, 64, "", "", RELOAD,                                             \
		"Unix group that may use its unix: sockets (0660); empty: the server's own.")

#define ROUTE_ROWS(X)                                                                              \
	X(name, "name", TEXT, 1, 64, "", "", NOTHING, "Its name in commands and traces.")          \
	X(kind, "kind", CHOICE, 0, 0, "relay", "relay|direct|spool", NOTHING,                      \
		"relay: to servers named here; direct: by MX; spool: into a folder of files (FXF).") \
	X(path, "path", PATH, 0, 4095, "", "", NOTHING, "Folder of kind spool.")                   \
	X(spool_layout, "spool_layout", CHOICE, 0, 0, "in", "in|users", NOTHING,                   \
		"Of kind spool: PATH/in with the envelope in front, or PATH/out/LOCAL-PART.")      \
	X(servers, "servers", ENDPOINTS, 0, 20, "[]", "host:port", NOTHING, "Tried in order (OUT-04).") \
	X(port, "port", COUNT, 1, 65535, "25", "", NOTHING, "Port of direct delivery.")            \
	X(username, "username", TEXT, 0, 255, "", "", NOTHING, "Empty: no AUTH.")                  \
	X(password, "password", SECRET, 0, 256, "", "", NOTHING, "Its password (OUT-06).")         \
	X(token_command, "token_command", LIST, 0, 50, "[]", "", NOTHING,                          \
		"Instead of a password: program and arguments that print an access token.")        \
	X(tls, "tls", CHOICE, 0, 0, "opportunistic", "none|opportunistic|required|verified|implicit", \
		NOTHING, "required never falls back (H68); implicit verifies.")                    \
	X(domains, "domains", LIST, 0, 1000, "[]", "", NOTHING,                                    \
		"domain, !domain, From: address, !From: address (OUT-08).")                        \
	X(max_recipients, "max_recipients", COUNT, 0, 100000, "0", "recipients", NOTHING,          \
		"Recipients of one transaction; 0: any (OUT-05).")                                 \
	X(max_connections, "max_connections", COUNT, 1, 1000, "20", "connections", NOTHING,        \
		"Connections to one destination (H37).")                                           \
	X(total_connections, "total_connections", COUNT, 0, 10000, "0", "connections", NOTHING,    \
		"To all its destinations together; 0: outgoing.max_connections.")                  \
	X(rate, "rate", COUNT, 0, 1000000, "0", "messages", NOTHING,                               \
		"A minute to one destination; 0: any.")                                            \
	X(total_rate, "total_rate", COUNT, 0, 1000000, "0", "messages", NOTHING,                   \
		"A minute to all its destinations together; 0: any.")                              \
	X(return_address, "return_address", TEXT, 0, 300, "keep", "", NOTHING,                     \
		"keep, always ADDRESS, nonlocal ADDRESS (OUT-12).")                                \
	X(smaller_first, "smaller_first", BOOL, 0, 0, "no", "", NOTHING, "Small messages first.")  \
	X(esmtp, "esmtp", BOOL, 0, 0, "yes", "", NOTHING, "EHLO first; no: HELO only (OUT-07).")   \
	X(allow_loopback, "allow_loopback", BOOL, 0, 0, "no", "", NOTHING,                         \
		"Direct delivery may go to loopback addresses (H21).")                             \
	X(connection, "connection", TEXT, 0, 64, "", "", NOTHING,                                  \
		"Connection it goes by; empty: the first of the file (CON-01).")                   \
	X(waiting_only, "waiting_only", BOOL, 0, 0, "no", "", NOTHING,                             \
		"A run sends only what waited when it began (OUT-03).")

#define COLLECTOR_ROWS(X)                                                                          \
	X(name, "name", TEXT, 1, 64, "", "", NOTHING, "Its name in commands and errors.")          \
	X(kind, "kind", CHOICE, 0, 0, "pop3", "pop3|imap|spool|smtp", NOTHING,           \
		"How it is fetched; smtp: a run waits for mail that is brought (INM-26).")         \
	X(enabled, "enabled", BOOL, 0, 0, "yes", "", NOTHING, "No: never contacted (INM-29).")     \
	X(server, "server", TEXT, 0, 255, "", "", NOTHING, "Host.")                                \
	X(port, "port", COUNT, 0, 65535, "0", "", NOTHING, "0: the protocol's own.")               \
	X(tls, "tls", CHOICE, 0, 0, "implicit", "none|starttls|implicit", NOTHING, "Encryption.")  \
	X(tls_ca, "tls_ca", PATH, 0, 4095, "", "", NOTHING, "Roots for this server only.")         \
	X(auth, "auth", CHOICE, 0, 0, "plain", "plain|sasl-plain|apop|cram-md5|xoauth2", NOTHING,  \
		"How to log in (INM-02).")                                                         \
	X(username, "username", TEXT, 0, 255, "", "", NOTHING, "Account; may hold '#'.")           \
	X(password, "password", SECRET, 0, 256, "", "", NOTHING, "Its password.")                  \
	X(token_command, "token_command", LIST, 0, 50, "[]", "", NOTHING,                          \
		"Program and arguments that print an access token.")                               \
	X(folder, "folder", TEXT, 1, 200, "INBOX", "", NOTHING, "Folder there, of kind imap.")     \
	X(unseen_only, "unseen_only", BOOL, 0, 0, "no", "", NOTHING,                               \
		"Of kind imap: what is marked as seen there is not fetched.")                      \
	X(mark_seen, "mark_seen", BOOL, 0, 0, "yes", "", NOTHING,                                  \
		"Of kind imap: what was fetched and is left there is marked as seen.")             \
	X(idle, "idle", BOOL, 0, 0, "no", "", NOTHING,                                             \
		"Of kind imap: it stays connected, and new mail is fetched as it comes (IDLE).")   \
	X(path, "path", PATH, 0, 4095, "", "", NOTHING, "Folder of kind spool.")                   \
	X(users, "users", LIST, 0, 10000, "[]", "", NOTHING, "Users of kind spool.")               \
	X(accepted, "accepted", PATTERNS, 0, 1000, "[]", "", NOTHING, \
		"Accepted Domains: domains, addresses or patterns that are ours in its mail (INM-06).") \
	X(route, "route", CHOICE, 0, 0, "recipient", "recipient|all|lan|single|subject", NOTHING,  \
		"recipient: by its header; all: to `target`; lan: to `target` at `target_server`; single: by a " \
		"name beside our address (INM-19); subject: by a name in `marker` (INM-09).") \
	X(target, "target", TEXT, 0, 254, "", "", NOTHING, "User, list or address for it.")        \
	X(target_server, "target_server", TEXT, 0, 255, "", "host:port", NOTHING, "For route lan.") \
	X(marker, "marker", TEXT, 0, 64, "{*}", "", NOTHING, "Pattern in the subject (INM-20).")   \
	X(special_headers, "special_headers", LIST, 0, 50, "[]", "", NOTHING,                      \
		"Fields that name recipients: NAME, or NAME: account-* where '*' is the address (INM-11).") \
	X(read_special, "read_special", CHOICE, 0, 0, "forwards", "forwards|reversed|all",         \
		NOTHING, "Which address of ours in them counts: the first, the last, all (INM-12).") \
	X(read_received, "read_received", CHOICE, 0, 0, "reversed", "forwards|reversed|all",       \
		NOTHING, "Likewise of `for ADDRESS` in Received fields (INM-12).")                                           \
	X(order, "order", WORDS, 0, 10, "[special, stop-if-any, standard, stop-if-any, received]", \
		"special|standard|received|stop-if-any|stop", NOTHING, \
		"Order of reading; each step once (INM-13).") \
	X(ignore_resent, "ignore_resent", BOOL, 0, 0, "no", "", NOTHING, \
		"Resent-To and Resent-Cc are not read (INM-14).")                \
	X(ignore_bare_received, "ignore_bare_received", BOOL, 0, 0, "yes", "", NOTHING, \
		"Addresses without `@` in Received are passed over (INM-15).") \
	X(ignore_from_line, "ignore_from_line", BOOL, 0, 0, "yes", "", NOTHING, \
		"A first line `From anna ...`, which is no field, is removed (INM-16).")         \
	X(default_mappings, "default_mappings", BOOL, 0, 0, "yes", "", NOTHING, \
		"No: users are found by mappings and lists alone (INM-17).")         \
	X(demon_env, "demon_env", BOOL, 0, 0, "no", "", NOTHING, "INM-18.")                        \
	X(duplicates, "duplicates", BOOL, 0, 0, "no", "", NOTHING, "Remove doubles (INM-21).")     \
	X(download_rules, "download_rules", BOOL, 0, 0, "yes", "", NOTHING, "INM-23.")             \
	X(keep_received, "keep_received", BOOL, 0, 0, "no", "", NOTHING, "INM-24.")                \
	X(leave_days, "leave_days", COUNT, 0, 36500, "0", "days", NOTHING, "INM-05.")              \
	X(leave, "leave", CHOICE, 0, 0, "days", "days|always", NOTHING,                            \
		"days: removed there by leave_days; always: never.")                               \
	X(max_kb, "max_kb", COUNT, 0, INT64_C(1000000000), "0", "kB", NOTHING, "INM-04.")          \
	X(connections, "connections", LIST, 0, 10, "[]", "", NOTHING,                              \
		"Connections whose runs start it (INM-01); empty where the file has none.")        \
	X(every_ms, "every", DURATION, 0, 7 * DAY_MS, "0", "time", NOTHING,                        \
		"How often it also collects without a run, while a connection of it is online; 0: never.") \
	X(wait_ms, "wait", DURATION, 0, DAY_MS / 24, "60s", "time", NOTHING,                           \
		"Of kind smtp: a run stays online so long for an incoming connection (INM-26).")   \
	X(etrn, "etrn", TEXT, 0, 255, "", "", NOTHING,                                             \
		"Of kind smtp: domain or @domain whose mail is asked for by ETRN (INM-27).")       \
	X(etrn_server, "etrn_server", TEXT, 0, 255, "", "host:port", NOTHING,                      \
		"Who is asked; empty: the first server of a route by the connection.")             \
	X(timeout_ms, "timeout", DURATION, 1000, DAY_MS, "300s", "time", NOTHING, "NET-02.")

#define CONNECTION_ROWS(X)                                                                         \
	X(name, "name", TEXT, 1, 64, "", "", NOTHING, "Its name in errors and the log.")           \
	X(kind, "kind", CHOICE, 0, 0, "lan", "lan|link", NOTHING, "lan: always online (CON-05).")  \
	X(up, "up", LIST, 0, 50, "[]", "", NOTHING, "Program and arguments that bring it up.")     \
	X(down, "down", LIST, 0, 50, "[]", "", NOTHING, "And down.")                               \
	X(status, "status", LIST, 0, 50, "[]", "", NOTHING, "And tell whether it is up.")          \
	X(primary, "primary", BOOL, 0, 0, "yes", "", NOTHING, "Started by the schedule (CON-11).") \
	X(retries, "retries", COUNT, 0, 100, "1", "tries", NOTHING, "CON-06.")                     \
	X(retry_wait_ms, "retry_wait", DURATION, 0, DAY_MS, "1m", "time", NOTHING, "CON-06.")      \
	X(link_timeout_ms, "link_timeout", DURATION, 1000, DAY_MS, "1m", "time", NOTHING, "CON-06.") \
	X(interfaces, "interfaces", LIST, 0, 20, "[]", "", NOTHING,                                \
		"Network interfaces; it is up while one of them is (CON-07). Else status tells.")  \
	X(autoconnect, "autoconnect", BOOL, 0, 0, "yes", "", NOTHING,                              \
		"Use the link whenever somebody else has brought it up (CON-08).")                 \
	X(autoconnect_once, "autoconnect_once", BOOL, 0, 0, "yes", "", NOTHING,                    \
		"Then once until it drops; no: every autoconnect_every.")                          \
	X(autoconnect_every_ms, "autoconnect_every", DURATION, 60000, DAY_MS, "5m", "time", NOTHING, \
		"CON-08.")                                                                         \
	X(numbers, "numbers", LIST, 0, 20, "[]", "", NOTHING,                                      \
		"One at random for each try, as POSTROOM_NUMBER (CON-09).")                        \
	X(username, "username", TEXT, 0, 255, "", "", NOTHING, "For the link: POSTROOM_USER.")     \
	X(password, "password", SECRET, 0, 256, "", "", NOTHING,                                   \
		"For the link: POSTROOM_PASSWORD, in the environment alone (CON-05).")             \
	X(multilink, "multilink", BOOL, 0, 0, "yes", "", NOTHING, "POSTROOM_MULTILINK: 1 or 0.")   \
	X(pop3_then_smtp, "pop3_then_smtp", BOOL, 0, 0, "no", "", NOTHING, "Collect first (CON-03).")                        \
	X(socks, "socks", BOOL, 0, 0, "no", "", NOTHING, "Through socks.server (CON-10).")         \
	X(post_connect, "post_connect", LIST, 0, 50, "[]", "", NOTHING,                            \
		"Program and arguments, run as soon as it is up, with CONNECTION=1 to 10 (EXT-12).") \
	X(pre_disconnect, "pre_disconnect", LIST, 0, 50, "[]", "", NOTHING,                        \
		"The same right before a run ends.")                                               \
	X(program_timeout_ms, "program_timeout", DURATION, 1000, DAY_MS / 24, "30s", "time", NOTHING,  \
		"Those two are ended after this.")

#define SCHEDULE_ROWS(X)                                                                           \
	X(name, "name", TEXT, 1, 64, "", "", NOTHING, "Its name.")                                 \
	X(enabled, "enabled", BOOL, 0, 0, "yes", "", NOTHING, "No: it never fires.")               \
	X(days, "days", WORDS, 0, 7, "[mon, tue, wed, thu, fri, sat, sun]",                        \
		"mon|tue|wed|thu|fri|sat|sun", NOTHING, "Days it counts on.")                      \
	X(from, "from", CLOCK, 0, 1440, "00:00", "HH:MM", NOTHING, "Begin of its window.")         \
	X(to, "to", CLOCK, 0, 1440, "24:00", "HH:MM", NOTHING, "End of its window, included.")     \
	X(every_ms, "every", DURATION, 0, 7 * DAY_MS, "0", "time", NOTHING, "Interval; 0: see at.") \
	X(at, "at", CLOCKS, 0, 100, "[]", "HH:MM", NOTHING, "Fixed times, instead of every.")      \
	X(connections, "connections", LIST, 0, 10, "[]", "", NOTHING, "Empty: all primary ones.")

#define MONITOR_ROWS(X)                                                                            \
	X(name, "name", TEXT, 1, 64, "default", "", NOTHING, "Its name in commands and traces.")   \
	X(incoming, "incoming", CHOICE, 0, 0, "none", "none|selected|all", NOTHING,                \
		"Mail from the Internet; selected: where the sender or a recipient here is one of "  \
		"`users` (MON-02).")                                                              \
	X(outgoing, "outgoing", CHOICE, 0, 0, "none", "none|selected|all", NOTHING,                \
		"Mail to the Internet; selected as above.")                                        \
	X(internal, "internal", CHOICE, 0, 0, "none", "none|selected|all", NOTHING,                \
		"Mail among users here; selected as above.")                                       \
	X(users, "users", LIST, 0, 1000, "[]", "", NOTHING,                                        \
		"Users and groups that count as selected; empty: those with `monitor: yes` (USR-27).") \
	X(target, "target", TEXT, 0, 254, "", "", NOTHING,                                         \
		"User, list or address that gets a copy of each (MON-01).")                        \
	X(min_kb, "min_kb", COUNT, 0, INT64_C(1000000000), "0", "kB", NOTHING,                     \
		"Only messages larger than this; 0: of any size (MON-04).")                        \
	X(sample_percent, "sample_percent", COUNT, 0, 100, "0", "%", NOTHING,                      \
		"Of what it monitors, how much goes to sample_target too, at random (MON-05).")    \
	X(sample_target, "sample_target", TEXT, 0, 254, "", "", NOTHING,                           \
		"User, list or address that gets the sample.")

#define DOMAIN_MAP_ROWS(X)                                                                         \
	X(from, "from", DOMAIN, 1, 255, "", "", NOTHING, "Domain inside.")                         \
	X(to, "to", DOMAIN, 1, 255, "", "", NOTHING, "Domain outside.")

#endif
