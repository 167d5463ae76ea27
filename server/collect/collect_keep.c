/*
 * collect_keep.c - what the store keeps of collectors: how the last collection of each ended, over restarts; and what
 * was fetched by those that left the file, until it is swept (store/fetched.h).
 */
#include "server/collect/collect_inside.h"

#include <stdio.h>
#include <stdlib.h>

#include "server/collect/collect_account.h"
#include "server/log.h"
#include "store/commit.h"
#include "store/fetched.h"

/* ---- how the last one ended ---- */

struct ending {
	struct store_job job;
	char name[COLLECT_NAME_SIZE], error[COLLECT_ERROR_SIZE];
	int64_t last_ms;
	bool failed;
};

static enum step
ending_apply(struct store_job *job, struct txn *txn)
{
	struct ending *e = LIST_ITEM(job, struct ending, job);

	return step_of(job,
		fetched_collector_note(txn, span_of(e->name), e->last_ms, e->failed, span_of(e->error)));
}

static void
ending_done(struct store_job *job, enum err result)
{
	(void)result; /* logged where it failed; the next one is noted again */
	free(LIST_ITEM(job, struct ending, job));
}

void
collector_keep_end(const struct collector *c)
{
	struct ending *e = calloc(1, sizeof(*e));

	ENSURE(e);
	snprintf(e->name, sizeof(e->name), "%s", c->name);
	snprintf(e->error, sizeof(e->error), "%s", c->error);
	e->last_ms = c->last_ms;
	e->failed = c->failed;
	e->job = (struct store_job){ .apply = ending_apply, .done = ending_done,
		.inbox = c->all->host->inbox, .size_bytes = sizeof(*e) };
	if (store_submit(c->all->host->store, &e->job) != OK)
		free(e);
}

void
collector_recall(struct collector *c)
{
	struct snapshot *snap = host_snapshot(c->all->host);
	struct fetched_collector kept;

	if (!snap || fetched_collector_find(snap, span_of(c->name), &kept) != OK)
		return;
	c->last_ms = kept.last_ms;
	c->failed = kept.failed;
	snprintf(c->error, sizeof(c->error), "%.*s", SPAN_FMT(kept.error));
}

/* ---- those that left the file ---- */

struct sweeping {
	struct store_job job;
	struct collect *all;
	struct slice_place place; /* 1: the file was followed */
	int64_t now_ms;
	size_t count;
	struct sweeping_collector {
		char name[COLLECT_NAME_SIZE];
		uint64_t mark;
	} *collectors;
};

static struct span
name_at(const void *sweeping, size_t i)
{
	return span_of(((const struct sweeping *)sweeping)->collectors[i].name);
}

static uint64_t
mark_at(const void *sweeping, size_t i)
{
	return ((const struct sweeping *)sweeping)->collectors[i].mark;
}

static enum step
sweeping_apply(struct store_job *job, struct txn *txn)
{
	struct sweeping *s = LIST_ITEM(job, struct sweeping, job);
	const struct fetched_file file = { s, s->count, name_at, mark_at };
	bool followed = slice_begin(&s->place, txn) > 0, more = false;
	enum err err = followed ? OK : fetched_follow(txn, &file, s->now_ms);

	s->place.at = 1;
	if (err == OK)
		err = fetched_sweep(txn, s->now_ms, &more);
	return err == OK && more ? STEP_MORE : step_of(job, err);
}

static void
sweeping_free(struct sweeping *s)
{
	s->all->sweeps = false;
	free(s->collectors);
	free(s);
}

static void
sweeping_done(struct store_job *job, enum err result)
{
	struct sweeping *s = LIST_ITEM(job, struct sweeping, job);

	if (result != OK)
		log_put(s->all->host->log, &(struct log_line){ .level = LEVEL_WARNING, .area = "collect",
			.text = "what was fetched by collectors that are gone was not swept",
			.fields = { { "why", span_of(err_name(result)), 0 } } });
	sweeping_free(s);
}

void
collect_sweep(struct collect *all)
{
	const struct conf_collectors *conf = &all->host->conf->collectors;
	struct sweeping *s;

	if (all->sweeps)
		return;
	all->sweep_ms = host_steady_ms(all->host) + COLLECT_SWEEP_MS;
	s = calloc(1, sizeof(*s));
	ENSURE(s);
	s->all = all;
	s->now_ms = host_now_ms(all->host);
	s->count = conf->count;
	s->collectors = calloc(conf->count + 1, sizeof(*s->collectors));
	ENSURE(s->collectors);
	for (size_t i = 0; i < conf->count; i++) {
		snprintf(s->collectors[i].name, sizeof(s->collectors[i].name), "%.*s", SPAN_FMT(conf->items[i].name));
		s->collectors[i].mark = collect_account_mark(&conf->items[i]);
	}
	s->job = (struct store_job){ .apply = sweeping_apply, .done = sweeping_done,
		.inbox = all->host->inbox, .size_bytes = 64 * FETCHED_SLICE, .patient = true };
	all->sweeps = true;
	if (store_submit(all->host->store, &s->job) != OK)
		sweeping_free(s);
}
