/*
 * services.h - the table of services: name in the file, protocol, TLS mode.
 */
#ifndef SERVER_SERVICES_H
#define SERVER_SERVICES_H

#include "server/session/session.h"

enum tls_mode { TLS_NONE, TLS_STARTTLS, TLS_IMPLICIT };

struct service {
	const char *name; /* the key under `services:` */
	const struct session_class *class; /* NULL: not built yet; a warning when it is configured */
	enum tls_mode tls;
	unsigned number;  /* its own index, for shared.c */
	bool is_control;  /* has its own share of connections (H32), always runs */
	bool login_first; /* H32's limit before login holds */
};

extern const struct service services[];
extern const unsigned service_count;

const struct service *service_find(struct span name); /* NULL: none of that name */

#endif
