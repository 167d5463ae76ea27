/*
 * control_seals.h - passwords of items of the configuration file (routes, collectors), sealed in the store.
 *
 * The file names the sealed value, `password: { sealed: route.isp }`; both change in one step, by
 * control_config.also, so that one undo brings both back. A sealed value that the item alone uses goes with it.
 */
#ifndef SERVER_CONTROL_CONTROL_SEALS_H
#define SERVER_CONTROL_CONTROL_SEALS_H

#include "conf/conf.h"
#include "server/control/control_call.h"

#define CONTROL_SEALS_MAX 110 /* that go in one change */

struct control_seals {
	const char *prefix; /* of the names: "route." */
	struct span name;   /* what the password of the request is sealed under; empty: none was given */
	struct span erased[CONTROL_SEALS_MAX];
	size_t erased_count;
};

/* Was SECRET sealed under such a name, for one item alone? The name then, else empty. */
struct span control_seals_own(
	const struct conf *conf, const struct secret *secret, const char *prefix);
/*
 * Of a request with a `password`: fills in s->name, and *points says that the file must be told of it. OLD is what
 * the item ITEM has now, or NULL. Fails the call.
 */
bool control_seals_take(struct control_call *call, struct control_seals *s, const struct secret *old,
	struct span item, bool *points);
/* What SECRET is sealed under goes with the change, if it is the item's own and not the new one. */
void control_seals_erase(
	struct control_call *call, struct control_seals *s, const struct secret *secret);
/* Writer: the passwords of the change, in its transaction. */
MUST_CHECK enum err control_seals_change(
	struct control_call *call, struct txn *txn, const struct control_seals *s);
/* The password of the request, sealed as NAME. */
MUST_CHECK enum err control_seals_store(struct control_call *call, struct txn *txn, struct span name);
/* "{ sealed: route.isp }" */
struct span control_seals_value(struct control_call *call, const struct control_seals *s);
/* VALUE came among the words of a command, where everybody can read it (H66). Fails the call. */
bool control_seals_may_be_key(struct control_call *call, struct span value);

#endif
