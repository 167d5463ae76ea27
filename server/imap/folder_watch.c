/*
 * folder_watch.c - a table of the folders that sessions of a loop have open.
 */
#include "server/imap/folder_watch.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "server/net/loop.h"

#define BUCKETS 1024

struct folder_watches {
	struct list buckets[BUCKETS];
};

/* What one commit says to one loop. */
struct notice {
	struct host *host;
	size_t count;
	uint64_t folder_ids[];
};

static struct list *
bucket_of(struct host *host, uint64_t folder_id)
{
	return &host->folder_watches->buckets[folder_id % BUCKETS];
}

static struct folder_watch *
find(struct host *host, uint64_t folder_id)
{
	struct list *at, *following;

	if (!host->folder_watches)
		return NULL;
	list_for_each(at, following, bucket_of(host, folder_id)) {
		struct folder_watch *watch = LIST_ITEM(at, struct folder_watch, link);

		if (watch->folder_id == folder_id)
			return watch;
	}
	return NULL;
}

static struct folder_watch *
watch_new(struct host *host, uint64_t folder_id)
{
	struct folder_watch *watch = calloc(1, sizeof(*watch));

	ENSURE(watch);
	watch->host = host;
	watch->folder_id = folder_id;
	list_init(&watch->watchers);
	list_append(bucket_of(host, folder_id), &watch->link);
	return watch;
}

void
folder_watch_begin(struct host *host, uint64_t folder_id, struct folder_watcher *watcher)
{
	ENSURE(!watcher->watch);
	if (!host->folder_watches) {
		host->folder_watches = malloc(sizeof(*host->folder_watches));
		ENSURE(host->folder_watches);
		for (size_t i = 0; i < BUCKETS; i++)
			list_init(&host->folder_watches->buckets[i]);
	}
	watcher->watch = find(host, folder_id);
	if (!watcher->watch)
		watcher->watch = watch_new(host, folder_id);
	list_append(&watcher->watch->watchers, &watcher->link);
	atomic_fetch_add(&host->watchers, 1);
}

void
folder_watch_end(struct folder_watcher *watcher)
{
	struct folder_watch *watch = watcher->watch;

	if (!watch)
		return;
	watcher->watch = NULL;
	list_remove(&watcher->link);
	atomic_fetch_sub(&watch->host->watchers, 1);
	if (!list_is_empty(&watch->watchers))
		return;
	list_remove(&watch->link);
	view_release(&watch->view);
	free(watch);
}

void
folder_watch_share(struct folder_watch *watch, uint64_t modseq, struct folder_view **view)
{
	if (watch->view && view_is_same(watch->view, *view)) {
		view_release(view);
		*view = view_hold(watch->view);
	} else if (!watch->view || modseq >= watch->view_modseq) {
		view_release(&watch->view);
		watch->view = view_hold(*view);
	}
	if (watch->view == *view && modseq > watch->view_modseq)
		watch->view_modseq = modseq;
}

void
folder_watches_close(struct folder_watches **watches)
{
	free(*watches);
	*watches = NULL;
}

/* ---- notices ---- */

static void
tell(struct host *host, uint64_t folder_id)
{
	struct folder_watch *watch = find(host, folder_id);
	struct list *at, *following;

	if (!watch)
		return;
	/* the last watcher that leaves frees the watch, and with it the head of the list */
	list_for_each(at, following, &watch->watchers) {
		struct folder_watcher *watcher = LIST_ITEM(at, struct folder_watcher, link);
		bool was_last = following == &watch->watchers;

		watcher->changed(watcher);
		if (was_last)
			return;
	}
}

static void
on_notice(void *arg)
{
	struct notice *notice = arg;

	host_snapshot_close(notice->host); /* it may be from before the commit */
	for (size_t i = 0; i < notice->count; i++)
		tell(notice->host, notice->folder_ids[i]);
	free(notice);
}

void
folder_watch_notify(
	struct host *hosts, unsigned host_count, const uint64_t *folder_ids, size_t count)
{
	for (unsigned i = 0; i < host_count; i++) {
		struct notice *notice;

		if (atomic_load(&hosts[i].watchers) == 0)
			continue;
		notice = malloc(sizeof(*notice) + count * sizeof(folder_ids[0]));
		ENSURE(notice);
		notice->host = &hosts[i];
		notice->count = count;
		memcpy(notice->folder_ids, folder_ids, count * sizeof(folder_ids[0]));
		loop_post(hosts[i].loop, on_notice, notice);
	}
}
