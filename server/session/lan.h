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

#endif
