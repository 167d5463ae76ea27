/*
 * outgoing_address.h - the envelope as it goes to the Internet: return-address modifiers of the route
 * (OUT-12) and the domain map (LOC-06). Pure; LAN targets get the envelope as it is.
 *
 * The queue keeps what came, so that reports about it reach its author.
 */
#ifndef SERVER_QUEUE_OUTGOING_ADDRESS_H
#define SERVER_QUEUE_OUTGOING_ADDRESS_H

#include "conf/conf.h"

/*
 * The return address for SENDER by ROUTE (NULL: none is known yet), both without <>. The null one stays
 * null. What the route keeps is mapped by its domain. *out lives in A, or is SENDER.
 */
struct span outgoing_sender(const struct conf *conf, const struct conf_route *route,
	struct span sender, struct arena *a);

/*
 * ADDRESS as a server without SMTPUTF8 takes it: A-labels for U-labels (RFC 5891; RFC 6531, 3.2). In A, or ADDRESS.
 * ERR_DENIED: its local part needs SMTPUTF8. ERR_SYNTAX: its domain is none.
 */
MUST_CHECK enum err outgoing_ascii(struct span address, struct arena *a, struct span *out);

/* A recipient by the domain map. */
struct span outgoing_recipient(const struct conf *conf, struct span recipient, struct arena *a);

#endif
