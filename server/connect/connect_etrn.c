/*
 * connect_etrn.c - mail that waits elsewhere for us is asked for as a run begins (INM-27, RFC 1985).
 *
 * The server that the connection's mail leaves by is asked, the way mail goes: with its TLS and its account. Or the
 * one that the collector names, as it is.
 */
#include <stdio.h>
#include <stdlib.h>

#include "server/connect/connect_inside.h"
#include "server/queue/delivery_probe.h"

#define ROUTE_SIZE 320

struct etrn {
	struct list link; /* in connect.asks */
	struct delivery_probe probe;
	struct connect *all;
	char connection[CONNECTED_NAME_MAX + 1];
	char collector[CONNECTED_NAME_MAX + 1], route[ROUTE_SIZE], domain[256];
};

static void
log_etrn(const struct etrn *e, enum log_level level, const char *text, const char *why)
{
	log_put(e->all->host->log,
		&(struct log_line){ .level = level, .area = "connect", .text = text,
			.fields = { { "connection", span_of(e->connection), 0 },
				{ "collector", span_of(e->collector), 0 },
				{ "by", span_of(e->route), 0 }, { "domain", span_of(e->domain), 0 },
				{ "answer", span_of(why), 0 } } });
}

/* In words what the codes of RFC 1985, 5.3 mean, where the server's own are no help. */
static const char *
meaning(unsigned code)
{
	switch (code) {
	case 251:
		return "nothing waits there";
	case 458:
		return "the server cannot do it now";
	case 459:
		return "the server does not do it for this domain";
	default:
		return code >= 250 && code <= 253 ? "mail that waits there is being sent" :
						    "the server refused to send what waits";
	}
}

static void
on_done(struct delivery_probe *p)
{
	struct etrn *e = p->arg;
	const struct probe_step *last = p->count > 0 ? &p->steps[p->count - 1] : NULL;
	bool good = p->etrn_code >= 250 && p->etrn_code <= 253;

	for (size_t i = 0; i < p->count; i++)
		if (p->steps[i].state == PROBE_FAILED)
			last = &p->steps[i];
	if (p->etrn_code > 0)
		log_etrn(e, good ? LEVEL_INFO : LEVEL_WARNING, meaning(p->etrn_code), last->text);
	else
		log_etrn(e, LEVEL_WARNING, "nobody could be asked for mail that waits", last ? last->text : "");
	if (!good)
		connect_tell_etrn(e->all, e->collector, e->route, last ? last->text : "no server could be used");
	list_remove(&e->link);
	free(e);
}

/* The first route by C that has a server of its own. */
static struct span
route_of(const struct connection *c)
{
	const struct conf *conf = c->all->host->conf;

	for (size_t i = 0; i < conf->outgoing_routes.count; i++) {
		const struct conf_route *route = &conf->outgoing_routes.items[i];

		if (route->kind == ROUTE_RELAY && route->servers.count > 0 &&
			span_eq_nocase(connection_of_route(conf, route)->name, span_of(c->name)))
			return route->name;
	}
	return SPAN("");
}

void
connection_ask_for_mail(struct connection *c, const struct conf_collector *collector)
{
	struct etrn *e = calloc(1, sizeof(*e));
	struct span route = route_of(c);

	ENSURE(e);
	e->all = c->all;
	snprintf(e->connection, sizeof(e->connection), "%s", c->name);
	snprintf(e->collector, sizeof(e->collector), "%.*s", SPAN_FMT(collector->name));
	snprintf(e->domain, sizeof(e->domain), "%.*s", SPAN_FMT(collector->etrn));
	if (collector->etrn_server.len > 0)
		snprintf(e->route, sizeof(e->route), "lan:%.*s", SPAN_FMT(collector->etrn_server));
	else
		snprintf(e->route, sizeof(e->route), "%.*s", SPAN_FMT(route));
	e->probe = (struct delivery_probe){ .route = span_of(e->route), .etrn = span_of(e->domain),
		.done = on_done, .arg = e };
	list_append(&c->all->asks, &e->link);
	if (e->route[0] && c->all->host->outgoing && delivery_probe_start(c->all->host, &e->probe))
		return;
	on_done(&e->probe);
}

void
connect_free_asks(struct connect *all)
{
	struct list *at;

	while ((at = list_take_first(&all->asks)))
		free(LIST_ITEM(at, struct etrn, link));
}
