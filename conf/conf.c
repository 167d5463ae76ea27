/*
 * conf.c - the rows as tables, and what a generation is asked in the middle of mail.
 */
#include "conf/conf.h"

#include <string.h>
#include <stdlib.h>

#include "conf/conf_shapes.h"
#include "conf/conf_value.h"

#define SETTING_ROW(holder, member, key, type, min, max, fallback, unit, needs, help)              \
	{ key, SETTING_##type, min, max, fallback, unit, NEEDS_##needs, help,                      \
		offsetof(holder, member) },

#define CONF_ROW(...) SETTING_ROW(struct conf, __VA_ARGS__)
#define OF_SERVICE(...) SETTING_ROW(struct conf_service, __VA_ARGS__)
#define OF_ROUTE(...) SETTING_ROW(struct conf_route, __VA_ARGS__)
#define OF_COLLECTOR(...) SETTING_ROW(struct conf_collector, __VA_ARGS__)
#define OF_CONNECTION(...) SETTING_ROW(struct conf_connection, __VA_ARGS__)
#define OF_SCHEDULE(...) SETTING_ROW(struct conf_schedule, __VA_ARGS__)
#define OF_MONITOR(...) SETTING_ROW(struct conf_monitor, __VA_ARGS__)
#define OF_DOMAIN_MAP(...) SETTING_ROW(struct conf_domain_map, __VA_ARGS__)

const struct setting settings[] = { SETTINGS(CONF_ROW) };
static const struct setting service_rows[] = { SERVICE_ROWS(OF_SERVICE) };
static const struct setting route_rows[] = { ROUTE_ROWS(OF_ROUTE) };
static const struct setting collector_rows[] = { COLLECTOR_ROWS(OF_COLLECTOR) };
static const struct setting connection_rows[] = { CONNECTION_ROWS(OF_CONNECTION) };
static const struct setting schedule_rows[] = { SCHEDULE_ROWS(OF_SCHEDULE) };
static const struct setting monitor_rows[] = { MONITOR_ROWS(OF_MONITOR) };
static const struct setting domain_map_rows[] = { DOMAIN_MAP_ROWS(OF_DOMAIN_MAP) };

static const struct conf_shape shapes[SETTING_TYPES_COUNT] = {
	[SETTING_SERVICES] = { service_rows, COUNT(service_rows), sizeof(struct conf_service) },
	[SETTING_ROUTES] = { route_rows, COUNT(route_rows), sizeof(struct conf_route) },
	[SETTING_COLLECTORS] = { collector_rows, COUNT(collector_rows),
		sizeof(struct conf_collector) },
	[SETTING_CONNECTIONS] = { connection_rows, COUNT(connection_rows),
		sizeof(struct conf_connection) },
	[SETTING_SCHEDULES] = { schedule_rows, COUNT(schedule_rows), sizeof(struct conf_schedule) },
	[SETTING_MONITORS] = { monitor_rows, COUNT(monitor_rows), sizeof(struct conf_monitor) },
	[SETTING_DOMAIN_MAP] = { domain_map_rows, COUNT(domain_map_rows),
		sizeof(struct conf_domain_map) },
};

#define SERVICE_TEXT(name, tls) #name,
#define SERVICE_TLS(name, tls) tls,
const char *const service_names[SERVICE_COUNT] = { SERVICE_NAMES(SERVICE_TEXT) };
const bool service_is_tls[SERVICE_COUNT] = { SERVICE_NAMES(SERVICE_TLS) };

const char *
setting_type_name(enum setting_type type)
{
#define TYPE_NAME(type, in_c, words) words,
	static const char *const names[] = { SETTING_TYPES(TYPE_NAME) };

	return names[type];
}

const char *
setting_needs_name(enum setting_needs needs)
{
	static const char *const names[] = { "nothing", "reload", "restart" };

	return names[needs];
}

const struct conf_shape *
conf_shape_of(enum setting_type type)
{
	ENSURE(shapes[type].count > 0 && shapes[type].count <= 64);
	return &shapes[type];
}

const struct setting *
setting_find(const struct setting *rows, size_t count, struct span key)
{
	for (size_t i = 0; i < count; i++)
		if (span_eq(span_of(rows[i].key), key))
			return &rows[i];
	return NULL;
}

bool
setting_is_section(struct span key)
{
	for (size_t i = 0; i < SETTINGS_COUNT; i++) {
		struct span row = span_of(settings[i].key);

		if (row.len > key.len && row.ptr[key.len] == '.' && span_starts(row, key))
			return true;
	}
	return false;
}

bool
setting_is_required(const struct setting *row)
{
	if (setting_is_list(row->type))
		return row->min > 0 && strcmp(row->fallback, "[]") == 0;
	return setting_is_text(row->type) && row->min > 0 && row->fallback[0] == '\0';
}

