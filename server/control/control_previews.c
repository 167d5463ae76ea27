/*
 * control_previews.c - previews that wait, the oldest first; too many, and the oldest goes.
 */
#include "server/control/control_previews.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/control/control_lists.h"

static struct list previews = LIST_INIT(previews);
static size_t preview_count, preview_files, preview_pinned;

static void
preview_unlink(struct preview *p)
{
	list_remove(&p->link);
	preview_count--;
	preview_files -= p->fd_count > 0;
	preview_pinned -= p->count;
}

void
control_preview_free(void *arg)
{
	struct preview *p = arg;

	for (unsigned i = 0; i < p->fd_count; i++)
		close(p->fds[i]);
	arena_reset(&p->arena);
	free(p);
}

void
control_previews_add(struct preview *p)
{
	list_append(&previews, &p->link);
	preview_count++;
	preview_files += p->fd_count > 0;
	preview_pinned += p->count;
}

void
control_previews_sweep(int64_t now_ms)
{
	struct list *at, *following;

	list_for_each (at, following, &previews) {
		struct preview *p = LIST_ITEM(at, struct preview, link);
		bool too_many = preview_count > CONTROL_PREVIEWS_MAX ||
				(preview_pinned > CONTROL_PINNED_MAX && preview_count > 1) ||
				(p->fd_count > 0 && preview_files > CONTROL_PREVIEW_FILES_MAX);

		if (p->expires_ms > now_ms && !too_many)
			continue;
		preview_unlink(p);
		control_preview_free(p);
	}
}

struct preview *
control_previews_take(struct span token, const char *who)
{
	struct list *at, *following;

	list_for_each (at, following, &previews) {
		struct preview *p = LIST_ITEM(at, struct preview, link);

		if (!span_eq(span_of(p->token), token) || strcmp(p->who, who) != 0)
			continue;
		preview_unlink(p);
		return p;
	}
	return NULL;
}
