/*
 * collect_of.c - collectors of a connection: what its runs start, look at and stop (CON-02, CON-12).
 */
#include "server/collect/collect_inside.h"
#include "server/connect/connect.h"

bool
collector_is_of(const struct conf *conf, const struct conf_collector *c, struct span connection)
{
	for (size_t i = 0; i < c->connections.count; i++)
		if (span_eq_nocase(c->connections.items[i], connection))
			return true;
	return c->connections.count == 0 && span_eq_nocase(connection_at(conf, 0)->name, connection);
}

size_t
collect_start_of(struct collect *all, struct span connection, const char *because)
{
	struct list *at, *following;
	size_t count = 0;

	list_for_each(at, following, &all->collectors) {
		struct collector *c = LIST_ITEM(at, struct collector, link_all);
		const struct conf_collector *conf = collector_conf(c);

		if (!conf || !conf->enabled || conf->kind == COLLECTOR_SMTP ||
			!collector_is_of(all->host->conf, conf, connection))
			continue;
		if (!collector_is_busy(c))
			collector_start(c, because);
		count++;
	}
	return count;
}

bool
collect_busy_of(const struct collect *all, struct span connection)
{
	const struct list *at;

	for (at = all->collectors.next; at != &all->collectors; at = at->next) {
		const struct collector *c = LIST_ITEM(at, struct collector, link_all);
		const struct conf_collector *conf = collector_conf(c);

		if (conf && collector_is_of(all->host->conf, conf, connection) &&
			(collector_is_busy(c) || c->again))
			return true;
	}
	return false;
}

void
collect_stop_of(struct collect *all, struct span connection)
{
	const struct list *at;

	for (at = all->collectors.next; at != &all->collectors; at = at->next) {
		struct collector *c = LIST_ITEM(at, struct collector, link_all);
		const struct conf_collector *conf = collector_conf(c);

		if (conf && collector_is_of(all->host->conf, conf, connection))
			collector_stop(c, COLLECT_STOP_MS);
	}
}
