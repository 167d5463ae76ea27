/*
 * outgoing_disk.c - nothing is sent while the disk of the store is about to be full (OUT-22).
 *
 * What was sent must be noted on disk, or it is sent twice. Looked at once a second at most.
 */
#include <stdio.h>
#include <sys/statvfs.h>

#include "server/log.h"
#include "server/queue/outgoing_inside.h"
#include "store/store.h"

#define SEEN_MS 1000
#define LOOK_MS 5000 /* while it waits */

static void
look(struct outgoing *all)
{
	int64_t now_ms = loop_now_ms(all->host->loop);
	struct statvfs fs;

	if (all->disk_seen_ms != 0 && now_ms - all->disk_seen_ms < SEEN_MS)
		return;
	all->disk_seen_ms = now_ms;
	if (statvfs(store_path(all->host->store), &fs) == 0)
		all->disk_free = (int64_t)(fs.f_bavail * fs.f_frsize);
}

static void
say(const struct outgoing *all, bool low)
{
	log_put(all->host->log,
		&(struct log_line){ .level = low ? LEVEL_WARNING : LEVEL_INFO, .area = "outgoing",
			.text = low ? "the disk of the store is nearly full: nothing is sent" :
				      "the disk of the store has room again: mail is sent",
			.fields = { { "free", .number = all->disk_free },
				{ "wanted", .number = all->host->conf->outgoing_disk_start } } });
}

static void
on_look(struct loop_timer *timer)
{
	struct outgoing *all = LIST_ITEM(timer, struct outgoing, disk_look);

	all->disk_halts = false;
	outgoing_pump(all);
}

void
outgoing_disk_init(struct outgoing *all)
{
	loop_timer_init(&all->disk_look, on_look);
}

bool
outgoing_disk_allows(struct outgoing *all, bool during)
{
	const struct conf *conf = all->host->conf;
	bool low;

	look(all);
	low = all->disk_free < conf->outgoing_disk_start;
	if (low != all->disk_low)
		say(all, low);
	all->disk_low = low;
	all->disk_halts |= during && all->disk_free < conf->outgoing_disk_during;
	if ((low || all->disk_halts) && !all->ending && !loop_timer_is_set(&all->disk_look))
		loop_timer_set(all->host->loop, &all->disk_look, LOOK_MS);
	return during ? all->disk_free >= conf->outgoing_disk_during : !low && !all->disk_halts;
}

bool
outgoing_disk_why(const struct outgoing *all, char *text, size_t size)
{
	if (!all->disk_low)
		return false;
	snprintf(text, size, "the disk of the store has %lld MB free, less than outgoing.disk_free.start",
		(long long)(all->disk_free >> 20));
	return true;
}