/* What stands behind the key of a list: STEP of an item, and a key in it. */
static const struct setting *
inside_items(const struct setting *list, struct span rest, bool *is_item)
{
	const struct conf_shape *shape = conf_shape_of(list->type);
	struct span step, key;
	enum service_name name;

	*is_item = !span_cut(rest, '.', &step, &key);
	if (step.len == 0 || (list->type == SETTING_SERVICES &&
				     !conf_service_named(step, &name)))
		return NULL;
	return *is_item ? list : setting_find(shape->rows, shape->count, key);
}

const struct setting *
setting_of_path(struct span path, bool *is_item)
{
	const struct setting *row = setting_find(settings, SETTINGS_COUNT, path);

	*is_item = false;
	if (row != NULL)
		return row;
	for (size_t i = 0; i < SETTINGS_COUNT; i++) {
		size_t len = strlen(settings[i].key);

		if (setting_is_shape(settings[i].type) && path.len > len && path.ptr[len] == '.' &&
			span_starts(path, span_of(settings[i].key)))
			return inside_items(&settings[i], span_from(path, len + 1), is_item);
	}
	return NULL;
}

void
conf_free(struct conf **conf)
{
	if (*conf == NULL)
		return;
	arena_reset(&(*conf)->arena);
	free(*conf);
	*conf = NULL;
}

bool
conf_service_named(struct span text, enum service_name *out)
{
	for (unsigned i = 0; i < SERVICE_COUNT; i++)
		if (span_eq(span_of(service_names[i]), text)) {
			*out = (enum service_name)i;
			return true;
		}
	return false;
}

const struct conf_service *
conf_service(const struct conf *conf, enum service_name name)
{
	for (size_t i = 0; i < conf->services.count; i++)
		if (conf->services.items[i].name == name)
			return &conf->services.items[i];
	return NULL;
}

const struct conf_collector *
conf_collector(const struct conf *conf, struct span name)
{
	for (size_t i = 0; i < conf->collectors.count; i++)
		if (span_eq_nocase(conf->collectors.items[i].name, name))
			return &conf->collectors.items[i];
	return NULL;
}

int64_t
conf_service_max_connections(const struct conf *conf, const struct conf_service *service)
{
	return service->max_connections ? service->max_connections : conf->limits_max_connections;
}

int64_t
conf_service_max_per_ip(const struct conf *conf, const struct conf_service *service)
{
	return service->max_per_ip ? service->max_per_ip : conf->limits_max_per_ip;
}

int64_t
conf_service_timeout_ms(const struct conf *conf, const struct conf_service *service)
{
	if (service->timeout_ms > 0)
		return service->timeout_ms;
	if (service->name == SERVICE_pop3 || service->name == SERVICE_pop3s)
		return conf->timeouts_pop3_ms;
	if (service->name == SERVICE_imap || service->name == SERVICE_imaps)
		return conf->timeouts_imap_ms;
	return conf->timeouts_client_ms;
}

struct span
conf_default_domain(const struct conf *conf)
{
	if (conf->domains_default.len > 0)
		return conf->domains_default;
	for (size_t i = 0; i < conf->domains_local.count; i++) {
		struct span entry = conf->domains_local.items[i];

		if (span_find_any(entry, SPAN("@*?")) == entry.len)
			return entry;
	}
	return conf_hostname_is_word(conf) ? SPAN_NONE : conf->hostname;
}

bool
conf_hostname_is_word(const struct conf *conf)
{
	return span_eq_nocase(conf->hostname, SPAN(HOSTNAME_DOMAIN)) ||
		span_eq_nocase(conf->hostname, SPAN(HOSTNAME_ADDRESS));
}

bool
patterns_match(struct conf_list patterns, struct span local_part, struct span domain)
{
	for (size_t i = 0; i < patterns.count; i++) {
		struct span pattern = patterns.items[i];
		size_t at = span_find_last(pattern, '@');
		bool has_local = at < pattern.len;

		if (has_local && !span_match_wildcard(span_range(pattern, 0, at), local_part))
			continue;
		if (span_match_wildcard(has_local ? span_from(pattern, at + 1) : pattern, domain))
			return true;
	}
	return false;
}

bool
conf_is_local(const struct conf *conf, struct span local_part, struct span domain)
{
	return patterns_match(conf->domains_local, local_part, domain);
}

struct span
conf_mapped_domain(const struct conf *conf, struct span domain)
{
	for (size_t i = 0; i < conf->domains_map.count; i++)
		if (span_eq_nocase(conf->domains_map.items[i].from, domain))
			return conf->domains_map.items[i].to;
	return SPAN_NONE;
}
