/*
 * archive_retain.c - look (worker) -> take out (writer) -> look on ... -> the end.
 */
#include "server/archive/archive_retain.h"

#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "server/archive/archive_write.h"
#include "server/log.h"
#include "server/net/work.h"
#include "store/commit.h"
#include "store/traces.h"

#define DAY_OF_MS UINT64_C(86400000)
#define SWEEP_ROWS 200 /* of archive_words, a slice */

enum why { WHY_AGE, WHY_SIZE };

struct retaining {
	struct work work;
	struct store_job job;
	struct host *host;
	struct arena arena; /* of the settings */
	struct archive_keep keep;
	uint64_t now_ms, max_size;
	uint64_t at[2]; /* looked at until here, by why */
	uint64_t ids[ARCHIVE_REMOVE_MAX];
	size_t count, removed;
	enum why why;
	bool ends, sweeps;
	uint64_t taken;
};

/* At most one: there is one front loop. What is known from one round to the next. */
static struct retaining *running;
static struct {
	uint64_t from_id;  /* all before is looked at and kept, until whole_ms */
	int64_t whole_ms;
	const struct generation *generation; /* of the settings that it was looked at by; never followed */
} known;

/* ---- how long ---- */

static bool
any_fits(struct span recipients, struct span pattern)
{
	struct span address;

	while (trace_recipient_next(&recipients, &address))
		if (span_match_wildcard(pattern, address))
			return true;
	return false;
}

static bool
fits(const struct archive_rule *rule, const struct archive_message *m)
{
	return (rule->from.len == 0 || span_match_wildcard(rule->from, m->from)) &&
		(rule->to.len == 0 || any_fits(m->recipients, rule->to));
}

/* 0 is for ever. */
static bool
is_longer(int64_t days, int64_t than)
{
	return than != 0 && (days == 0 || days > than);
}

struct archive_kept
archive_keep_find(const struct archive_keep *keep, const struct archive_message *m)
{
	struct archive_kept kept = { .days = keep->days };
	bool found = false;

	for (size_t i = 0; i < keep->count; i++)
		if (fits(&keep->rules[i], m))
			return (struct archive_kept){ .days = keep->rules[i].days, .rule = i + 1 };
	for (unsigned i = 0; i < COUNT(keep->by_direction); i++) {
		int64_t own = keep->by_direction[i], days = own ? own : keep->days;

		if (!(m->direction >> i & 1) || (found && !is_longer(days, kept.days)))
			continue;
		kept = (struct archive_kept){ .days = days, .of = own ? 1u << i : 0 };
		found = true;
	}
	return kept;
}

static void
less_of(int64_t *least, int64_t days)
{
	if (days > 0 && (*least == 0 || days < *least))
		*least = days;
}

int64_t
archive_keep_least(const struct archive_keep *keep)
{
	int64_t least = keep->days;

	for (unsigned i = 0; i < COUNT(keep->by_direction); i++)
		less_of(&least, keep->by_direction[i]);
	for (size_t i = 0; i < keep->count; i++)
		less_of(&least, keep->rules[i].days);
	return least;
}

void
archive_keep_of(const struct conf *conf, struct arena *a, struct archive_keep *out)
{
	struct archive_rule *rules = ARENA_ARRAY(a, struct archive_rule, conf->archive_rules.count + 1);
	const char *why;

	*out = (struct archive_keep){ .rules = rules, .days = conf->archive_keep_days,
		.by_direction = { conf->archive_keep_incoming, conf->archive_keep_outgoing, conf->archive_keep_internal } };
	for (size_t i = 0; i < conf->archive_rules.count; i++)
		if (archive_rule_parse(arena_copy(a, conf->archive_rules.items[i]), &rules[out->count], &why) == OK)
			out->count++; /* the others were refused with the file */
}

/* ---- looking, on a worker ---- */

static bool
is_due(struct snapshot *snap, const struct retaining *r, const struct archive_row *row, uint64_t over)
{
	int64_t days = archive_keep_find(&r->keep, &row->message).days;
	struct archive_hold hold;

	if (over == 0 && (days == 0 || row->time_ms + (uint64_t)days * DAY_OF_MS > r->now_ms))
		return false;
	return archive_hold_find(snap, row->archive_id, &hold) == ERR_NOT_FOUND;
}

/* The oldest go until the rest is no more than archive.max_size. */
static uint64_t
bytes_over(struct snapshot *snap, const struct retaining *r)
{
	struct archive_head head;

	if (r->max_size == 0 || archive_head_get(snap, &head) != OK || head.bytes <= r->max_size)
		return 0;
	return head.bytes - r->max_size;
}

