/*
 * delivery_hosts.c - to which hosts and addresses a delivery goes, in which order.
 *
 * A relay: the servers of the route, in their order (OUT-04). Direct: the MX hosts of the domain by
 * preference, equals in random order (RFC 5321, 5.1; OUT-13); without MX the domain itself; "." takes
 * no mail (RFC 7505). Cut at 10 hosts and 10 addresses each (H21). What a name server cannot say puts
 * it off, never ends it (H69).
 */
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "conf/conf_value.h"
#include "server/host.h"
#include "server/net/idna.h"
#include "server/net/random.h"
#include "server/queue/delivery.h"

static void
blame_dns(struct delivery *d, struct span name, const char *what)
{
	delivery_blame(d, 0, SPAN("4.4.3"),
		arena_printf(&d->arena, "%s of %.*s: no answer from the name servers", what,
			SPAN_FMT(name)),
		SMTP_STAGE_CONNECT);
	d->all_refused = false;
}

static void
fail_for_good(struct delivery *d, unsigned code, struct span enhanced, struct span text)
{
	delivery_blame(d, code, enhanced, text, SMTP_STAGE_CONNECT);
	delivery_fail(d, true);
}

static void
add_host(struct delivery *d, struct span name, uint16_t port, uint16_t preference)
{
	if (idna_to_ascii(&d->arena, name, &name) != OK)
		return; /* nobody has such a name */
	if (d->host_count < DELIVERY_HOSTS_MAX)
		d->hosts[d->host_count++] = (struct delivery_host){
			arena_copy(&d->arena, name), port, preference
		};
}

/* ---- MX ---- */

static bool
is_our_name(struct delivery *d, struct span name)
{
	return span_eq_nocase(name, host_name(d->host->conf, &d->arena));
}

static int
by_preference(const void *a, const void *b)
{
	const struct delivery_host *x = a, *y = b;

	return (x->preference > y->preference) - (x->preference < y->preference);
}

static void
shuffle(struct delivery_host *hosts, size_t count)
{
	for (size_t i = count; i > 1; i--) {
		size_t with = random_u64() % i;
		struct delivery_host host = hosts[i - 1];

		hosts[i - 1] = hosts[with];
		hosts[with] = host;
	}
}

/* RFC 5321, 5.1: we are one of them, so those of our preference and worse are not for us to try. */
static size_t
before_ourselves(struct delivery *d, const struct delivery_host *hosts, size_t count)
{
	uint32_t ours = UINT32_MAX;
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (is_our_name(d, hosts[i].name) && hosts[i].preference < ours)
			ours = hosts[i].preference;
	while (kept < count && hosts[kept].preference < ours)
		kept++;
	return kept;
}

/* False: nobody is to be tried, and it has been failed. */
static bool
take_mx(struct delivery *d, const struct dns_record *records, size_t count)
{
	struct delivery_host *hosts = ARENA_ARRAY(&d->arena, struct delivery_host, count);
	size_t kept;

	if (count == 1 && (records[0].text.len == 0 || span_eq(records[0].text, SPAN(".")))) {
		fail_for_good(d, 556, SPAN("5.1.10"), SPAN("the domain takes no mail (null MX)"));
		return false;
	}
	for (size_t i = 0; i < count; i++)
		hosts[i] = (struct delivery_host){ records[i].text, (uint16_t)d->route.port,
			records[i].preference };
	shuffle(hosts, count);
	qsort(hosts, count, sizeof(*hosts), by_preference);
	kept = before_ourselves(d, hosts, count);
	if (kept == 0) {
		fail_for_good(d, 554, SPAN("5.4.6"),
			SPAN("the best MX host of the domain is this server, which does not know the domain"));
		return false;
	}
	for (size_t i = 0; i < kept && i < DELIVERY_MX_MAX; i++)
		add_host(d, hosts[i].name, hosts[i].port, hosts[i].preference);
	return true;
}

static void
on_mx(struct resolver_question *q, const struct resolver_answer *answer)
{
	struct delivery *d = LIST_ITEM(q, struct delivery, question);

	if (answer->err == ERR_NOT_FOUND) {
		d->no_mx = true;
		add_host(d, d->hop, (uint16_t)d->route.port, 0);
	} else if (answer->err != OK) {
		blame_dns(d, d->hop, "MX");
		delivery_fail(d, false);
		return;
	} else if (!take_mx(d, answer->records, answer->count)) {
		return;
	}
	delivery_next_address(d);
}

/* ---- addresses ---- */

static void
ask_addresses(struct delivery *d, enum dns_type type);

static void
no_addresses(struct delivery *d)
{
	struct span name = d->hosts[d->host_at - 1].name;

	if (d->no_mx) {
		fail_for_good(d, 550, SPAN("5.1.2"),
			arena_printf(&d->arena, "%.*s has no MX and no address record", SPAN_FMT(name)));
		return;
	}
	delivery_blame(d, 0, SPAN("4.4.4"),
		arena_printf(&d->arena, "%.*s has no address", SPAN_FMT(name)), SMTP_STAGE_CONNECT);
	d->all_refused = false;
	delivery_next_address(d);
}

