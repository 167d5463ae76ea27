/*
 * imap_place.h - a folder's name as IMAP clients see it, taken apart, and put together again. Pure.
 *
 *     Sent                      his own
 *     Other users/anna/Sent     Sent of user anna (RFC 2342)
 *     Shared/sales/2026         sales/2026 of the shared folders, which nobody owns
 *
 * The prefixes have no letter case, nor has INBOX, at the first level of a user's folders. Names are
 * UTF-8 here; modified UTF-7 is for the wire.
 */
#ifndef SERVER_IMAP_IMAP_PLACE_H
#define SERVER_IMAP_IMAP_PLACE_H

#include "proto/base/arena.h"

#define PLACE_OTHERS SPAN("Other users") /* the level; its prefix has a "/" behind it */
#define PLACE_SHARED SPAN("Shared")
#define PLACE_NAME_MAX 256 /* bytes of a name with its prefix: 12 + a user's 32 + / + 200 */

enum imap_space { IMAP_SPACE_OWN, IMAP_SPACE_OTHERS, IMAP_SPACE_SHARED, IMAP_SPACE_COUNT };

struct imap_place {
	enum imap_space space;
	struct span owner;  /* OTHERS: a user's name, as it was written; empty: the level of all of them */
	struct span folder; /* as the store has it; empty: a level above all folders */
};

/*
 * Take NAME apart; spans point into it, or lie in A. One '/' at the end is passed over, as CREATE has it
 * (RFC 9051, 6.3.4). ERR_SYNTAX, ERR_LIMIT: no folder can be called so (H24).
 */
MUST_CHECK enum err imap_place_parse(struct span name, struct arena *a, struct imap_place *out);
/* The same of an argument as it came; UTF8: it is not in modified UTF-7. All in A. */
MUST_CHECK enum err imap_place_take(
	struct span wire, bool utf8, struct arena *a, struct imap_place *out);

/* The name a client sees, in A. */
struct span imap_place_name(const struct imap_place *place, struct arena *a);

/* The name of the level above; empty: there is none. */
struct span imap_parent_name(struct span name);

#endif
