/*
 * folder_ways.h - changes of folders with a way back in the log of changes.
 *
 * A folder's row changes with every message, so no image of it is kept (as message_ways.h has it for
 * entries). In place of one the log keeps what was done to the folder: made, renamed, given a use.
 * Subscriptions and rights are rows of their own, and kept as such. Outside of an open change these act and keep nothing.
 */
#ifndef STORE_FOLDER_WAYS_H
#define STORE_FOLDER_WAYS_H

#include "store/changes.h"
#include "store/folders.h"

#define FOLDER_WAYS "folder" /* the table that such rows of a change name */

/* As folder_make(), folder_rename(), folder_set_attributes(). */
MUST_CHECK enum err folder_way_make(
	struct txn *txn, uint64_t user_id, struct span name, uint64_t *folder_id);
MUST_CHECK enum err folder_way_rename(
	struct txn *txn, uint64_t user_id, uint64_t folder_id, struct span name);
MUST_CHECK enum err folder_way_attributes(
	struct txn *txn, uint64_t user_id, uint64_t folder_id, uint32_t add, uint32_t remove);

/* For change_undo.c. */
bool folder_way_is(const struct change_row *row);
/* The folder's name, as it was when the change was made. */
struct span folder_way_name(const struct change_row *row);
/* ERR_EXISTS: it is not as the change left it. */
MUST_CHECK enum err folder_way_check(struct snapshot *snap, const struct change_row *row);
MUST_CHECK enum err folder_way_back(struct txn *txn, const struct change_row *row);

#endif
