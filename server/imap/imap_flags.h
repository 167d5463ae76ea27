/*
 * imap_flags.h - the flags of messages on the wire, with the folder's keywords; and who may change which.
 */
#ifndef SERVER_IMAP_IMAP_FLAGS_H
#define SERVER_IMAP_IMAP_FLAGS_H

#include "proto/imap/imap_args.h"
#include "server/imap/imap_session.h"
#include "store/keywords.h"
#include "store/messages.h"
#include "store/seen.h"

/*
 * What a walk over messages of the selected folder needs to say their flags. Lives as long as the
 * snapshot of the turn: begin one in each.
 */
struct imap_flag_reader {
	struct snapshot *snap;
	struct folder_keywords keywords;
	struct seen_reader *seen; /* NULL: \Seen is in the entries */
	const struct imap_recent *recent; /* NULL: the client hears nothing of it */
};
MUST_CHECK enum err imap_flag_reader_begin(
	struct imap_session *s, struct snapshot *snap, struct imap_flag_reader *out);

/* The entry's flags as the session's user has them: his own \Seen. */
uint32_t imap_flags_of(struct imap_flag_reader *reader, const struct entry *entry);
/* "(\Seen $Junk)" */
MUST_CHECK enum err imap_flags_put(
	struct imap_flag_reader *reader, const struct entry *entry, struct buf *out);

/*
 * "* 5 FETCH (UID 7 FLAGS (\Seen) MODSEQ (12))": what a client is told unasked, behind the names of new
 * keywords.
 */
void imap_put_flags_line(struct imap_session *s, struct imap_flag_reader *reader, uint32_t seq,
	const struct entry *entry);

/* The flags that the session's user may change for ever in the selected folder; keywords: *keywords. */
uint32_t imap_flags_allowed(const struct imap_selected *selected, bool *keywords);

/* "* FLAGS (...)", and with PERMANENT "* OK [PERMANENTFLAGS (... \*)]" (RFC 9051, 7.1, 7.3.5). */
void imap_put_folder_flags(struct imap_session *s, const struct folder_keywords *keywords);

/*
 * The same where the folder has keywords that were not named: before each line that shows flags, for its
 * snapshot may be newer than the news (RFC 9051, 7.3.5).
 */
void imap_put_new_keywords(struct imap_session *s, const struct folder_keywords *keywords);

#endif
