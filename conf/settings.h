/*
 * settings.h - every key of the file that stands by itself: one row each.
 *
 * A row is  X(member, "key", TYPE, min, max, "default", "unit", NEEDS, "help").  The loader, the
 * checker, `config show`, the console and docs/settings.md read the same row.  No default lives
 * anywhere else.
 *
 * TYPE      what the text may be, see conf/conf_value.h; it also gives the member's type in C.
 * min, max  of the number; of the length in bytes for texts; of the count for lists. A SIZE is kept
 *           in bytes, a DURATION in milliseconds (its member ends in _ms).
 * default   as it would stand in the file.
 * unit      for people; for CHOICE and WORDS the words that are allowed, in the order of the enum.
 * NEEDS     NOTHING: sessions follow at their next command. RELOAD: listeners, certificates or
 *           timetables are made anew when the setting is applied. RESTART: from the next start on.
 *
 * What repeats (services, routes, collectors, ...) is a shape with its own rows: settings_items.h.
 */
#ifndef CONF_SETTINGS_H
#define CONF_SETTINGS_H

#include <stdint.h>

/* One mask for all counts that are only there to stop nonsense. */
#define COUNT_MAX 1000000
#define DAY_MS INT64_C(86400000)
#define YEARS_MS (3660 * DAY_MS)
#define KIB INT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define TIB (1024 * GIB)
#define SIZE_LIMIT (1024 * TIB)

#define LOG_PROTOCOL_WORDS \
	"smtp|submission|submissions|pop3|pop3s|imap|imaps|lmtp|ldap|finger|password|metrics|"      \
	"outgoing|collecting"

#define SETTINGS_GROUND(X)                                                                         \
	X(hostname, "hostname", DOMAIN, 0, 255, "", "", RELOAD,                                    \
		"Name in greetings, HELO and Received; empty: the system's; `domain`: the "        \
		"default domain; `IPAddress`: the address of the connection (SVC-06).")            \
	X(data, "data", PATH, 1, 4095, "var/store", "", RESTART,                                   \
		"Folder of the store, an LMDB environment.")                                       \
	X(control, "control", PATH, 1, 107, "var/control.sock", "", RESTART,                       \
		"Unix socket of the console and the command line.")                                \
	X(main_administrator, "main_administrator", TEXT, 1, 254, "postmaster", "", NOTHING,       \
		"User that gets the server's own reports.")                                        \
	X(loops, "loops", AUTO, 1, 64, "auto", "threads", RESTART,                                 \
		"Loop threads; auto is one a core.")                                               \
	X(log_level, "log.level", CHOICE, 0, 0, "info", "error|warning|info|debug", NOTHING,       \
		"The least serious line that is written.")                                         \
	X(log_dir, "log.dir", PATH, 1, 4095, "var/log", "", RESTART, "Folder of the log files.")    \
	X(log_max_size, "log.max_size", SIZE, 64 * KIB, TIB, "10MB", "bytes", NOTHING,             \
		"A log file of this size is put aside and a new one begun.")                       \
	X(log_keep, "log.keep", COUNT, 1, 1000, "10", "files", NOTHING,                            \
		"Files put aside that are kept: main.log.old, main.log.old.2, ...")                 \
	X(log_protocols, "log.protocols", WORDS, 0, 20, "[]", LOG_PROTOCOL_WORDS, NOTHING,         \
		"Services whose commands and replies are logged, as level info, secrets masked "    \
		"(LOG-03).")                                                                       \
	X(log_logins, "log.logins", BOOL, 0, 0, "no", "", NOTHING,                                 \
		"Good logins are written to the security log too (LOG-05).")                       \
	X(tls_certificate, "tls.certificate", PATH, 0, 4095, "", "", RELOAD,                       \
		"Certificate chain in PEM; empty: a self-signed one is made.")                     \
	X(tls_key, "tls.key", PATH, 0, 4095, "", "", RELOAD, "Its private key in PEM.")            \
	X(tls_ca, "tls.ca", PATH, 0, 4095, "", "", RELOAD,                                         \
		"Roots for `verified`; empty: the system's.")                                      \
	X(store_max_size, "store.max_size", SIZE, 64 * MIB, 64 * TIB, "1TB", "bytes", NOTHING,     \
		"Incoming mail stops at 95 % of it (H43).")                                        \
	X(store_encrypt, "store.encrypt", BOOL, 0, 0, "no", "", RESTART,                           \
		"Messages are encrypted in the store from now on, under a key made from the file of "  \
		"secrets.key: against who sees the data file or a backup alone (SEC-08).")         \
	X(store_allow_network_fs, "store.allow_network_fs", BOOL, 0, 0, "no", "", RESTART,         \
		"Accept a store on NFS, CIFS or FUSE, at your own risk (H53).")                    \
	X(dns_servers, "dns.servers", ENDPOINTS, 0, 8, "[]", "address:port", RELOAD,               \
		"Resolvers for all look-ups; empty: the system's.")                                \
	X(dns_timeout_ms, "dns.timeout", DURATION, 1000, 60000, "5s", "time", NOTHING,             \
		"One try of a look-up; all its tries end after 30s (NET-05, Q-61).")                               \
	X(socks_server, "socks.server", TEXT, 0, 300, "", "host:port", NOTHING,                    \
		"SOCKS server for connections with `socks: yes`; its usual port is 1080 (NET-08).") \
	X(socks_version, "socks.version", CHOICE, 0, 0, "5", "5|4", NOTHING, "4: names by 4a.")  \
	X(socks_username, "socks.username", TEXT, 0, 255, "", "", NOTHING, "May be empty.")        \
	X(socks_password, "socks.password", SECRET, 0, 255, "", "", NOTHING,                       \
		"Its password; of version 5 only.")                                                \
	X(secrets_key, "secrets.key", PATH, 0, 4095, "", "", RESTART,                              \
		"File of the key that seals stored secrets, 0600, not in backups; empty: "         \
		"secrets.key beside the folder of the store (H65).")                               \
	X(testing_clock, "testing.clock", BOOL, 0, 0, "no", "", RESTART,                           \
		"Let `postroom clock advance` move the server's idea of now.")