static void
on_addresses(struct resolver_question *q, const struct resolver_answer *answer)
{
	struct delivery *d = LIST_ITEM(q, struct delivery, question);
	const struct delivery_host *at = &d->hosts[d->host_at - 1];

	for (size_t i = 0; answer->err == OK && i < answer->count; i++) {
		struct dial_address *to = &d->addresses[d->address_count];

		if (d->address_count >= DELIVERY_ADDRESSES_MAX)
			break;
		memcpy(to->ip, answer->records[i].ip, sizeof(to->ip));
		to->port = at->port;
		d->address_count++;
	}
	d->dns_failed |= answer->err != OK && answer->err != ERR_NOT_FOUND;
	if (d->asking == DNS_A) {
		ask_addresses(d, DNS_AAAA);
		return;
	}
	if (d->address_count == 0 && d->dns_failed) {
		blame_dns(d, at->name, "the address");
		delivery_next_address(d);
	} else if (d->address_count == 0) {
		no_addresses(d);
	} else {
		delivery_next_address(d);
	}
}

static void
ask_addresses(struct delivery *d, enum dns_type type)
{
	d->asking = type;
	d->question.done = on_addresses;
	resolver_ask(d->host->resolver, d->host->loop, &d->question, d->hosts[d->host_at - 1].name,
		type);
}

/* By that address, or by any, which the loopback addresses are some of. */
static bool
listens_at(const struct conf_listen *at, const struct dial_address *to)
{
	struct dial_address own = { .port = at->port };

	memcpy(own.ip, &at->addr, sizeof(own.ip));
	if (at->kind == LISTEN_ANY || dial_refusal(&own, true))
		return dial_refusal(to, false) != NULL;
	return memcmp(own.ip, to->ip, sizeof(own.ip)) == 0;
}

/* A listener of our own at that address and port: mail would come back to us (H21). */
static bool
is_ours(const struct conf *conf, const struct dial_address *to)
{
	for (size_t i = 0; i < conf->services.count; i++) {
		const struct conf_service *service = &conf->services.items[i];

		for (size_t n = 0; n < service->listen.count; n++) {
			const struct conf_listen *at = &service->listen.items[n];

			if (at->kind != LISTEN_UNIX && at->port == to->port && listens_at(at, to))
				return true;
		}
	}
	return false;
}

/* NULL: it may be dialled. */
static const char *
refusal(struct delivery *d, const struct dial_address *to)
{
	bool loopback = d->route.kind == ROUTE_RELAY || d->route.allow_loopback;

	if (d->by_name)
		return NULL; /* the proxy's to know */
	if (is_ours(d->host->conf, to))
		return "the address is one of this server's own";
	return dial_refusal(to, loopback);
}

static void
next_host(struct delivery *d)
{
	const struct delivery_host *at = &d->hosts[d->host_at++];

	d->address_count = d->address_at = 0;
	d->dns_failed = false;
	d->by_name = false;
	if (!dial_address_parse(at->name, at->port, &d->addresses[0])) {
		d->by_name = d->by_via && d->route.kind == ROUTE_RELAY;
		if (!d->by_name) {
			ask_addresses(d, DNS_A);
			return;
		}
		d->addresses[0] = (struct dial_address){ .port = at->port };
	}
	d->address_count = 1;
	delivery_next_address(d);
}

void
delivery_next_address(struct delivery *d)
{
	if (d->probe && delivery_probe_is_over(d)) {
		delivery_fail(d, false);
		return;
	}
	while (d->address_at < d->address_count) {
		const struct dial_address *to = &d->addresses[d->address_at++];
		const char *why = refusal(d, to);
		char text[DIAL_TEXT_SIZE];

		if (!why) {
			d->all_refused = false;
			delivery_dial(d);
			return;
		}
		delivery_blame(d, 0, SPAN("5.4.6"),
			arena_printf(&d->arena, "%s: %s", dial_address_text(to, text), why),
			SMTP_STAGE_CONNECT);
	}
	if (!d->again && d->host_at < d->host_count)
		next_host(d);
	else if (!delivery_dial_again(d))
		delivery_fail(d, d->all_refused && d->route.kind == ROUTE_DIRECT);
}

/* ---- the hosts ---- */

static void
relay_hosts(struct delivery *d)
{
	for (size_t i = 0; i < d->route.servers.count; i++) {
		struct span host;
		uint16_t port = 0;

		if (conf_endpoint_parse(d->route.servers.items[i], &host, &port) != OK)
			continue; /* the configuration was checked */
		if (port == 0)
			port = d->route.tls == ROUTE_TLS_IMPLICIT ? 465 : 25;
		add_host(d, host, port, 0);
	}
	if (d->host_count == 0)
		delivery_blame(d, 0, SPAN("4.3.5"), SPAN("the route has no servers (route set)"),
			SMTP_STAGE_CONNECT);
	delivery_next_address(d);
}

void
delivery_find_hosts(struct delivery *d)
{
	struct dial_address literal;

	if (idna_to_ascii(&d->arena, d->hop, &d->hop) != OK) { /* RFC 5891, 5 */
		fail_for_good(d, 550, SPAN("5.1.2"),
			arena_printf(&d->arena, "%.*s is no domain name", SPAN_FMT(d->hop)));
		return;
	}
	d->host_count = d->host_at = d->address_count = d->address_at = 0;
	d->all_refused = true;
	if (d->route.kind == ROUTE_RELAY) {
		d->all_refused = false;
		relay_hosts(d);
	} else if (span_starts(d->hop, SPAN("[")) && dial_address_parse(d->hop, 25, &literal)) {
		add_host(d, d->hop, (uint16_t)d->route.port, 0);
		delivery_next_address(d);
	} else {
		d->question.done = on_mx;
		resolver_ask(d->host->resolver, d->host->loop, &d->question, d->hop, DNS_MX);
	}
}
