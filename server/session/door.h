/*
 * door.h - who may come in by a service, and log in there: its access lines, asked in one way.
 *
 * Every service has them (SVC-04); a new one need not do anything for it. session.c asks at the
 * connection, login.c at a login, and `access test` asks the same functions for an address by hand.
 */
#ifndef SERVER_SESSION_DOOR_H
#define SERVER_SESSION_DOOR_H

#include "server/pipeline/pipeline.h"
#include "server/session/session.h"

/* The lines of SERVICE (its number, as in conf); none where the file does not name it. */
struct access_list door_lines(const struct conf *conf, unsigned service);

/* What they say of PEER as USER; empty: as nobody yet. A Unix socket is guarded by its mode. */
struct access_decision door_access(const struct conf *conf, unsigned service,
	const struct peer *peer, struct span user);

/*
 * May USER log in from there (ACC-04)? On the MX side an address without a line may, since lines decide
 * about relaying there; one whose lines name only others may not.
 */
bool door_allows_login(const struct conf *conf, unsigned service, const struct peer *peer,
	struct span user);

/* The facts of a connection for AT_CONNECT; *mail is zeroed before. */
void door_mail(struct mail *mail, const struct conf *conf, const struct service *service,
	const struct peer *peer);

/*
 * May the peer of S connect (ACC-08)? False: it has been logged, counted and noted for `trace`, and
 * nothing was said to the peer.
 */
bool door_opens(struct session *s);

#endif
