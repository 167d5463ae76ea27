/*
 * collection.c - the life of one collection: it begins, is told to stop, and ends.
 */
#include "server/collect/collection_inside.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

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

/* ---- the end ---- */

static void
tell_over(void *arg)
{
	struct collection *c = arg;

	c->o.over(c);
}

static void
on_ending(struct loop_call *call)
{
	struct collection *c = LIST_ITEM(call, struct collection, ending);

	if (c->is_over || !c->source_is_over)
		return;
	c->is_over = true;
	source_free(&c->source);
	loop_timer_clear(&c->patience);
	collection_enter(c, COLLECT_CLOSES);
	loop_post(c->o.front->loop, tell_over, c);
}

/* ---- what the source says ---- */

static void
on_ready(struct source *s, const struct source_offer *offer)
{
	struct collection *c = s->holder;

	c->end.offer = *offer;
	c->end.offer.remote = c->end.offer.tls = NULL;
	c->end.logged_in = true;
	collection_enter(c, COLLECT_LISTS);
	source_list(s);
}

static void
on_item(struct source *s, const struct source_item *item)
{
	struct collection *c = s->holder;

	(void)item;
	c->listed++;
}

static void
on_listed(struct source *s, bool has_unique)
{
	struct collection *c = s->holder;

	c->end.offer.has_unique = has_unique;
	collection_enter(c, COLLECT_CLOSES);
	source_close(s);
}

static bool
on_text(struct source *s, uint32_t number, struct span text)
{
	(void)s, (void)number, (void)text;
	return true;
}

static void
on_answered(struct source *s, uint32_t number, enum source_order order, enum source_result result,
	struct span answer)
{
	(void)s, (void)number, (void)order, (void)result, (void)answer;
}

static void
on_news(struct source *s)
{
	(void)s;
}

static void
on_source_over(struct source *s, const struct source_problem *problem)
{
	struct collection *c = s->holder;

	c->end.problem = *problem;
	c->source_is_over = true;
	if (problem->fault != SOURCE_FINE && !c->stopping)
		collection_error(c, "%s", problem->why);
	loop_defer(c->o.host->loop, &c->ending);
}

static const struct source_events source_events = { on_ready, on_item, on_listed, on_text, on_answered,
	on_news, on_source_over };

/* ---- the begin ---- */

static void
on_patience(struct loop_timer *timer)
{
	struct collection *c = LIST_ITEM(timer, struct collection, patience);

	if (c->source && !c->source_is_over)
		source_cut(c->source);
}

struct collection *
collection_new(const struct collection_options *o)
{
	struct collection *c = calloc(1, sizeof(*c));

	ENSURE(c);
	c->o = *o;
	c->o.generation = generation_hold(o->generation);
	loop_timer_init(&c->patience, on_patience);
	loop_call_init(&c->ending, on_ending);
	collection_enter(c, COLLECT_CONNECTS);
	return c;
}

static void
begin(void *arg)
{
	struct collection *c = arg;

	if (c->o.kind)
		c->source = source_new_of(c->o.kind, c->o.host, c->o.generation, c->o.conf);
	else
		c->source = source_new(c->o.host, c->o.generation, c->o.conf, &source_events, c);
	if (!c->source) {
		collection_error(c, "nothing is fetched by this kind of collector");
		c->source_is_over = true;
		loop_defer(c->o.host->loop, &c->ending);
		return;
	}
	c->source->events = &source_events;
	c->source->holder = c;
	source_start(c->source);
}

void
collection_begin(struct collection *c)
{
	loop_post(c->o.host->loop, begin, c);
}

/* ---- told to stop ---- */

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
	if (c->source_is_over)
		return;
	if (ms <= 0) {
		source_cut(c->source);
	} else {
		source_close(c->source);
		loop_timer_set(c->o.host->loop, &c->patience, ms);
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
