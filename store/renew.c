/*
 * renew.c - what must not be as it was, in a store that went back in time.
 *
 * Clients and other servers remember what was given out since: uids, unique ids, message numbers.
 */
#include "store/renew.h"

#include "store/commit.h"
#include "store/folders.h"
#include "store/ids.h"
#include "store/queued.h"

#define FOLDERS_A_SLICE 200

struct renew_job {
	struct store_job job;
	uint64_t user_id, folder_id; /* the last one done */
	uint64_t queue_id;
	int64_t now_ms;
	bool jumped, folders_done, hold_queue;
};

/* The next folder of any user. */
static enum err
any_folder_after(struct snapshot *snap, uint64_t *user_id, uint64_t *folder_id)
{
	struct key key;
	struct row row;
	enum err err;

	key_u64_u64(&key, *user_id, *folder_id + 1);
	err = table_seek(snap, TABLE_folders, &key, &row);
	if (err == OK && (key_take_u64(&row.key, user_id) != OK ||
				 key_take_u64(&row.key, folder_id) != OK))
		return ERR_IO; /* nobody gets past such a key */
	return err;
}

/* Some folders more; a damaged one is left to check. */
static enum err
renew_folders(struct renew_job *r, struct txn *txn, struct renew_job *next)
{
	enum err err = OK;

	*next = *r;
	for (unsigned i = 0; i < FOLDERS_A_SLICE; i++) {
		err = any_folder_after(txn_view(txn), &next->user_id, &next->folder_id);
		if (err != OK)
			break;
		err = folder_renew_uidvalidity(txn, next->user_id, next->folder_id);
		if (err != OK && err != ERR_CORRUPT)
			break;
	}
	next->folders_done = err == ERR_NOT_FOUND;
	return next->folders_done || err == ERR_CORRUPT ? OK : err;
}

/*
 * No other job can be in the group, so a slice that was run is committed or all of it has failed.
 */
static enum step
renew_apply(struct store_job *job, struct txn *txn)
{
	struct renew_job *r = (struct renew_job *)job;
	uint64_t queue_id = r->queue_id;
	bool more = true;
	enum err err;

	if (!r->jumped)
		id_jump(txn);
	if (!r->folders_done) {
		struct renew_job next;

		err = renew_folders(r, txn, &next);
		if (err != OK)
			return step_of(job, err);
		r->jumped = true;
		r->user_id = next.user_id;
		r->folder_id = next.folder_id;
		r->folders_done = next.folders_done;
		return STEP_MORE;
	}
	if (!r->hold_queue)
		return STEP_DONE;
	err = queued_hold_all(txn, r->now_ms, &queue_id, &more);
	if (err != OK)
		return step_of(job, err); /* it may run again: the place must be the old one */
	r->queue_id = queue_id;
	return more ? STEP_MORE : STEP_DONE;
}

enum err
store_renew(const struct store_options *options, bool hold_queue, int64_t now_ms)
{
	struct renew_job r = {
		.job = { .apply = renew_apply },
		.hold_queue = hold_queue,
		.now_ms = now_ms,
	};
	struct store_options mine = *options;
	struct store_fault why;
	struct store *store;
	enum err err;

	mine.mode = STORE_EXCLUSIVE;
	err = store_open(&mine, &store, &why);
	if (err != OK)
		return err;
	err = store_run_job_now(store, &r.job);
	store_close(&store);
	return err;
}
