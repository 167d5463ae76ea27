/*
 * console.c - places, keys, prompts and messages; see console.h.
 */
#include "tui/export.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TOAST_MS 8000

/* ---- screens and places ---- */

struct screen *
console_screen(const struct console *c)
{
	const struct place *p = c->roots[c->root];

	return p->screens[p->tab];
}

struct place *
console_place(const struct console *c)
{
	return c->roots[c->root];
}

static const struct screen_class *
tab_class(const struct place *p, unsigned tab)
{
	return p->class->tabs ? p->class->tabs[tab] : p->class;
}

static struct screen *
screen_new(struct console *c, struct place *p, const struct screen_class *class)
{
	struct screen *s = calloc(1, sizeof(*s));

	ENSURE(s);
	s->class = class;
	s->console = c;
	s->place = p;
	arena_init(&s->arena, NULL);
	if (class->method) {
		s->method = control_method_find(span_of(class->method));
		ENSURE(s->method);
		control_schema_parse(s->method->columns, &s->columns);
	}
	s->state = calloc(1, screen_panel(s)->size ? screen_panel(s)->size : 1);
	ENSURE(s->state);
	return s;
}

static void
screen_free(struct screen *s)
{
	if (!s)
		return;
	if (screen_panel(s)->close)
		screen_panel(s)->close(s);
	if (s->console->export)
		export_of_screen(s);
	server_link_forget(&s->console->link, s);
	free(s->state);
	arena_reset(&s->arena);
	free(s);
}

/* The screen of the place's tab is opened when it is first looked at. */
static void
place_show(struct console *c, struct place *p)
{
	struct screen *s = p->screens[p->tab];

	if (!s) {
		s = p->screens[p->tab] = screen_new(c, p, tab_class(p, p->tab));
		if (screen_panel(s)->open)
			screen_panel(s)->open(s);
	}
	if (screen_panel(s)->enter)
		screen_panel(s)->enter(s);
	c->dirty = true;
}

static struct place *
place_new(struct console *c, const struct screen_class *class, const struct json *row,
	struct span key)
{
	struct place *p = calloc(1, sizeof(*p));
	struct json_writer w;
	struct buf text;

	ENSURE(p);
	p->class = class;
	arena_init(&p->arena, NULL);
	p->key = arena_copy(&p->arena, key);
	for (p->tab_count = 1; class->tabs && class->tabs[p->tab_count]; p->tab_count++)
		ENSURE(p->tab_count < SCREEN_TABS_MAX);
	for (unsigned i = 0; i < p->tab_count; i++)
		if (tab_class(p, i) == class)
			p->tab = i;
	if (!row)
		return p;
	buf_init(&text, JSON_TEXT_MAX);
	json_writer_init(&w, &text);
	json_put_json(&w, row);
	if (json_writer_end(&w) != OK ||
		json_parse(&p->arena, buf_span(&text), &p->row, NULL) != OK)
		p->row = NULL;
	buf_fini(&text);
	c->dirty = true;
	return p;
}

static void
place_free(struct place *p)
{
	for (unsigned i = 0; i < SCREEN_TABS_MAX; i++)
		screen_free(p->screens[i]);
	arena_reset(&p->arena);
	free(p);
}

const struct screen_class *
console_find(struct span name)
{
	for (size_t i = 0; screens[i]; i++)
		if (span_eq_nocase(span_of(screens[i]->name), name))
			return screens[i];
	return NULL;
}

bool
console_go(struct console *c, const struct screen_class *class)
{
	for (unsigned i = 0; screens[i]; i++) {
		if (screens[i] != class)
			continue;
		ENSURE(i < CONSOLE_SCREENS_MAX);
		c->root = i;
		if (!c->roots[i])
			c->roots[i] = place_new(c, class, NULL, SPAN(""));
		place_show(c, c->roots[i]);
		return true;
	}
	return false;
}

struct screen *
console_open(struct console *c, const struct screen_class *class, const struct json *row,
	struct span key)
{
	struct place *p = place_new(c, class, row, key);

	p->back = c->roots[c->root];
	c->roots[c->root] = p;
	place_show(c, p);
	return console_screen(c);
}

