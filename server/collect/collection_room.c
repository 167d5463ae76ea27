/*
 * collection_room.c - is there room for a message: on the disk before it is fetched (INM-25), and in the store, which may
 * refuse it all the same. What is full is said with what helps.
 */
#include "server/collect/collection_inside.h"

#include <sys/statvfs.h>

#include "server/collect/collect_inside.h"
#include "store/store.h"

#define DISK_LOOK_MS 1000

bool
collection_has_disk(struct collection *c, uint64_t size)
{
	const struct conf *conf = c->o.host->conf;
	int64_t now_ms = loop_now_ms(c->o.host->loop), wanted = conf->collecting_disk_spare;
	struct statvfs fs;

	if ((c->disk_seen_ms == 0 || now_ms - c->disk_seen_ms >= DISK_LOOK_MS) &&
		statvfs(store_path(c->o.host->store), &fs) == 0) {
		c->disk_seen_ms = now_ms;
		c->disk_free = (int64_t)(fs.f_bavail * fs.f_frsize);
		c->disk_taken = 0;
	}
	if (size == SOURCE_SIZE_UNKNOWN)
		wanted += conf->collecting_disk_spare_unknown;
	else if (size < (uint64_t)INT64_MAX / 2)
		wanted += (int64_t)size;
	if (c->disk_seen_ms == 0 || c->disk_free - (int64_t)c->disk_taken >= wanted) {
		c->disk_taken += size == SOURCE_SIZE_UNKNOWN ? 0 : size;
		return true;
	}
	collection_error(c, "the disk of the store has %lld MB free, and %lld MB are wanted before a message is fetched: "
			    "make room on it, or lower collecting.disk_spare%s",
		(long long)(c->disk_free >> 20), (long long)(wanted >> 20),
		size == SOURCE_SIZE_UNKNOWN ? " or disk_spare_unknown" : "");
	return false;
}

void
collection_tell_no_room(struct collection *c, enum err result)
{
	const struct conf *conf = c->o.host->conf;
	uint64_t wanted = 0;
	enum store_room room = store_room(c->o.host->store, &wanted);
	long long mb = (long long)(wanted >> 20) + 1;

	if (result != ERR_FULL)
		collection_error(c, "messages cannot be stored, reading or writing the store fails: see `postroom log show "
				    "--level error`, then `postroom check`");
	else if (room == STORE_OVER_MAX_SIZE)
		collection_error(c, "messages cannot be stored, the store has reached 95 %% of store.max_size (%lld MB): "
				    "raise that, or delete %lld MB of mail (postroom rule prune)",
			(long long)(conf->store_max_size >> 20), mb);
	else if (room == STORE_DISK_LOW)
		collection_error(c, "messages cannot be stored, the disk of the store is nearly full: make room for %lld MB "
				    "more on it, or delete mail (postroom rule prune)",
			mb);
	else
		collection_error(c, "messages cannot be stored, the system gave the store no room: look at its disk, at "
				    "quotas there, and at limits of address space (ulimit -v)");
}
