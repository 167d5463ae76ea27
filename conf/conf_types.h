/*
 * conf_types.h - the types a setting can have, and what each becomes in C.
 *
 * Spans point into the arena of the generation (struct conf) and live as long as it does.
 */
#ifndef CONF_CONF_TYPES_H
#define CONF_CONF_TYPES_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "conf/access.h"
#include "conf/settings_items.h"
#include "proto/base/span.h"

enum conf_socks_version { SOCKS_5, SOCKS_4 }; /* as socks.version has the words */

#define CONF_FILE_MAX (1024 * 1024) /* bytes (H60) */
#define CONF_DEPTH_MAX 16           /* collections within each other (H60) */
#define CONF_NODES_MAX 50000        /* scalars and collections in one file */
#define CONF_KEYS_MAX 1000          /* keys in one map */
#define CONF_FAULTS_MAX 100         /* faults that are listed; more are counted */
#define SEATS_UNLIMITED (-1)        /* of a SEATS */
#define CONF_KEY_MAX 200            /* bytes of a dotted key */

struct conf_list {
	const struct span *items;
	size_t count;
};

/* A password: at most one of the three is set. Nothing but the server's reader opens them. */
struct secret {
	enum secret_kind { SECRET_NONE = 0, SECRET_PLAIN, SECRET_FILE, SECRET_SEALED } kind;
	struct span value; /* the password, the path, or the name it is sealed under */
};

/* One address to listen at, as written: text is "127.0.0.1:25", "[::1]:25", "*:25", "unix:PATH". */
struct conf_listen {
	enum { LISTEN_INET, LISTEN_INET6, LISTEN_ANY, LISTEN_UNIX } kind; /* ANY: both families */
	struct span text;
	struct span path;     /* LISTEN_UNIX */
	struct in6_addr addr; /* LISTEN_INET: mapped, ::ffff:a.b.c.d */
	uint16_t port;        /* host order; 0 lets the system choose */
};

struct conf_listens {
	const struct conf_listen *items;
	size_t count;
};

/* Shapes: the first member says which rows the file gave, bit 0 the first row. */
struct conf_service;
struct conf_route;
struct conf_collector;
struct conf_connection;
struct conf_schedule;
struct conf_monitor;
struct conf_domain_map;
struct conf_services {
	const struct conf_service *items;
	size_t count;
};
struct conf_routes {
	const struct conf_route *items;
	size_t count;
};
struct conf_collectors {
	const struct conf_collector *items;
	size_t count;
};
struct conf_connections {
	const struct conf_connection *items;
	size_t count;
};
struct conf_schedules {
	const struct conf_schedule *items;
	size_t count;
};
struct conf_monitors {
	const struct conf_monitor *items;
	size_t count;
};
struct conf_domain_maps {
	const struct conf_domain_map *items;
	size_t count;
};

/*
 * X(TYPE, what it is in C, what it is in words). Text forms:
 * TEXT, PATH, ADDRESS have no control characters; LINES may have LF and TAB
 * SIZE      bytes, or with K M G T (KB, KiB, ... are the same): 1024 each
 * DURATION  seconds, or with ms s m h d w
 * COUNT     a whole number; AUTO: or the word auto, kept as 0; SEATS: or the word unlimited, kept as -1
 * BOOL      yes no true false on off
 * CHOICE    one of the words; kept as its place. WORDS: a list of them
 * DOMAIN    letters, digits, '-', '.', or UTF-8; PATTERNS: a list of domain, address, or with * ?
 * CLOCK     HH:MM, 00:00 to 24:00, kept as minutes; CLOCKS: a list of them
 * SECRET    text, {file: PATH} or {sealed: NAME}
 * ENDPOINTS list of host, host:port, [v6]:port
 */
#define SETTING_TYPES(X)                                                                           \
	X(TEXT, struct span, "text")                                                               \
	X(LINES, struct span, "text of several lines")                                             \
	X(PATH, struct span, "path")                                                               \
	X(ADDRESS, struct span, "address")                                                         \
	X(DOMAIN, struct span, "domain")                                                           \
	X(SECRET, struct secret, "secret")                                                         \
	X(SIZE, int64_t, "size")                                                                   \
	X(DURATION, int64_t, "duration")                                                           \
	X(COUNT, int64_t, "number")                                                                \
	X(AUTO, int64_t, "number or auto")                                                         \
	X(SEATS, int64_t, "number or unlimited")                                                   \
	X(CLOCK, int64_t, "time of day")                                                           \
	X(BOOL, bool, "yes or no")                                                                 \
	X(CHOICE, unsigned, "one word")                                                            \
	X(LIST, struct conf_list, "list")                                                          \
	X(WORDS, struct conf_list, "list of words")                                                \
	X(PATTERNS, struct conf_list, "list of patterns")                                          \
	X(ENDPOINTS, struct conf_list, "list of hosts")                                            \
	X(CLOCKS, struct conf_list, "list of times of day")                                        \
	X(LISTEN, struct conf_listens, "list of addresses")                                        \
	X(ACCESS, struct access_list, "list of access lines")                                      \
	X(SERVICES, struct conf_services, "services")                                              \
	X(ROUTES, struct conf_routes, "list of routes")                                            \
	X(COLLECTORS, struct conf_collectors, "list of collectors")                                \
	X(CONNECTIONS, struct conf_connections, "list of connections")                             \
	X(SCHEDULES, struct conf_schedules, "list of schedules")                                   \
	X(MONITORS, struct conf_monitors, "list of monitoring profiles")                           \
	X(DOMAIN_MAP, struct conf_domain_maps, "list of domain maps")

