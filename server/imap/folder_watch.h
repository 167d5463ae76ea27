/*
 * folder_watch.h - which sessions of a loop have which folder open, and how they hear that it changed.
 *
 * A commit posts the ids of the folders that it changed to every loop that watches any; there each
 * watcher of such a folder is called. A notice names a folder, never a change: who is called reads
 * what is new in a snapshot of its own. The newest view of a folder lies here too, to be shared.
 */
#ifndef SERVER_IMAP_FOLDER_WATCH_H
#define SERVER_IMAP_FOLDER_WATCH_H

#include "proto/base/list.h"
#include "server/host.h"
#include "server/imap/folder_view.h"

struct folder_watch {
	struct list link; /* of its bucket */
	struct host *host;
	uint64_t folder_id;
	struct list watchers;	  /* struct folder_watcher.link */
	struct folder_view *view; /* the newest that somebody made; held; NULL: none yet */
	uint64_t view_modseq;	  /* of the folder when it was as VIEW says */
};

struct folder_watcher {
	struct list link;
	struct folder_watch *watch; /* NULL: it watches nothing */
	void (*changed)(struct folder_watcher *); /* on the loop; may end its own watch, no other */
};

/* From now on CHANGED is called after each commit that changed FOLDER_ID. Loop thread. */
void folder_watch_begin(struct host *host, uint64_t folder_id, struct folder_watcher *watcher);
void folder_watch_end(struct folder_watcher *watcher); /* also where it watches nothing */

/*
 * VIEW is what the folder held at MODSEQ: where the newest kept is the same, *view becomes another
 * reference to that one; else it is kept as the newest, if it is newer.
 */
void folder_watch_share(struct folder_watch *watch, uint64_t modseq, struct folder_view **view);

/* For store_options.on_changes: the writer thread. Does not wait. */
void folder_watch_notify(
	struct host *hosts, unsigned host_count, const uint64_t *folder_ids, size_t count);

void folder_watches_close(struct folder_watches **watches); /* nobody watches any more */

#endif
