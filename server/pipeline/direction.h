/*
 * direction.h - is a message incoming, outgoing, internal? It may be several at once (MON-02, ARC-01, JRN-01).
 *
 *	who wrote it                for a mailbox here   by the LAN   to the Internet
 *	one of us                   internal             internal     outgoing
 *	a relay range, not one      incoming             incoming     outgoing
 *	anybody else                incoming             incoming     incoming
 *
 * One of us: a user by his login, by a noauth range and his address (contract 8), a relay range with a sender of a
 * local domain, and the server itself. What only goes on to the Internet, from outside by a mapping, a list or a
 * user's forwarding, came from there: incoming. What is thrown away or refused has no direction, and copies
 * with a role of their own (plan.h) give none.
 */
#ifndef SERVER_PIPELINE_DIRECTION_H
#define SERVER_PIPELINE_DIRECTION_H

#include "server/pipeline/pipeline.h"

enum direction { /* bits */
	DIRECTION_INCOMING = 1,
	DIRECTION_OUTGOING = 2,
	DIRECTION_INTERNAL = 4,
};

/* AT_END, behind `place`. */
unsigned mail_direction(const struct pipeline_ask *ask, const struct plan *plan);
/* Was it written by one of us? From AT_MAIL on. */
bool mail_is_ours(const struct pipeline_ask *ask, const struct plan *plan);

#endif
