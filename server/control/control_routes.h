/*
 * control_routes.h - what the methods about routes share.
 *
 *   control_routes.c       add, set, remove: changes of the configuration file
 *   control_routes_keys.c  KEY=VALUE of a route into such changes
 *   control_routes_look.c  list, show, destinations; who waits for which route
 *   control_route_test.c   test
 */
#ifndef SERVER_CONTROL_CONTROL_ROUTES_H
#define SERVER_CONTROL_CONTROL_ROUTES_H

#include "conf/conf.h"
#include "server/control/control_seals.h"
#include "server/control/control_undo.h"
#include "server/generation.h"

#define ROUTE_CHANGES_MAX 64  /* keys of one route, or routes that are removed at once */
#define ROUTES_MAX 100	      /* as settings.h has it */
#define ROUTE_LOOKED_MAX 200000 /* recipients that are looked at; beyond it counts are estimates */

/* ---- control_routes_keys.c ---- */

struct route_change {
	struct control_config config; /* first: what control_config.c works on */
	struct conf_change changes[ROUTE_CHANGES_MAX + 4];
	size_t count;
	struct span path;	/* of the item: "outgoing.routes.isp" */
	struct span new_name;	/* empty: it keeps its name */
	size_t place;		/* 0: it stays where it is */
	bool has_username;
	struct control_seals seals;
	struct route_walk *waiting; /* of remove */
	bool gone[ROUTES_MAX];	    /* likewise: by their place in the file */
};

/* Where the item of a route stands in the file: by its name, or its place where that is no step. */
struct span control_route_path(struct control_call *call, const struct conf_route *route);
bool control_route_name_is_valid(struct span name);
/* The pairs of the request become changes of RC; OLD is the route that is changed, or NULL. Fails the call. */
bool control_route_keys(
	struct control_call *call, struct route_change *rc, const struct conf_route *old);
bool control_route_add_change(struct control_call *call, struct route_change *rc, struct conf_change change);

/* ---- control_routes_look.c ---- */

struct route_waiting {
	uint64_t count, named; /* recipients; of these, such that were sent this way by name */
	int64_t oldest_ms;     /* 0: none waits */
};

/* Who waits for which route of the call's generation. */
struct route_walk {
	const struct conf_routes *conf;
	uint64_t after, looked;
	struct route_waiting *routes; /* as many as there are */
};

struct route_walk *control_route_walk(struct control_call *call); /* loop */
/* In slices; STEP_FAIL: the call has failed. */
enum step control_route_walk_on(struct control_call *call, struct route_walk *walk, struct snapshot *snap);

#endif
