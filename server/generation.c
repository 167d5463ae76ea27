/*
 * generation.c - a count beside a configuration.
 */
#include "server/generation.h"

#include <stdatomic.h>
#include <stdlib.h>

struct generation {
	struct conf *conf;
	_Atomic unsigned holds;
};

struct generation *
generation_new(struct conf *conf)
{
	struct generation *g = calloc(1, sizeof(*g));

	ENSURE(g);
	g->conf = conf;
	atomic_store(&g->holds, 1);
	return g;
}

const struct conf *
generation_conf(const struct generation *g)
{
	return g->conf;
}

struct generation *
generation_hold(struct generation *g)
{
	atomic_fetch_add(&g->holds, 1);
	return g;
}

bool
generation_is_last(const struct generation *g)
{
	return atomic_load(&g->holds) == 1;
}

void
generation_release(struct generation **gp)
{
	struct generation *g = *gp;

	if (!g)
		return;
	*gp = NULL;
	if (atomic_fetch_sub(&g->holds, 1) != 1)
		return;
	conf_free(&g->conf);
	free(g);
}
