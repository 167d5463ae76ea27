/*
 * conf_check_connect.c - connections, the routes by them, and schedules against each other.
 */
#include <stdio.h>
#include <string.h>

#include "conf/conf_check.h"
#include "conf/conf_value.h"
#include "conf/yaml_tree.h"
#include "proto/base/ascii.h"

#define EVERY_MIN_MS 60000

static bool
has_connection(const struct conf *conf, struct span name)
{
	for (size_t i = 0; i < conf->connections.count; i++)
		if (span_eq_nocase(conf->connections.items[i].name, name))
			return true;
	return false;
}

static void
check_names(const struct conf *conf, const struct yaml_tree *tree, struct conf_faults *faults,
	const char *key, struct conf_list names)
{
	for (size_t i = 0; i < names.count; i++)
		if (!has_connection(conf, names.items[i]))
			conf_fault_add(faults, yaml_place_of(tree, span_of(key)), span_of(key),
				"there is no connection %.*s: name one that is there, or none", SPAN_FMT(names.items[i]));
}

static void
check_connection(const struct conf *conf, const struct yaml_tree *tree,
	struct conf_faults *faults, size_t i)
{
	const struct conf_connection *c = &conf->connections.items[i];
	char key[CONF_KEY_MAX];

	snprintf(key, sizeof(key), "connections.%zu", i);
	if (c->kind == CONNECTION_LINK && c->up.count == 0 && c->status.count == 0 &&
		c->interfaces.count == 0)
		conf_warning_add(faults, yaml_place_of(tree, span_of(key)), span_of(key),
			"a link without up, status and interfaces never comes up");
	if (c->socks && conf->socks_server.len == 0)
		conf_fault_add(faults, yaml_place_of(tree, span_of(key)), span_of(key),
			"socks: yes wants a server in socks.server");
}

static void
check_socks(const struct conf *conf, const struct yaml_tree *tree, struct conf_faults *faults)
{
	struct span host;
	uint16_t port;

	if (conf->socks_server.len > 0 && conf_endpoint_parse(conf->socks_server, &host, &port) != OK)
		conf_warning_add(faults, yaml_place_of(tree, SPAN("socks.server")),
			SPAN("socks.server"), "is neither HOST nor HOST:PORT: what goes by it waits");
	if (conf->socks_version == SOCKS_4 && conf->socks_password.kind != SECRET_NONE)
		conf_warning_add(faults, yaml_place_of(tree, SPAN("socks.password")),
			SPAN("socks.password"), "SOCKS 4 has no passwords");
}

static void
check_schedule(const struct conf *conf, const struct yaml_tree *tree, struct conf_faults *faults,
	size_t i)
{
	const struct conf_schedule *s = &conf->schedules.items[i];
	char key[CONF_KEY_MAX];

	snprintf(key, sizeof(key), "schedules.%zu", i);
	if (s->every_ms > 0 && (s->every_ms < EVERY_MIN_MS || s->every_ms > DAY_MS))
		conf_fault_add(faults, yaml_place_of(tree, span_of(key)), span_of(key),
			"every is 1m to 24h; days says how many days");
	if (s->enabled && s->every_ms == 0 && s->at.count == 0)
		conf_warning_add(faults, yaml_place_of(tree, span_of(key)), span_of(key),
			"a schedule without every and at never fires");
	snprintf(key, sizeof(key), "schedules.%zu.connections", i);
	check_names(conf, tree, faults, key, s->connections);
}

/* It is said to a server as it is. */
static bool
is_etrn(struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!ascii_is_alnum(text.ptr[i]) && !memchr(i == 0 ? "@#.-_" : ".-_", text.ptr[i], i == 0 ? 5 : 3))
			return false;
	return true;
}

/* INM-01: in a file without connections there is the one of its own. */
static void
check_collector(const struct conf *conf, const struct yaml_tree *tree, struct conf_faults *faults,
	size_t i)
{
	const struct conf_collector *c = &conf->collectors.items[i];
	char key[CONF_KEY_MAX];

	snprintf(key, sizeof(key), "collecting.collectors.%zu.connections", i);
	check_names(conf, tree, faults, key, c->connections);
	if (c->connections.count == 0 && conf->connections.count > 0)
		conf_fault_add(faults, yaml_place_of(tree, span_of(key)), span_of(key),
			"a collector wants a connection that starts it: connections: [%.*s]",
			SPAN_FMT(conf->connections.items[0].name));
	snprintf(key, sizeof(key), "collecting.collectors.%zu.etrn", i);
	if (!is_etrn(c->etrn))
		conf_fault_add(faults, yaml_place_of(tree, span_of(key)), span_of(key),
			"is a domain, @domain or #node (RFC 1985)");
	snprintf(key, sizeof(key), "collecting.collectors.%zu.every", i);
	if (c->every_ms > 0 && c->every_ms < EVERY_MIN_MS)
		conf_fault_add(faults, yaml_place_of(tree, span_of(key)), span_of(key),
			"every is at least 1m; 0: only with its connections");
}

void
conf_check_connections(
	const struct conf *conf, const struct yaml_tree *tree, struct conf_faults *faults)
{
	char key[CONF_KEY_MAX];

	check_socks(conf, tree, faults);
	for (size_t i = 0; i < conf->connections.count; i++)
		check_connection(conf, tree, faults, i);
	for (size_t i = 0; i < conf->schedules.count; i++)
		check_schedule(conf, tree, faults, i);
	for (size_t i = 0; i < conf->collectors.count; i++)
		check_collector(conf, tree, faults, i);
	for (size_t i = 0; i < conf->outgoing_routes.count; i++) {
		const struct span *name = &conf->outgoing_routes.items[i].connection;

		snprintf(key, sizeof(key), "outgoing.routes.%zu.connection", i);
		check_names(conf, tree, faults, key, (struct conf_list){ name, name->len > 0 });
	}
}