#define SETTINGS_DOMAINS(X)                                                                        \
	X(domains_default, "domains.default", DOMAIN, 0, 255, "", "", NOTHING,                     \
		"For addresses without a domain and the server's own mail; empty: the first of "   \
		"domains.local (LOC-01).")                                                         \
	X(domains_local, "domains.local", PATTERNS, 0, 10000, "[]", "", NOTHING,                   \
		"Domains, addresses and wildcard addresses that are ours (LOC-02).")               \
	X(domains_map, "domains.map", DOMAIN_MAP, 0, 1000, "[]", "", NOTHING,                      \
		"Domains that are rewritten in mail that leaves (LOC-06).")                        \
	X(domains_default_user_mapping, "domains.default_user_mapping", BOOL, 0, 0, "yes", "",     \
		NOTHING, "A local part that is a user's name reaches the user (LOC-05).")          \
	X(domains_unknown_to_isp, "domains.unknown_to_isp", BOOL, 0, 0, "no", "", NOTHING,         \
		"Mail of users to unknown local names goes out (LOC-07).")                         \
	X(domains_route_locally, "domains.route_locally", BOOL, 0, 0, "yes", "", NOTHING,          \
		"No: all mail of users goes out, local recipients too (LOC-08).")

#define SETTINGS_SERVICES(X)                                                                       \
	X(services, "services", SERVICES, 0, 0, "{}", "", RELOAD,                                  \
		"A service that is not named does not run.")                                       \
	X(smtp_relay_check, "smtp.relay_check", CHOICE, 0, 0, "client_ip",                         \
		"client_ip|lan|from|none", NOTHING,                                                \
		"What lets a sender reach the Internet (SMT-08).")                                 \
	X(smtp_reject_unknown, "smtp.reject_unknown", BOOL, 0, 0, "yes", "", NOTHING,              \
		"550 to unknown local recipients, instead of a bounce later (SMT-12).")            \
	X(smtp_require_auth, "smtp.require_auth", BOOL, 0, 0, "no", "", NOTHING,                   \
		"No mail on the MX side without AUTH (SMT-03).")                                   \
	X(smtp_auth_for_local, "smtp.auth_for_local", BOOL, 0, 0, "no", "", NOTHING,               \
		"With require_auth: local recipients need AUTH too (SMT-06).")                     \
	X(smtp_refuse_percent, "smtp.refuse_percent", BOOL, 0, 0, "yes", "", NOTHING,              \
		"Refuse a local part with '%' (SMT-13).")                                          \
	X(smtp_dsn, "smtp.dsn", BOOL, 0, 0, "yes", "", NOTHING, "Offer DSN (SMT-11).")             \
	X(smtp_blocklists, "smtp.blocklists", LIST, 0, 20, "[]", "", NOTHING,                      \
		"`zone [=answer pattern] reject|mark [text]`: DNS blocklists that are asked about " \
		"clients from outside (SMT-14).")                                                  \
	X(smtp_blocklist_allow, "smtp.blocklist_allow", ACCESS, 0, 10000, "[]", "", NOTHING,       \
		"Clients that no blocklist is asked about, in the form of access lines.")          \
	X(smtp_spf, "smtp.spf", BOOL, 0, 0, "yes", "", NOTHING,                                    \
		"Ask for the SPF record of a sender outside whose mail could cause a report: one "  \
		"that is forged gets none (H14). It refuses nothing; not for smtp.blocklist_allow.") \
	X(smtp_refuse_helo, "smtp.refuse_helo", TEXT, 0, 255, "", "", NOTHING,                     \
		"Disconnect who has this text in HELO (SMT-09).")                                  \
	X(smtp_pop_before_smtp, "smtp.pop_before_smtp", COUNT, 0, 1440, "0", "minutes", NOTHING,   \
		"Senders outside need a POP3 login from their address, or AUTH; it counts until "  \
		"so long after its logout; 0: off (SMT-05).")                                      \
	X(smtp_x_server, "smtp.x_server", BOOL, 0, 0, "no", "", NOTHING,                           \
		"X-Server with name and version in what is taken by SMTP (SMT-20).")               \
	X(pop3_trim_blank_lines, "pop3.trim_blank_lines", BOOL, 0, 0, "no", "", NOTHING,           \
		"Blank lines at the end of a message are not sent, nor counted (POP-03).")         \
	X(privacy_anonymise, "privacy.anonymise", BOOL, 0, 0, "no", "", NOTHING,                   \
		"Greetings and our header fields name neither this software nor its version "      \
		"(SVC-05).")                                                                       \
	X(privacy_hide_addresses, "privacy.hide_addresses", BOOL, 0, 0, "no", "", NOTHING,         \
		"Our Received fields hold no address of the client or of ours (SVC-05).")          \
	X(lockout_attempts, "lockout.attempts", COUNT, 0, 1000, "5", "tries", NOTHING,             \
		"Wrong passwords in a row that lock; 0: never (SEC-02).")                          \
	X(lockout_minutes, "lockout.minutes", COUNT, 1, 100000, "10", "minutes", NOTHING,          \
		"How long the lock holds.")                                                        \
	X(lockout_scope, "lockout.scope", CHOICE, 0, 0, "source", "source|user", NOTHING,          \
		"source: locked for the addresses that guessed (H57); user: for all.")             \
	X(lockout_apply_to_loopback, "lockout.apply_to_loopback", BOOL, 0, 0, "no", "", NOTHING,   \
		"The lock holds for 127.0.0.1, ::1 and the control socket too (SEC-04).")          \
	X(auth_scram, "auth.scram", BOOL, 0, 0, "no", "", NOTHING,                                 \
		"Keep keys for SCRAM-SHA-256 (H63).")                                              \
	X(auth_recoverable, "auth.recoverable", BOOL, 0, 0, "no", "", NOTHING,                     \
		"Allow APOP and CRAM-MD5, whose secrets are recoverable (H64).")                   \
	X(pop3_require_apop, "pop3.require_apop", BOOL, 0, 0, "no", "", NOTHING,                   \
		"Refuse POP3 logins that send the password, under TLS too (POP-02).")              \
	X(pop3_tls_satisfies, "pop3.tls_satisfies_apop", BOOL, 0, 0, "no", "", NOTHING,            \
		"With require_apop: under TLS the password may be sent all the same.")             \
	X(imap_require_cram_md5, "imap.require_cram_md5", BOOL, 0, 0, "no", "", NOTHING,           \
		"Refuse IMAP logins that send the password, under TLS too (IMP-03).")              \
	X(imap_tls_satisfies, "imap.tls_satisfies_cram_md5", BOOL, 0, 0, "no", "", NOTHING,        \
		"With require_cram_md5: under TLS the password may be sent all the same.")         \
	X(imap_fake_access, "imap.fake_access", BOOL, 0, 0, "yes", "", NOTHING,                    \
		"A parent of folders, or a folder without the right to read it, opens as an "      \
		"empty one instead of with an error (IMP-04, SHF-05).")                            \
	X(imap_keep_date_and_flags, "imap.keep_date_and_flags", BOOL, 0, 0, "yes", "", NOTHING,    \
		"A copied message keeps its internal date and flags; no: date of the copy, "       \
		"no flags (IMP-05).")                                                              \
	X(auth_min_length, "auth.min_length", COUNT, 1, 256, "5", "bytes", NOTHING,                \
		"Shortest password that may be set (SEC-01).")                                     \
	X(auth_hash_memory, "auth.hash_memory", SIZE, 8 * MIB, GIB, "19MB", "bytes", NOTHING,      \
		"Memory of one Argon2id hash (H63).")                                              \
	X(auth_hash_passes, "auth.hash_passes", COUNT, 1, 100, "2", "passes", NOTHING,             \
		"Passes of one Argon2id hash (H63).")                                              \
	X(auth_remember_ms, "auth.remember", DURATION, 0, 60 * 60000, "10m", "time", NOTHING,      \
		"How long a good login is remembered; 0: not at all (H63).")                       \
	X(auth_pam, "auth.pam", BOOL, 0, 0, "no", "", NOTHING,                                     \
		"Ask PAM, service postroom, where the stored password does not fit (SEC-06).")     \
	X(auth_pam_cache, "auth.pam_cache", BOOL, 0, 0, "no", "", NOTHING,                         \
		"A password that PAM found right becomes the stored one (SEC-07).")                \
	X(auth_pam_folder, "auth.pam_folder", PATH, 0, 1023, "", "", NOTHING,                      \
		"Folder of the PAM services; empty: the system's, /etc/pam.d.")

