/*
 * collection_inside.h - what the files of a collection share: collection.c (life: begin, stop, end).
 */
#ifndef SERVER_COLLECT_COLLECTION_INSIDE_H
#define SERVER_COLLECT_COLLECTION_INSIDE_H

#include "server/collect/collection.h"
#include "server/collect/source_inside.h"
#include "server/net/loop.h"

struct collection {
	struct collection_options o; /* the generation is held */
	struct collection_shown shown;
	struct collection_end end;

	/* Its loop's. */
	struct source *source;
	bool stopping, source_is_over, is_over;
	struct loop_timer patience; /* of a stop */
	struct loop_call ending;
	uint64_t listed;
};

static inline void
collection_enter(struct collection *c, enum collect_state state)
{
	atomic_store(&c->shown.state, (int)state);
}

/* One line for `collect list` and the log; the first is why it failed. */
void collection_error(struct collection *c, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
