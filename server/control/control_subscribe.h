/*
 * control_subscribe.h - what a console is told without asking: status each second, lines of the
 * log.
 *
 * At most CONTROL_EVENTS_MAX events or CONTROL_EVENT_BYTES wait for their ack; beyond that status
 * is merged, lines are counted ("skipped"), and the server never waits for a console (console.md
 * 6).
 */
#ifndef SERVER_CONTROL_CONTROL_SUBSCRIBE_H
#define SERVER_CONTROL_CONTROL_SUBSCRIBE_H

#include "server/control/control_call.h"

#define CONTROL_EVENT_BYTES (256 * 1024)
#define CONTROL_STATUS_MS 1000

void control_subscriptions_end(struct control_session *s);

/* Which events wait for their ack, and how many bytes they have; pure. */
struct control_credit {
	uint64_t sent, acked;		    /* event numbers; those between them wait */
	uint32_t bytes[CONTROL_EVENTS_MAX]; /* of event N at N % CONTROL_EVENTS_MAX */
	size_t waiting;			    /* bytes */
};
bool control_credit_has(const struct control_credit *c);
void control_credit_spend(struct control_credit *c, size_t bytes); /* c->sent is then its number */
void control_credit_ack(struct control_credit *c, uint64_t seq);

#endif
