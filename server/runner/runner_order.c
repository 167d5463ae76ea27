/*
 * runner_order.c - orders on the loops that give them: written, taken back, delivered, put in words.
 *
 * An order is held by its way there and back, and once more by a cancelling that is under way. All orders are in
 * one list, behind a lock, so that none is lost when the loops have ended.
 */
#include "server/runner/runner_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/script/script_wire.h"

void
runner_order_free(struct runner_order *order)
{
	buf_wipe(&order->file);
	buf_wipe(&order->output);
	free(order);
}

void
runner_order_release(struct runner_order *order)
{
	struct runner *r = order->runner;

	if (--order->holds > 0)
		return;
	pthread_mutex_lock(&r->lock);
	list_remove(&order->all);
	r->order_count -= order->row.kind != RUNNER_SCRIPT;
	pthread_mutex_unlock(&r->lock);
	runner_order_free(order);
}

void
runner_deliver(void *arg)
{
	struct runner_order *order = arg;
	struct runner_job *job = order->job;
	struct runner_answer answer = { .end = (enum runner_end)order->report.end,
		.number = order->report.number, .timeout_ms = order->row.timeout_ms,
		.output = buf_span(&order->output), .error = order->report.error };

	if (job) {
		job->order = NULL;
		job->done(job, &answer);
	}
	runner_order_release(order);
}

static enum err
put_words(struct runner_order *order, const struct span *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (span_find(words[i], '\0') < words[i].len)
			return ERR_SYNTAX;
		if (buf_put(&order->file, words[i]) != OK || buf_put_char(&order->file, '\0') != OK)
			return ERR_LIMIT;
	}
	return OK;
}

static enum err
check_job(const struct runner_job *job)
{
	if (job->script)
		return job->argc > 0 || job->env_count > 0 ? ERR_SYNTAX :
			job->input.len > SCRIPT_INPUT_MAX || job->output_max > RUNNER_OUTPUT_MAX
			? ERR_LIMIT
			: OK;
	if (job->argc == 0 || !span_starts(job->argv[0], SPAN("/")))
		return ERR_SYNTAX;
	for (size_t i = 0; i < job->env_count; i++) {
		size_t name = span_find(job->env[i], '=');

		if (name == 0 || name == job->env[i].len)
			return ERR_SYNTAX;
	}
	return job->argc > RUNNER_ARGUMENTS_MAX || job->env_count > RUNNER_VARIABLES_MAX ||
			job->input.len > RUNNER_INPUT_MAX || job->output_max > RUNNER_OUTPUT_MAX
		? ERR_LIMIT
		: OK;
}

static enum err
write_order(struct runner_order *order, const struct runner_job *job)
{
	enum err err = check_job(job);

	buf_init(&order->file, job->input.len + RUNNER_WORDS_MAX);
	buf_init(&order->output, RUNNER_OUTPUT_MAX);
	order->file.wipes = order->output.wipes = true;
	if (err == OK && buf_put(&order->file, job->input) != OK)
		err = ERR_LIMIT;
	if (err == OK)
		err = put_words(order, job->argv, job->argc);
	if (err == OK)
		err = put_words(order, job->env, job->env_count);
	order->row = (struct runner_row){ .kind = job->script ? RUNNER_SCRIPT : RUNNER_START,
		.argc = (uint32_t)job->argc,
		.env_count = (uint32_t)job->env_count, .input_size = job->input.len,
		.words_size = buf_span(&order->file).len - (err == OK ? job->input.len : 0),
		.timeout_ms = job->timeout_ms > 0 ? job->timeout_ms : RUNNER_TIMEOUT_MS,
		.output_max = job->output_max };
	return err;
}

struct share {
	size_t count, bytes;
};

static bool
has_room(struct share used, size_t size, size_t part)
{
	return used.count < RUNNER_WAITING_MAX / part && used.bytes + size <= RUNNER_SCRIPTS_BYTES / part;
}

