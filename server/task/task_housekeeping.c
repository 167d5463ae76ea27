/*
 * task_housekeeping.c - a chain of patient jobs, one at a time, each in slices.
 *
 *     forwards -> folders -> message bins -> graves -> queue bin -> user bin -> legacy passwords -> traces
 *     -> changes -> rule hits -> questions -> refusals -> rest until the next minute
 *
 * A job that fails is logged and the chain goes on; all of it comes again in a minute.
 */
#include "server/task/task_housekeeping.h"

#include <stdlib.h>

#include "conf/conf.h"
#include "server/log.h"
#include "server/pipeline/names.h"
#include "server/queue/outgoing.h"
#include "server/queue/refusals.h"
#include "server/rule_hits.h"
#include "store/bin.h"
#include "store/changes.h"
#include "store/commit.h"
#include "store/folder_jobs.h"
#include "store/forwards.h"
#include "store/graves.h"
#include "store/questions.h"
#include "store/queued.h"
#include "store/secrets.h"
#include "store/traces.h"
#include "store/users.h"

#define QUESTIONS_SLICE 100 /* that go in one transaction */

struct housekeeping {
	struct store_job job;
	struct host *host;
	size_t step; /* row of `steps` at work */
	int64_t now_ms, users_before_ms, traces_from_ms;
	uint64_t traces_max, users_at;
	struct bin_sweep bins;
	bool erases_secrets;
	bool forwards; /* of some users they were ended or turned */
	struct refusals_batch *refusals;
};

/* At most one in a process: there is one front loop, and tasks run on it. */
static struct housekeeping *running;

/* What a change of users has left over (SNF-05). */
static enum err
follow_forwards(struct housekeeping *h, struct txn *txn, bool *more)
{
	h->forwards |= forwards_have_marks(txn_view(txn));
	return forwards_follow_some(txn, more);
}

static enum err
free_graves(struct housekeeping *h, struct txn *txn, bool *more)
{
	(void)h;
	return graves_free_some(txn, more);
}

static enum err
purge_queue(struct housekeeping *h, struct txn *txn, bool *more)
{
	return queued_purge_bin(txn, h->now_ms, more);
}

static enum err
purge_users(struct housekeeping *h, struct txn *txn, bool *more)
{
	return users_purge_bin(txn, h->users_before_ms, &h->users_at, more);
}

/* What a crash left of removals and copies. */
static enum err
finish_folders(struct housekeeping *h, struct txn *txn, bool *more)
{
	(void)h;
	return folder_leftovers(txn, more);
}

static enum err
sweep_bins(struct housekeeping *h, struct txn *txn, bool *more)
{
	return bin_sweep_some(txn, &h->bins, more);
}

/* H64: what may not be used any more is not kept either. */
static enum err
erase_secrets(struct housekeeping *h, struct txn *txn, bool *more)
{
	*more = false;
	return h->erases_secrets ? user_secrets_erase(txn, more) : OK;
}

static enum err
prune_traces(struct housekeeping *h, struct txn *txn, bool *more)
{
	return traces_prune(txn, h->traces_from_ms, h->traces_max, more);
}

static enum err
prune_changes(struct housekeeping *h, struct txn *txn, bool *more)
{
	(void)h;
	return changes_prune(txn, more);
}

static enum err
write_refusals(struct housekeeping *h, struct txn *txn, bool *more)
{
	*more = false;
	return refusals_write(txn, h->refusals);
}

/* SMR-15: counted in memory, so a hit costs no commit. */
static enum err
write_rule_hits(struct housekeeping *h, struct txn *txn, bool *more)
{
	return rule_hits_write(h->host->shared, txn, more);
}

/* Of mailboxes that are not collected any more. */
static enum err
sweep_questions(struct housekeeping *h, struct txn *txn, bool *more)
{
	return questions_sweep(txn, h->now_ms, QUESTIONS_SLICE, more);
}

static const struct {
	const char *name;
	enum err (*run)(struct housekeeping *h, struct txn *txn, bool *more);
} steps[] = {
	{ "forwards", follow_forwards },
	{ "folders", finish_folders },
	{ "message bins", sweep_bins },
	{ "graves", free_graves },
	{ "queue bin", purge_queue },
	{ "user bin", purge_users },
	{ "legacy passwords", erase_secrets },
	{ "traces", prune_traces },
	{ "changes", prune_changes },
	{ "rule hits", write_rule_hits },
	{ "questions", sweep_questions },
	{ "refusals", write_refusals },
};

static enum step
step_apply(struct store_job *job, struct txn *txn)
{
	struct housekeeping *h = LIST_ITEM(job, struct housekeeping, job);
	bool more = false;
	enum err err = steps[h->step].run(h, txn, &more);

	if (err == OK && more)
		return STEP_MORE;
	return step_of(job, err);
}

static void
finish(struct housekeeping *h)
{
	refusals_batch_free(&h->refusals);
	free(h);
	running = NULL;
}

static void step_done(struct store_job *job, enum err result);

/* Refusals ride with others; here only where nobody came for a while (H88). */
static bool
has_work(const struct housekeeping *h)
{
	return steps[h->step].run != write_refusals || h->refusals;
}

static void
begin_step(struct housekeeping *h)
{
	while (h->step < COUNT(steps) && !has_work(h))
		h->step++;
	if (h->step == COUNT(steps)) {
		finish(h);
		return;
	}
	h->job = (struct store_job){ .apply = step_apply, .done = step_done,
		.inbox = h->host->inbox, .patient = true };
	if (store_submit(h->host->store, &h->job) != OK)
		finish(h);
}

static void
step_done(struct store_job *job, enum err result)
{
	struct housekeeping *h = LIST_ITEM(job, struct housekeeping, job);

	if (h->forwards)
		outgoing_look_again(h->host); /* what came for them meanwhile may leave */
	h->forwards = false;
	if (result != OK)
		log_put(h->host->log,
			&(struct log_line){ .level = LEVEL_WARNING, .area = "task",
				.text = "housekeeping left something undone",
				.fields = { { "what", span_of(steps[h->step].name), 0 },
					{ "why", span_of(err_name(result)), 0 } } });
	h->step++;
	begin_step(h);
}

/* Once in a process: postmaster and abuse are put off where nobody would get them (RFC 5321, 4.5.1). */
static void
warn_without_admin(struct host *host)
{
	static bool asked;
	struct snapshot *snap = asked ? NULL : host_snapshot(host);
	struct user user;

	if (!snap)
		return;
	asked = true;
	if (names_main_administrator(host->conf, snap, &user) == ERR_NOT_FOUND)
		log_put(host->log,
			&(struct log_line){ .level = LEVEL_WARNING, .area = "task",
				.text = "there is no administrator: mail for postmaster is put off",
				.fields = { { "main_administrator",
					host->conf->main_administrator } } });
}

void
task_housekeeping(struct host *host)
{
	struct housekeeping *h;

	if (running || store_is_dead(host->store))
		return;
	warn_without_admin(host);
	h = calloc(1, sizeof(*h));
	ENSURE(h);
	running = h;
	h->host = host;
	h->now_ms = host_now_ms(host);
	h->erases_secrets = !h->host->conf->auth_recoverable;
	h->users_before_ms = h->now_ms - host->conf->users_bin_keep_ms;
	h->bins.keep_ms = (uint64_t)host->conf->users_bin_keep_ms;
	h->traces_from_ms = h->now_ms - host->conf->trace_keep_ms;
	h->traces_max = (uint64_t)host->conf->trace_max_size;
	h->refusals = refusals_take(host);
	begin_step(h);
}
