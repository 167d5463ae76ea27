/*
 * source_inside.h - what a kind of source is, for source.c and the files of the kinds.
 *
 * The struct of a kind begins with struct source. Its file ends in one struct source_kind.
 */
#ifndef SERVER_COLLECT_SOURCE_INSIDE_H
#define SERVER_COLLECT_SOURCE_INSIDE_H

#include "server/collect/source.h"

struct source_kind {
	const char *with; /* how mail comes by it, for Received fields and traces: "POP3" */
	size_t size;	  /* of its struct; source_new() gives it zeroed but for the begin */
	void (*start)(struct source *s);
	void (*list)(struct source *s);
	void (*order)(struct source *s, enum source_order order, uint32_t number);
	void (*resume)(struct source *s);
	void (*idle)(struct source *s); /* NULL: no effect */
	void (*close)(struct source *s);
	void (*cut)(struct source *s);
	/* Let go of all; source_release() at once, or later where something is under way. */
	void (*free)(struct source *s);
};

/* The holder's, as source_new() but of that kind. */
struct source *source_new_of(const struct source_kind *kind, struct host *host,
	struct generation *generation, const struct conf_collector *conf);
/* The last of it: its generation and its memory. */
void source_release(struct source *s);

#endif