#define SETTINGS_LIMITS(X)                                                                         \
	X(limits_message_size, "limits.message_size", SIZE, 0, SIZE_LIMIT, "50MB", "bytes",        \
		NOTHING, "Largest message accepted, announced as SIZE (RFC 1870); 0: no limit.")   \
	X(limits_recipients, "limits.recipients", COUNT, 100, 100000, "1000", "recipients",        \
		NOTHING, "Recipients of one SMTP transaction (RFC 5321, 4.5.3.1.8).")              \
	X(limits_command_line, "limits.command_line", SIZE, 512, 64 * KIB, "2048", "bytes",        \
		NOTHING, "Longest command line (H6).")                                             \
	X(limits_line_length, "limits.line_length", SIZE, 1000, 64 * KIB, "64KB", "bytes",         \
		NOTHING, "Longest line of a message; longer is refused, never cut (H6).")          \
	X(limits_memory_in_flight, "limits.memory_in_flight", SIZE, MIB, TIB, "64MB", "bytes",     \
		NOTHING, "Message bytes that all sessions together hold; above it reading pauses.") \
	X(limits_user_recipients_hour, "limits.user_recipients_hour", COUNT, 0, COUNT_MAX, "500",  \
		"recipients", NOTHING, "Outside recipients a user may address in an hour; 0: any.") \
	X(limits_header_size, "limits.header_size", SIZE, 64 * KIB, 16 * MIB, "1MB", "bytes",      \
		NOTHING, "Header section of a message (H7).")                                      \
	X(limits_header_fields, "limits.header_fields", COUNT, 100, 100000, "1000", "fields",      \
		NOTHING, "Fields in a header section (H7).")                                       \
	X(limits_header_field_size, "limits.header_field_size", SIZE, KIB, MIB, "64KB", "bytes",   \
		NOTHING, "One header field with its folded lines (H7).")                           \
	X(limits_addresses, "limits.addresses", COUNT, 100, COUNT_MAX, "10000", "addresses",       \
		NOTHING, "Addresses of a header that are looked at (H7).")                         \
	X(limits_received_fields, "limits.received_fields", COUNT, 10, 1000, "50", "fields",       \
		NOTHING, "More Received fields than this is a loop (H16).")                        \
	X(limits_expansion_depth, "limits.expansion_depth", COUNT, 1, 100, "20", "levels",         \
		NOTHING, "Lists and forwards within each other (H16).")                            \
	X(limits_expansion_recipients, "limits.expansion_recipients", COUNT, 100, COUNT_MAX,       \
		"10000", "recipients", NOTHING, "Recipients one message may expand to (H16).")     \
	X(limits_bounce_body, "limits.bounce_body", SIZE, 0, MIB, "10KB", "bytes", NOTHING,        \
		"Body bytes a bounce returns (H14).")                                              \
	X(limits_max_connections, "limits.max_connections", COUNT, 1, COUNT_MAX, "10000",          \
		"connections", NOTHING, "Connections of all services together (H32).")             \
	X(limits_max_per_ip, "limits.max_per_ip", COUNT, 1, COUNT_MAX, "50", "connections",        \
		NOTHING, "Connections of one address, IPv6 of one /64; not of this machine (H32).") \
	X(limits_max_per_ip_before_login, "limits.max_per_ip_before_login", COUNT, 1, COUNT_MAX,   \
		"20", "connections", NOTHING,                                                      \
		"Of these not yet logged in, on services where one logs in (H32).")                \
	X(limits_max_per_user, "limits.max_per_user", COUNT, 1, COUNT_MAX, "50", "sessions",       \
		NOTHING, "Sessions of one user at the same time, all services together.")          \
	X(limits_connections_minute, "limits.connections_minute", COUNT, 0, COUNT_MAX, "0",        \
		"connections", NOTHING,                                                            \
		"Connections one address may open in a minute; 0: any; not of this machine.")      \
	X(limits_consoles, "limits.consoles", COUNT, 1, 1000, "32", "connections", NOTHING,        \
		"Connections to the control socket (H59).")                                        \
	X(limits_auth_failures, "limits.auth_failures", COUNT, 1, 100, "3", "tries", NOTHING,      \
		"Failed logins in one session, then it closes (H67).")                             \
	X(limits_unknown_recipients, "limits.unknown_recipients", COUNT, 1, 100000, "20",          \
		"recipients", NOTHING, "Unknown recipients in one session, then it closes (H58).") \
	X(limits_output_pending, "limits.output_pending", SIZE, 16 * KIB, 64 * MIB, "256KB",       \
		"bytes", NOTHING, "Unsent output above which a session is not read (H35).")        \
	X(limits_handshakes, "limits.handshakes", COUNT, 1, 10000, "100", "handshakes", NOTHING,   \
		"TLS handshakes that wait for a worker; more try again soon (H68).")               \
	X(limits_hashes_waiting, "limits.hashes_waiting", COUNT, 10, 100000, "5000", "logins",     \
		NOTHING, "Passwords that wait to be checked (H36).")                               \
	X(limits_searches_waiting, "limits.searches_waiting", COUNT, 1, 100000, "200",             \
		"searches", NOTHING, "Searches that wait for a worker (H36).")                     \
	X(limits_programs, "limits.programs", COUNT, 1, 1000, "20", "programs", NOTHING,           \
		"External programs at once (H39).")                                                \
	X(limits_rate_min, "limits.rate_min", SIZE, 0, MIB, "100", "bytes", NOTHING,               \
		"Bytes a second a message must come at after its first minute (H20).")             \
	X(timeouts_client_ms, "timeouts.client", DURATION, 1000, DAY_MS, "300s", "time", NOTHING,  \
		"A client that is silent for so long is dropped (NET-02).")                        \
	X(timeouts_before_login_ms, "timeouts.before_login", DURATION, 1000, DAY_MS, "60s",        \
		"time", NOTHING, "All the time a session has before login (H20).")                 \
	X(timeouts_pop3_ms, "timeouts.pop3", DURATION, 1000, DAY_MS, "10m", "time", NOTHING,       \
		"Idle time of a POP3 session after login (RFC 1939, 3).")                          \
	X(timeouts_imap_ms, "timeouts.imap", DURATION, 1000, 7 * DAY_MS, "30m", "time", NOTHING,   \
		"Idle time of an IMAP session after login (RFC 9051, 5.4).")                       \
	X(timeouts_handshake_ms, "timeouts.handshake", DURATION, 1000, DAY_MS, "30s", "time",      \
		NOTHING, "A TLS handshake (H68).")                                                 \
	X(timeouts_stalled_ms, "timeouts.stalled", DURATION, 1000, DAY_MS, "300s", "time",         \
		NOTHING, "A reader that takes nothing for so long is dropped (H35).")

