/*
 * shared_recents.c - up to which uid of a folder some session was told: the rest is \Recent (RFC 3501, 2.3.2).
 *
 *     begin -> from, take -> ... -> end -+-> nothing was taken: the row goes
 *                                        \-> write -> end -> the row goes, unless somebody came
 *
 * A row lives while a session has its folder open, or what it says is on its way to the store; so the first
 * of two sessions gets a message however close they come, and no SELECT waits for a commit.
 */
#include <stdlib.h>

#include "server/shared_state.h"

struct recent_row {
	struct list link;
	uint64_t folder_id;
	unsigned users; /* sessions, and one for a write */
	uint32_t uid;	/* all below it were told of; 0: as the store says */
	uint32_t written; /* so far the store knows it */
};

static struct recent_row *
find(struct shared *sh, uint64_t folder_id)
{
	struct list *at, *following;

	list_for_each(at, following, &sh->recents[folder_id % BUCKETS]) {
		struct recent_row *row = LIST_ITEM(at, struct recent_row, link);

		if (row->folder_id == folder_id)
			return row;
	}
	return NULL;
}

void
recents_init(struct shared *sh)
{
	for (size_t i = 0; i < BUCKETS; i++)
		list_init(&sh->recents[i]);
}

void
recents_fini(struct shared *sh)
{
	struct list *link;

	for (size_t i = 0; i < BUCKETS; i++)
		while ((link = list_take_first(&sh->recents[i])))
			free(LIST_ITEM(link, struct recent_row, link));
}

void
shared_recent_begin(struct shared *sh, uint64_t folder_id, uint32_t stored)
{
	struct recent_row *row;

	pthread_mutex_lock(&sh->lock);
	row = find(sh, folder_id);
	if (!row) {
		row = calloc(1, sizeof(*row));
		ENSURE(row);
		row->folder_id = folder_id;
		list_append(&sh->recents[folder_id % BUCKETS], &row->link);
	}
	row->users++;
	if (stored > row->written)
		row->written = stored;
	pthread_mutex_unlock(&sh->lock);
}

uint32_t
shared_recent_from(
	struct shared *sh, uint64_t folder_id, uint32_t known, uint32_t uidnext, bool take)
{
	struct recent_row *row;
	uint32_t from = known;

	pthread_mutex_lock(&sh->lock);
	row = find(sh, folder_id);
	if (row && row->uid > from)
		from = row->uid;
	if (row && take && uidnext > row->uid)
		row->uid = uidnext;
	pthread_mutex_unlock(&sh->lock);
	return from;
}

uint32_t
shared_recent_end(struct shared *sh, uint64_t folder_id, uint32_t written)
{
	struct recent_row *row;
	uint32_t to_write = 0;

	pthread_mutex_lock(&sh->lock);
	row = find(sh, folder_id);
	ENSURE(row);
	if (written > row->written)
		row->written = written;
	if (--row->users == 0 && row->uid > row->written) {
		row->users = 1;
		to_write = row->uid;
	} else if (row->users == 0) {
		list_remove(&row->link);
		free(row);
	}
	pthread_mutex_unlock(&sh->lock);
	return to_write;
}
