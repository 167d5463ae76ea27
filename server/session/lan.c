/*
 * lan.c - the networks of our interfaces.
 */
#include "server/session/lan.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUTES_MAX 1000 /* lines of the route table that are read */

/* The interface of the IPv4 default route, or "". */
static void
default_interface(char name[IF_NAMESIZE])
{
	char line[256], interface[64], destination[16];
	FILE *routes = fopen("/proc/net/route", "re");

	name[0] = '\0';
	if (!routes)
		return;
	for (int i = 0; i < ROUTES_MAX && fgets(line, sizeof(line), routes); i++) {
		if (sscanf(line, "%63s %15s", interface, destination) != 2 ||
			strcmp(destination, "00000000") != 0)
			continue;
		snprintf(name, IF_NAMESIZE, "%.*s", IF_NAMESIZE - 1, interface);
		break;
	}
	fclose(routes);
}

static bool
same_network(const uint8_t *a, const uint8_t *b, const uint8_t *mask, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if ((a[i] ^ b[i]) & mask[i])
			return false;
	return true;
}

static bool
interface_has(const struct ifaddrs *i, const struct peer *peer)
{
	if (!i->ifa_addr || !i->ifa_netmask)
		return false;
	if (i->ifa_addr->sa_family == AF_INET && peer->is_ipv4)
		return same_network(
			(const uint8_t *)&((struct sockaddr_in *)(void *)i->ifa_addr)->sin_addr,
			peer->ip + 12,
			(const uint8_t *)&((struct sockaddr_in *)(void *)i->ifa_netmask)->sin_addr,
			4);
	if (i->ifa_addr->sa_family == AF_INET6 && !peer->is_ipv4)
		return same_network(
			(const uint8_t *)&((struct sockaddr_in6 *)(void *)i->ifa_addr)->sin6_addr,
			peer->ip,
			(const uint8_t *)&((struct sockaddr_in6 *)(void *)i->ifa_netmask)->sin6_addr,
			16);
	return false;
}

bool
lan_has_address(const struct peer *peer)
{
	char outside[IF_NAMESIZE];
	struct ifaddrs *all;
	bool found = false;

	if (peer->is_unix)
		return true;
	if (getifaddrs(&all) != 0)
		return false;
	default_interface(outside);
	for (const struct ifaddrs *i = all; i && !found; i = i->ifa_next)
		found = strcmp(i->ifa_name, outside) != 0 && interface_has(i, peer);
	freeifaddrs(all);
	return found;
}

/* One address of an interface as struct peer has it; false where it is of another family. */
static bool
interface_address(const struct ifaddrs *i, uint8_t ip[16])
{
	if (!i->ifa_addr)
		return false;
	if (i->ifa_addr->sa_family == AF_INET6) {
		memcpy(ip, &((struct sockaddr_in6 *)(void *)i->ifa_addr)->sin6_addr, 16);
		return true;
	}
	if (i->ifa_addr->sa_family != AF_INET)
		return false;
	memset(ip, 0, 10);
	ip[10] = ip[11] = 0xff;
	memcpy(ip + 12, &((struct sockaddr_in *)(void *)i->ifa_addr)->sin_addr, 4);
	return true;
}

void
lan_own_addresses(struct own_addresses *out)
{
	struct ifaddrs *all;

	out->count = 0;
	if (getifaddrs(&all) != 0)
		return;
	for (const struct ifaddrs *i = all; i && out->count < OWN_ADDRESSES_MAX; i = i->ifa_next)
		if (interface_address(i, out->ip[out->count]))
			out->count++;
	freeifaddrs(all);
}
