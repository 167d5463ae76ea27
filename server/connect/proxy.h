/*
 * proxy.h - the SOCKS server of the file (NET-08), for whoever dials through it: its address, version and login.
 */
#ifndef SERVER_CONNECT_PROXY_H
#define SERVER_CONNECT_PROXY_H

#include "server/host.h"
#include "server/net/dialer.h"
#include "server/net/resolver.h"

struct proxy {
	/* WHY: NULL where `via` can be used, but for where to; else why not, in words. */
	void (*done)(struct proxy *p, const char *why);
	struct dial_via via; /* spans of the configuration, and of `secret` */

	/* Its own. */
	struct host *host;
	struct span name;
	struct buf secret;
	struct resolver_question question;
	enum dns_type asking;
};

/*
 * Look it up in CONF, which outlives its use. `done` follows, perhaps in this call, unless it is cancelled. P was zeroed
 * once.
 */
void proxy_find(struct proxy *p, struct host *host, const struct conf *conf);
void proxy_cancel(struct proxy *p);
void proxy_fini(struct proxy *p); /* wipes the password; cancels */

#endif