#define SETTINGS_WAYS(X)                                                                           \
	X(outgoing_routes, "outgoing.routes", ROUTES, 0, 100, "[]", "", NOTHING,                   \
		"Ways out, asked in this order.")                                                  \
	X(outgoing_warnings, "outgoing.warnings", CHOICE, 0, 0, "daily", "never|daily|always",     \
		NOTHING, "Warnings to the author of mail that is late (OUT-18).")                  \
	X(outgoing_dsn_reports, "outgoing.dsn_reports", BOOL, 0, 0, "yes", "", NOTHING,            \
		"Reports as RFC 3464 has them; no: plain text (OUT-20).")                          \
	X(outgoing_errors_to_admin, "outgoing.transport_errors_to_admin", BOOL, 0, 0, "no", "",    \
		NOTHING, "Transport errors go to the Main Administrator (OUT-24).")                \
	X(outgoing_retry_first_ms, "outgoing.retry.first", DURATION, 1000, DAY_MS, "5m", "time",   \
		NOTHING, "Wait after the first try that failed; it doubles then (OUT-15).")        \
	X(outgoing_retry_longest_ms, "outgoing.retry.longest", DURATION, 1000, 7 * DAY_MS, "1h",   \
		"time", NOTHING, "The longest wait between two tries.")                            \
	X(outgoing_warn_ms, "outgoing.retry.warn_after", DURATION, 1000, YEARS_MS, "4h",       \
		"time", NOTHING, "The author is warned when mail is so late (OUT-17).")            \
	X(outgoing_give_up_ms, "outgoing.retry.give_up", DURATION, 1000, YEARS_MS, "3d",       \
		"time", NOTHING, "It has failed when it could not be delivered so long (OUT-17).") \
	X(outgoing_max_connections, "outgoing.max_connections", COUNT, 1, 10000, "200",            \
		"connections", NOTHING, "Connections to all other servers together (H37).")        \
	X(outgoing_connect_ms, "outgoing.timeouts.connect", DURATION, 1000, DAY_MS, "30s", "time", \
		NOTHING, "Until a server accepts the connection.")                                 \
	X(outgoing_disk_start, "outgoing.disk_free.start", SIZE, 0, INT64_MAX, "10MB", "bytes",    \
		NOTHING, "Less on the store's disk: no connection is begun (OUT-22).")             \
	X(outgoing_disk_during, "outgoing.disk_free.during", SIZE, 0, INT64_MAX, "1MB", "bytes",   \
		NOTHING, "Less: those there are send no further message (OUT-22).")                \
	X(outgoing_connect_attempts, "outgoing.connect_attempts", COUNT, 1, 100, "5", "attempts",  \
		NOTHING, "Tries of a connection that is refused, after all other servers (NET-01).") \
	X(outgoing_connect_pause_ms, "outgoing.connect_pause", DURATION, 0, 3600000, "0", "time",  \
		NOTHING, "Time between them (NET-01).")                                            \
	X(outgoing_greeting_ms, "outgoing.timeouts.greeting", DURATION, 1000, DAY_MS, "5m",        \
		"time", NOTHING, "Until its greeting (RFC 5321, 4.5.3.2.1).")                      \
	X(outgoing_command_ms, "outgoing.timeouts.command", DURATION, 1000, DAY_MS, "5m", "time",  \
		NOTHING, "Until the reply to a command (RFC 5321, 4.5.3.2.2).")                    \
	X(outgoing_data_ms, "outgoing.timeouts.data", DURATION, 1000, DAY_MS, "2m", "time",        \
		NOTHING, "Until the reply to DATA (RFC 5321, 4.5.3.2.4).")                         \
	X(outgoing_data_block_ms, "outgoing.timeouts.data_block", DURATION, 1000, DAY_MS, "3m",    \
		"time", NOTHING, "Until a block is taken (RFC 5321, 4.5.3.2.5).")                  \
	X(outgoing_data_done_ms, "outgoing.timeouts.data_done", DURATION, 1000, DAY_MS, "10m",     \
		"time", NOTHING, "Until the reply to the final dot (RFC 5321, 4.5.3.2.6).")

