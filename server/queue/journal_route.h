/*
 * journal_route.h - the way of journal copies to their server (JRN-03): as the configuration has it when they are
 * tried.
 */
#ifndef SERVER_QUEUE_JOURNAL_ROUTE_H
#define SERVER_QUEUE_JOURNAL_ROUTE_H

#include "conf/conf.h"

/* Server, TLS and account into OUT, which points into CONF and A. False: journal.server is not set. */
bool journal_route(const struct conf *conf, struct conf_route *out, struct arena *a);

#endif
