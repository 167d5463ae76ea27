/*
 * imap_sync.h - telling a client what became of the folder that it has selected.
 *
 *	view   uids with numbers, as the client counts them
 *	M      the modseq up to which it knows
 *
 * What is newer than M is read in the snapshot of the turn and put out: FETCH for changed flags, then
 * EXPUNGE or VANISHED where the command lets them through (RFC 9051, 7.5.1), then EXISTS; only then M
 * moves. A long list goes on in later turns. A view is read from the store only when a number is needed,
 * so opening a folder costs the same at any size.
 */
#ifndef SERVER_IMAP_IMAP_SYNC_H
#define SERVER_IMAP_IMAP_SYNC_H

#include "server/imap/imap_commands.h"
#include "server/imap/uid_ranges.h"

struct imap_selected;
struct imap_session;

/*
 * Put out what is new. IMAP_DONE: all is told, or the session closes; IMAP_MORE: call again in a later
 * turn. WITH_EXPUNGE: numbers may change.
 */
enum imap_turn imap_sync(struct imap_session *s, bool with_expunge);
void imap_sync_drop(struct imap_session *s); /* in the middle of it: the folder is let go */

/* Make s->selected->view. IMAP_DONE: it is there, or the session closes; IMAP_MORE: call again later. */
enum imap_turn imap_load_view(struct imap_session *s);
void imap_load_drop(struct imap_selected *selected);

/* WORDS and uids from *at on, which moves on, in as many lines as it needs. */
enum imap_turn imap_put_vanished(struct imap_session *s, struct span words,
	const struct uid_ranges *uids, size_t *at);

#endif
