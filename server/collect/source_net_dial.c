/*
 * source_net_dial.c - from the name of a collector's server to a socket.
 *
 * All its addresses, one after the other; those that refused once more, as often as outgoing.connect_attempts says
 * (NET-01). Where one of the collector's connections goes through the SOCKS server, so does it (CON-10), and the name
 * is told to that, so that nobody here asks name servers about it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "conf/conf.h"
#include "server/collect/source_net.h"
#include "server/connect/connect.h"
#include "server/generation.h"
#include "server/net/idna.h"

static void
remember_remote(struct source_net *n, const struct dial_address *to)
{
	char address[DIAL_TEXT_SIZE], by[DIAL_TEXT_SIZE];
	bool is_literal = span_starts(span_of(dial_address_text(to, address)), n->name) ||
		span_starts(n->name, SPAN("["));
	int at;

	if (n->by_name)
		at = snprintf(n->problem.remote, sizeof(n->problem.remote), "%.*s:%u", SPAN_FMT(n->name), n->port);
	else
		at = snprintf(n->problem.remote, sizeof(n->problem.remote), "%.*s%s%s",
			is_literal ? 0 : (int)n->name.len, n->name.ptr, is_literal ? "" : " ", address);
	if (n->by_proxy && at > 0 && (size_t)at < sizeof(n->problem.remote))
		snprintf(n->problem.remote + at, sizeof(n->problem.remote) - (size_t)at, " by SOCKS server %s",
			dial_address_text(&n->proxy.via.server, by));
}

/* ---- sockets ---- */

static void
no_connection(struct source_net *n, int error)
{
	const char *said = n->by_proxy ? n->dialer.socks.why : "";

	snprintf(n->problem.why, sizeof(n->problem.why), "no connection: %s%s",
		said[0] ? "the SOCKS server says: " : "", said[0] ? said : strerror(error));
	source_net_tried(n, n->problem.why);
}

static void
on_dialled(struct dialer *dialer, int fd, int error)
{
	struct source_net *n = LIST_ITEM(dialer, struct source_net, dialer);
	const struct dial_address *to = &n->addresses[n->address_at - 1];

	n->dials = false;
	remember_remote(n, to);
	if (fd >= 0) {
		n->problem.why[0] = '\0';
		source_net_talk(n, fd);
		return;
	}
	no_connection(n, error);
	if (error == ECONNREFUSED && n->refused_count < SOURCE_ADDRESSES_MAX)
		n->refused[n->refused_count++] = *to;
	source_net_next_address(n);
}

static void
dial(struct source_net *n, const struct dial_address *to)
{
	const struct conf *conf = generation_conf(n->source.generation);
	int64_t wait_ms = conf->outgoing_connect_ms < n->conf->timeout_ms ? conf->outgoing_connect_ms :
									     n->conf->timeout_ms;

	n->dials = true;
	n->problem.way = SOURCE_DIALS;
	if (!n->by_proxy) {
		dialer_start(&n->dialer, to, wait_ms);
		return;
	}
	n->proxy.via.socks.name = n->by_name ? n->name : SPAN("");
	memcpy(n->proxy.via.socks.ip, to->ip, sizeof(to->ip));
	n->proxy.via.socks.port = to->port;
	dialer_start_via(&n->dialer, &n->proxy.via, wait_ms);
}

static void
on_pause(struct loop_timer *timer)
{
	source_net_next_address(LIST_ITEM(timer, struct source_net, pause));
}

/* All were tried: those that refused, once more (NET-01). */
static void
next_round(struct source_net *n)
{
	const struct conf *conf = generation_conf(n->source.generation);
	char why[SOURCE_WHY_SIZE], all[SOURCE_WHY_SIZE];

	if (n->refused_count == 0 || n->round + 1 >= source_net_attempts(n)) {
		memcpy(why, n->problem.why, sizeof(why));
		source_net_finish(n, n->tls_failed ? SOURCE_NO_TLS : SOURCE_NO_CONNECTION,
			source_net_say_tried(n, why, all));
		return;
	}
	n->round++;
	memcpy(n->addresses, n->refused, sizeof(n->addresses));
	n->address_count = n->refused_count;
	n->address_at = n->refused_count = 0;
	if (conf->outgoing_connect_pause_ms > 0)
		loop_timer_set(n->host->loop, &n->pause, conf->outgoing_connect_pause_ms);
	else
		source_net_next_address(n);
}

