/*
 * lan.h - which peers are on a network of our own (SMT-08, Q-46).
 */
#ifndef SERVER_SESSION_LAN_H
#define SERVER_SESSION_LAN_H

#include "server/net/peer.h"
#include "server/pipeline/mail.h"

/*
 * Is the peer on the network of one of our interfaces, that of the default route not counted? Asks the
 * system each time.
 */
bool lan_has_address(const struct peer *peer);

/* The addresses of all our interfaces, as many as fit. Asks the system each time. */
void lan_own_addresses(struct own_addresses *out);

/* An access line that the networks of this machine suggest. */
struct lan_line {
	char text[64]; /* "192.0.2.0/24" */
	char what[80]; /* "the network of eth0" */
};

/*
 * 127.0.0.0/8, ::1, then address and network of each interface that is up, at most MAX lines (SVC-04,
 * ACC-07). The network of the default route is among them: in a small office it is the LAN. Link-local
 * addresses are left out.
 */
size_t lan_lines(struct lan_line *out, size_t max);

#endif
