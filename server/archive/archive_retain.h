/*
 * archive_retain.h - what the archive need not keep any longer, and what takes it out.
 *
 * A worker looks for entries that are old enough, in slices, the oldest first; a patient job takes them out, some at a
 * time, and says so in the chain. All of the archive is looked at once a day and after a change of the settings; in
 * between only what has become older than the shortest time that is kept.
 */
#ifndef SERVER_ARCHIVE_ARCHIVE_RETAIN_H
#define SERVER_ARCHIVE_ARCHIVE_RETAIN_H

#include "conf/archive_rules.h"
#include "server/host.h"
#include "store/archive.h"

#define ARCHIVE_RETAIN_LOOK_MS 8            /* of a worker under one snapshot (H44) */
#define ARCHIVE_RETAIN_WHOLE_MS 86400000    /* how often all is looked at */

/* How many days M is kept; 0: for ever. The configuration's own rules, in their order. */
struct archive_keep {
	const struct archive_rule *rules;
	size_t count;
	int64_t days, by_direction[3]; /* 0: days; incoming, outgoing, internal */
};
int64_t archive_keep_days(const struct archive_keep *keep, const struct archive_message *m);
/* The fewest days that anything is kept; 0: all for ever. */
int64_t archive_keep_least(const struct archive_keep *keep);

/* Each minute, by tasks.c; at most one at a time in a process. */
void archive_retain(struct host *host);

#endif
