/*
 * imap_resync.h - SELECT with QRESYNC: all that changed since a client was here last (RFC 7162, 3.2.5).
 */
#ifndef SERVER_IMAP_IMAP_RESYNC_H
#define SERVER_IMAP_IMAP_RESYNC_H

#include "server/imap/imap_session.h"
#include "server/imap/uid_ranges.h"

struct imap_resync {
	bool asked;
	uint32_t uidvalidity;
	uint64_t modseq;
	bool has_known, has_match;
	struct imap_seqset known;		  /* uids that the client has */
	struct imap_seqset match_seqs, match_uids; /* numbers and uids that it knows to belong together */
	/* How far it is. */
	bool began;
	struct uid_ranges gone;
	size_t gone_at;
	uint32_t after_uid;
	enum err err;
};

/*
 * Put out VANISHED (EARLIER) and FETCH lines, from the folder just selected. IMAP_DONE; IMAP_MORE: call
 * again in a later turn. Done with r->err that is not OK: SELECT must fail, or the client would take
 * itself to be up to date.
 */
enum imap_turn imap_resync(struct imap_session *s, struct imap_resync *r);

/*
 * The uids of KNOWN (all, where it is NULL) that left the selected folder behind MODSEQ: for VANISHED
 * (EARLIER), here and of UID FETCH. Where that is no longer known, all that are not there. The view must
 * be there. ERR_IO, ERR_CORRUPT.
 */
MUST_CHECK enum err imap_vanished_since(struct imap_session *s, uint64_t modseq, const struct imap_seqset *known,
	struct uid_ranges *gone);

#endif
