/*
 * room.c - is there room for mail? (H43)
 *
 *	used = pages of the file that hold something        limit: 95 % of max_size
 *	left = free on disk + free pages in the file        least 1.5 x message_size + the reserve
 *
 * Free pages are counted only where it matters: it means reading LMDB's list of them. Behind the
 * file the reserve is kept allocated, so that deletes find pages when somebody else filled the
 * disk.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "store/lmdb_txn.h"

#define PAGE_SIZE 4096u
#define RESERVE_STEP (UINT64_C(16) << 20) /* it is moved on in steps of this */
#define RESERVE_PART 8                    /* of a small disk the reserve is one in 8 */
#define LOOK_AGAIN (UINT64_C(16) << 20)   /* when the file has grown by this, whatever the time */

uint64_t
store_file_bytes(struct store *store)
{
	MDB_envinfo info;

	if (mdb_env_info(store->env, &info) != 0)
		return 0;
	return ((uint64_t)info.me_last_pgno + 1) * PAGE_SIZE;
}

/* Each row of LMDB's list of free pages begins with how many it names. */
static uint64_t
count_free_pages(MDB_txn *txn)
{
	const MDB_dbi free_list = 0;
	MDB_cursor *cursor;
	MDB_val key, value;
	uint64_t pages = 0;

	if (mdb_cursor_open(txn, free_list, &cursor) != 0)
		return 0;
	while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
		size_t count = 0;

		memcpy(&count, value.mv_data, sizeof(count));
		pages += count;
	}
	mdb_cursor_close(cursor);
	return pages;
}

uint64_t
room_free_bytes(struct store *store)
{
	struct snapshot *snap;
	uint64_t pages;

	if (snapshot_open(store, &snap) != OK)
		return 0;
	pages = count_free_pages(snap->txn);
	snapshot_close(&snap);
	return pages * PAGE_SIZE;
}

/* Move the reserve on, so that at least room.reserve lies behind END. */
static void
keep_reserve(struct store *store, struct room *room, uint64_t end)
{
	uint64_t want = end + room->reserve + RESERVE_STEP;
	uint64_t from = room->reserved_end > end ? room->reserved_end : end;
	int fd;

	if (room->no_fallocate || room->reserved_end >= end + room->reserve)
		return;
	if (mdb_env_get_fd(store->env, &fd) != 0)
		return;
	if (fallocate(fd, FALLOC_FL_KEEP_SIZE, (off_t)from, (off_t)(want - from)) == 0) {
		room->reserved_end = want;
	} else if (errno == EOPNOTSUPP || errno == ENOSYS) {
		room->no_fallocate = true;
		store_say(store, STORE_SAYS_WARNING,
			"the file system cannot reserve room: deletes may fail on a full disk");
	}
}

static bool
is_full(struct store *store, struct room *room, uint64_t end)
{
	uint64_t limit = room->max_size / 100 * STORE_FULL_PERCENT;
	uint64_t needed = room->message_size + room->message_size / 2 + room->reserve;
	bool over_limit = room->max_size && end > limit;
	uint64_t unused;

	room->wanted = 0;
	room->state = STORE_HAS_ROOM;
	if (!over_limit && room->disk_free >= needed)
		return false;
	unused = room_free_bytes(store);
	if (over_limit && end - unused > limit)
		room->wanted = end - unused - limit;
	if (room->disk_free + unused + room->wanted < needed)
		room->wanted = needed - room->disk_free - unused;
	if (room->wanted > 0)
		room->state = over_limit && end - unused > limit ? STORE_OVER_MAX_SIZE : STORE_DISK_LOW;
	return room->wanted > 0;
}

static void
look(struct store *store, struct room *room, uint64_t end)
{
	struct statvfs fs;
	bool full;

	if (statvfs(store->path, &fs) == 0) {
		uint64_t part = (uint64_t)fs.f_blocks * fs.f_frsize / RESERVE_PART;

		room->reserve = part < STORE_RESERVE_SIZE ? part : STORE_RESERVE_SIZE;
		room->disk_free = (uint64_t)fs.f_bavail * fs.f_frsize;
	}
	if (store->options.mode == STORE_SERVE)
		keep_reserve(store, room, end);
	full = is_full(store, room, end);
	if (full != atomic_exchange(&room->full, full))
		store_say(store, full ? STORE_SAYS_WARNING : STORE_SAYS_INFO,
			full ? "the store is full: incoming mail is put off (%llu MB free on disk, "
			       "%llu MB more are wanted)"
			     : "the store has room again (%llu MB free on disk)",
			(unsigned long long)(room->disk_free >> 20),
			(unsigned long long)((room->wanted >> 20) + 1));
}

void
room_check(struct store *store, bool now)
{
	struct room *room = &store->room;
	uint64_t ms = store_monotonic_us() / 1000, end = store_file_bytes(store);

	pthread_mutex_lock(&room->lock);
	if (now || ms - room->checked_ms >= ROOM_CHECK_MS || end - room->checked_end > LOOK_AGAIN) {
		room->checked_ms = ms;
		room->checked_end = end;
		look(store, room, end);
	}
	pthread_mutex_unlock(&room->lock);
}

enum err
room_init(struct store *store)
{
	pthread_mutex_init(&store->room.lock, NULL);
	store->room.max_size = store->options.max_size;
	store->room.message_size = store->options.message_size;
	return OK;
}

/* A commit found no room, whatever the figures said; the next look a second later may clear it. */
void
room_set_full(struct store *store)
{
	if (!atomic_exchange(&store->room.full, true))
		store_say(store, STORE_SAYS_WARNING,
			"no room for a commit: incoming mail is put off");
}

void
store_set_limits(struct store *store, uint64_t max_size, uint64_t message_size)
{
	pthread_mutex_lock(&store->room.lock);
	store->room.max_size = max_size;
	store->room.message_size = message_size;
	pthread_mutex_unlock(&store->room.lock);
	room_check(store, true);
}

bool
store_is_full(struct store *store)
{
	return atomic_load_explicit(&store->room.full, memory_order_relaxed);
}

enum store_room
store_room(struct store *store, uint64_t *wanted)
{
	enum store_room state;

	pthread_mutex_lock(&store->room.lock);
	state = store->room.state;
	*wanted = store->room.wanted;
	pthread_mutex_unlock(&store->room.lock);
	return state;
}

uint64_t
room_wanted(struct store *store)
{
	uint64_t wanted;

	pthread_mutex_lock(&store->room.lock);
	wanted = store->room.wanted;
	pthread_mutex_unlock(&store->room.lock);
	return wanted;
}
