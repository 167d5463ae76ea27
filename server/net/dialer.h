/*
 * dialer.h - one connection to one address, without waiting; and which addresses may be dialled at all.
 *
 * Who has several addresses tries one after the other. On the loop of the dialer, all of it.
 */
#ifndef SERVER_NET_DIALER_H
#define SERVER_NET_DIALER_H

#include "proto/socks/socks_client.h"
#include "server/net/loop.h"
#include "server/net/peer.h"

struct dial_address {
	unsigned char ip[16]; /* IPv6, or IPv4 as ::ffff:a.b.c.d */
	uint16_t port;
};

#define DIAL_TEXT_SIZE (PEER_TEXT_SIZE + 10)

/* "192.0.2.1", "2001:db8::1", "[192.0.2.1]", "[IPv6:2001:db8::1]"; false: no address but a name. */
bool dial_address_parse(struct span text, uint16_t port, struct dial_address *out);
bool dial_address_is_ipv4(const struct dial_address *address);
/* "192.0.2.1:25", "[2001:db8::1]:25" */
const char *dial_address_text(const struct dial_address *address, char out[DIAL_TEXT_SIZE]);
/*
 * Why it may not be dialled (H21), as static text; NULL: it may. Unspecified and multicast addresses never;
 * those of this machine's loopback only where ALLOW_LOOPBACK.
 */
const char *dial_refusal(const struct dial_address *address, bool allow_loopback);

/* A SOCKS server, and what it is asked for: `socks` says where to. Its spans outlive the dialling. */
struct dial_via {
	struct dial_address server;
	struct socks_config socks;
};

struct dialer {
	struct loop *loop;
	struct loop_io io;
	struct loop_timer timer;
	struct loop_call call;
	int error; /* errno of what failed at once */
	bool by_socks, asked; /* asked: the connection to the SOCKS server stands */
	struct socks_client socks; /* its `why` stays after `done`: "" where the proxy said nothing */
	struct buf out;		   /* for it */
	/* FD: connected, non-blocking, the owner's from now on; or -1 and ERROR as errno has it. */
	void (*done)(struct dialer *d, int fd, int error);
};

void dialer_init(struct dialer *d, struct loop *loop, void (*done)(struct dialer *, int, int));
/* `done` follows, never in this call. ETIMEDOUT after TIMEOUT_MS. */
void dialer_start(struct dialer *d, const struct dial_address *address, int64_t timeout_ms);
/*
 * Through a SOCKS server (NET-08); TIMEOUT_MS is for all of it. EPROTO: d->socks.why is what the proxy said;
 * ECONNREFUSED, too, where that is it.
 */
void dialer_start_via(struct dialer *d, const struct dial_via *via, int64_t timeout_ms);
void dialer_cancel(struct dialer *d); /* no `done` comes; no effect where nothing is under way */

#endif
