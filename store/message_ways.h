/*
 * message_ways.h - moves and flags of messages with a way back in the log of changes.
 *
 * Entries of a folder change too often to be kept as images of rows. In place of them the log keeps
 * for each message where it is and where it was; the undo takes it back from there, and is itself
 * kept so that it can be undone. Outside of an open change these act and keep nothing.
 */
#ifndef STORE_MESSAGE_WAYS_H
#define STORE_MESSAGE_WAYS_H

#include "store/changes.h"
#include "store/messages.h"

#define MESSAGE_WAYS "messages" /* the table that such rows of a change name */

/* message_hold(), kept in the log; OK and nothing where it is so already. */
MUST_CHECK enum err message_way_hold(
	struct txn *txn, const struct folder *where, uint32_t uid, bool hold);
/* message_move(), kept in the log. */
MUST_CHECK enum err message_way_move(
	struct txn *txn, const struct folder *where, uint32_t uid, struct placement *place);

/* bin_take() for one message, kept in the log; *bin_uid is its uid in the bin. */
MUST_CHECK enum err message_way_bin(
	struct txn *txn, const struct folder *where, uint32_t uid, uint32_t *bin_uid);

/* For change_undo.c. ERR_EXISTS: the message is not where the change left it. */
MUST_CHECK enum err message_way_check(struct snapshot *snap, const struct change_row *row);
MUST_CHECK enum err message_way_back(struct txn *txn, const struct change_row *row);

#endif
