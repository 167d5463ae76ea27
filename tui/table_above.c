/*
 * table_above.c - the line above a table: what holds for all of its rows.
 */
#include "tui/table_inside.h"

static void
came(void *owner, struct link_reply *reply)
{
	struct table_above *a = owner;

	a->asked = false;
	if (!reply->result)
		return; /* who may not see it has the table alone */
	arena_reset(&a->arena);
	a->answer = reply->result;
	link_reply_keep(reply, &a->arena);
	a->screen->console->dirty = true;
}

void
table_above_ask(struct table *t)
{
	const struct above *class = t->screen->class->above;
	struct console *c = t->screen->console;

	if (!class || t->above.asked || c->state != CONSOLE_UP || !screen_may(c, class->method))
		return;
	t->above.screen = t->screen;
	t->above.asked = server_link_call(&c->link, class->method, SPAN("{}"), came, &t->above) != 0;
}

void
table_above_close(struct table *t)
{
	server_link_forget(&t->screen->console->link, &t->above);
	arena_reset(&t->above.arena);
}

bool
table_above_draw(struct table *t, struct rect at)
{
	struct console *c = t->screen->console;
	struct buf text;

	if (!t->above.answer || at.rows < ABOVE_ROWS_LEAST)
		return false;
	buf_init(&text, PRINT_MAX);
	t->screen->class->above->put(t->above.answer, &c->style, &text);
	cells_put(&c->cells, (struct rect){ at.row, 1, 1, at.cols - 1 }, buf_span(&text), STYLE_DIM);
	buf_fini(&text);
	return true;
}