static void
look_some(struct snapshot *snap, struct retaining *r, int64_t end_ms)
{
	uint64_t over = bytes_over(snap, r), least = (uint64_t)archive_keep_least(&r->keep) * DAY_OF_MS;
	struct archive_row row;
	unsigned looks = 0;

	r->why = over > 0 ? WHY_SIZE : WHY_AGE;
	while (r->count < ARCHIVE_REMOVE_MAX && (++looks % 64 || work_clock_ms() < end_ms)) {
		enum err err = archive_next(snap, r->at[r->why], &row);

		/* at one that is younger than all that is let go the others are too */
		if (err == ERR_NOT_FOUND || err == ERR_IO ||
			(err == OK && r->why == WHY_AGE && (least == 0 || row.time_ms + least > r->now_ms))) {
			r->ends = true;
			return;
		}
		r->at[r->why] = err == OK && row.kind == ARCHIVE_GAP ? row.run.last : row.archive_id;
		if (err != OK || row.kind != ARCHIVE_MESSAGE || !is_due(snap, r, &row, over))
			continue;
		r->ids[r->count++] = row.archive_id;
		over = over > row.message.size ? over - row.message.size : 0;
		if (r->why == WHY_SIZE && over == 0)
			return;
	}
}

static void
look_run(struct work *work)
{
	struct retaining *r = LIST_ITEM(work, struct retaining, work);

	work->result = OK;
	r->count = 0;
	r->at[WHY_SIZE] = 0; /* the oldest, each time */
	while (r->count == 0 && !r->ends) {
		struct snapshot *snap;

		work->result = snapshot_open(r->host->store, &snap);
		if (work->result != OK)
			return;
		look_some(snap, r, work_clock_ms() + ARCHIVE_RETAIN_LOOK_MS);
		snapshot_close(&snap);
	}
}

/* ---- taking out, on the writer ---- */

static enum step
take_apply(struct store_job *job, struct txn *txn)
{
	static const char *const words[] = { [WHY_AGE] = "age", [WHY_SIZE] = "archive.max_size" };
	struct retaining *r = LIST_ITEM(job, struct retaining, job);
	bool more = false;
	enum err err;

	if (!r->sweeps)
		return step_of(job, archive_remove(txn, archive_sha256, r->ids, r->count,
					    span_of(words[r->why]), &r->removed));
	err = archive_words_sweep(txn, SWEEP_ROWS, &more);
	return err == OK && more ? STEP_MORE : step_of(job, err);
}

static void look_on(struct retaining *r);

static void
finish(struct retaining *r)
{
	if (r->taken > 0)
		log_put(r->host->log,
			&(struct log_line){ .level = LEVEL_INFO, .area = "security",
				.text = "retention took messages out of the archive",
				.fields = { { "count", SPAN_NONE, (int64_t)r->taken } } });
	arena_reset(&r->arena);
	free(r);
	running = NULL;
}

static void
take_done(struct store_job *job, enum err result)
{
	struct retaining *r = LIST_ITEM(job, struct retaining, job);
	bool stuck = !r->sweeps && r->removed == 0 && r->why == WHY_SIZE; /* held, or broken: not again and again */

	if (result == OK && !r->sweeps)
		r->taken += r->removed;
	if (result != OK)
		log_put(r->host->log,
			&(struct log_line){ .level = LEVEL_WARNING, .area = "task",
				.text = "retention of the archive left something undone",
				.fields = { { "why", span_of(err_name(result)), 0 } } });
	if (result != OK || r->sweeps || stuck)
		finish(r);
	else
		look_on(r);
}

static void
submit(struct retaining *r)
{
	r->job = (struct store_job){ .apply = take_apply, .done = take_done,
		.inbox = r->host->inbox, .patient = true };
	if (store_submit(r->host->store, &r->job) != OK)
		finish(r);
}

static void
look_done(struct work *work, enum err result)
{
	struct retaining *r = LIST_ITEM(work, struct retaining, work);

	if (result != OK) {
		finish(r);
		return;
	}
	if (r->count == 0) { /* the end; words of blocks that are empty now go as well */
		known.from_id = r->at[WHY_AGE];
		r->sweeps = true;
		if (r->taken == 0)
			finish(r);
		else
			submit(r);
		return;
	}
	submit(r);
}

static void
look_on(struct retaining *r)
{
	r->ends = false;
	r->work = (struct work){ .loop = r->host->loop, .kind = WORK_GENERAL, .run = look_run,
		.done = look_done };
	if (workers_submit(r->host->workers, &r->work) != OK)
		finish(r);
}

/* From the front: the first time, once a day, and by other settings. */
static uint64_t
where_to_begin(struct host *host, int64_t now_ms)
{
	if (known.generation != host->generation || now_ms - known.whole_ms >= ARCHIVE_RETAIN_WHOLE_MS) {
		known.from_id = 0;
		known.whole_ms = now_ms;
		known.generation = host->generation;
	}
	return known.from_id;
}

void
archive_retain(struct host *host)
{
	struct retaining *r;

	if (running || store_is_dead(host->store))
		return;
	r = calloc(1, sizeof(*r));
	ENSURE(r);
	arena_init(&r->arena, NULL);
	archive_keep_of(host->conf, &r->arena, &r->keep);
	r->max_size = (uint64_t)host->conf->archive_max_size;
	if (archive_keep_least(&r->keep) == 0 && r->max_size == 0) {
		arena_reset(&r->arena);
		free(r);
		return;
	}
	running = r;
	r->host = host;
	r->now_ms = (uint64_t)host_now_ms(host);
	r->at[WHY_AGE] = where_to_begin(host, (int64_t)r->now_ms);
	look_on(r);
}
