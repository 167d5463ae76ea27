/*
 * source.c - which kind of source a collector has, and the way to its functions.
 */
#include "server/collect/source_inside.h"

#include <stdlib.h>

#include "server/generation.h"

/* By the kind in the file; one without a row is not fetched from here. */
static const struct source_kind *const kinds[] = {
	[COLLECTOR_POP3] = &source_pop3,
	[COLLECTOR_IMAP] = &source_imap,
	[COLLECTOR_SPOOL] = &source_spool,
};

struct source *
source_new_of(const struct source_kind *kind, struct host *host, struct generation *generation,
	const struct conf_collector *conf)
{
	struct source *s = calloc(1, kind->size);

	ENSURE(s && kind->size >= sizeof(*s));
	s->kind = kind;
	s->host = host;
	s->conf = conf;
	s->generation = generation_hold(generation);
	s->ahead = 1;
	return s;
}

struct source *
source_new(struct host *host, struct generation *generation, const struct conf_collector *conf,
	const struct source_events *events, void *holder)
{
	const struct source_kind *kind = conf->kind < COUNT(kinds) ? kinds[conf->kind] : NULL;
	struct source *s = kind ? source_new_of(kind, host, generation, conf) : NULL;

	if (s) {
		s->events = events;
		s->holder = holder;
	}
	return s;
}

void
source_release(struct source *s)
{
	generation_release(&s->generation);
	free(s);
}

void
source_start(struct source *s)
{
	s->kind->start(s);
}

void
source_list(struct source *s)
{
	s->kind->list(s);
}

void
source_order(struct source *s, enum source_order order, uint32_t number)
{
	s->kind->order(s, order, number);
}

void
source_resume(struct source *s)
{
	s->kind->resume(s);
}

void
source_idle(struct source *s)
{
	if (s->kind->idle)
		s->kind->idle(s);
}

void
source_close(struct source *s)
{
	s->kind->close(s);
}

void
source_cut(struct source *s)
{
	s->kind->cut(s);
}

void
source_free(struct source **sp)
{
	struct source *s = *sp;

	*sp = NULL;
	if (s)
		s->kind->free(s);
}
