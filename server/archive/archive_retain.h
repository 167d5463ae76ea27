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

/* How long messages are kept: the rules of archive.rules in their order, then the settings. */
struct archive_keep {
	const struct archive_rule *rules;
	size_t count;
	int64_t days, by_direction[3]; /* 0: days; incoming, outgoing, internal */
};
struct conf;
void archive_keep_of(const struct conf *conf, struct arena *a, struct archive_keep *out); /* in A */

struct archive_kept {
	int64_t days;  /* 0: for ever */
	size_t rule;   /* which one fits, from 1; 0: none */
	unsigned of;   /* without a rule: whose archive.keep_* counts, an ARCHIVE_ bit; 0: archive.keep_days */
};
struct archive_kept archive_keep_find(const struct archive_keep *keep, const struct archive_message *m);
/* The fewest days that anything is kept; 0: all for ever. */
int64_t archive_keep_least(const struct archive_keep *keep);

/* Each minute, by tasks.c; at most one at a time in a process. */
void archive_retain(struct host *host);

#endif
