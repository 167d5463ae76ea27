/*
 * collect_probe.c - a login without collecting: is the account right, and what lies there? Nothing is fetched and
 * nothing changed. Beside a collection that is under way, and of a disabled collector too.
 */
#include "server/collect/collect_inside.h"
#include "server/collect/collect_tell.h"

#include <stdio.h>
#include <stdlib.h>

/* One test: who asked may have gone. */
struct collect_probing {
	struct list link; /* in collect.probings */
	struct collect_probe *probe; /* NULL: nobody waits */
	struct collect *all;
	struct collection *collection;
};

static void
on_over(struct collection *collection)
{
	struct collect_probing *t = collection_holder(collection);
	const struct collection_end *end = collection_end(collection);
	struct collect_probe *p = t->probe;

	if (p) {
		p->under_way = NULL;
		const struct conf_collector *conf = collection_options(collection)->conf;

		p->ok = !end->failed;
		p->failed_step = collect_failed_step(conf, end);
		p->has_token = conf->token_command.count > 0 && end->problem.way > SOURCE_WANTS_TOKEN;
		p->wants_tls = conf->tls != COLLECTOR_TLS_NONE;
		p->is_connected = end->problem.way == SOURCE_CONNECTED;
		p->addresses = end->problem.addresses;
		p->count = end->offer.count;
		p->bytes = end->offer.bytes;
		p->fresh = end->fresh;
		p->has_unique = end->offer.has_unique;
		p->has_head = end->offer.has_head;
		p->has_sizes = end->offer.has_sizes;
		snprintf(p->remote, sizeof(p->remote), "%s", end->problem.remote);
		snprintf(p->tls, sizeof(p->tls), "%s", end->problem.tls);
		snprintf(p->why, sizeof(p->why), "%s", end->why);
	}
	list_remove(&t->link);
	free(t);
	collection_bury(collection);
	if (p)
		p->done(p);
}

static void
on_buried(struct collection *collection)
{
	const struct collection_options *o = collection_options(collection);

	collect_leave_loop(o->front->collect, o->host);
}

enum err
collect_probe(struct collect *all, struct span name, struct collect_probe *p)
{
	struct collector *c = collect_named(all, name);
	const struct conf_collector *conf = c ? collector_conf(c) : NULL;
	struct collection_options o = { .front = all->host, .generation = all->host->generation,
		.conf = conf, .kind = all->kind, .looks = true, .over = on_over, .buried = on_buried };
	struct collect_probing *t;

	if (!conf || all->ending)
		return ERR_NOT_FOUND;
	t = calloc(1, sizeof(*t));
	ENSURE(t);
	*t = (struct collect_probing){ .probe = p, .all = all };
	o.host = collect_take_loop(all);
	o.holder = t;
	p->under_way = t;
	list_append(&all->probings, &t->link);
	t->collection = collection_new(&o);
	collection_begin(t->collection);
	return OK;
}

void
collect_probe_cancel(struct collect_probe *p)
{
	struct collect_probing *t = p->under_way;

	p->under_way = NULL;
	if (!t)
		return;
	t->probe = NULL;
	collection_stop(t->collection, 0);
}

void
collect_end_probes(struct collect *all)
{
	struct list *at, *following;

	list_for_each(at, following, &all->probings)
		collection_stop(LIST_ITEM(at, struct collect_probing, link)->collection, 0);
}
