/*
 * connection_conf.c - what the file says of connections. Pure.
 */
#include "server/connect/connect.h"

static const struct conf_connection the_lan = { .name = { CONNECT_DEFAULT_NAME, sizeof(CONNECT_DEFAULT_NAME) - 1 },
	.kind = CONNECTION_LAN, .primary = true };

size_t
connection_count(const struct conf *conf)
{
	return conf->connections.count > 0 ? conf->connections.count : 1;
}

const struct conf_connection *
connection_at(const struct conf *conf, size_t i)
{
	return conf->connections.count > 0 ? &conf->connections.items[i] : &the_lan;
}

const struct conf_connection *
connection_named(const struct conf *conf, struct span name)
{
	for (size_t i = 0; i < connection_count(conf); i++)
		if (span_eq_nocase(connection_at(conf, i)->name, name))
			return connection_at(conf, i);
	return NULL;
}

const struct conf_connection *
connection_of_route(const struct conf *conf, const struct conf_route *route)
{
	const struct conf_connection *named = NULL;

	if (!route)
		return &the_lan;
	if (route->connection.len > 0)
		named = connection_named(conf, route->connection);
	return named ? named : connection_at(conf, 0);
}

bool
connection_is_of(const struct conf_schedule *schedule, const struct conf_connection *c)
{
	for (size_t i = 0; i < schedule->connections.count; i++)
		if (span_eq_nocase(schedule->connections.items[i], c->name))
			return true;
	return schedule->connections.count == 0 && c->primary;
}