/* Scripts: what users ask for leaves the site its half, and what one user asks for leaves others theirs. */
static bool
script_has_room(const struct runner *r, uint64_t owner, size_t size)
{
	struct share half = { 0, 0 }, own = { 0, 0 };
	const struct list *at;

	for (at = r->orders.next; at != &r->orders; at = at->next) {
		const struct runner_order *other = LIST_ITEM(at, struct runner_order, all);
		bool same = other->owner == owner;

		if (other->row.kind != RUNNER_SCRIPT || !other->owner != !owner)
			continue;
		half.count++;
		half.bytes += other->row.input_size;
		own.count += same;
		own.bytes += same ? other->row.input_size : 0;
	}
	return has_room(half, size, 2) && (owner == 0 || has_room(own, size, RUNNER_OWNER_SHARE));
}

bool
runner_has_room(struct host *host, uint64_t owner, size_t size)
{
	struct runner *r = host->runner;
	bool room;

	pthread_mutex_lock(&r->lock);
	room = script_has_room(r, owner, size);
	pthread_mutex_unlock(&r->lock);
	return room;
}

/* False: too many. */
static bool
enlist(struct runner *r, struct runner_order *order)
{
	bool room;

	pthread_mutex_lock(&r->lock);
	if (order->row.kind == RUNNER_SCRIPT)
		room = script_has_room(r, order->owner, order->row.input_size);
	else
		room = r->order_count < RUNNER_WAITING_MAX + RUNNER_PROGRAMS_MAX;
	if (room) {
		list_append(&r->orders, &order->all);
		r->order_count += order->row.kind != RUNNER_SCRIPT;
	}
	pthread_mutex_unlock(&r->lock);
	return room;
}

enum err
runner_run(struct host *host, struct runner_job *job)
{
	struct runner_order *order = calloc(1, sizeof(*order));
	enum err err;

	ENSURE(order && !job->order);
	order->runner = host->runner;
	order->asker = host->loop;
	order->job = job;
	order->owner = job->owner;
	order->holds = 1;
	list_init(&order->link);
	err = write_order(order, job);
	if (err == OK && !enlist(host->runner, order))
		err = ERR_BUSY;
	if (err != OK) {
		runner_order_free(order);
		return err;
	}
	job->order = order;
	loop_post(host->runner->front, runner_on_order, order);
	return OK;
}

void
runner_cancel(struct runner_job *job)
{
	struct runner_order *order = job->order;

	if (!order)
		return;
	job->order = NULL;
	order->job = NULL;
	order->holds++;
	loop_post(order->runner->front, runner_on_cancel, order);
}

/* ---- in words ---- */

const char *
runner_says(const struct runner_answer *a, char out[RUNNER_SAYS_SIZE])
{
	char line[RUNNER_LINE_SIZE + 4] = "";
	struct span error = span_trim(span_of(a->error));

	if (error.len > 0) {
		memcpy(line, ": ", 2);
		line[2 + span_copy_clean(error, line + 2, sizeof(line) - 3)] = '\0';
	}
	switch (a->end) {
	case RUNNER_EXITED:
		snprintf(out, RUNNER_SAYS_SIZE, "ended with status %d%s", a->number, line);
		break;
	case RUNNER_SIGNALLED:
		snprintf(out, RUNNER_SAYS_SIZE, "was ended by signal %d%s", a->number, line);
		break;
	case RUNNER_TIMED_OUT:
		snprintf(out, RUNNER_SAYS_SIZE, "took longer than %lld s%s",
			(long long)(a->timeout_ms + 999) / 1000, line);
		break;
	case RUNNER_TOO_MUCH:
		snprintf(out, RUNNER_SAYS_SIZE, "said too much%s", line);
		break;
	case RUNNER_NOT_STARTED:
		snprintf(out, RUNNER_SAYS_SIZE, "cannot be started: %s", strerror(a->number));
		break;
	case RUNNER_LOST:
		snprintf(out, RUNNER_SAYS_SIZE, "was lost with the runner of programs (error.log may say why)");
		break;
	}
	return out;
}
