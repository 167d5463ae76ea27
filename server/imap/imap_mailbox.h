/*
 * imap_mailbox.h - from a name that a client wrote to the folder that it means, and what he may there.
 *
 * Every command that takes a name asks here. A folder of somebody else that he has no `l` for is not
 * told from one that is not there (RFC 4314, 6).
 *
 *     rights that are wanted   all of them: OK
 *                              not all, but l: ERR_DENIED, answered NO [NOPERM]
 *                              else: ERR_NOT_FOUND, answered NO [NONEXISTENT]
 *
 * His own folders give him every right. In Shared/ an administrator has every right, others what its
 * access list says.
 */
#ifndef SERVER_IMAP_IMAP_MAILBOX_H
#define SERVER_IMAP_IMAP_MAILBOX_H

#include "server/imap/imap_place.h"
#include "server/imap/imap_session.h"
#include "store/rights.h"

struct imap_mailbox {
	struct imap_place place; /* in the command arena */
	uint64_t user_id;	 /* whose folder it is; FOLDER_OWNER_SHARED */
	uint32_t rights;	 /* RIGHT_ bits of the session's user; 0 where it is fake */
	bool is_fake;		 /* there is nothing that he may see, yet he is shown an empty folder */
	struct folder folder;	 /* as the snapshot of this turn has it; name in the command arena */
};

/* All of RIGHTS needed. Also ERR_SYNTAX: no folder can be called WIRE; ERR_CORRUPT, ERR_IO. */
MUST_CHECK enum err imap_mailbox_find(struct imap_session *s, struct span wire, uint32_t rights,
	struct imap_mailbox *out);

/*
 * The same with RIGHT_READ for SELECT, EXAMINE and STATUS: with imap.fake_access a name in the
 * namespaces of others that would be refused is an empty folder instead, whether it is there or not
 * (IMP-04, SHF-05).
 */
MUST_CHECK enum err imap_mailbox_open(
	struct imap_session *s, struct span wire, struct imap_mailbox *out);

/* The owner of PLACE. ERR_NOT_FOUND: no such user. */
MUST_CHECK enum err imap_place_owner(struct snapshot *snap, uint64_t asker_id,
	const struct imap_place *place, uint64_t *user_id);

/*
 * What USER_ID may in FOLDER. For jobs too: VIEW may be a transaction's. Where he or its owner is gone:
 * nothing.
 */
MUST_CHECK enum err imap_rights_of(struct snapshot *view, uint64_t user_id,
	const struct folder *folder, uint32_t *rights);

/* Is there one among them with which SELECT is no EXAMINE (RFC 4314, 5.2)? */
static inline bool
imap_rights_write(uint32_t rights)
{
	return rights & (RIGHT_SEEN | RIGHT_WRITE | RIGHT_INSERT | RIGHT_DELETED | RIGHT_EXPUNGE);
}
/*
 * Before a command: rights that others changed in the selected folder hold from now on. False: he may not
 * read it any more; he was told, and the session ends, unless the command LEAVES the folder to itself.
 */
bool imap_selected_refresh(struct imap_session *s, bool leaves);

/* The name of FOLDER as the session's user sees it, UTF-8; in A. Empty: its owner is gone. */
struct span imap_mailbox_name(
	struct imap_session *s, struct snapshot *snap, const struct folder *folder, struct arena *a);

/* NO in the words for an error of the above. */
struct imap_reply imap_mailbox_reply(enum err err);
/* The same where MAILBOX was to take messages: [TRYCREATE] where he might make it (RFC 9051, 7.1). */
struct imap_reply imap_target_reply(const struct imap_mailbox *mailbox, enum err err);
static inline enum imap_turn
imap_mailbox_no(struct imap_session *s, enum err err)
{
	return imap_end(s, imap_mailbox_reply(err));
}

#endif
