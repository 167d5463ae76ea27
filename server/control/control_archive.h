/*
 * control_archive.h - what the methods of the archive share.
 */
#ifndef SERVER_CONTROL_CONTROL_ARCHIVE_H
#define SERVER_CONTROL_CONTROL_ARCHIVE_H

#include "server/control/control_call.h"
#include "server/archive/archive_search.h"
#include "store/archive.h"

/* ARC-05: a line of the security log, who did WHAT with which entry or entries; and one of how many it were in the end. */
void control_archive_audit_count(struct control_call *call, const char *what, struct span which);
void control_archive_audit(struct control_call *call, const char *what, struct span which);
/* What the options of `archive search` ask for, as the log has it: "from=*@partner.test since=2026-01-01"; or empty. */
struct span control_archive_asked(struct arena *a, const struct rpc_request *r);
/* IDs and options together would be read as either: false, the call has failed. A preview that was pinned has both. */
bool control_archive_is_one(struct control_call *call, const struct rpc_request *r);
/* "12" in *ID. ERR_NOT_FOUND: it is no number. */
MUST_CHECK enum err control_archive_id(struct span text, uint64_t *id);
/* The entry ID. Fails the call; a message that retention took is said to be. */
bool control_archive_find(
	struct control_call *call, struct snapshot *snap, struct span id, struct archive_row *out);
/* Begin the search that the call's options ask for, below BEFORE_ID (0: any). False: the call has failed. */
bool control_archive_search(struct control_call *call, struct archive_search *s, uint64_t before_id);
/* On a worker: ask the index of words all that it can tell. */
void control_archive_ask(struct control_call *call, struct archive_search *s);
/* "incoming, internal"; in A. */
struct span control_archive_direction(struct arena *a, unsigned direction);
unsigned control_archive_direction_of(struct span word); /* "incoming"; 0: no such word */

#endif
