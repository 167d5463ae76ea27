/*
 * control_cursor.h - what control_lists.c and control_page.c share: a list that is open.
 *
 * A cursor belongs to its session; a page that is being read of it holds it besides, since the
 * session may close it meanwhile. Its rows stand still. A page of rows that are kept as numbers reads
 * them again: one that left meanwhile comes as `gone`.
 */
#ifndef SERVER_CONTROL_CONTROL_CURSOR_H
#define SERVER_CONTROL_CONTROL_CURSOR_H

#include "server/control/control_call.h"

struct control_cursor {
	struct list link; /* of the session; the last used stands last */
	uint64_t id;
	struct control_rows rows; /* taken over from the call that gathered them */
	struct arena arena;
	struct workers *workers; /* they free the rows */
	int64_t used_ms;
	unsigned holds; /* the loop's */
	const struct control_method *method;
	struct span filter;
	/* of numbered rows: what came since. Of the one call that looks. */
	bool looking; /* the loop's */
	uint64_t newest, came;
};

/* The cursor that the call names; NULL: the call has failed. Loop thread. */
struct control_cursor *control_cursor_find(struct control_call *call);
/* The same, and it stays until the call is gone. */
struct control_cursor *control_cursor_hold(struct control_call *call);

#endif
