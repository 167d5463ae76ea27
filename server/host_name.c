/*
 * host_name.c - the setting `hostname`, its words and its default.
 */
#include <unistd.h>

#include "conf/conf.h"
#include "server/host.h"
#include "server/net/peer.h"

/* "[192.0.2.1]", "[IPv6:2001:db8::1]", or empty. */
static struct span
own_address(int fd, struct arena *a)
{
	struct sockaddr_storage address = { .ss_family = AF_UNSPEC };
	socklen_t size = sizeof(address);
	struct peer own;

	if (fd < 0 || getsockname(fd, (struct sockaddr *)&address, &size) != 0 ||
		(address.ss_family != AF_INET && address.ss_family != AF_INET6))
		return SPAN_NONE;
	peer_from_sockaddr(&own, &address);
	return arena_printf(a, "[%s%s]", own.is_ipv4 ? "" : "IPv6:", own.text);
}

static struct span
system_name(struct arena *a)
{
	char name[256] = "";

	if (gethostname(name, sizeof(name) - 1) != 0 || name[0] == '\0')
		return SPAN("localhost");
	return arena_copy(a, span_of(name));
}

struct span
host_name_at(const struct conf *conf, int fd, struct arena *a)
{
	struct span name = conf->hostname;

	if (span_eq_nocase(name, SPAN(HOSTNAME_DOMAIN)))
		name = conf_default_domain(conf);
	else if (span_eq_nocase(name, SPAN(HOSTNAME_ADDRESS)))
		name = own_address(fd, a);
	return name.len > 0 ? arena_copy(a, name) : system_name(a);
}

struct span
host_name(const struct conf *conf, struct arena *a)
{
	return host_name_at(conf, -1, a);
}
