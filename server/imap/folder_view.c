/*
 * folder_view.c - runs of uids with the number of their first: found by halving, changed by merging.
 */
#include "server/imap/folder_view.h"

#include <stdlib.h>
#include <string.h>

#include "proto/base/err.h"

#define MAKER_ROOM 8 /* runs at first */

static size_t
view_size(size_t runs)
{
	return sizeof(struct folder_view) + (runs + 1) * sizeof(struct view_run);
}

struct folder_view *
view_hold(struct folder_view *view)
{
	view->refs++;
	return view;
}

void
view_release(struct folder_view **view)
{
	struct folder_view *v = *view;

	*view = NULL;
	if (v && --v->refs == 0)
		free(v);
}

struct folder_view *
view_empty(uint32_t uidnext)
{
	struct view_maker maker = { 0 };

	return view_maker_end(&maker, uidnext);
}

/* How many messages the run has; of a run that is not the last one behind all. */
static uint32_t
run_length(const struct view_run *run)
{
	return run[1].seq - run[0].seq;
}

/* The last run whose number is at most SEQ. */
static size_t
run_of_seq(const struct folder_view *view, uint32_t seq)
{
	size_t low = 0, high = view->run_count;

	while (low + 1 < high) {
		size_t middle = (low + high) / 2;

		if (view->runs[middle].seq <= seq)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* How many runs begin at UID or below. */
static size_t
runs_until(const struct folder_view *view, uint32_t uid)
{
	size_t low = 0, high = view->run_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (view->runs[middle].uid <= uid)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint32_t
view_uid(const struct folder_view *view, uint32_t seq)
{
	const struct view_run *run;

	if (seq == 0 || seq > view->count)
		return 0;
	run = &view->runs[run_of_seq(view, seq)];
	return run->uid + (seq - run->seq);
}

uint32_t
view_seq_from(const struct folder_view *view, uint32_t uid)
{
	size_t until = runs_until(view, uid);
	const struct view_run *run;

	if (until == 0)
		return 1;
	run = &view->runs[until - 1];
	return uid - run->uid < run_length(run) ? run->seq + (uid - run->uid) : run[1].seq;
}

uint32_t
view_seq(const struct folder_view *view, uint32_t uid)
{
	uint32_t seq = view_seq_from(view, uid);

	return view_uid(view, seq) == uid && uid != 0 ? seq : 0;
}

void
view_add_uids(const struct folder_view *view, struct imap_range seqs, struct arena *a,
	struct uid_ranges *out)
{
	size_t run = run_of_seq(view, seqs.first);

	while (seqs.first <= seqs.last) {
		const struct view_run *r = &view->runs[run++];
		uint32_t last = seqs.last < r[1].seq ? seqs.last : r[1].seq - 1;

		uid_ranges_add(out, a, r->uid + (seqs.first - r->seq), r->uid + (last - r->seq));
		seqs.first = last + 1;
	}
}

void
view_add_absent(const struct folder_view *view, struct imap_range range, struct arena *a,
	struct uid_ranges *out)
{
	while (range.first <= range.last) {
		uint32_t there = view_uid(view, view_seq_from(view, range.first));

		if (there == 0 || there > range.last) {
			uid_ranges_add(out, a, range.first, range.last);
			return;
		}
		if (there > range.first)
			uid_ranges_add(out, a, range.first, there - 1);
		range.first = there + 1;
	}
}

bool
view_is_same(const struct folder_view *a, const struct folder_view *b)
{
	return a == b ||
		(a->count == b->count && a->uidnext == b->uidnext && a->run_count == b->run_count &&
			memcmp(a->runs, b->runs, a->run_count * sizeof(a->runs[0])) == 0);
}

/* ---- making one ---- */

void
view_maker_add(struct view_maker *maker, uint32_t first, uint32_t last)
{
	ENSURE(first <= last && first >= maker->end && first > 0 && last < UINT32_MAX);
	if (first != maker->end || maker->run_count == 0) {
		if (maker->run_count == maker->room) {
			maker->room = maker->room ? 2 * maker->room : MAKER_ROOM;
			maker->runs = reallocarray(maker->runs, maker->room, sizeof(*maker->runs));
			ENSURE(maker->runs);
		}
		maker->runs[maker->run_count++] = (struct view_run){ first, maker->count + 1 };
	}
	maker->count += last - first + 1;
	maker->end = last + 1;
}

struct folder_view *
view_maker_end(struct view_maker *maker, uint32_t uidnext)
{
	struct folder_view *view = malloc(view_size(maker->run_count));

	ENSURE(view);
	*view = (struct folder_view){ .refs = 1, .count = maker->count,
		.uidnext = uidnext > maker->end ? uidnext : maker->end,
		.run_count = maker->run_count };
	if (maker->run_count > 0)
		memcpy(view->runs, maker->runs, maker->run_count * sizeof(view->runs[0]));
	view->runs[view->run_count] = (struct view_run){ UINT32_MAX, view->count + 1 };
	view_maker_fini(maker);
	return view;
}

void
view_maker_fini(struct view_maker *maker)
{
	free(maker->runs);
	*maker = (struct view_maker){ 0 };
}

/* Two lists of ranges that are read together: whichever begins first. */
struct merge {
	const struct folder_view *view;
	const struct imap_range *more;
	size_t run, more_at, more_count;
};

static bool
merge_next(struct merge *m, struct imap_range *out)
{
	bool has_run = m->run < m->view->run_count, has_more = m->more_at < m->more_count;
	const struct view_run *run = &m->view->runs[m->run];

	if (!has_run && !has_more)
		return false;
	if (has_run && (!has_more || run->uid < m->more[m->more_at].first)) {
		*out = (struct imap_range){ run->uid, run->uid + run_length(run) - 1 };
		m->run++;
	} else {
		*out = m->more[m->more_at++];
	}
	return true;
}

/* What of RANGE is not GONE goes to MAKER; *at moves on with the ranges. */
static void
add_what_stays(struct view_maker *maker, struct imap_range range, const struct imap_range *gone,
	size_t gone_count, size_t *at)
{
	while (*at < gone_count && gone[*at].last < range.first)
		++*at;
	for (size_t i = *at; i < gone_count && gone[i].first <= range.last; i++) {
		if (gone[i].first > range.first)
			view_maker_add(maker, range.first, gone[i].first - 1);
		if (gone[i].last >= range.last)
			return;
		range.first = gone[i].last + 1;
	}
	view_maker_add(maker, range.first, range.last);
}

struct folder_view *
view_change(const struct folder_view *view, const struct imap_range *gone, size_t gone_count,
	const struct imap_range *more, size_t more_count, uint32_t uidnext)
{
	struct merge merge = { .view = view, .more = more, .more_count = more_count };
	struct view_maker maker = { 0 };
	struct imap_range range;
	size_t at = 0;

	while (merge_next(&merge, &range))
		add_what_stays(&maker, range, gone, gone_count, &at);
	return view_maker_end(&maker, uidnext);
}

/* ---- walking ---- */

bool
view_walk_next(struct view_walk *w, uint32_t *seq, uint32_t *uid)
{
	const struct view_run *run;

	if (w->range < w->range_count && w->seq > w->ranges[w->range].last) {
		w->range++;
		w->seq = 0;
	}
	if (w->range >= w->range_count)
		return false;
	if (w->seq == 0) {
		w->seq = w->ranges[w->range].first;
		w->run = run_of_seq(w->view, w->seq);
	}
	run = &w->view->runs[w->run];
	if (w->seq >= run[1].seq)
		run = &w->view->runs[++w->run];
	*seq = w->seq++;
	*uid = run->uid + (*seq - run->seq);
	return true;
}
