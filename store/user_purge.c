/*
 * user_purge.c - the end of a user's time in the bin: messages, folders, row, in slices.
 */
#include "store/app_passwords.h"
#include "store/folders.h"
#include "store/graves.h"
#include "store/messages.h"
#include "store/rows.h"
#include "store/secrets.h"
#include "store/users.h"

#define PURGE_MESSAGES 200 /* a slice */
#define PURGE_ROWS 500     /* of `expunged`, a slice */
#define PURGE_USERS 500    /* looked at, a slice */

/* Bury the next messages of FOLDER; *none where it has no more. */
static enum err
purge_messages(struct txn *txn, const struct folder *folder, bool *none)
{
	uint32_t uids[PURGE_MESSAGES];
	struct entry entry = { 0 };
	size_t count = 0;
	enum err err = OK;

	while (count < PURGE_MESSAGES && err == OK) {
		err = entry_next(txn_view(txn), folder->folder_id, entry.uid, &entry);
		if (err == OK)
			uids[count++] = entry.uid;
	}
	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	*none = count == 0;
	if (*none)
		return OK;
	return message_expunge(
		txn, folder, (struct uid_list){ uids, count }, GRAVE_DELAY_MS, &count);
}

/* One slice of USER's folders; *gone where none is left. */
static enum err
purge_folders(struct txn *txn, uint64_t user_id, bool *gone)
{
	struct folder folder;
	bool none = false, removed;
	enum err err = folder_next(txn_view(txn), user_id, 0, &folder);

	*gone = err == ERR_NOT_FOUND;
	if (err != OK)
		return *gone ? OK : err;
	err = purge_messages(txn, &folder, &none);
	if (err != OK || !none)
		return err;
	return folder_remove(txn, user_id, folder.folder_id, PURGE_ROWS, &removed);
}

static enum err
purge_user(struct txn *txn, uint64_t user_id)
{
	struct key key;
	bool gone;
	enum err err = purge_folders(txn, user_id, &gone);

	if (err != OK || !gone)
		return err;
	key_u64(&key, user_id);
	err = table_delete(txn, TABLE_logins, &key);
	if (err == OK || err == ERR_NOT_FOUND)
		err = app_passwords_purge(txn, user_id);
	if (err == OK)
		err = user_secrets_remove(txn, user_id);
	return err != OK ? err : row_delete(txn, TABLE_users, &key);
}

enum err
users_purge_bin(struct txn *txn, int64_t before_ms, uint64_t *at, bool *more)
{
	struct user user;
	struct counts counts;
	enum err err = counts_get(txn_view(txn), &counts);

	*more = false;
	if (err != OK || counts.at[COUNT_users_bin] == 0)
		return err;
	for (unsigned i = 0; i < PURGE_USERS; i++) {
		err = user_next(txn_view(txn), *at, &user);
		if (err != OK && err != ERR_CORRUPT)
			return err == ERR_NOT_FOUND ? OK : err;
		if (err == OK && user.removed_ms != 0 && user.removed_ms < before_ms) {
			err = purge_user(txn, user.user_id);
			*more = err == OK; /* at him again, until he is gone */
			if (err != ERR_CORRUPT && err != ERR_BUSY) /* damaged: he is for check */
				return err;
		}
		*at = user.user_id;
	}
	*more = true;
	return OK;
}