#define SETTINGS_CONNECT(X)                                                                        \
	X(connections, "connections", CONNECTIONS, 0, 10, "[]", "", RELOAD,                        \
		"Ways onto the Internet, ten at most (CON-04).")                                   \
	X(schedules, "schedules", SCHEDULES, 0, 100, "[]", "", RELOAD, "When to connect (SCH-02).") \
	X(scheduling_immediately, "scheduling.send_immediately", BOOL, 0, 0, "yes", "", NOTHING,   \
		"Outgoing mail that arrives while online is sent at once (SCH-03).")               \
	X(scheduling_skip_ms, "scheduling.skip_if_connected_within", DURATION, 0, DAY_MS, "0",     \
		"time", NOTHING, "Skip a scheduled event so soon after a connection (SCH-05).")    \
	X(scheduling_people, "scheduling.connect_after_people", COUNT, 0, 10000, "0", "users",     \
		NOTHING, "Connect when so many have checked their mail; 0: off (SCH-06).")         \
	X(scheduling_people_ms, "scheduling.connect_after_people_within", DURATION, 0, DAY_MS,     \
		"5m", "time", NOTHING, "How soon then.")                                           \
	X(scheduling_clock_changes, "scheduling.follow_clock_changes", BOOL, 0, 0, "no", "",       \
		NOTHING, "When another program sets the clock, connect for what it jumped over "   \
		"(SCH-07).")                                                                       \
	X(scheduling_priority, "scheduling.connect_for_priority", BOOL, 0, 0, "no", "", NOTHING,   \
		"Mail that headers.priority names connects at once (HDR-03).")                     \
	X(scheduling_drop, "scheduling.drop", PATH, 0, 4095, "", "", RESTART,                      \
		"Folder in which a file connect.now makes the server connect (CON-13); empty: none.") \
	X(errors_connection, "errors.connection", BOOL, 0, 0, "yes", "", NOTHING,                  \
		"Mail about servers that cannot be reached (CON-15).")                             \
	X(errors_link, "errors.link", BOOL, 0, 0, "yes", "", NOTHING,                              \
		"Mail about links that do not come up (CON-14).")                                  \
	X(lan_threads, "lan.threads", TEXT, 0, 4000, "", "", NOTHING,                              \
		"Targets and their most sessions, as 127.0.0.1:1025-5 (LAN-06).")                  \
	X(lan_retry_ms, "lan.retry", DURATION, 1000, 7 * DAY_MS, "10m", "time", NOTHING,           \
		"LAN forwarding: wait between two tries (LAN-05).")                                \
	X(lan_give_up_ms, "lan.give_up", DURATION, 1000, 365 * DAY_MS, "72h", "time", NOTHING,     \
		"LAN forwarding: after so long it has failed (LAN-05).")                           \
	X(lan_deliveries, "lan.deliveries", COUNT, 1, 1000, "10", "connections", NOTHING,          \
		"LAN forwarding: connections at one time to all targets together (LAN-05).")

