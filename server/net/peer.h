/*
 * peer.h - who is at the other end of a socket: a value, no look-ups.
 */
#ifndef SERVER_NET_PEER_H
#define SERVER_NET_PEER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "proto/base/span.h"

#define PEER_TEXT_SIZE 56

struct peer {
	uint8_t ip[16]; /* IPv6, or IPv4 as ::ffff:a.b.c.d; zero for a Unix socket */
	uint16_t port;
	bool is_unix;
	bool is_ipv4;
	uid_t uid; /* Unix sockets only, by SO_PEERCRED (H59) */
	gid_t gid;
	pid_t pid;
	char text[PEER_TEXT_SIZE]; /* "192.0.2.1", "2001:db8::1", "unix"; 0-terminated, no port */
};

void peer_from_sockaddr(struct peer *p, const struct sockaddr_storage *address);
void peer_from_unix(struct peer *p, int fd);
bool peer_is_loopback(const struct peer *p); /* 127.0.0.0/8, ::1, or a Unix socket */
/*
 * 127.0.0.1, ::1 or a Unix socket: what no lock and no rate holds (SEC-04). The rest of 127.0.0.0/8
 * counts as other machines do: who gives himself such an address wants to be told apart.
 */
bool peer_is_here(const struct peer *p);

/* What limits and delays count by: the address, or the /64 of an IPv6 address (H32). */
struct peer_key {
	uint8_t bytes[16];
};
struct peer_key peer_key_of(const struct peer *p);
/* The same for people, 0-terminated: "192.0.2.1", "2001:db8:0:1::/64", "unix". */
void peer_range_text(const struct peer *p, char out[PEER_TEXT_SIZE]);
/* And back; the /64 may be left out. False: it is no address. */
bool peer_range_parse(struct span text, struct peer_key *out);

#endif
