/*
 * lan_target.h - a mail server that mail is handed to straight, by name or address and port: the targets
 * of LAN forwarding (LAN-01), written in a rule, in `SMTP:user@domain@host` and in the queue.
 */
#ifndef PROTO_MAIL_LAN_TARGET_H
#define PROTO_MAIL_LAN_TARGET_H

#include "proto/mail/address.h"

#define LAN_PORT 25                 /* where none is given */
#define LAN_TARGET_MAX (255 + 8)    /* bytes of "host:port" */
#define LAN_ROUTE_PREFIX "lan:"     /* of a recipient's route in the queue: "lan:192.0.2.1:25" */

struct lan_target {
	struct span host; /* a name or an address, without brackets */
	uint16_t port;
};

/* Read `host`, `host:port`, `[v6]`, `[v6]:port`; *out points into TEXT. ERR_SYNTAX. */
MUST_CHECK enum err lan_target_parse(struct span text, struct lan_target *out);
/* "host:port" in lower case, "[v6]:port"; in A. */
struct span lan_target_format(struct arena *a, const struct lan_target *target);

/* Is ROUTE, of a queued recipient, a LAN target? *out points into it. */
bool lan_route_take(struct span route, struct lan_target *out);

/*
 * `SMTP:user@domain@host[:port]`, any letter case in front; with one '@' the host is the domain too
 * (RTE-11). *to lives in A, *out points into TEXT. ERR_NOT_FOUND: it does not begin with SMTP:.
 * ERR_SYNTAX: it does, and cannot be read.
 */
MUST_CHECK enum err lan_forward_parse(
	struct arena *a, struct span text, struct address *to, struct lan_target *out);

#endif
