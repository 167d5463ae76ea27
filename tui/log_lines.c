/*
 * log_lines.c - lines of the log as text: to come back to, to copy, to export.
 */
#include <stdlib.h>
#include <string.h>

#include "tui/log_inside.h"

void
log_bookmark_set(struct log_view *v)
{
	if (v->at >= v->count)
		return;
	free(v->bookmark);
	v->bookmark = strdup(v->lines[v->at].row);
	ENSURE(v->bookmark);
	console_say(v->screen->console, STYLE_DIM, "bookmark at this line; ' comes back to it");
}

/* The line stays what it is, whatever came and went. */
void
log_bookmark_go(struct log_view *v)
{
	size_t at = v->count;

	while (v->bookmark && at > 0 && strcmp(v->lines[at - 1].row, v->bookmark) != 0)
		at--;
	if (v->bookmark && at > 0) {
		v->at = at - 1;
		v->held = true;
	} else {
		console_say(v->screen->console, STYLE_WARNING,
			v->bookmark ? "the bookmark's line is no longer here" :
				      "there is no bookmark; m sets one");
	}
}

static void
put_line(struct log_view *v, size_t i, struct buf *out)
{
	const struct json *row = NULL;
	struct arena a;

	arena_init(&a, NULL);
	if (json_parse(&a, span_of(v->lines[i].row), &row, NULL) == OK)
		print_log_line(out, row, &v->screen->console->style);
	arena_reset(&a);
}

void
log_copy(struct screen *s, struct buf *out)
{
	struct log_view *v = s->state;

	if (v->at < v->count)
		put_line(v, v->at, out);
}

void
log_whole(struct screen *s, struct buf *out)
{
	struct log_view *v = s->state;

	for (size_t i = 0; i < v->count; i++)
		if (!v->lines[i].hidden)
			put_line(v, i, out);
}
