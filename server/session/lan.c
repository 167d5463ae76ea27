/*
 * lan.c - the networks of our interfaces.
 */
#include "server/session/lan.h"

#include <arpa/inet.h>
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

/* ---- lines for an administrator ---- */

struct lan_list {
	struct lan_line *lines;
	size_t count, max;
};

static void
add_line(struct lan_list *list, const char *text, const char *what, const char *interface)
{
	struct lan_line *line = &list->lines[list->count];

	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->lines[i].text, text) == 0)
			return;
	if (list->count >= list->max)
		return;
	list->count++;
	snprintf(line->text, sizeof(line->text), "%s", text);
	snprintf(line->what, sizeof(line->what), "%s%s", what, interface);
}

static const uint8_t *
bytes_of(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET)
		return (const uint8_t *)&((const struct sockaddr_in *)(const void *)address)->sin_addr;
	return (const uint8_t *)&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
}

static unsigned
bits_of(const uint8_t *mask, size_t size)
{
	unsigned bits = 0;

	for (size_t i = 0; i < size; i++)
		bits += (unsigned)__builtin_popcount(mask[i]);
	return bits;
}

static void
add_interface(struct lan_list *list, const struct ifaddrs *i, const char *outside)
{
	bool is_v4 = i->ifa_addr->sa_family == AF_INET;
	size_t size = is_v4 ? 4 : 16;
	const uint8_t *address = bytes_of(i->ifa_addr), *mask = bytes_of(i->ifa_netmask);
	uint8_t network[16];
	char text[INET6_ADDRSTRLEN], line[64];

	if (!is_v4 && address[0] == 0xfe && (address[1] & 0xc0) == 0x80)
		return; /* link-local: RFC 4291, 2.5.6 */
	for (size_t k = 0; k < size; k++)
		network[k] = address[k] & mask[k];
	if (inet_ntop(i->ifa_addr->sa_family, address, text, sizeof(text)))
		add_line(list, text, "this machine, ", i->ifa_name);
	if (bits_of(mask, size) == 8 * size ||
		!inet_ntop(i->ifa_addr->sa_family, network, text, sizeof(text)))
		return;
	snprintf(line, sizeof(line), "%s/%u", text, bits_of(mask, size));
	add_line(list, line,
		strcmp(i->ifa_name, outside) == 0 ? "the network towards the Internet, "
						  : "the network of ",
		i->ifa_name);
}

size_t
lan_lines(struct lan_line *out, size_t max)
{
	struct lan_list list = { .lines = out, .max = max };
	char outside[IF_NAMESIZE];
	struct ifaddrs *all;

	add_line(&list, "127.0.0.0/8", "this machine", "");
	add_line(&list, "::1", "this machine", "");
	if (getifaddrs(&all) != 0)
		return list.count;
	default_interface(outside);
	for (const struct ifaddrs *i = all; i; i = i->ifa_next)
		if (i->ifa_addr && i->ifa_netmask && (i->ifa_flags & IFF_UP) &&
			!(i->ifa_flags & IFF_LOOPBACK) &&
			(i->ifa_addr->sa_family == AF_INET || i->ifa_addr->sa_family == AF_INET6))
			add_interface(&list, i, outside);
	freeifaddrs(all);
	return list.count;
}