void
console_back(struct console *c)
{
	struct place *p = c->roots[c->root];

	if (p->back) {
		c->roots[c->root] = p->back;
		place_free(p);
		place_show(c, c->roots[c->root]);
	} else if (c->root != 0) {
		(void)console_go(c, screens[0]);
	}
}

void
console_tab(struct console *c, int step)
{
	struct place *p = c->roots[c->root];

	p->tab = (p->tab + p->tab_count + (unsigned)step) % p->tab_count;
	place_show(c, p);
}

/* ---- modals, prompts, messages ---- */

void
console_push_modal(struct console *c, struct modal *m, const struct modal_class *class)
{
	m->class = class;
	m->below = c->modal;
	c->modal = m;
	c->dirty = true;
}

void
console_pop_modal(struct console *c)
{
	struct modal *m = c->modal;

	if (!m)
		return;
	c->modal = m->below;
	if (m->class->close)
		m->class->close(c, m);
	server_link_forget(&c->link, m);
	arena_reset(&m->arena);
	free(m);
	c->dirty = true;
}

void
console_ask(struct console *c, const char *label, struct span text,
	void (*changed)(struct screen *, struct span), void (*done)(struct screen *, struct span))
{
	c->prompt = (struct prompt){ .open = true, .label = label, .screen = console_screen(c),
		.changed = changed, .done = done };
	line_edit_init(&c->prompt.edit);
	line_edit_set(&c->prompt.edit, text);
	c->dirty = true;
}

static void
prompt_press(struct console *c, const struct press *press)
{
	struct prompt *p = &c->prompt;
	struct span text;
	struct arena a;

	if (press->key == KEY_ESC || press->key == KEY_CTRL_C) {
		p->open = false;
		line_edit_fini(&p->edit);
		return;
	}
	if (press->key == KEY_TAB && p->complete) {
		p->complete(p->screen, p);
		return;
	}
	if (press->key != KEY_RETURN) {
		if (line_edit_press(&p->edit, press) && p->changed)
			p->changed(p->screen, line_edit_text(&p->edit));
		return;
	}
	arena_init(&a, NULL);
	a.wipes = p->edit.secret;
	text = arena_copy(&a, line_edit_text(&p->edit));
	p->open = false;
	line_edit_fini(&p->edit);
	p->done(p->screen, text);
	arena_reset(&a);
}

void
console_say(struct console *c, enum style style, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(c->toast, sizeof(c->toast), format, args);
	va_end(args);
	c->toast_style = style;
	c->toast_until_ms = style == STYLE_ERROR ? INT64_MAX : c->now_ms + TOAST_MS;
	c->dirty = true;
}

void
console_say_error(struct console *c, const struct rpc_error *error)
{
	enum control_right right;

	(void)console_guard_asks(c, error);
	if (error->code == RPC_NO_PERMISSION && control_right_find(error->field, &right) == OK)
		console_say(c, STYLE_ERROR, "! not allowed: it wants the right %.*s",
			SPAN_FMT(error->field));
	else
		console_say(c, STYLE_ERROR, "! %.*s%s%.*s%s%.*s%s", SPAN_FMT(error->what),
			error->what.len ? ": " : "", SPAN_FMT(error->why),
			error->hint.len ? " (" : "", SPAN_FMT(error->hint),
			error->hint.len ? ")" : "");
}

/* ---- keys ---- */

static void
leave(struct console *c)
{
	const struct screen *s = console_screen(c);

	if (screen_panel(s)->may_leave && !screen_panel(s)->may_leave(console_screen(c)))
		return;
	console_back(c);
}

static void
reload_or_hurry(struct console *c)
{
	if (c->state == CONSOLE_DOWN)
		server_link_hurry(&c->link);
}

