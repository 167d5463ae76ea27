/*
 * check_run.h - what the files of check share: findings, what mends them, and sets of ids.
 *
 *	check.c            opens, runs the walks, mends, runs them again
 *	check_directory.c  users, names, groups, mappings, traces, changes, counters
 *	check_lists.c      lists, their members and sizes; what follows from other rows (indexes.h)
 *	check_secrets.c    app passwords, sealed values, keys that sign mail
 *	check_queue.c      queued, due
 *	check_forwards.c   forwards, forward_copies
 *	check_fetched.c    collectors, fetched
 *	check_folders.c    folders, entries
 *	check_sharing.c    subscriptions, keywords, rights, seen, expunged, binned
 *	check_archive.c    archive, archive_holds, archive_words
 *	check_mail.c       copies, contents, graves
 *	check_bodies.c     bodies, body_joins, body_shares, arriving
 *	check_meta.c       falls back to the commit before a torn one
 */
#ifndef STORE_CHECK_RUN_H
#define STORE_CHECK_RUN_H

#include "store/archive.h"
#include "store/check.h"
#include "store/counts.h"
#include "store/folders.h"
#include "store/names.h"
#include "store/store.h"
#include "store/table.h"

/* Ids collected by one walk and asked for by another. */
struct id_set {
	uint64_t *ids;
	size_t count, room;
	bool sorted;
};
void id_set_add(struct id_set *set, uint64_t id);
/* How often ID was added. */
size_t id_set_count(struct id_set *set, uint64_t id);
void id_set_fini(struct id_set *set);

/* A row as it should be, or one that should go; or what a function puts right. */
struct check_fix;
typedef enum err check_fix_fn(struct txn *txn, const struct check_fix *fix);
struct check_fix {
	check_fix_fn *apply;
	uint64_t n[4];
	enum store_table table;
	struct span key, value; /* owned */
	struct folder folder;   /* figures only; its spans are not used */
};

struct check {
	struct store *store;
	struct snapshot *snap;
	check_report_fn *report;
	void *arg;
	bool quiet;        /* the second run, after mending, only counts */
	uint64_t findings, mendable;

	struct check_fix *fixes;
	size_t fix_count, fix_room;

	struct counts tally;
	struct archive_head archived; /* sums over its rows */
	bool archive_lost; /* a row of it could not be read: a content may have an owner more */
	uint64_t trace_rows, trace_bytes;
	uint64_t list_id, list_members; /* the list whose members are being walked */
	/*
	 * Entries that could not be read: what they named looks like an orphan. Stays over the
	 * rounds.
	 */
	bool blocks_lost;
	bool joins_lost; /* so does it with the members of joins */
	uint64_t lost_user, lost_folder; /* where; lost_folder is 0 where it was in more than one */
	struct id_set folders_seen, copies_named, contents_named, bodies_named;
	struct id_set collectors_seen;
	struct id_set copies_buried, contents_buried, bodies_buried;
};

/* Report a finding; MENDS says that a fix for it follows. */
void check_say(struct check *c, bool mends, const char *format, ...) PRINTF_LIKE(3, 4);
/* The fix to be filled in; its key and value are copied here (either may be empty). */
struct check_fix *check_fix_add(
	struct check *c, check_fix_fn *apply, struct span key, struct span value);
/* Delete that row of TABLE. */
void check_fix_delete(struct check *c, enum store_table table, struct span key);

/* Call VISIT for every row of TABLE; it may walk and get as it likes. */
typedef void check_visit_fn(struct check *c, const struct row *row);
void check_walk(struct check *c, enum store_table table, check_visit_fn *visit);

/* The id at the front of a row's key; 0 where the key is too short. */
uint64_t check_id(const struct row *row);

void check_directory(struct check *c);
/* Part of it, before the counters are compared. */
void check_lists(struct check *c);
/* What ROW of TABLE counts for, into c->tally. */
void check_tally(struct check *c, enum store_table table, const struct row *row);
/* Does NAME lead to the user, group or list ID? A missing one is mended. */
void check_name(struct check *c, struct span name, enum name_kind kind, uint64_t id);
void check_secrets(struct check *c);
void check_queue(struct check *c);
void check_folders(struct check *c);
void check_mail(struct check *c);
void check_archive(struct check *c); /* names contents, so before check_mail() */
/* After the contents. */
void check_bodies(struct check *c);
/* Mend by a grave; KIND is of graves.h. */
void check_bury(struct check *c, int kind, uint64_t id);
/* After the folders. */
void check_forwards(struct check *c);
void check_sharing(struct check *c);
void check_fetched(struct check *c);

/*
 * Make DIR's data file fall back to the commit before its last one, on a copy beside it that then
 * takes its place; the torn one is kept as "data.mdb.torn" (H48). ERR_NOT_FOUND: there is no other
 * commit.
 */
MUST_CHECK enum err check_fall_back(const char *dir);

#endif
