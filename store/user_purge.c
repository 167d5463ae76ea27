/*
 * user_purge.c - the end of a user's time in the bin: messages, folders, row, in slices.
 */
#include "store/app_passwords.h"
#include "store/graves.h"
#include "store/messages.h"
#include "store/prune_rules.h"
#include "store/quota_marks.h"
#include "store/rights.h"
#include "store/rows.h"
#include "store/secrets.h"
#include "store/seen.h"
#include "store/subscriptions.h"
#include "store/user_scripts.h"

#define PURGE_ROWS 500  /* a slice */
#define PURGE_USERS 500 /* looked at, a slice */

/* One slice of USER's folders; *gone where none is left. */
static enum err
purge_folders(struct txn *txn, uint64_t user_id, bool *gone)
{
	struct folder folder;
	size_t count;
	bool removed;
	enum err err = folder_next(txn_view(txn), user_id, 0, &folder);

	*gone = err == ERR_NOT_FOUND;
	if (err != OK)
		return *gone ? OK : err;
	err = message_expunge( /* past the bin (RCY-03) */
		txn, &folder, (struct uid_list){ NULL, 0 }, GRAVE_DELAY_MS, &count);
	if (err != OK || count > 0)
		return err;
	return folder_remove(txn, user_id, folder.folder_id, PURGE_ROWS, &removed);
}

/* What he had of others' folders, and his subscriptions: one slice. */
static enum err
purge_sharing(struct txn *txn, uint64_t user_id, bool *gone)
{
	bool more = false;
	enum err err = subscriptions_purge(txn, user_id, PURGE_ROWS, &more);

	if (err == OK && !more)
		err = rights_forget_subject(txn, RIGHT_OF_USER, user_id, PURGE_ROWS, &more);
	if (err == OK && !more)
		err = seen_forget_user(txn, user_id, PURGE_ROWS, &more);
	*gone = !more;
	return err;
}

static enum err
purge_user(struct txn *txn, uint64_t user_id)
{
	struct key key;
	bool gone;
	enum err err = purge_folders(txn, user_id, &gone);

	if (err == OK && gone)
		err = purge_sharing(txn, user_id, &gone);
	if (err != OK || !gone)
		return err;
	key_u64(&key, user_id);
	err = table_delete(txn, TABLE_logins, &key);
	if (err == OK || err == ERR_NOT_FOUND)
		err = quota_marks_put(txn, user_id, 0);
	if (err == OK)
		err = app_passwords_purge(txn, user_id);
	if (err == OK)
		err = user_script_purge(txn, user_id);
	if (err == OK)
		err = prune_rules_purge(txn, user_id);
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