/* Acts of the console itself. */
static bool
console_act(struct console *c, enum act act, uint32_t key)
{
	switch (act) {
	case ACT_BACK:
		if (key != KEY_ESC && !console_place(c)->back && c->root == 0)
			c->quit = true;
		else if (key != KEY_ESC || console_place(c)->back ||
			screen_panel(console_screen(c)) == &form_panel) /* where letters are text */
			leave(c);
		return true;
	case ACT_TAB_NEXT: console_tab(c, 1); return true;
	case ACT_TAB_BACK: console_tab(c, -1); return true;
	case ACT_ACTIONS: menu_open_actions(c); return true;
	case ACT_COMMAND: menu_open_palette(c); return true;
	case ACT_HELP: menu_open_help(c); return true;
	case ACT_MORE: menu_open_screens(c); return true;
	case ACT_UNDO: console_undo(c, false); return true;
	case ACT_REDO: console_undo(c, true); return true;
	case ACT_COPY: return export_copy(c);
	case ACT_EXPORT: return export_ask(c);
	case ACT_REPAINT: c->repaint = true; return true;
	case ACT_RELOAD: reload_or_hurry(c); return false;
	default: return false;
	}
}

static bool
go_digit(struct console *c, uint32_t key)
{
	for (size_t i = 0; screens[i]; i++)
		if (screens[i]->digit && (uint32_t)screens[i]->digit == key)
			return console_go(c, screens[i]);
	return false;
}

static const struct key_action *
action_of(const struct screen *s, uint32_t key)
{
	for (size_t i = 0; console_action(s, i); i++)
		if (console_action(s, i)->key == key)
			return console_action(s, i);
	return NULL;
}

static void
screen_press(struct console *c, const struct press *press)
{
	struct screen *s = console_screen(c);
	const struct panel_class *panel = screen_panel(s);
	const struct key_action *action;
	const struct act_row *act;

	if (panel->press && panel->press(s, press))
		return;
	if (press->key == KEY_PASTED) {
		console_say(c, STYLE_WARNING, "pasted %zu characters: nothing has the focus",
			press->text.len);
		return;
	}
	act = act_of_key(press->key);
	/* F4 is e: the letter's meaning on this screen */
	action = action_of(s, act ? act->key : press->key);
	if (!action)
		action = action_of(s, press->key);
	if (action) {
		console_do(s, action);
		return;
	}
	if (go_digit(c, press->key) || !act)
		return;
	if (console_act(c, act->act, press->key))
		return;
	if ((!panel->act || !panel->act(s, act->act)) && act->label)
		console_say(c, STYLE_DIM, "%s does nothing here", act->keys);
}

void
console_press(struct console *c, const struct press *press)
{
	c->dirty = true;
	c->toast[0] = '\0';
	if (press->key == KEY_CTRL_Z) {
		c->suspend = true;
	} else if (c->modal) {
		c->modal->class->press(c, c->modal, press);
	} else if (c->prompt.open) {
		prompt_press(c, press);
	} else if (c->state == CONSOLE_LOGIN && press->key != 'q' && press->key != KEY_FN(10)) {
		console_ask_login(c);
	} else {
		screen_press(c, press);
	}
}

/* ---- life ---- */

void
console_tick(struct console *c)
{
	if (c->toast[0] && c->now_ms >= c->toast_until_ms) {
		c->toast[0] = '\0';
		c->dirty = true;
	}
}

void
console_resize(struct console *c, int rows, int cols)
{
	cells_resize(&c->cells, rows, cols);
	c->style.width = (unsigned)cols;
	c->dirty = true;
}

void
console_init(struct console *c, const char *path, bool utf8)
{
	*c = (struct console){ .style = { .ascii = !utf8, .brief = true, .width = 80 } };
	cells_init(&c->cells, utf8);
	arena_init(&c->status_arena, NULL);
	buf_init(&c->clip, KEYS_PASTE_MAX);
	list_init(&c->acts);
	c->style.now_s = time(NULL);
	console_link_init(c, path);
	console_resize(c, 24, 80);
	(void)console_go(c, screens[0]);
}

void
console_fini(struct console *c)
{
	while (c->modal)
		console_pop_modal(c);
	if (c->prompt.open)
		line_edit_fini(&c->prompt.edit);
	for (unsigned i = 0; i < CONSOLE_SCREENS_MAX; i++)
		while (c->roots[i]) {
			struct place *p = c->roots[i];

			c->roots[i] = p->back;
			place_free(p);
		}
	export_end(c);
	settings_pending_fini(c);
	buf_fini(&c->clip);
	console_link_fini(c);
	console_acts_fini(c);
	arena_reset(&c->status_arena);
	cells_fini(&c->cells);
}
