/*
 * socks_client.h - the client's side of SOCKS 4, 4a and 5, CONNECT only (RFC 1928, RFC 1929).
 *
 *     5:  methods -> (user name, password) -> request -> done        4:  request -> done
 *
 * Bytes in, bytes out. What a proxy says may be followed at once by what the server behind it says, so the
 * machine tells how many bytes are its own: read no more than socks_client_wants().
 */
#ifndef PROTO_SOCKS_SOCKS_CLIENT_H
#define PROTO_SOCKS_SOCKS_CLIENT_H

#include <stdint.h>

#include "proto/base/buf.h"

#define SOCKS_PORT 1080
#define SOCKS_NAME_MAX 255   /* bytes of a host's name, a user name, a password */
#define SOCKS_REPLY_MAX 262  /* bytes of the longest reply: a name as bound address */
#define SOCKS_SENT_MAX 600   /* bytes of the longest message of ours */
#define SOCKS_WHY_SIZE 100

struct socks_config {
	unsigned version;   /* 4 or 5 */
	struct span username; /* 5: empty offers no login */
	struct span password;
	/* Where to: a name that the proxy resolves (4: as 4a), or, where it is empty, the address. */
	struct span name;
	unsigned char ip[16]; /* IPv6, or IPv4 as ::ffff:a.b.c.d */
	uint16_t port;
};

enum socks_turn { SOCKS_MORE, SOCKS_DONE, SOCKS_FAILED };

struct socks_client {
	struct socks_config config;
	enum socks_state {
		SOCKS_AT_METHOD, SOCKS_AT_LOGIN, SOCKS_AT_REPLY, SOCKS_AT_ADDRESS, SOCKS_AT_REPLY_4, SOCKS_AT_END
	} state;
	unsigned char in[SOCKS_REPLY_MAX];
	size_t have, need;
	bool refused; /* the proxy reached the host, which did not accept */
	char why[SOCKS_WHY_SIZE]; /* of SOCKS_FAILED */
};

/* CONFIG's spans must outlive M. The first message is put into OUT. ERR_LIMIT: M->why says what is too long. */
MUST_CHECK enum err socks_client_init(
	struct socks_client *m, const struct socks_config *config, struct buf *out);
/* How many bytes to read now, at most; 0 after SOCKS_DONE and SOCKS_FAILED. */
size_t socks_client_wants(const struct socks_client *m);
/* All of IN, which is no longer than that, is taken. */
MUST_CHECK enum socks_turn socks_client_next(struct socks_client *m, struct span in, struct buf *out);

#endif