#define SETTINGS_DKIM(X)                                                                           \
	X(dkim_sign, "dkim.sign", BOOL, 0, 0, "yes", "", NOTHING,                                  \
		"Sign mail of ours that leaves, by the keys of `dkim list`: the domain of From "   \
		"decides, and who has no key there is not signed.")                                \
	X(dkim_subdomains, "dkim.subdomains", BOOL, 0, 0, "yes", "", NOTHING,                      \
		"A domain without a key is signed by the nearest one above it that has one "       \
		"(relaxed alignment, RFC 7489, 3.1.1).")                                           \
	X(dkim_oversign, "dkim.oversign", LIST, 0, 100,                                            \
		"[From, Sender, Reply-To, To, Cc, Subject, Date, Message-ID, In-Reply-To, "        \
		"References, MIME-Version, Content-Type, Content-Transfer-Encoding]", "", NOTHING, \
		"Fields that are signed, also that there is no more of them; From is always.")     \
	X(dkim_headers, "dkim.headers", LIST, 0, 100,                                              \
		"[Content-ID, Content-Description, Resent-Date, Resent-From, Resent-Sender, "      \
		"Resent-To, Resent-Cc, Resent-Message-ID, List-Id, List-Help, List-Unsubscribe, "  \
		"List-Unsubscribe-Post, List-Subscribe, List-Post, List-Owner, List-Archive, "     \
		"Auto-Submitted]", "", NOTHING,                                                    \
		"Other fields that are signed where they are there.")                              \
	X(dkim_expire_ms, "dkim.expire", DURATION, 0, YEARS_MS, "0", "time", NOTHING,              \
		"How long a signature is good (x=); 0: it does not say.")                          \
	X(dkim_rotate_after_ms, "dkim.rotate_after", DURATION, 0, YEARS_MS, "2d", "time", NOTHING, \
		"When a key of `dkim rotate` begins to sign, so that its record is seen by then.")

#define SETTINGS_ARCHIVE(X)                                                                        \
	X(archive_on, "archive.on", BOOL, 0, 0, "no", "", NOTHING,                                 \
		"Keep one copy of every message in the archive (ARC-01).")                         \
	X(archive_incoming, "archive.incoming", BOOL, 0, 0, "yes", "", NOTHING,                    \
		"What comes from elsewhere is archived.")                                          \
	X(archive_outgoing, "archive.outgoing", BOOL, 0, 0, "yes", "", NOTHING,                    \
		"What our users send elsewhere is archived.")                                      \
	X(archive_internal, "archive.internal", BOOL, 0, 0, "yes", "", NOTHING,                    \
		"What they send to each other is archived.")                                       \
	X(archive_keep_days, "archive.keep_days", COUNT, 0, 36600, "0", "days", NOTHING,           \
		"Archived messages go after so many days; 0: never (Q-35). What is held stays.")    \
	X(archive_keep_incoming, "archive.keep_incoming", COUNT, 0, 36600, "0", "days", NOTHING,   \
		"The same for incoming ones; 0: archive.keep_days.")                               \
	X(archive_keep_outgoing, "archive.keep_outgoing", COUNT, 0, 36600, "0", "days", NOTHING,   \
		"The same for outgoing ones.")                                                     \
	X(archive_keep_internal, "archive.keep_internal", COUNT, 0, 36600, "0", "days", NOTHING,   \
		"The same for internal ones; of several directions the longest counts.")           \
	X(archive_rules, "archive.rules", LIST, 0, 1000, "[]", "", NOTHING,                        \
		"`DAYS [from=PATTERN] [to=PATTERN]`: how long what fits is kept, in place of "      \
		"these; the first line that fits, 0 days is for ever.")                            \
	X(archive_max_size, "archive.max_size", SIZE, 0, SIZE_LIMIT, "0", "bytes", NOTHING,        \
		"The oldest go while the archive has more; 0: any size (ARC-04).")