void
source_net_next_address(struct source_net *n)
{
	while (n->address_at < n->address_count) {
		const struct dial_address *to = &n->addresses[n->address_at++];
		const char *why = n->by_name ? NULL : dial_refusal(to, true);
		char text[DIAL_TEXT_SIZE];

		if (!why) {
			dial(n, to);
			return;
		}
		snprintf(n->problem.why, sizeof(n->problem.why), "%s: %s", dial_address_text(to, text), why);
		source_net_tried(n, why);
	}
	next_round(n);
}

/* ---- names ---- */

static void ask_addresses(struct source_net *n, enum dns_type type);

static void
on_addresses(struct resolver_question *q, const struct resolver_answer *answer)
{
	struct source_net *n = LIST_ITEM(q, struct source_net, question);

	for (size_t i = 0; answer->err == OK && i < answer->count; i++) {
		struct dial_address *to = &n->addresses[n->address_count];

		if (n->address_count == SOURCE_ADDRESSES_MAX)
			break;
		memcpy(to->ip, answer->records[i].ip, sizeof(to->ip));
		to->port = n->port;
		n->address_count++;
	}
	n->dns_failed |= answer->err != OK && answer->err != ERR_NOT_FOUND;
	if (n->asking == DNS_A) {
		ask_addresses(n, DNS_AAAA);
		return;
	}
	n->problem.addresses = (unsigned)n->address_count;
	if (n->address_count == 0)
		snprintf(n->problem.why, sizeof(n->problem.why), "%.*s%s", (int)(n->name.len > 100 ? 100 : n->name.len),
			n->name.ptr, n->dns_failed ? ": no answer from the name servers" : " has no address");
	source_net_next_address(n);
}

static void
ask_addresses(struct source_net *n, enum dns_type type)
{
	n->asking = type;
	n->question.done = on_addresses;
	resolver_ask(n->host->resolver, n->host->loop, &n->question, n->name, type);
}

static void
find_addresses(struct source_net *n)
{
	n->address_count = n->address_at = n->refused_count = 0;
	n->round = 0;
	n->try_count = 0;
	n->dns_failed = n->by_name = n->tls_failed = false;
	if (!dial_address_parse(n->name, n->port, &n->addresses[0])) {
		n->by_name = n->by_proxy;
		if (!n->by_name) {
			ask_addresses(n, DNS_A);
			return;
		}
		n->addresses[0] = (struct dial_address){ .port = n->port };
	}
	n->address_count = 1;
	source_net_next_address(n);
}

/* ---- through a proxy ---- */

/* By what leads away from here: one connection with a proxy is enough, so that nothing goes around it. */
static bool
wants_proxy(const struct source_net *n)
{
	const struct conf *conf = generation_conf(n->source.generation);
	bool wants = false;

	for (size_t i = 0; i < n->conf->connections.count; i++) {
		const struct conf_connection *c = connection_named(conf, n->conf->connections.items[i]);

		wants |= c && c->socks;
	}
	if (n->conf->connections.count == 0)
		wants = connection_at(conf, 0)->socks;
	return wants && conf->socks_server.len > 0;
}

static void
on_proxy(struct proxy *p, const char *why)
{
	struct source_net *n = LIST_ITEM(p, struct source_net, proxy);

	n->problem.way = why ? SOURCE_DIALS : SOURCE_LOOKS_UP;
	if (why)
		source_net_close(n, SOURCE_NO_CONNECTION, why);
	else
		find_addresses(n);
}

void
source_net_dial(struct source_net *n)
{
	if (idna_to_ascii(&n->arena, n->conf->server, &n->name) != OK || n->conf->server.len == 0) {
		source_net_close(n, SOURCE_NO_CONNECTION, "`server` is no host name (collect set server=)");
		return;
	}
	n->problem.way = SOURCE_LOOKS_UP;
	n->by_proxy = wants_proxy(n);
	n->proxy.done = on_proxy;
	if (n->by_proxy)
		proxy_find(&n->proxy, n->host, generation_conf(n->source.generation));
	else
		find_addresses(n);
}

void
source_net_dial_init(struct source_net *n)
{
	dialer_init(&n->dialer, n->host->loop, on_dialled);
	loop_timer_init(&n->pause, on_pause);
}

void
source_net_dial_stop(struct source_net *n)
{
	resolver_cancel(&n->question);
	if (n->dials)
		dialer_cancel(&n->dialer);
	n->dials = false;
}
