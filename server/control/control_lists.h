/*
 * control_lists.h - lists opened at a cursor, and changes that are previewed and then applied.
 *
 * A cursor holds the rows of one list as they were when it was opened: pages go by key, never by
 * offset. A preview pins the keys of what a change would change; apply changes those and no others.
 * Both live in memory, cheap to lose: a cursor for CONTROL_CURSOR_MS without use, a preview for
 * CONTROL_PREVIEW_MS and one apply. Files that came with a preview stay open for its apply, which
 * refuses one that holds something else by then.
 */
#ifndef SERVER_CONTROL_CONTROL_LISTS_H
#define SERVER_CONTROL_CONTROL_LISTS_H

#include "server/control/control_call.h"

#define CONTROL_CURSOR_MS (5 * 60 * 1000)
#define CONTROL_CURSORS_MAX 16 /* of one session */
#define CONTROL_PREVIEW_MS (2 * 60 * 1000)
#define CONTROL_PREVIEWS_MAX 256 /* of all sessions; the oldest goes */
#define CONTROL_PREVIEW_FILES_MAX 16 /* of these with files that came with them */
#define CONTROL_PINNED_MAX 250000 /* objects that previews pin, one and all together; the oldest goes */

void control_cursors_end(struct control_session *s);

/* The list from which a filter of METHOD chooses; NULL: it takes no targets by filter. */
const struct control_method *control_list_of(const struct control_method *method);

/* As one command, in A: what PINNED, the change that the request PREVIEW was about, would do. */
struct span control_preview_cli(
	struct arena *a, const struct rpc_request *preview, const struct rpc_request *pinned);

#endif
