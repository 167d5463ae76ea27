/*
 * collect.c - which collector is fetched when: one collection of each at a time, COLLECT_AT_ONCE in all, dealt out to
 * the loops.
 *
 *     asked for --> waits for its turn --> under way --> over --> (asked for meanwhile: once more)
 */
#include "server/collect/collect_account.h"
#include "server/collect/collect_inside.h"
#include "server/collect/collect_tell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/connect/connect.h"
#include "server/generation.h"
#include "server/log.h"
#include "server/metrics.h"
#include "server/server.h"

static void start_waiting(struct collect *all);

/* ---- which ---- */

struct collector *
collect_named(const struct collect *all, struct span name)
{
	const struct list *at;

	for (at = all->collectors.next; at != &all->collectors; at = at->next) {
		struct collector *c = LIST_ITEM(at, struct collector, link_all);

		if (span_eq_nocase(span_of(c->name), name))
			return c;
	}
	return NULL;
}

static const struct conf_collector *
conf_of(const struct conf *conf, struct span name)
{
	for (size_t i = 0; i < conf->collectors.count; i++)
		if (span_eq_nocase(conf->collectors.items[i].name, name))
			return &conf->collectors.items[i];
	return NULL;
}

const struct conf_collector *
collector_conf(const struct collector *c)
{
	const struct conf *conf = c->all->host->conf;

	if (c->place < conf->collectors.count &&
		span_eq_nocase(conf->collectors.items[c->place].name, span_of(c->name)))
		return &conf->collectors.items[c->place];
	return conf_of(conf, span_of(c->name));
}

/* ---- loops ---- */

struct host *
collect_take_loop(struct collect *all)
{
	unsigned best = 0, count = all->host->server ? host_count(all->host) : 1;

	for (unsigned i = 1; i < count; i++)
		if (all->of_loop[i] < all->of_loop[best])
			best = i;
	all->of_loop[best]++;
	all->unburied++;
	return best == 0 ? all->host : host_of_loop(all->host, best);
}

void
collect_leave_loop(struct collect *all, const struct host *host)
{
	all->of_loop[host->number]--;
	all->unburied--;
}

/* ---- the end of one ---- */

static void
collector_free(struct collector *c)
{
	list_remove(&c->link_all);
	list_remove(&c->link_waits);
	free(c->result);
	free(c);
}

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
	start_waiting(all);
}

/* Its collector may be gone. */
static void
on_buried(struct collection *collection)
{
	const struct collection_options *o = collection_options(collection);

	collect_leave_loop(o->front->collect, o->host);
}

/* ---- the begin ---- */

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
	unsigned listening = 0;

	for (const struct list *at = all->collectors.next; at != &all->collectors; at = at->next) {
		const struct collector *c = LIST_ITEM(at, struct collector, link_all);

		listening += c->collection && collection_shown(c->collection)->state == COLLECT_LISTENS;
	}
	return all->under_way - listening;
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

static void
start_waiting(struct collect *all)
{
	struct list *link;

	if (all->ending || list_is_empty(&all->waiting) || has_to_wait_for_rules(all))
		return;
	while (!list_is_empty(&all->waiting) && at_work(all) < COLLECT_AT_ONCE &&
		(link = list_take_first(&all->waiting))) {
		struct collector *c = LIST_ITEM(link, struct collector, link_waits);
		const struct conf_collector *conf = collector_conf(c);

		if (conf && conf->enabled)
			begin(c, conf);
	}
}

bool
collector_waits(const struct collector *c)
{
	return !list_is_empty(&c->link_waits);
}

