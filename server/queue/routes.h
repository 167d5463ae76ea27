/*
 * routes.h - which way out a recipient takes: the first route of the file whose filters fit.
 *
 * Pure. A route's `domains` has four kinds of lines (OUT-08), wildcards allowed, any letter case:
 *
 *     domain         may send to          From: address    may send from
 *     !domain        may not              !From: address   may not
 *
 * Of each side by itself (OUT-09): no lines, all; any "may" line, only those; only "may not" lines, all
 * others. What a "may not" line names never goes. The null reverse-path is the address "<>".
 */
#ifndef SERVER_QUEUE_ROUTES_H
#define SERVER_QUEUE_ROUTES_H

#include "conf/conf_types.h"

/* SENDER empty: the null reverse-path. Both are addresses without <>. */
bool route_fits(const struct conf_route *route, struct span sender, struct span recipient);
/* NULL: it fits none, and waits. */
const struct conf_route *route_choose(
	const struct conf_routes *routes, struct span sender, struct span recipient);
/* By name, any letter case; NULL: there is none. */
const struct conf_route *route_named(const struct conf_routes *routes, struct span name);

/* What follows the last '@'; empty where there is none. */
struct span route_domain(struct span address);

#endif
