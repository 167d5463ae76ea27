/*
 * imap_recent.h - which messages of the selected folder are \Recent: this session was the first that was
 * told of them (RFC 3501, 2.3.2). EXAMINE looks and leaves them to others.
 *
 * Among sessions the mark is that of shared.h; it is written to the folder's row when the last session
 * has let go of the folder, and nobody waits for that. IMAP4rev2 knows nothing of it (RFC 9051, Appendix E).
 */
#ifndef SERVER_IMAP_IMAP_RECENT_H
#define SERVER_IMAP_IMAP_RECENT_H

#include "server/imap/uid_ranges.h"
#include "store/folders.h"

#define IMAP_RECENT_UIDS 10000 /* only the newest: nobody counts a million of them at SELECT */
#define IMAP_RECENT_RANGES 1000 /* of one session, which others' come between; the oldest go */

struct folder_view;
struct imap_selected;
struct imap_session;

struct imap_recent {
	struct uid_ranges uids; /* items from malloc */
	uint32_t count;		/* messages that the client was told are \Recent */
	bool takes;		/* what it is told of is nobody else's; else it ran EXAMINE, or may not write */
};

/* The folder was selected: its messages below selected->uidnext. Says no line. */
void imap_recent_begin(struct imap_session *s, struct snapshot *snap, const struct folder *folder);
void imap_recent_end(struct imap_session *s);
/* The news: uids until UIDNEXT, of which those of FRESH came and what the view has not left: "* 3 RECENT". */
void imap_recent_news(struct imap_session *s, const struct uid_ranges *fresh, uint32_t uidnext);

/* Does the client hear of it? */
bool imap_recent_is_said(const struct imap_session *s);
static inline bool
imap_recent_has(const struct imap_recent *recent, uint32_t uid)
{
	return recent->uids.count > 0 && uid >= recent->uids.items[0].first &&
	       uid_ranges_have(&recent->uids, uid);
}

/* STATUS: how many no session was told of. */
MUST_CHECK enum err imap_recent_count(
	struct imap_session *s, struct snapshot *snap, const struct folder *folder, uint64_t *out);

#endif
