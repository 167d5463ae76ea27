/*
 * imap_numbers.h - from a set as a client writes it to messages of the view.
 */
#ifndef SERVER_IMAP_IMAP_NUMBERS_H
#define SERVER_IMAP_IMAP_NUMBERS_H

#include "server/imap/imap_session.h"
#include "server/imap/uid_ranges.h"

/*
 * *seqs are message numbers of the selected view, in order, each once; in the command arena. Work follows
 * the messages that exist, never the numbers named (H26). `$` is the saved result. What the set names and
 * the view has not is passed over; but ERR_SYNTAX: a message number that does not exist (RFC 9051, 9:
 * that is an error, a uid is not). The view must be there.
 */
MUST_CHECK enum err imap_numbers(struct imap_session *s, struct imap_seqset *set, bool by_uid,
	struct uid_ranges *seqs);
/* The same as uids of the view, in order. */
void imap_numbers_uids(
	struct imap_session *s, const struct uid_ranges *seqs, struct uid_ranges *uids);

/* For a walk over them: view_walk_next(). */
static inline struct view_walk
imap_walk(const struct imap_session *s, const struct uid_ranges *seqs)
{
	return (struct view_walk){ .view = s->selected->view, .ranges = seqs->items,
		.range_count = seqs->count };
}

/* What SEARCH RETURN (SAVE) found: uids, copied (RFC 9051, 6.4.4.1). Dropped with the folder. */
void imap_saved_set(struct imap_session *s, const struct uid_ranges *uids);
void imap_saved_drop(struct imap_session *s);

#endif
