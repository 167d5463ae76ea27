/*
 * collect_turn.c - which collector is fetched when: one collection of each at a time, COLLECT_AT_ONCE in all, dealt out
 * to the loops.
 *
 *     asked for --> waits for its turn --> under way --> over --> (asked for meanwhile: once more)
 */
#include "server/collect/collect_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/collect/collect_tell.h"
#include "server/log.h"
#include "server/metrics.h"
#include "server/server.h"

/* ---- it is over ---- */

static void
keep_result(struct collector *c, const struct collection_shown *shown)
{
	if (!c->result)
		c->result = calloc(1, sizeof(*c->result));
	ENSURE(c->result);
	memcpy(c->result->texts, shown->errors, sizeof(shown->errors));
	c->result->error_count = shown->error_count;
	for (size_t i = 0; i < c->result->error_count; i++)
		c->result->errors[i] = c->result->texts[i];
	c->result->counts = (struct collect_counts){ shown->fetched, shown->left, shown->deleted,
		shown->failed, shown->bytes, shown->to_fetch, shown->to_fetch_bytes };
}

static void
log_over(const struct collector *c, const struct collection_end *end)
{
	const struct collect_counts *n = &c->result->counts;

	log_put(c->all->host->log,
		&(struct log_line){ .level = end->failed ? LEVEL_WARNING : LEVEL_INFO, .area = "collect",
			.text = end->failed ? "failed" : end->stopped ? "stopped" : "ended",
			.fields = { { "collector", span_of(c->name), 0 },
				{ "server", span_of(end->problem.remote), 0 },
				{ "fetched", .number = (int64_t)n->fetched },
				{ "bytes", .number = (int64_t)n->bytes },
				{ "left", .number = (int64_t)n->left },
				{ "deleted", .number = (int64_t)n->deleted },
				{ "errors", .number = (int64_t)n->failed },
				{ "why", span_of(end->why), 0 },
				{ "command", span_of(end->problem.command), 0 },
				{ "answer", span_of(end->problem.answer), 0 } } });
}

static void
on_over(struct collection *collection)
{
	struct collector *c = collection_holder(collection);
	const struct collection_end *end = collection_end(collection);
	struct collect *all = c->all;
	int64_t now_ms = host_now_ms(all->host);

	keep_result(c, collection_shown(collection));
	log_over(c, end);
	metric_add(all->host->metrics, collections, 1);
	metric_add(all->host->metrics, collect_failures, end->failed);
	c->failed = end->failed;
	snprintf(c->error, sizeof(c->error), "%s", end->why);
	collect_tell(c, end);
	c->last_ms = now_ms;
	collector_keep_end(c);
	c->listen_ms = host_steady_ms(all->host) + (end->failed ? COLLECT_LISTEN_AGAIN_MS : COLLECT_LOOK_MS);
	c->collection = NULL;
	c->stopping = false;
	all->under_way--;
	collection_bury(collection);
	if (!c->kept) {
		collector_free(c);
	} else if (c->again) {
		c->again = false;
		c->number = c->number_again;
		list_append(&all->waiting, &c->link_waits);
		snprintf(c->because, sizeof(c->because), "%s", c->because_again);
	}
	collect_start_waiting(all);
}

/* Its collector may be gone. */
static void
on_buried(struct collection *collection)
{
	const struct collection_options *o = collection_options(collection);

	collect_leave_loop(o->front->collect, o->host);
}

/* ---- it begins ---- */

static void
begin(struct collector *c, const struct conf_collector *conf)
{
	struct collect *all = c->all;
	struct collection_options o = { .host = collect_take_loop(all), .front = all->host,
		.generation = all->host->generation, .conf = conf, .kind = all->kind, .over = on_over,
		.buried = on_buried, .holder = c };

	c->collection = collection_new(&o);
	c->began_ms = host_now_ms(all->host);
	c->held = false;
	all->under_way++;
	log_put(all->host->log, &(struct log_line){ .level = LEVEL_INFO, .area = "collect",
		.text = "starts", .fields = { { "collector", span_of(c->name), 0 },
			{ "because", span_of(c->because), 0 } } });
	collection_begin(c->collection);
}

/* Who listens for new mail (IDLE) does so for days, and takes nobody's turn. */
static unsigned
at_work(const struct collect *all)
{
	return all->under_way - all->listening;
}

/* A collection obeys the text that stood in the file when it began, however new that is (DLR-02). */
static bool
has_to_wait_for_rules(struct collect *all)
{
	int64_t now_ms = host_steady_ms(all->host);

	if (!all->host->server || server_rules_are_read(all->host->server, RULE_FILE_DOWNLOAD)) {
		all->rules_until_ms = 0;
		return false;
	}
	if (all->rules_until_ms == 0)
		all->rules_until_ms = now_ms + COLLECT_RULES_WAIT_MS;
	loop_timer_set(all->host->loop, &all->look, COLLECT_RULES_LOOK_MS);
	return now_ms < all->rules_until_ms;
}

void
collect_start_waiting(struct collect *all)
{
	struct list *at, *following;

	if (all->ending || all->begun == COLLECT_BEGIN_TURN || list_is_empty(&all->waiting) ||
		has_to_wait_for_rules(all))
		return;
	list_for_each(at, following, &all->waiting) {
		struct collector *c = LIST_ITEM(at, struct collector, link_waits);
		const struct conf_collector *conf = collector_conf(c);

		if (at_work(all) >= COLLECT_AT_ONCE)
			return;
		if (collector_has_to_wait(c))
			continue;
		collect_next_turn(all); /* then others may */
		if (all->begun == COLLECT_BEGIN_TURN)
			return;
		list_remove(&c->link_waits);
		if (!conf || !conf->enabled)
			continue;
		all->begun++;
		begin(c, conf);
	}
}

void
collector_start(struct collector *c, const char *because)
{
	struct collect *all = c->all;

	if (collector_waits(c) || c->again || all->ending)
		return;
	if (c->collection) {
		c->again = true;
		c->number_again = ++all->numbers;
		snprintf(c->because_again, sizeof(c->because_again), "%s", because);
		if (collector_listens(c) && !c->stopping) /* the next one listens again */
			collection_stop(c->collection, COLLECT_STOP_MS);
		return;
	}
	c->number = ++all->numbers;
	snprintf(c->because, sizeof(c->because), "%s", because);
	list_append(&all->waiting, &c->link_waits);
	collect_start_waiting(all);
}

enum err
collect_now(struct collect *all, struct span name, const char *because, uint64_t *number)
{
	struct collector *c = collect_named(all, name);
	const struct conf_collector *conf = c ? collector_conf(c) : NULL;

	if (!conf)
		return ERR_NOT_FOUND;
	if (!conf->enabled || conf->kind == COLLECTOR_SMTP)
		return ERR_DENIED;
	collector_start(c, because);
	if (number)
		*number = c->again ? c->number_again : c->number;
	return OK;
}

/* ---- told to stop ---- */

void
collector_stop(struct collector *c, int64_t ms)
{
	list_remove(&c->link_waits);
	c->again = false;
	c->held = true;
	if (!c->collection)
		return;
	c->stopping = true;
	collection_stop(c->collection, ms);
}

enum err
collect_stop(struct collect *all, struct span name)
{
	struct collector *c = collect_named(all, name);

	if (!c || (!c->collection && !collector_waits(c)))
		return ERR_NOT_FOUND;
	collector_stop(c, COLLECT_STOP_MS);
	return OK;
}
