/*
 * peer.c - socket addresses as values.
 */
#include "server/net/peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static const uint8_t ipv4_prefix[12] = { [10] = 0xff, [11] = 0xff };

static void
from_ipv4(struct peer *p, const struct in_addr *address)
{
	memcpy(p->ip, ipv4_prefix, sizeof(ipv4_prefix));
	memcpy(p->ip + 12, address, 4);
	p->is_ipv4 = true;
	inet_ntop(AF_INET, address, p->text, sizeof(p->text));
}

void
peer_from_sockaddr(struct peer *p, const struct sockaddr_storage *address)
{
	*p = (struct peer){ .uid = (uid_t)-1, .gid = (gid_t)-1 };
	if (address->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)address;

		from_ipv4(p, &in->sin_addr);
		p->port = ntohs(in->sin_port);
	} else if (address->ss_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const void *)address;

		memcpy(p->ip, &in6->sin6_addr, 16);
		p->port = ntohs(in6->sin6_port);
		inet_ntop(AF_INET6, &in6->sin6_addr, p->text, sizeof(p->text));
	}
}

void
peer_from_unix(struct peer *p, int fd)
{
	struct ucred who;
	socklen_t size = sizeof(who);

	*p = (struct peer){ .is_unix = true, .uid = (uid_t)-1, .gid = (gid_t)-1 };
	snprintf(p->text, sizeof(p->text), "unix");
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0)
		return; /* uid -1 is nobody */
	p->uid = who.uid;
	p->gid = who.gid;
	p->pid = who.pid;
}

bool
peer_is_loopback(const struct peer *p)
{
	static const uint8_t one[16] = { [15] = 1 };

	if (p->is_unix)
		return true;
	if (p->is_ipv4)
		return p->ip[12] == 127;
	return memcmp(p->ip, one, 16) == 0;
}

bool
peer_is_here(const struct peer *p)
{
	static const uint8_t here[4] = { 127, 0, 0, 1 };

	return peer_is_loopback(p) && (!p->is_ipv4 || memcmp(p->ip + 12, here, sizeof(here)) == 0);
}

struct peer_key
peer_key_of(const struct peer *p)
{
	struct peer_key key = { { 0 } };

	memcpy(key.bytes, p->ip, p->is_ipv4 ? 16 : 8);
	return key;
}

void
peer_range_text(const struct peer *p, char out[PEER_TEXT_SIZE])
{
	struct peer_key key = peer_key_of(p);
	size_t len;

	if (p->is_unix || p->is_ipv4) {
		snprintf(out, PEER_TEXT_SIZE, "%s", p->text);
		return;
	}
	inet_ntop(AF_INET6, key.bytes, out, PEER_TEXT_SIZE);
	len = strlen(out);
	snprintf(out + len, PEER_TEXT_SIZE - len, "/64");
}

bool
peer_range_parse(struct span text, struct peer_key *out)
{
	char plain[PEER_TEXT_SIZE];
	struct peer p = { .is_unix = span_eq(text, SPAN("unix")) };
	size_t len = span_find(text, '/');

	if (len < text.len && !span_eq(span_from(text, len), SPAN("/64")))
		return false;
	if (len >= sizeof(plain))
		return false;
	memcpy(plain, text.ptr, len);
	plain[len] = '\0';
	if (inet_pton(AF_INET, plain, p.ip + 12) == 1) {
		memcpy(p.ip, ipv4_prefix, sizeof(ipv4_prefix));
		p.is_ipv4 = true;
	} else if (!p.is_unix && inet_pton(AF_INET6, plain, p.ip) != 1) {
		return false;
	}
	*out = peer_key_of(&p);
	return true;
}