#define TYPE_ENUM(type, in_c, words) SETTING_##type,
enum setting_type { SETTING_TYPES(TYPE_ENUM) SETTING_TYPES_COUNT };
#undef TYPE_ENUM

#define TYPE_MEMBER(type, in_c, words) typedef in_c conf_##type##_t;
SETTING_TYPES(TYPE_MEMBER)
#undef TYPE_MEMBER

/* One member for each row: used for struct conf and for every shape. */
#define SETTING_MEMBER(member, key, type, min, max, fallback, unit, needs, help)                   \
	conf_##type##_t member;

struct conf_route {
	uint64_t given;
	ROUTE_ROWS(SETTING_MEMBER)
};
struct conf_collector {
	uint64_t given;
	COLLECTOR_ROWS(SETTING_MEMBER)
};
struct conf_connection {
	uint64_t given;
	CONNECTION_ROWS(SETTING_MEMBER)
};
struct conf_schedule {
	uint64_t given;
	SCHEDULE_ROWS(SETTING_MEMBER)
};
struct conf_monitor {
	uint64_t given;
	MONITOR_ROWS(SETTING_MEMBER)
};
struct conf_domain_map {
	uint64_t given;
	DOMAIN_MAP_ROWS(SETTING_MEMBER)
};

#define SERVICE_ENUM(name, tls) SERVICE_##name,
enum service_name { SERVICE_NAMES(SERVICE_ENUM) SERVICE_COUNT };
#undef SERVICE_ENUM

/* A service that the file names; what it does not name does not run and is not in the list. */
struct conf_service {
	uint64_t given;
	enum service_name name;
	SERVICE_ROWS(SETTING_MEMBER)
};

/* CHOICE values, in the order of the words in their rows. */
enum conf_log_level { CONF_LOG_ERROR, CONF_LOG_WARNING, CONF_LOG_INFO, CONF_LOG_DEBUG };
enum conf_relay_check { RELAY_CLIENT_IP, RELAY_LAN, RELAY_FROM, RELAY_NONE };
enum conf_lockout_scope { LOCKOUT_SOURCE, LOCKOUT_USER };
enum conf_warnings { WARNINGS_NEVER, WARNINGS_DAILY, WARNINGS_ALWAYS };
enum conf_unknown_do { UNKNOWN_MAIL, UNKNOWN_ERROR, UNKNOWN_REMOTE };
enum conf_monitor_class { MONITOR_NONE, MONITOR_SELECTED, MONITOR_ALL };
enum conf_journal_tls { JOURNAL_TLS_NONE, JOURNAL_TLS_STARTTLS, JOURNAL_TLS_IMPLICIT };
enum conf_journal_format { JOURNAL_REPORT, JOURNAL_PLAIN };
enum conf_collector_route {
	COLLECTOR_RECIPIENT,
	COLLECTOR_ALL,
	COLLECTOR_LAN,
	COLLECTOR_SINGLE,
	COLLECTOR_SUBJECT
};
enum conf_collector_read { READ_FORWARDS, READ_REVERSED, READ_ALL };
enum conf_connection_kind { CONNECTION_LAN, CONNECTION_LINK };
enum conf_collector_tls { COLLECTOR_TLS_NONE, COLLECTOR_TLS_STARTTLS, COLLECTOR_TLS_IMPLICIT };
enum conf_collector_auth {
	COLLECTOR_AUTH_PLAIN,
	COLLECTOR_AUTH_SASL_PLAIN,
	COLLECTOR_AUTH_APOP,
	COLLECTOR_AUTH_CRAM_MD5,
	COLLECTOR_AUTH_XOAUTH2,
};
enum conf_collector_leave { LEAVE_DAYS, LEAVE_ALWAYS };
enum conf_collector_kind { COLLECTOR_POP3, COLLECTOR_IMAP, COLLECTOR_SPOOL, COLLECTOR_SMTP };
enum conf_route_kind { ROUTE_RELAY, ROUTE_DIRECT, ROUTE_SPOOL };
enum conf_spool_layout { SPOOL_LAYOUT_IN, SPOOL_LAYOUT_USERS };
enum conf_route_tls {
	ROUTE_TLS_NONE,
	ROUTE_TLS_OPPORTUNISTIC,
	ROUTE_TLS_REQUIRED,
	ROUTE_TLS_VERIFIED,
	ROUTE_TLS_IMPLICIT,
};

#endif
