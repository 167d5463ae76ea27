/*
 * delivery_dial.c - a connection to one address of a server, and what is said on it first.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "conf/conf.h"
#include "server/generation.h"
#include "server/log.h"
#include "server/queue/delivery.h"
#include "server/queue/spool_door.h"

static void
remember_remote(struct delivery *d)
{
	char at[DIAL_TEXT_SIZE], by[DIAL_TEXT_SIZE];
	struct span name = delivery_host(d);
	const char *address = dial_address_text(&d->addresses[d->address_at - 1], at);
	int n;

	if (span_starts(span_of(address), name) || span_starts(name, SPAN("[")))
		name = SPAN("");
	if (d->by_name)
		n = snprintf(d->remote, sizeof(d->remote), "%.*s:%u", SPAN_FMT(name),
			d->addresses[d->address_at - 1].port);
	else
		n = snprintf(d->remote, sizeof(d->remote), "%.*s%s%s", SPAN_FMT(name),
			name.len > 0 ? " " : "", address);
	if (d->by_via && n > 0 && (size_t)n < sizeof(d->remote))
		snprintf(d->remote + n, sizeof(d->remote) - (size_t)n, " by SOCKS server %s",
			dial_address_text(&d->proxy.via.server, by));
}

/*
 * What the server must offer, by the route. Here the stricter word of a domain's own policy has its place: MTA-STS
 * (RFC 8461), asked for with the MX records, and DANE (RFC 7672), with the addresses of a host; with it in delivery_start_tls().
 */
static enum smtp_client_tls
tls_of(const struct delivery *d)
{
	switch ((enum conf_route_tls)d->route.tls) {
	case ROUTE_TLS_REQUIRED:
	case ROUTE_TLS_VERIFIED:
		return SMTP_CLIENT_TLS_REQUIRED;
	case ROUTE_TLS_OPPORTUNISTIC:
		return d->plain ? SMTP_CLIENT_TLS_NONE : SMTP_CLIENT_TLS_OPPORTUNISTIC;
	case ROUTE_TLS_NONE:
	case ROUTE_TLS_IMPLICIT:
		break;
	}
	return SMTP_CLIENT_TLS_NONE;
}

void
delivery_say_tls(struct delivery *d)
{
	char why[200] = "";

	if (!stream_is_secure(&d->stream)) {
		snprintf(d->tls, sizeof(d->tls), "%s",
			d->in_clear_after_failure ? "in clear, for its TLS failed" :
						    "in clear");
		return;
	}
	stream_tls_distrust(&d->stream, why, sizeof(why));
	snprintf(d->tls, sizeof(d->tls), "%s %s, %s%s", stream_tls_version(&d->stream),
		stream_tls_cipher(&d->stream), why[0] ? "not verified: " : "verified", why);
}

static enum err
open_smtp(struct delivery *d)
{
	struct smtp_client_config config = {
		.hostname = host_name_at(d->host->conf, d->stream.io.fd, &d->arena),
		.helo_only = !d->route.esmtp,
		.tls = tls_of(d),
		.secure = d->route.tls == ROUTE_TLS_IMPLICIT,
		.secret_in_clear = d->route.tls == ROUTE_TLS_NONE,
	};

	if (delivery_account(d, &config) != OK)
		return ERR_IO;
	smtp_client_init(&d->smtp, &config);
	d->smtp_open = true;
	return OK;
}

/* Is it ourselves that answered, by a listener of any address? */
static bool
is_ourselves(const struct delivery *d, int fd)
{
	const struct conf *conf = d->host->conf;
	struct sockaddr_storage near = { 0 }, far = { 0 };
	socklen_t near_len = sizeof(near), far_len = sizeof(far);
	struct peer us, them;
	bool listens = false;

	for (size_t i = 0; i < conf->services.count; i++)
		for (size_t n = 0; n < conf->services.items[i].listen.count; n++)
			listens |= conf->services.items[i].listen.items[n].kind != LISTEN_UNIX &&
				conf->services.items[i].listen.items[n].port ==
					d->addresses[d->address_at - 1].port;
	if (!listens || getsockname(fd, (struct sockaddr *)&near, &near_len) != 0 ||
		getpeername(fd, (struct sockaddr *)&far, &far_len) != 0)
		return false;
	peer_from_sockaddr(&us, &near);
	peer_from_sockaddr(&them, &far);
	return memcmp(us.ip, them.ip, sizeof(us.ip)) == 0 && !peer_is_loopback(&us);
}

static void
talk(struct delivery *d, int fd)
{
	const struct conf *conf = generation_conf(d->generation);
	struct stream_limits limits = { .output_pending = (size_t)conf->limits_output_pending,
		.stalled_ms = conf->outgoing_data_block_ms,
		.handshake_ms = conf->timeouts_handshake_ms,
		.reads_always = true };

	stream_init(&d->stream, d->host->loop, fd, &delivery_stream_events, &limits);
	d->stream_open = true;
	d->deadline_stage = SMTP_STAGE_CONNECT;
	if (!d->by_via && is_ourselves(d, fd)) {
		delivery_blame(d, 0, SPAN("5.4.6"), SPAN("the server is this one: mail would run in a circle"),
			SMTP_STAGE_CONNECT);
		delivery_leave_server(d);
		return;
	}
	if (open_smtp(d) != OK) {
		delivery_leave_server(d);
		return;
	}
	if (d->smtp.config.secure)
		delivery_start_tls(d);
	stream_start(&d->stream);
	delivery_watch(d);
}

/* NET-01: each try is in the log; the last one is what the queue and the trace show. */
static void
no_connection(struct delivery *d, int error)
{
	const char *proxy = d->by_via ? d->dialer.socks.why : "";
	char text[200], times[40] = "";

	if (d->round > 0)
		snprintf(times, sizeof(times), " (attempt %u)", d->round + 1);
	snprintf(text, sizeof(text), "no connection: %s%s%s",
		proxy[0] ? "the SOCKS server says: " : "", proxy[0] ? proxy : strerror(error), times);
	log_put(d->host->log, &(struct log_line){ .level = LEVEL_INFO, .area = "outgoing",
				      .text = text,
				      .fields = { { "remote", span_of(d->remote) },
					      { "attempt", .number = d->round + 1 } } });
	delivery_blame(d, 0, SPAN("4.4.1"), span_of(text), SMTP_STAGE_CONNECT);
}

void
delivery_open_folder(struct delivery *d)
{
	int fd = spool_door_open(d->host, &d->route);

	d->host_count = d->host_at = d->address_count = d->address_at = 1;
	d->hosts[0] = (struct delivery_host){ .name = d->route.path };
	snprintf(d->remote, sizeof(d->remote), "%.*s", SPAN_FMT(d->route.path));
	d->tls[0] = '\0';
	if (fd >= 0) {
		talk(d, fd);
		return;
	}
	no_connection(d, errno);
	delivery_fail(d, false);
}

void
delivery_on_dialled(struct dialer *dialer, int fd, int error)
{
	struct delivery *d = LIST_ITEM(dialer, struct delivery, dialer);

	d->dials = false;
	remember_remote(d);
	delivery_refused(d, fd < 0 && error == ECONNREFUSED);
	d->tls[0] = '\0';
	if (fd >= 0 && d->probe)
		delivery_probe_connected(d);
	if (fd >= 0) {
		talk(d, fd);
		return;
	}
	no_connection(d, error);
	delivery_next_address(d);
}
