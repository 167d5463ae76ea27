/*
 * collect_view.c - what is known of each collector: now, or of its last collection.
 */
#include "server/collect/collect_inside.h"

const char *
collect_state_name(enum collect_state state)
{
	static const char *const names[] = {
		[COLLECT_IDLE] = "idle",
		[COLLECT_WAITS] = "waiting",
		[COLLECT_CONNECTS] = "connecting",
		[COLLECT_LISTS] = "listing",
		[COLLECT_FETCHES] = "fetching",
		[COLLECT_CLOSES] = "closing",
		[COLLECT_LISTENS] = "listening",
	};

	return (size_t)state < COUNT(names) ? names[state] : "";
}

static void
show_running(struct collector *c, struct collect_view *out)
{
	const struct collection_shown *shown = collection_shown(c->collection);

	out->state = (enum collect_state)shown->state;
	out->counts = (struct collect_counts){ shown->fetched, shown->left, shown->deleted,
		shown->failed, shown->bytes, shown->to_fetch, shown->to_fetch_bytes };
	out->began_ms = c->began_ms;
	if (shown->passed_ms > 0)
		out->last_ms = shown->passed_ms;
	if (shown->state == COLLECT_LISTENS) { /* what went wrong before is over */
		out->failed = shown->error_count > 0;
		out->error = out->failed ? shown->errors[shown->error_count - 1] : "";
	}
	out->error_count = shown->error_count;
	for (size_t i = 0; i < out->error_count; i++)
		c->shown_errors[i] = shown->errors[i];
	out->errors = c->shown_errors;
}

static void
show(struct collector *c, struct collect_view *out)
{
	const struct conf_collector *conf = collector_conf(c);

	*out = (struct collect_view){ .name = span_of(c->name), .conf = conf, .enabled = conf && conf->enabled,
		.state = collector_waits(c) ? COLLECT_WAITS : COLLECT_IDLE,
		.last_ms = c->last_ms, .failed = c->failed, .error = c->error, .because = c->because,
		.number = c->number };
	if (c->collection) {
		show_running(c, out);
	} else if (c->result) {
		out->counts = c->result->counts;
		out->errors = c->result->errors;
		out->error_count = c->result->error_count;
	}
}

bool
collect_view_at(const struct collect *all, size_t i, struct collect_view *out)
{
	const struct list *at;

	for (at = all->collectors.next; at != &all->collectors; at = at->next) {
		struct collector *c = LIST_ITEM(at, struct collector, link_all);

		if (!c->kept)
			return false;
		if (i-- == 0) {
			show(c, out);
			return true;
		}
	}
	return false;
}

void
collect_each(const struct collect *all, void (*see)(void *arg, const struct collect_view *v), void *arg)
{
	const struct list *at;
	struct collect_view v;

	for (at = all->collectors.next; at != &all->collectors; at = at->next) {
		struct collector *c = LIST_ITEM(at, struct collector, link_all);

		if (!c->kept)
			return;
		show(c, &v);
		see(arg, &v);
	}
}

enum err
collect_view_named(const struct collect *all, struct span name, struct collect_view *out)
{
	struct collector *c = collect_named(all, name);

	if (!c || !c->kept)
		return ERR_NOT_FOUND;
	show(c, out);
	return OK;
}

size_t
collect_under_way(const struct collect *all)
{
	const struct list *at;
	size_t count = 0;

	for (at = all->collectors.next; at != &all->collectors; at = at->next) {
		const struct collector *c = LIST_ITEM(at, struct collector, link_all);

		count += collector_is_busy(c);
	}
	return count;
}
