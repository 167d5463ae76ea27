/*
 * blocklist.h - one line of smtp.blocklists (SMT-14, Q-47):  zone [=answer pattern] reject|mark [text]
 *
 *     bl.example.org reject Listed by bl.example.org
 *     bl.example.org =127.0.0.10 mark a dial-up network
 *
 * The pattern may have * and ?. Without one every answer of 127.0.0.0/8 counts (RFC 5782, 2.1) but those of
 * 127.255.255.0/24, by which lists say that they do not answer you.
 */
#ifndef CONF_BLOCKLIST_H
#define CONF_BLOCKLIST_H

#include "proto/base/err.h"
#include "proto/base/span.h"

#define BLOCKLISTS_MAX 20     /* lines */
#define BLOCKLIST_ZONE_MAX 180 /* bytes: the address in front of it must fit into a name */
#define BLOCKLIST_TEXT_MAX 200 /* bytes */

struct blocklist {
	struct span zone;
	struct span pattern; /* empty: as above */
	bool mark;           /* else reject */
	struct span text;    /* may be empty */
};

/* Spans of *out point into LINE. ERR_SYNTAX: *why, static. */
MUST_CHECK enum err blocklist_parse(struct span line, struct blocklist *out, const char **why);

/* Does an answer of the zone, an IPv4 address, mean that the client is listed? */
bool blocklist_fits(const struct blocklist *list, const unsigned char ip[4]);

#endif
