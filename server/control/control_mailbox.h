/*
 * control_mailbox.h - which folder a message.* call is about, and how its messages read as rows.
 *
 * The bin of a user is a folder that no client can name, see store/bin.h.
 */
#ifndef SERVER_CONTROL_CONTROL_MAILBOX_H
#define SERVER_CONTROL_CONTROL_MAILBOX_H

#include "server/control/control_call.h"
#include "store/messages.h"

#define MAILBOX_INBOX SPAN("INBOX")

/* The user named by USER and his folder NAME (empty: INBOX). Fails the call. */
MUST_CHECK enum err control_folder(struct control_call *call, struct snapshot *snap,
	struct span user, struct span name, struct folder *out);
/* The same, made where it is not there. *out points into the map until the next write. */
MUST_CHECK enum err control_folder_make(struct control_call *call, struct txn *txn,
	struct span user, struct span name, struct folder *out);

MUST_CHECK enum err control_uid(struct span key, uint32_t *uid); /* ERR_NOT_FOUND */

/* From, Subject decoded for people, and Date (0: none), of a header; texts in A. */
struct control_heading {
	struct span from, to, subject;
	int64_t date_ms;
};
void control_heading(struct arena *a, struct span header, struct control_heading *out);
/* "\Seen" and the like; returns how many. */
#define CONTROL_FLAGS_MAX 6
size_t control_flags(uint32_t flags, struct span out[CONTROL_FLAGS_MAX]);

#endif
