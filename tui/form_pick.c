/*
 * form_pick.c - F4 in a form: names that the server has, to choose from instead of typing them.
 */
#include <stdio.h>

#include "tui/form_inside.h"
#include "tui/menu_inside.h"

#define PICK_ROWS 200 /* of each list */

static void
came(void *owner, struct link_reply *reply)
{
	struct menu *m = owner;
	const struct json *rows = json_find(reply->result, SPAN("rows"));

	for (const struct json *row = rows ? rows->first : NULL; row; row = row->next) {
		struct span name = json_text(json_find(row, SPAN("name")));
		char text[MENU_TEXT_MAX];
		struct menu_line *line;

		if (name.len == 0 || name.len >= sizeof(text) || m->count >= MENU_LINES_MAX)
			continue;
		snprintf(text, sizeof(text), "%.*s", SPAN_FMT(name));
		line = menu_line_add(m, text);
		line->help = "Enter takes it";
	}
	menu_narrow(m);
}

/* The name goes into the field under the cursor, behind those that a list has. */
static void
chosen(struct console *c, const struct menu_line *line)
{
	struct form *f = console_screen(c)->state;
	struct form_value *v = &f->values[f->at];
	struct span now = line_edit_text(&v->edit);
	struct arena a;

	arena_init(&a, NULL);
	if (v->field->kind == FORM_LIST && now.len > 0)
		line_edit_set(&v->edit, arena_printf(&a, "%.*s;%s", SPAN_FMT(now), line->text));
	else
		line_edit_set(&v->edit, span_of(line->text));
	v->why[0] = '\0';
	arena_reset(&a);
}

bool
form_pick(struct form *f)
{
	struct span methods = span_of(f->values[f->at].field->pick ? f->values[f->at].field->pick : ""), method;
	struct console *c = f->screen->console;
	char name[64], params[32];
	struct menu *m;

	if (methods.len == 0)
		return false;
	m = menu_new(f->values[f->at].field->label);
	m->chosen = chosen;
	menu_show(c, m);
	snprintf(params, sizeof(params), "{\"limit\":%d}", PICK_ROWS);
	while (methods.len > 0) {
		(void)span_cut(methods, ' ', &method, &methods);
		snprintf(name, sizeof(name), "%.*s", SPAN_FMT(method));
		(void)server_link_call(&c->link, name, span_of(params), came, m);
	}
	return true;
}
