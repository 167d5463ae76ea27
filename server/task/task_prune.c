/*
 * task_prune.c - see task_prune.h.
 */
#include "server/task/task_prune.h"

#include <stdlib.h>

#include "server/log.h"
#include "server/net/work.h"
#include "store/prune.h"
#include "store/prune_round.h"

#define SCAN_SLICES 50 /* of one turn on a worker: half a second */

struct prune_run {
	struct work work;
	struct store_job job;
	struct host *host;
	struct prune_run_asker asker;
	struct prune_scan scan;
	struct prune_batch batch;
	bool more; /* to scan */
	struct prune_run_figures figures;
	struct prune_round round; /* after it */
};

/* That of the background: one at a time. The front loop's. */
static struct prune_run *round_running;

static void scan_begin(struct prune_run *run);

/* ---- the end ---- */

static void
run_end(struct prune_run *run, enum err result)
{
	if (run->asker.done)
		run->asker.done(run->asker.arg, &run->figures, result);
	arena_reset(&run->scan.arena);
	if (round_running == run)
		round_running = NULL;
	free(run);
}

static enum step
round_apply(struct store_job *job, struct txn *txn)
{
	struct prune_run *run = LIST_ITEM(job, struct prune_run, job);
	enum err err = prune_round_get(txn_view(txn), &run->round);

	if (err == OK || err == ERR_CORRUPT) {
		run->round = prune_round_after(
			&run->round, run->figures.taken, txn_now_ms(txn));
		err = prune_round_put(txn, &run->round);
	}
	return step_of(job, err);
}

static void
round_done(struct store_job *job, enum err result)
{
	run_end(LIST_ITEM(job, struct prune_run, job), result);
}

/* What it came to decides when the next one is, also after a failure: else that would come at once again. */
static void
run_finish(struct prune_run *run, enum err result)
{
	if (result != OK)
		log_put(run->host->log,
			&(struct log_line){ .level = LEVEL_WARNING, .area = "task",
				.text = "pruning ended early",
				.fields = { { "why", span_of(err_name(result)), 0 },
					{ "messages", .number = (int64_t)run->figures.taken } } });
	if (run->asker.only_user != 0 || (result != OK && run != round_running)) {
		run_end(run, result);
		return;
	}
	run->job = (struct store_job){ .apply = round_apply, .done = round_done,
		.inbox = run->host->inbox, .patient = true };
	if (store_submit(run->host->store, &run->job) != OK)
		run_end(run, ERR_BUSY);
}

/* ---- taking ---- */

static enum step
take_apply(struct store_job *job, struct txn *txn)
{
	struct prune_run *run = LIST_ITEM(job, struct prune_run, job);
	bool more;
	enum err err = prune_take_some(txn, &run->batch, &more);

	return err == OK && more ? STEP_MORE : step_of(job, err);
}

static void
run_go_on(struct prune_run *run)
{
	bool enough = run->asker.told && run->asker.told(run->asker.arg, &run->figures);

	if (run->more && !enough)
		scan_begin(run);
	else
		run_finish(run, OK);
}

static void
take_done(struct store_job *job, enum err result)
{
	struct prune_run *run = LIST_ITEM(job, struct prune_run, job);

	/* of a slice that failed, those before it are on disk */
	run->figures.taken += result == OK ? run->batch.taken.at : run->batch.taken.before;
	if (result == OK)
		run_go_on(run);
	else
		run_finish(run, result);
}

/* ---- scanning ---- */

static bool
scan_found(void *arg, const struct prune_found *found)
{
	return prune_batch_add(arg, found);
}

/* On a worker: until a batch is full, or all is seen, or for half a second. */
static void
scan_run(struct work *work)
{
	struct prune_run *run = LIST_ITEM(work, struct prune_run, work);
	enum err err = OK;

	prune_batch_clear(&run->batch);
	run->more = true;
	for (unsigned i = 0; i < SCAN_SLICES && err == OK && run->more; i++) {
		struct snapshot *snap;

		if (prune_batch_is_full(&run->batch))
			break;
		err = snapshot_open(run->host->store, &snap);
		if (err != OK)
			break;
		err = prune_scan_some(snap, &run->scan, scan_found, &run->batch, &run->more);
		snapshot_close(&snap);
	}
	run->figures.looked = run->scan.looked;
	work->result = err;
}

static void
scan_done(struct work *work, enum err result)
{
	struct prune_run *run = LIST_ITEM(work, struct prune_run, work);

	if (result == OK && run->batch.count == 0) {
		run_go_on(run);
		return;
	}
	if (result == OK) {
		run->job = (struct store_job){ .apply = take_apply, .done = take_done,
			.inbox = run->host->inbox, .patient = true };
		result = store_submit(run->host->store, &run->job);
	}
	if (result != OK)
		run_finish(run, result);
}

static void
scan_begin(struct prune_run *run)
{
	enum err err;

	run->work = (struct work){ .loop = run->host->loop, .kind = WORK_LONG, .run = scan_run,
		.done = scan_done };
	err = workers_submit(run->host->workers, &run->work);
	if (err != OK)
		run_finish(run, err);
}

static struct prune_run *
run_new(struct host *host, const struct prune_run_asker *asker)
{
	struct prune_run *run = calloc(1, sizeof(*run));

	ENSURE(run);
	run->host = host;
	run->asker = *asker;
	run->scan.now_ms = (uint64_t)host_now_ms(host);
	run->scan.only_user = asker->only_user;
	arena_init(&run->scan.arena, NULL);
	return run;
}

void
prune_run_start(struct host *host, const struct prune_run_asker *asker)
{
	scan_begin(run_new(host, asker));
}

/* ---- in the background ---- */

static void
round_told(void *arg, const struct prune_run_figures *figures, enum err result)
{
	struct host *host = arg;

	if (result == OK && figures->taken > 0)
		log_put(host->log,
			&(struct log_line){ .level = LEVEL_INFO, .area = "task",
				.text = "pruned",
				.fields = { { "messages", .number = (int64_t)figures->taken },
					{ "next_in_s", .number = (int64_t)(
						round_running->round.every_ms / 1000) } } });
}

void
task_prune(struct host *host)
{
	struct snapshot *snap = host_snapshot(host);
	struct prune_rule rule = { .user_id = 0 };
	struct prune_round round;
	enum err err;

	if (round_running || store_is_dead(host->store) || !snap)
		return;
	err = prune_rule_next(snap, &rule);
	if (err != OK && err != ERR_CORRUPT)
		return; /* there are none */
	if (prune_round_get(snap, &round) == ERR_IO ||
		round.next_ms > (uint64_t)host_now_ms(host))
		return;
	round_running = run_new(host,
		&(struct prune_run_asker){ .arg = host, .done = round_told });
	scan_begin(round_running);
}
