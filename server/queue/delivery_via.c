/*
 * delivery_via.c - through a SOCKS server, where the route's connection says so (NET-08, CON-10).
 *
 * The servers of a relay are named to it as they are in the file, so that nobody here asks name servers about
 * them; MX hosts are looked up here and given to it by their addresses.
 */
#include <string.h>

#include "conf/conf.h"
#include "server/connect/connect.h"
#include "server/generation.h"
#include "server/queue/delivery.h"

static void
on_proxy(struct proxy *p, const char *why)
{
	struct delivery *d = LIST_ITEM(p, struct delivery, proxy);

	if (!why) {
		delivery_find_hosts(d);
		return;
	}
	delivery_blame(d, 0, SPAN("4.4.3"), span_of(why), SMTP_STAGE_CONNECT);
	delivery_fail(d, false);
}

void
delivery_find_via(struct delivery *d)
{
	const struct conf *conf = generation_conf(d->generation);

	if (d->route.kind == ROUTE_SPOOL) {
		delivery_open_folder(d);
		return;
	}
	if (delivery_is_lan(d) || conf->socks_server.len == 0 ||
		!connection_of_route(conf, &d->route)->socks) {
		delivery_find_hosts(d);
		return;
	}
	d->by_via = true;
	d->proxy.done = on_proxy;
	proxy_find(&d->proxy, d->host, conf);
}

void
delivery_dial(struct delivery *d)
{
	const struct dial_address *to = &d->addresses[d->address_at - 1];
	int64_t wait_ms = delivery_wait_ms(d, SMTP_STAGE_CONNECT);

	d->dials = true;
	d->heard_ms = loop_now_ms(d->host->loop);
	if (!d->by_via) {
		dialer_start(&d->dialer, to, wait_ms);
		return;
	}
	d->proxy.via.socks.name = d->by_name ? delivery_host(d) : SPAN("");
	memcpy(d->proxy.via.socks.ip, to->ip, sizeof(to->ip));
	d->proxy.via.socks.port = to->port;
	dialer_start_via(&d->dialer, &d->proxy.via, wait_ms);
}

/* ---- another try where the connection was refused (NET-01) ---- */

static void
on_pause(struct loop_timer *timer)
{
	delivery_dial(LIST_ITEM(timer, struct delivery, pause));
}

void
delivery_refused(struct delivery *d, bool refused)
{
	if (d->again && !refused) {
		d->closed_ports[d->again_at] = d->closed_ports[--d->closed_count];
		d->again_at--;
	} else if (refused && !d->again && d->closed_count < DELIVERY_REFUSED_MAX) {
		d->closed_ports[d->closed_count++] = (struct delivery_refusal){
			d->addresses[d->address_at - 1], d->host_at, d->by_name
		};
	}
}

bool
delivery_dial_again(struct delivery *d)
{
	const struct conf *conf = generation_conf(d->generation);
	const struct delivery_refusal *next;

	bool was_answered = d->why.stage || d->why.code; /* its reason tells more than a refusal */

	if (d->closed_count == 0 || was_answered || d->probe) /* who tests a route wants one look */
		return false;
	if (!d->again || ++d->again_at >= (int)d->closed_count) {
		d->again = true;
		d->again_at = 0;
		d->round++;
	}
	if (d->round >= (unsigned)conf->outgoing_connect_attempts)
		return false;
	next = &d->closed_ports[d->again_at];
	d->host_at = next->host_at;
	d->by_name = next->by_name;
	d->addresses[0] = next->address;
	d->address_count = d->address_at = 1;
	if (d->again_at == 0 && conf->outgoing_connect_pause_ms > 0)
		loop_timer_set(d->host->loop, &d->pause, conf->outgoing_connect_pause_ms);
	else
		delivery_dial(d);
	return true;
}

void
delivery_via_init(struct delivery *d)
{
	loop_timer_init(&d->pause, on_pause);
}
