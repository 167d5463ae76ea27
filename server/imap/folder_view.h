/*
 * folder_view.h - which messages of a folder a session may number: its uids, in order.
 *
 * A view never changes. It is counted and shared by all sessions of a loop that see the same; where
 * messages came or went a new one is made from the old. Uids that follow each other are one run, so a
 * folder of a million messages of which none left takes eight bytes. Message numbers count from 1
 * (RFC 9051, 2.3.1.2).
 *
 * Which modseq a view belongs to is known to who holds it: see imap_sync.h.
 */
#ifndef SERVER_IMAP_FOLDER_VIEW_H
#define SERVER_IMAP_FOLDER_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/imap/uid_ranges.h"

struct view_run {
	uint32_t uid; /* of its first message; the next has the next uid, ... */
	uint32_t seq; /* the number of its first message */
};

struct folder_view {
	unsigned refs;
	uint32_t count;	  /* messages */
	uint32_t uidnext; /* all uids are below it; what comes later is not */
	size_t run_count;
	struct view_run runs[]; /* and one more behind the last, whose seq is count + 1 */
};

/* An empty view with one reference. */
struct folder_view *view_empty(uint32_t uidnext);
struct folder_view *view_hold(struct folder_view *view);
void view_release(struct folder_view **view);

/* The uid of message SEQ; 0: there is none. */
uint32_t view_uid(const struct folder_view *view, uint32_t seq);
/* The number of UID; 0: it is not in the view. */
uint32_t view_seq(const struct folder_view *view, uint32_t uid);
/* The number of the first message whose uid is UID or more; count + 1: there is none. */
uint32_t view_seq_from(const struct folder_view *view, uint32_t uid);
/* The uids of the messages SEQS, which are in the view. */
void view_add_uids(const struct folder_view *view, struct imap_range seqs, struct arena *a,
	struct uid_ranges *out);
/* The uids of RANGE that are not in the view. */
void view_add_absent(const struct folder_view *view, struct imap_range range, struct arena *a,
	struct uid_ranges *out);
bool view_is_same(const struct folder_view *a, const struct folder_view *b);

/* ---- making one ---- */

/* Uids are added in rising order. */
struct view_maker {
	struct view_run *runs;
	size_t run_count, room;
	uint32_t count;
	uint32_t end; /* one above the last uid; 0: none yet */
};
void view_maker_add(struct view_maker *maker, uint32_t first_uid, uint32_t last_uid);
/* The view, one reference; the maker is empty again. */
struct folder_view *view_maker_end(struct view_maker *maker, uint32_t uidnext);
void view_maker_fini(struct view_maker *maker); /* gives it up */

/*
 * VIEW without the uids of GONE and with those that MORE has; both rise and do not overlap. MORE may lie
 * between the uids of VIEW: what a later look at the store did not find any more.
 */
struct folder_view *view_change(const struct folder_view *view, const struct imap_range *gone,
	size_t gone_count, const struct imap_range *more, size_t more_count, uint32_t uidnext);

/* ---- walking messages of a view ---- */

/*
 * Over ranges of message numbers that rise. Where a walk stands is a number, so it may stop and go on
 * in a later turn.
 */
struct view_walk {
	const struct folder_view *view;
	const struct imap_range *ranges; /* of numbers, within the view */
	size_t range_count, range;
	uint32_t seq; /* the next; 0: the first of the range */
	size_t run;   /* that SEQ lies in, or an earlier one */
};
/* *seq and *uid of the next message; false at the end. */
bool view_walk_next(struct view_walk *walk, uint32_t *seq, uint32_t *uid);

#endif
