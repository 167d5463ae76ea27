/*
 * collection.c - the life of one collection: it begins, is told to stop, and ends.
 */
#include "server/collect/collection_inside.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/collect/collect_inside.h"
#include "server/generation.h"
#include "server/log.h"

/* ---- what the front asks ---- */

void *
collection_holder(const struct collection *c)
{
	return c->o.holder;
}

const struct collection_options *
collection_options(const struct collection *c)
{
	return &c->o;
}

const struct collection_shown *
collection_shown(const struct collection *c)
{
	return &c->shown;
}

const struct collection_end *
collection_end(const struct collection *c)
{
	return &c->end;
}

void
collection_enter(struct collection *c, enum collect_state state)
{
	bool listened = atomic_exchange(&c->shown.state, (int)state) == COLLECT_LISTENS;

	if (!listened && state == COLLECT_LISTENS)
		atomic_fetch_add(&c->o.front->collect->listening, 1);
	else if (listened && state != COLLECT_LISTENS)
		atomic_fetch_sub(&c->o.front->collect->listening, 1);
}

/* ---- what went wrong ---- */

void
collection_error(struct collection *c, const char *format, ...)
{
	size_t count = atomic_load(&c->shown.error_count);
	char text[COLLECT_ERROR_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	c->end.failed = true;
	if (c->end.why[0] == '\0')
		snprintf(c->end.why, sizeof(c->end.why), "%s", text);
	log_put(c->o.host->log, &(struct log_line){ .level = LEVEL_WARNING, .area = "collect", .text = "error",
		.fields = { { "collector", c->o.conf->name, 0 }, { "why", span_of(text), 0 } } });
	if (count == COLLECT_ERRORS_MAX)
		return;
	snprintf(c->shown.errors[count], sizeof(c->shown.errors[count]), "%s", text);
	atomic_store(&c->shown.error_count, count + 1);
}

void
collection_item_error(
	struct collection *c, const struct collection_item *item, const char *why, struct span answer)
{
	atomic_fetch_add(&c->shown.failed, 1);
	collection_error(c, "message %lu: %s%s%.*s", (unsigned long)item->number, why,
		answer.len > 0 ? ": " : "", SPAN_FMT(answer));
}

/* ---- the end ---- */

static void
tell_over(void *arg)
{
	struct collection *c = arg;

	c->o.over(c);
}

static void
blocks_are_free(struct work *work, enum err result)
{
	struct collection *c = LIST_ITEM(work, struct collection, reading);

	(void)result;
	loop_post(c->o.front->loop, tell_over, c);
}

static void
on_ending(struct loop_call *call)
{
	struct collection *c = LIST_ITEM(call, struct collection, ending);

	if (c->is_over || !c->source_is_over || c->takes || c->reads || c->posts > 0 ||
		!list_is_empty(&c->fetches))
		return;
	if (!collection_settle_counts(c, c->end.problem.fault == SOURCE_FINE && !c->end.problem.removed_unsure)) {
		collection_pump_later(c);
		return;
	}
	collection_write_changes(c);
	if (c->writes)
		return;
	c->is_over = true;
	source_free(&c->source);
	loop_timer_clear(&c->patience);
	loop_timer_clear(&c->lull);
	collection_free_rules(c);
	collection_list_clear(c);
	collection_give_back(c, c->known);
	collection_give_back(c, c->changes);
	collection_doubles_fini(&c->doubles);
	buf_fini(&c->head);
	collection_free_blocks(c, blocks_are_free);
}

void
collection_look(struct collection *c)
{
	if (!c->is_over)
		loop_defer(c->o.host->loop, &c->ending);
}

/* ---- nothing ends ---- */

/* Bytes that are no progress: a list, a header, a message that goes on and on, or drips (source_net.h). */
static void
on_lull(struct loop_timer *timer)
{
	struct collection *c = LIST_ITEM(timer, struct collection, lull);

	c->lulled = true;
	collection_error(c, "nothing was finished in %lld hours: it is given up, and goes on with the next collection",
		(long long)(c->lull_ms / 3600000));
	collection_cut(c);
}

void
collection_went_on(struct collection *c)
{
	int64_t message_ms = c->o.host->conf->limits_message_size / COLLECTION_LULL_RATE * 1000;

	if (c->source_is_over)
		return;
	c->lull_ms = message_ms > COLLECTION_LULL_MS ? message_ms : COLLECTION_LULL_MS;
	loop_timer_set(c->o.host->loop, &c->lull, c->lull_ms);
}

/* ---- what the source says ---- */

static void
on_ready(struct source *s, const struct source_offer *offer)
{
	struct collection *c = s->holder;

	c->end.offer = *offer;
	c->epoch = offer->epoch;
	c->end.offer.remote = c->end.offer.tls = NULL;
	c->remote = offer->remote ? offer->remote : "";
	c->tls = offer->tls ? offer->tls : "";
	c->end.logged_in = c->ready = true;
	collection_go(c);
}

static void
on_item(struct source *s, const struct source_item *item)
{
	collection_on_item(s->holder, item);
}

static void
on_listed(struct source *s, bool has_unique)
{
	collection_on_listed(s->holder, has_unique);
}

static bool
on_text(struct source *s, uint32_t number, struct span text)
{
	return collection_on_text(s->holder, number, text);
}

static void
on_answered(struct source *s, uint32_t number, enum source_order order, enum source_result result,
	struct span answer)
{
	collection_on_answered(s->holder, number, order, result, answer);
}

/* Another pass over the same connection, behind what the last one removed: what is known is read anew. */
void
collection_pass_again(struct collection *c)
{
	c->passes_again = !collection_settle_counts(c, true); /* what has not gone yet is in the next list */
	if (c->passes_again) {
		collection_pump_later(c);
		return;
	}
	collection_list_clear(c);
	collection_know(c);
}

static void
on_news(struct source *s)
{
	struct collection *c = s->holder;

	if (c->stopping || atomic_load(&c->shown.state) != COLLECT_LISTENS)
		return;
	collection_enter(c, COLLECT_LISTS);
	collection_went_on(c);
	collection_pass_again(c);
}

/* What came for a message made no sense, or did not end: the others shall not wait for it each time, nor what is to be removed. */
static void
pass_over(struct collection *c)
{
	const struct collection_order *first = &c->orders[c->order_first];

	if ((c->end.problem.fault == SOURCE_NONSENSE || c->lulled) && c->order_count > 0 && first->order == SOURCE_FETCH &&
		first->fetch)
		collection_set_aside(c, &first->fetch->item);
}

static void
on_source_over(struct source *s, const struct source_problem *problem)
{
	struct collection *c = s->holder;

	c->end.problem = *problem;
	c->source_is_over = true;
	loop_timer_clear(&c->lull);
	collection_enter(c, COLLECT_CLOSES);
	if (problem->fault != SOURCE_FINE && !c->stopping)
		collection_error(c, "%s", problem->why[0] ? problem->why : "it ended without a reason");
	pass_over(c);
	collection_fetches_cut(c);
	collection_look(c);
}

static const struct source_events source_events = { on_ready, on_item, on_listed, on_text, on_answered,
	on_news, on_source_over };

/* ---- the begin ---- */

static void
on_patience(struct loop_timer *timer)
{
	struct collection *c = LIST_ITEM(timer, struct collection, patience);

	if (c->o.looks && !c->stopping)
		collection_error(c, "the test was ended after %d seconds; `collect now` goes on as long as an answer comes",
			COLLECTION_TEST_MS / 1000);
	collection_cut(c);
}

struct collection *
collection_new(const struct collection_options *o)
{
	struct collection *c = calloc(1, sizeof(*c));

	ENSURE(c);
	c->o = *o;
	c->o.generation = generation_hold(o->generation);
	c->with = c->remote = c->tls = "";
	arena_init(&c->arena, NULL);
	list_init(&c->fetches);
	list_init(&c->choices);
	loop_timer_init(&c->patience, on_patience);
	loop_timer_init(&c->lull, on_lull);
	loop_call_init(&c->ending, on_ending);
	collection_enter(c, COLLECT_CONNECTS);
	return c;
}

static struct source *
source_of(struct collection *c)
{
	struct source *s;

	if (!c->o.kind)
		return source_new(c->o.host, c->o.generation, c->o.conf, &source_events, c);
	s = source_new_of(c->o.kind, c->o.host, c->o.generation, c->o.conf);
	s->events = &source_events;
	s->holder = c;
	return s;
}

static void
begin(void *arg)
{
	struct collection *c = arg;

	buf_init(&c->head, (size_t)c->o.host->conf->limits_header_size);
	buf_init(&c->uniques, COLLECTION_UNIQUES_MAX);
	c->source = source_of(c);
	if (!c->source) {
		collection_error(c, "nothing is fetched by this kind of collector");
		c->source_is_over = true;
		collection_look(c);
		return;
	}
	c->with = c->source->kind->with;
	c->source->hurries = c->o.looks;
	if (c->o.looks)
		loop_timer_set(c->o.host->loop, &c->patience, COLLECTION_TEST_MS);
	collection_went_on(c);
	collection_know(c);
	source_start(c->source);
}

void
collection_begin(struct collection *c)
{
	loop_post(c->o.host->loop, begin, c);
}

/* ---- told to stop ---- */

void
collection_cut(struct collection *c)
{
	if (c->source && !c->source_is_over)
		source_cut(c->source);
}

void
collection_stop_fetching(struct collection *c)
{
	c->fetches_none = true;
}

struct stop_order {
	struct collection *c;
	int64_t ms;
};

static void
stop(void *arg)
{
	struct stop_order *order = arg;
	struct collection *c = order->c;
	int64_t ms = order->ms;

	free(order);
	if (c->is_over || !c->source)
		return;
	c->stopping = c->end.stopped = true;
	collection_stop_fetching(c);
	if (ms <= 0) {
		collection_cut(c);
		return;
	}
	loop_timer_set(c->o.host->loop, &c->patience, ms);
	if (c->listed)
		collection_pump(c);
	else if (!c->source_is_over && !c->closing) {
		c->closing = true;
		source_close(c->source);
	}
}

void
collection_stop(struct collection *c, int64_t ms)
{
	struct stop_order *order = malloc(sizeof(*order));

	ENSURE(order);
	*order = (struct stop_order){ c, ms };
	loop_post(c->o.host->loop, stop, order);
}

/* ---- nothing is left of it ---- */

static void
tell_buried(void *arg)
{
	struct collection *c = arg;

	c->o.buried(c);
	arena_reset(&c->arena);
	generation_release(&c->o.generation);
	free(c);
}

/* Behind all that the front posted to this loop. */
static void
bury(void *arg)
{
	struct collection *c = arg;

	loop_post(c->o.front->loop, tell_buried, c);
}

void
collection_bury(struct collection *c)
{
	loop_post(c->o.host->loop, bury, c);
}
