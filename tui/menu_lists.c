/*
 * menu_lists.c - what there is to choose: the acts of a screen, help, screens, sort orders.
 */
#include <stdio.h>

#include "tui/menu_inside.h"

static void
add_heading(struct menu *m, const char *text)
{
	menu_line_add(m, text)->off = true;
}

/* "Queue: Retry now (3)", or why not. */
static void
action_text(const struct console *c, const struct key_action *action, uint64_t selected,
	char text[MENU_TEXT_MAX])
{
	const struct control_method *method =
		action->method ? control_method_find(span_of(action->method)) : NULL;
	const char *title = console_screen(c)->class->title;

	if (!console_action_allowed(c, action) && method)
		snprintf(text, MENU_TEXT_MAX, "(%s: wants the right %s)", action->label,
			control_right_name(method->right));
	else if (method && control_method_changes(method) && selected > 1)
		snprintf(text, MENU_TEXT_MAX, "%s: %s (%llu)", title, action->label,
			(unsigned long long)selected);
	else
		snprintf(text, MENU_TEXT_MAX, "%s: %s", title, action->label);
}

void
menu_add_actions(struct console *c, struct menu *m)
{
	struct screen *s = console_screen(c);
	const struct key_action *action;
	struct selection sel = { 0 };
	char text[MENU_TEXT_MAX], room[16];

	(void)table_selection(s, &sel);
	for (size_t i = 0; (action = console_action(s, i)) != NULL; i++) {
		const struct control_method *method =
			action->method ? control_method_find(span_of(action->method)) : NULL;
		struct menu_line *line;

		action_text(c, action, sel.count, text);
		line = menu_line_add(m, text);
		snprintf(line->keys, sizeof(line->keys), "%s", key_label(action->key, room));
		line->action = action;
		line->off = !console_action_allowed(c, action);
		line->help = action->help ? action->help : method ? method->help : NULL;
		line->cli = method ? method->words : NULL;
	}
}

static bool
knows(const struct screen *s, enum act act)
{
	const enum act *acts = screen_panel(s)->acts;

	for (; acts && *acts; acts++)
		if (*acts == act)
			return true;
	return act >= ACT_UNDO;
}

void
menu_add_acts(struct console *c, struct menu *m)
{
	for (size_t i = 0; i < act_row_count; i++) {
		struct menu_line *line;

		if (!knows(console_screen(c), act_rows[i].act))
			continue;
		line = menu_line_add(m, act_rows[i].help);
		snprintf(line->keys, sizeof(line->keys), "%s", act_rows[i].keys);
		line->act = act_rows[i].act;
	}
}

void
menu_add_screens(struct menu *m, bool others)
{
	char text[MENU_TEXT_MAX];

	for (size_t i = 0; screens[i]; i++) {
		struct menu_line *line;

		if (others && screens[i]->digit)
			continue;
		snprintf(text, sizeof(text), "Screen: %s", screens[i]->title);
		line = menu_line_add(m, text);
		line->screen = screens[i];
		line->help = screens[i]->help;
		line->also = screens[i]->name;
		if (screens[i]->digit)
			snprintf(line->keys, sizeof(line->keys), "%c", screens[i]->digit);
	}
}

void
menu_open_actions(struct console *c)
{
	struct menu *m = menu_new(" Actions ");

	menu_add_actions(c, m);
	menu_add_acts(c, m);
	menu_show(c, m);
}

void
menu_open_screens(struct console *c)
{
	struct menu *m = menu_new(" More screens ");

	menu_add_screens(m, true);
	menu_show(c, m);
}

void
menu_open_help(struct console *c)
{
	const struct screen_class *class = console_screen(c)->class;
	struct menu *m = menu_new(" Help ");
	char text[MENU_TEXT_MAX];

	if (class->help)
		add_heading(m, class->help);
	snprintf(text, sizeof(text), "%s (this screen)", class->title);
	add_heading(m, text);
	menu_add_actions(c, m);
	add_heading(m, "Everywhere");
	menu_add_acts(c, m);
	add_heading(m, "Screens");
	menu_add_screens(m, false);
	menu_show(c, m);
}

void
menu_open_sort(struct screen *s)
{
	struct menu *m = menu_new(" Sort by ");

	menu_line_add(m, "the order of the list itself")->sort = "";
	for (const struct column *col = s->class->columns; col && col->title; col++)
		menu_line_add(m, col->title)->sort = col->field;
	menu_show(s->console, m);
}