void
collector_start(struct collector *c, const char *because)
{
	struct collect *all = c->all;
	bool listens = c->collection &&
		collection_shown(c->collection)->state == COLLECT_LISTENS;

	if (collector_waits(c) || c->again || all->ending)
		return;
	if (c->collection) {
		c->again = true;
		c->number_again = ++all->numbers;
		snprintf(c->because_again, sizeof(c->because_again), "%s", because);
		if (listens && !c->stopping) /* the next one listens again */
			collection_stop(c->collection, COLLECT_STOP_MS);
		return;
	}
	c->number = ++all->numbers;
	snprintf(c->because, sizeof(c->because), "%s", because);
	list_append(&all->waiting, &c->link_waits);
	start_waiting(all);
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

/* ---- the file ---- */

static struct collector *
collector_new(struct collect *all, struct span name)
{
	struct collector *c = calloc(1, sizeof(*c));

	ENSURE(c);
	c->all = all;
	snprintf(c->name, sizeof(c->name), "%.*s", SPAN_FMT(name));
	list_init(&c->link_all);
	list_init(&c->link_waits);
	collector_recall(c);
	return c;
}

/* All that CONF says of the collector NAME, as JSON; secrets by their names alone. False: it says nothing of it. */
static bool
put_conf(const struct conf *conf, struct span name, struct buf *out)
{
#define ROW_KEY(member, key, ...) key,
	static const char *const keys[] = { COLLECTOR_ROWS(ROW_KEY) };
#undef ROW_KEY
	struct conf_entry entry;
	char path[100];

	for (size_t i = 0; i < conf->collectors.count; i++) {
		if (!span_eq_nocase(conf->collectors.items[i].name, name))
			continue;
		for (size_t k = 0; k < COUNT(keys); k++) {
			snprintf(path, sizeof(path), "collecting.collectors.%zu.%s", i, keys[k]);
			if (conf_find(conf, path, &entry) != OK || conf_put_json(&entry, out) != OK)
				return false;
		}
		return true;
	}
	return false;
}

/* Does the file say of it what it said when its collection began? */
static bool
is_as_it_was(const struct collector *c)
{
	const struct conf *old = generation_conf(collection_options(c->collection)->generation);
	struct buf before, now;
	bool same;

	buf_init(&before, COLLECTOR_TEXT_MAX);
	buf_init(&now, COLLECTOR_TEXT_MAX);
	same = put_conf(old, span_of(c->name), &before) &&
		put_conf(c->all->host->conf, span_of(c->name), &now) &&
		span_eq(buf_span(&before), buf_span(&now));
	buf_fini(&before);
	buf_fini(&now);
	return same;
}

/* It has left the file, or is disabled (INM-29). */
static void
let_go(struct collector *c, bool kept)
{
	bool under_way = c->collection != NULL;

	if (under_way || collector_waits(c))
		collector_stop(c, COLLECT_STOP_MS);
	c->held = false;
	if (!kept && !under_way)
		collector_free(c);
}

void
collect_follow(void *arg)
{
	struct collect *all = arg;
	const struct conf_collectors *conf = &all->host->conf->collectors;
	struct list before, *at, *following;

	list_init(&before);
	list_move_all(&before, &all->collectors);
	collect_follow_names(all, &before);
	list_for_each(at, following, &before)
		LIST_ITEM(at, struct collector, link_all)->kept = false;
	for (size_t i = 0; i < conf->count; i++) {
		struct collector *c = NULL;

		list_for_each(at, following, &before)
			if (span_eq_nocase(span_of(LIST_ITEM(at, struct collector, link_all)->name),
				    conf->items[i].name))
				c = LIST_ITEM(at, struct collector, link_all);
		if (!c)
			c = collector_new(all, conf->items[i].name);
		list_remove(&c->link_all);
		list_append(&all->collectors, &c->link_all);
		c->kept = true;
		c->place = i;
		c->account = collect_account_mark(&conf->items[i]);
		if (!conf->items[i].enabled || (c->collection &&
			collection_shown(c->collection)->state == COLLECT_LISTENS && !is_as_it_was(c)))
			let_go(c, true); /* who shall listen does so again, as the file says now */
	}
	list_move_all(&all->collectors, &before);
	list_for_each(at, following, &all->collectors)
		if (!LIST_ITEM(at, struct collector, link_all)->kept)
			let_go(LIST_ITEM(at, struct collector, link_all), false);
	collect_sweep(all);
}

/* ---- who listens ---- */

/* Of a connection that is always there, and not told to stop. */
static bool
shall_listen(const struct collector *c, int64_t now_ms)
{
	const struct conf *conf = c->all->host->conf;
	const struct conf_collector *own = collector_conf(c);

	if (!own || !own->enabled || !own->idle || own->kind != COLLECTOR_IMAP ||
		c->held || c->collection || collector_waits(c) || now_ms < c->listen_ms)
		return false;
	for (size_t i = 0; i < connection_count(conf); i++)
		if (connection_at(conf, i)->kind == CONNECTION_LAN &&
			collector_is_of(conf, own, connection_at(conf, i)->name))
			return true;
	return false;
}

static void
on_look(struct loop_timer *timer)
{
	struct collect *all = LIST_ITEM(timer, struct collect, look);
	int64_t now_ms = host_steady_ms(all->host);
	struct list *at, *following;

	loop_timer_set(all->host->loop, &all->look, COLLECT_LOOK_MS);
	list_for_each(at, following, &all->collectors) {
		struct collector *c = LIST_ITEM(at, struct collector, link_all);

		if (shall_listen(c, now_ms))
			collector_start(c, "it listens for new mail");
	}
	start_waiting(all); /* some may listen by now */
	if (now_ms >= all->sweep_ms)
		collect_sweep(all);
}

/* ---- life ---- */

struct collect *
collect_open(struct host *front)
{
	struct collect *all = calloc(1, sizeof(*all));

	ENSURE(all);
	all->host = front;
	list_init(&all->collectors);
	list_init(&all->waiting);
	list_init(&all->probings);
	loop_timer_init(&all->look, on_look);
	front->collect = all;
	collect_follow(all);
	loop_timer_set(front->loop, &all->look, COLLECT_LOOK_MS);
	return all;
}

void
collect_end(struct collect *all)
{
	struct list *at, *following;

	all->ending = true;
	loop_timer_clear(&all->look);
	list_for_each(at, following, &all->collectors)
		collector_stop(LIST_ITEM(at, struct collector, link_all), COLLECT_END_MS);
	collect_end_probes(all);
}

bool
collect_is_over(const struct collect *all)
{
	return all->unburied == 0;
}

void
collect_close(struct collect **allp)
{
	struct collect *all = *allp;
	struct list *at, *following;

	*allp = NULL;
	if (!all)
		return;
	loop_timer_clear(&all->look);
	list_for_each(at, following, &all->collectors)
		collector_free(LIST_ITEM(at, struct collector, link_all));
	free(all);
}