#define SETTINGS_MAIL(X)                                                                           \
	X(rules_smtp, "rules.smtp", PATH, 0, 4095, "rules/smtp.rules", "", RELOAD,                 \
		"File of the SMTP rules (SMR-02), watched.")                                       \
	X(rules_download, "rules.download", PATH, 0, 4095, "rules/download.rules", "", RELOAD,     \
		"File of the download rules (DLR-03), watched.")                                   \
	X(rules_content, "rules.content", PATH, 0, 4095, "rules/content.lua", "", RELOAD,          \
		"File of the content rules, a script in Lua (RTE-18), watched.")                   \
	X(rules_lan, "rules.lan", PATH, 0, 4095, "rules/lan.rules", "", RELOAD,                    \
		"File of the LAN forwarding rules (LAN-01), watched. Of all of these: relative to the "  \
		"folder of this file.")                             \
	X(headers_outgoing, "headers.outgoing", LIST, 0, 100, "[]", "", NOTHING,                   \
		"`Field: data` set, or `Field:` removed, in mail that leaves (HDR-01).")           \
	X(headers_priority, "headers.priority", LIST, 0, 100,                                      \
		"[\"Priority: Urgent\", \"X-Priority: Highest\", \"X-Priority: 1\", "                \
		"\"X-MSMail-Priority: High\"]", "", NOTHING,                                       \
		"Fields and texts in them that make mail urgent (HDR-04).")                        \
	X(headers_transmission_receipt, "headers.transmission_receipt", LIST, 0, 20,               \
		"[Return-Receipt-To]", "", NOTHING,                                                \
		"Fields that ask for a receipt when mail has left, by their names; empty: none do " \
		"(HDR-07, HDR-08).")                                                               \
	X(headers_delivery_receipt, "headers.delivery_receipt", LIST, 0, 20,                       \
		"[Return-Receipt-To]", "", NOTHING,                                                \
		"Fields that ask for a receipt when mail is collected by POP3; empty: none do "    \
		"(HDR-05, HDR-08).")                                                               \
	X(headers_receipts_local_only, "headers.receipts_local_only", BOOL, 0, 0, "yes", "",       \
		NOTHING, "Only mail from here may ask for delivery receipts (HDR-06).")            \
	X(headers_receipts_imap, "headers.receipts_imap", BOOL, 0, 0, "no", "", NOTHING,           \
		"The owner's first FETCH of a whole message by IMAP counts as collecting it (Q-22).") \
	X(texts_failed, "texts.failed", LINES, 0, 10000, "", "", NOTHING,                           \
		"Words of a report of failure; %1: the recipients, %2: the default domain (ADM-12).") \
	X(texts_delayed, "texts.delayed", LINES, 0, 10000, "", "", NOTHING,                         \
		"Words of a warning of late mail; %1 and %2 as above.")                            \
	X(texts_delivered, "texts.delivered", LINES, 0, 10000, "", "", NOTHING,                     \
		"Words of a report of success; %1 and %2 as above.")                               \
	X(texts_receipt, "texts.receipt", LINES, 0, 10000, "", "", NOTHING,                         \
		"Words of a transmission receipt (HDR-07); %1 and %2 as above.")                   \
	X(texts_collected, "texts.collected", LINES, 0, 10000, "", "", NOTHING,                    \
		"Words of a delivery receipt (HDR-05); %1: who collected it.")                     \
	X(texts_collect_unreached, "texts.collect_unreached", TEXT, 1, 200,                        \
		"Postroom - %1 Client connection problem", "", NOTHING,                            \
		"Subject of the letter about a server from which nothing can be fetched (TRB-01); %1: "  \
		"POP3, IMAP or File; %2: the collector.")                                          \
	X(texts_collect_problem, "texts.collect_problem", TEXT, 1, 200,                            \
		"Postroom - %1 Client Problem", "", NOTHING,                                       \
		"Subject of the letter about a collection that failed (TRB-02); %1 and %2 as above.") \
	X(texts_send_unreached, "texts.send_unreached", TEXT, 1, 200,                              \
		"Postroom - SMTP Client connection problem", "", NOTHING,                          \
		"Subject of the letter about a route of which no server can be reached (TRB-03); %1: the " \
		"route.")                                                                          \
	X(texts_send_problem, "texts.send_problem", TEXT, 1, 200,                                  \
		"Postroom - SMTP Client Problem", "", NOTHING,                                     \
		"Subject of the letter about a server that left in the middle of a message; %1 as above.") \
	X(texts_monitor_prefix, "texts.monitor_prefix", TEXT, 0, 200, "{Mon-%1}", "", NOTHING,      \
		"Put before the subject of a monitoring copy; %1: Incoming, Outgoing, Internal, or "   \
		"several of them with `+`; %2: the profile's name (MON-06, ADM-12).")              \
	X(texts_quota_subject, "texts.quota_subject", TEXT, 1, 200, "Your mailbox is %1 %% full", "", \
		NOTHING, "Subject of the warning to a user; %1: per cent, %2: `90 kB of 1024 kB` (QUO-03).") \
	X(texts_quota_text, "texts.quota_text", LINES, 1, 10000,                                   \
		"Your mailbox holds %2 (%1 %%). Please delete messages that you do not need any more. " \
		"Mail to you is still taken; but if your mailbox grows on you may not be able to send.", "", \
		NOTHING, "Its text; %1 and %2 as above.")                                          \
	X(texts_quota_admin_subject, "texts.quota_admin_subject", TEXT, 1, 200,                    \
		"Mailboxes that are nearly full", "", NOTHING,                                     \
		"Subject of the warning to the Main Administrator.")                               \
	X(texts_quota_admin_text, "texts.quota_admin_text", LINES, 1, 10000,                       \
		"These mailboxes (%1) are near their quota, or over it:", "", NOTHING,             \
		"Its text, before a line for each mailbox; %1: how many, %2: the default domain.") \
	X(monitor, "monitor", MONITORS, 0, 32, "[]", "", NOTHING,                                  \
		"Monitoring profiles: whose mail is copied to whom (MON-01).")                     \
	X(quota_first, "quota.first", COUNT, 0, 10000, "80", "%", NOTHING,                         \
		"A mailbox that grows to this much of its quota is warned of, once until it falls "  \
		"below again; 0: off (QUO-02).")                                                   \
	X(quota_first_user, "quota.first_user", BOOL, 0, 0, "yes", "", NOTHING, "Tell the user.")  \
	X(quota_first_admin, "quota.first_admin", BOOL, 0, 0, "no", "", NOTHING,                   \
		"Tell the Main Administrator.")                                                    \
	X(quota_second, "quota.second", COUNT, 0, 10000, "100", "%", NOTHING, "The same, higher up.") \
	X(quota_second_user, "quota.second_user", BOOL, 0, 0, "yes", "", NOTHING, "Tell the user.") \
	X(quota_second_admin, "quota.second_admin", BOOL, 0, 0, "yes", "", NOTHING,                \
		"Tell the Main Administrator.")                                                    \
	X(quota_third, "quota.third", COUNT, 0, 10000, "120", "%", NOTHING, "The same, higher still.") \
	X(quota_third_user, "quota.third_user", BOOL, 0, 0, "yes", "", NOTHING, "Tell the user.")  \
	X(quota_third_admin, "quota.third_admin", BOOL, 0, 0, "yes", "", NOTHING,                  \
		"Tell the Main Administrator.")                                                    \
	X(quota_block_sending, "quota.block_sending", COUNT, 0, 10000, "120", "%", NOTHING,        \
		"A user whose mailbox is at this much of its quota may not send; 0: he may (QUO-04).") \
	X(quota_daily_user, "quota.daily_user", COUNT, 0, 10000, "80", "%", NOTHING,               \
		"A user whose mailbox is at this or more is told each day and at each start; 0: off "    \
		"(QUO-05).")                                                                       \
	X(quota_daily_admin, "quota.daily_admin", COUNT, 0, 10000, "80", "%", NOTHING,             \
		"The Main Administrator is told of such mailboxes; 0: off.")                       \
	X(signature_plain, "signature.plain", LINES, 0, 65536, "", "", NOTHING,                     \
		"Foot of outgoing plain text (SIG-01).")                                           \
	X(signature_html, "signature.html", LINES, 0, 65536, "", "", NOTHING,                       \
		"Foot of outgoing HTML.")                                                          \
	X(signature_auth_plain, "signature.auth_plain", LINES, 0, 65536, "", "", NOTHING,           \
		"The same where the sender logged in (SIG-03).")                                   \
	X(signature_auth_html, "signature.auth_html", LINES, 0, 65536, "", "", NOTHING,             \
		"The same in HTML.")                                                               \
	X(trace_keep_ms, "trace.keep", DURATION, 60000, YEARS_MS, "30d", "time", NOTHING,          \
		"How long traces are kept (H88).")                                                 \
	X(trace_max_size, "trace.max_size", SIZE, MIB, SIZE_LIMIT, "1GB", "bytes", NOTHING,        \
		"Traces above this go, the oldest hour first.")                                    \
	X(search_index, "search.index", BOOL, 0, 0, "yes", "", RESTART,                            \
		"Keep an index of the words of all messages, in data/search.")                     \
	X(queue_bin_keep_ms, "queue.bin_keep", DURATION, 0, YEARS_MS, "10m", "time", NOTHING,      \
		"How long a removed queue entry can be brought back.")                             \
	X(users_bin_keep_ms, "users.bin_keep", DURATION, 0, YEARS_MS, "30d", "time", NOTHING,      \
		"How long removed messages and users can be brought back.")                        \
	X(users_welcome_subject, "users.welcome_subject", TEXT, 1, 200, "Welcome to {domain}", "", \
		NOTHING, "Subject of the welcome message to new users (USR-46).")                  \
	X(users_welcome_text, "users.welcome_text", LINES, 0, 10000,                               \
		"Hello {user}, your mailbox {user}@{domain} on {server} is ready.", "", NOTHING,   \
		"Its text; {user}, {domain} and {server} are filled in.")                          \
	X(console_viewer, "console.groups.viewer", LIST, 0, 100, "[]", "", NOTHING,                \
		"Unix groups whose members may look.")                                             \
	X(console_operator, "console.groups.operator", LIST, 0, 100, "[]", "", NOTHING,            \
		"Unix groups whose members may work on the queue.")                                \
	X(console_administrator, "console.groups.administrator", LIST, 0, 100, "[]", "", NOTHING,  \
		"Unix groups whose members may do everything.")

#include "conf/settings_collecting.h"
#include "conf/settings_copies.h"

#define SETTINGS(X)                                                                                \
	SETTINGS_GROUND(X) SETTINGS_DOMAINS(X) SETTINGS_SERVICES(X) SETTINGS_LIMITS(X)             \
	SETTINGS_WAYS(X) SETTINGS_COLLECTING(X) SETTINGS_CONNECT(X) SETTINGS_DKIM(X)               \
	SETTINGS_JOURNAL(X) SETTINGS_ARCHIVE(X) SETTINGS_MAIL(X)

#endif
