/*
 * form_panel.c - see form_panel.h; drawing is in form_draw.c.
 *
 * Before an object is saved it is looked at once more: what somebody else changed meanwhile is shown
 * field by field, and only a second F2 writes over it.
 */
#include <stdio.h>
#include <string.h>

#include "tui/form_inside.h"
#include "tui/table_panel.h"

bool
form_is_changed(const struct form_value *v)
{
	return form_can_edit(v) && !span_eq(line_edit_text(&v->edit), buf_span(&v->base));
}

bool
form_can_edit(const struct form_value *v)
{
	return v->field->kind != FORM_SHOWN;
}

size_t
form_changes(const struct form *f)
{
	size_t changes = 0;

	for (size_t i = 0; i < f->count; i++)
		changes += form_is_changed(&f->values[i]);
	return changes;
}

/* ---- values of the server ---- */

static void
value_text(const struct json *value, enum form_kind kind, struct buf *out)
{
	if (json_is(value, JSON_BOOL))
		print_put(out, value->truth ? SPAN("yes") : SPAN("no"));
	else if (json_is(value, JSON_STRING) || json_is(value, JSON_NUMBER))
		print_put(out, value->text);
	for (const struct json *at = json_is(value, JSON_ARRAY) ? value->first : NULL; at;
		at = at->next) {
		print_put(out, at->text);
		if (at->next)
			print_put(out, kind == FORM_WORDS ? SPAN(",") : SPAN(";"));
	}
}

static const struct json *
start_cell(struct screen *origin, const char *name, const struct json *key)
{
	const struct json *row = NULL;
	struct span row_key;

	if (strcmp(name, ".") == 0)
		return key;
	if (screen_panel(origin)->row && screen_panel(origin)->row(origin, &row, &row_key))
		return json_find(row, span_of(name));
	return json_find(origin->place->row, span_of(name));
}

/* What a question begins with. */
static void
start_value(struct form_value *v, struct screen *origin)
{
	struct json key = { .kind = JSON_STRING, .text = origin->place->key };
	struct span first = SPAN(""), rest;

	if (v->field->from)
		value_text(start_cell(origin, v->field->from, &key), v->field->kind, &v->base);
	else if (v->field->kind == FORM_FLAG)
		first = SPAN("no");
	else if (v->field->kind == FORM_CHOICE)
		(void)span_cut(span_of(v->field->choices), '|', &first, &rest);
	print_put(&v->base, first);
	line_edit_set(&v->edit, buf_span(&v->base));
}

static void
add_fields(struct form *f)
{
	const char *tab = "";

	for (const struct form_field *at = f->class->fields; at->name; at++) {
		struct form_value *v = &f->values[f->count++];

		ENSURE(f->count <= FORM_FIELDS_MAX);
		tab = at->tab ? at->tab : tab;
		v->field = at;
		v->tab = tab;
		line_edit_init(&v->edit);
		v->edit.secret = at->kind == FORM_SECRET;
		v->edit.number = at->kind == FORM_NUMBER;
		buf_init(&v->base, LINE_EDIT_MAX);
		if (f->action)
			start_value(v, f->origin);
	}
	while (f->at + 1 < f->count && !form_can_edit(&f->values[f->at]))
		f->at++;
}

/* What is only looked at, as people read it. */
static void
value_shown(const struct json *value, const struct print_style *style, struct buf *out)
{
	if (value && value->kind != JSON_NULL)
		print_value(out, value, print_type_of(value->name, value), style);
}

/* What is not changed here takes what the server has; true: both changed it. */
static bool
value_take(struct form_value *v, const struct json *object, const struct print_style *style)
{
	bool mine = form_is_changed(v), clash;
	struct buf theirs;

	buf_init(&theirs, LINE_EDIT_MAX);
	if (v->field->kind == FORM_SHOWN)
		value_shown(json_find(object, span_of(v->field->name)), style, &theirs);
	else
		value_text(json_find(object, span_of(v->field->name)), v->field->kind, &theirs);
	clash = mine && !span_eq(buf_span(&theirs), buf_span(&v->base));
	buf_fini(&v->base);
	v->base = theirs;
	if (!mine)
		line_edit_set(&v->edit, buf_span(&v->base));
	if (clash)
		snprintf(v->why, sizeof(v->why), "changed meanwhile to: %.*s",
			SPAN_FMT(span_range(buf_span(&v->base), 0, 80)));
	return clash;
}

static size_t
take_object(struct form *f, const struct json *object)
{
	size_t clashes = 0;

	for (size_t i = 0; i < f->count; i++)
		if (f->values[i].field->kind != FORM_SECRET)
			clashes += value_take(&f->values[i], object, &f->screen->console->style);
	f->revision = json_number_or(json_find(object, SPAN("revision")), f->revision);
	f->known = true;
	return clashes;
}

static void save_now(struct form *f);

static void
shown(void *owner, struct link_reply *reply)
{
	struct screen *s = owner;
	struct form *f = s->state;
	size_t clashes;

	f->asked = false;
	s->console->dirty = true;
	if (reply->error) {
		f->checking = false;
		if (s->console->state == CONSOLE_UP)
			console_say_error(s->console, reply->error);
		return;
	}
	clashes = take_object(f, reply->result);
	if (clashes > 0)
		console_say(s->console, STYLE_WARNING,
			"~ somebody else changed %zu of your fields; F2 writes yours over it",
			clashes);
	else if (f->checking)
		save_now(f);
	f->checking = false;
}

static void
ask(struct form *f)
{
	struct screen *s = f->screen;
	struct buf params;

	if (f->action || f->asked || s->console->state != CONSOLE_UP)
		return;
	buf_init(&params, CONTROL_LINE_MAX);
	if (console_put_params(s, s->method, NULL, NULL, &params))
		f->asked = server_link_call(&s->console->link, s->method->method,
				   buf_span(&params), shown, s) != 0;
	buf_fini(&params);
}

/* ---- saving ---- */

static void
note_fault(struct form *f, const struct rpc_error *error)
{
	for (size_t i = 0; i < f->count; i++) {
		if (!span_eq(span_of(f->values[i].field->name), error->field))
			continue;
		snprintf(f->values[i].why, sizeof(f->values[i].why), "%.*s", SPAN_FMT(error->why));
		f->at = i;
	}
	console_say_error(f->screen->console, error);
}

static const struct control_method *
method_of(const struct form *f)
{
	return control_method_find(span_of(f->action ? f->action->method : f->class->save));
}

static void
saved(void *owner, struct link_reply *reply)
{
	struct screen *s = owner;
	struct form *f = s->state;
	struct console *c = s->console;
	const struct control_method *method = method_of(f);
	struct buf row; /* the key that it has now */

	c->dirty = true;
	if (reply->error) {
		note_fault(f, reply->error);
		return;
	}
	if (method->reply != CONTROL_REPLY_DONE) { /* the form stays below, to ask again */
		console_show_answer(c, method, reply->result);
		return;
	}
	buf_init(&row, LINE_EDIT_MAX);
	for (size_t i = 0; i < f->count && f->action; i++)
		if (f->values[i].field->names_row)
			print_put(&row, line_edit_text(&f->values[i].edit));
	for (size_t i = 0; i < f->count; i++) { /* the form is what the server has now */
		struct form_value *v = &f->values[i];

		buf_clear(&v->base);
		v->why[0] = '\0';
		if (v->field->kind == FORM_SECRET)
			line_edit_set(&v->edit, SPAN(""));
		print_put(&v->base, line_edit_text(&v->edit));
	}
	if (f->action) {
		console_back(c);
		if (buf_span(&row).len > 0)
			table_go(console_screen(c), buf_span(&row));
		else
			table_renew(console_screen(c));
	} else {
		ask(f);
	}
	buf_fini(&row);
	console_tell_done(c, method, reply->result);
}

/* What saving would do; y does it. */
static void
previewed(void *owner, struct link_reply *reply)
{
	struct screen *s = owner;

	s->console->dirty = true;
	if (reply->error)
		note_fault(s->state, reply->error);
	else
		confirm_open(s->console, method_of(s->state), reply, saved, s);
}

/* Does the value go along? Of an object what was changed; of a key all, so that none is taken from the
 * row under the cursor; keys that were left as they are do not. */
static bool
goes_along(const struct form *f, const struct form_value *v)
{
	if (!form_can_edit(v))
		return false;
	if (!f->action)
		return form_is_changed(v);
	return !v->field->keyed || form_is_changed(v);
}

static void
save_now(struct form *f)
{
	static struct key_action by_save;
	struct rpc_pair pairs[FORM_FIELDS_MAX];
	bool keyed[FORM_FIELDS_MAX];
	struct act_values values = { pairs, keyed, 0, f->screen, saved, previewed };

	for (size_t i = 0; i < f->count; i++) {
		if (!goes_along(f, &f->values[i]))
			continue;
		pairs[values.count] = (struct rpc_pair){ span_of(f->values[i].field->name),
			line_edit_text(&f->values[i].edit) };
		keyed[values.count++] = !f->action || f->values[i].field->keyed;
	}
	by_save = (struct key_action){ .label = "save", .method = f->class->save };
	console_do_with(f->action ? f->origin : f->screen, f->action ? f->action : &by_save,
		&values);
}

/* A question whose answer is a screen: that is opened on what was filled in. */
static void
open_answer(struct form *f)
{
	const struct json *row = NULL;
	struct json_writer w;
	struct arena a;
	struct buf text;

	arena_init(&a, NULL);
	buf_init(&text, CONTROL_LINE_MAX);
	json_writer_init(&w, &text);
	json_put_object(&w);
	for (size_t i = 0; i < f->count; i++)
		if (line_edit_text(&f->values[i].edit).len > 0)
			json_put_member_string(&w, span_of(f->values[i].field->name),
				line_edit_text(&f->values[i].edit));
	json_put_close(&w);
	if (json_writer_end(&w) == OK && json_parse(&a, buf_span(&text), &row, NULL) == OK)
		console_open(f->screen->console, f->action->open, row,
			line_edit_text(&f->values[0].edit));
	buf_fini(&text);
	arena_reset(&a);
}

static void
save(struct form *f)
{
	struct console *c = f->screen->console;

	if (c->state != CONSOLE_UP) {
		console_say(c, STYLE_ERROR, "! no server answers; the form is kept");
		return;
	}
	if (!f->action && form_changes(f) == 0) {
		console_say(c, STYLE_DIM, "nothing was changed");
		return;
	}
	if (f->action && f->action->open) {
		open_answer(f);
		return;
	}
	if (f->action) {
		save_now(f);
		return;
	}
	f->checking = true;
	ask(f);
}

/* ---- keys ---- */

static const char *
tab_of(const struct form *f)
{
	return f->values[f->at].tab;
}

/* The next field that can be edited, in this tab where SAME. */
static void
step(struct form *f, int by, bool same)
{
	const char *tab = tab_of(f);

	for (size_t i = f->at + (size_t)(ptrdiff_t)by; i < f->count; i += (size_t)(ptrdiff_t)by) {
		if (!form_can_edit(&f->values[i]) || (same && f->values[i].tab != tab))
			continue;
		f->at = i;
		return;
	}
}

static void
step_tab(struct form *f, int by)
{
	const char *tab = tab_of(f);
	size_t at = f->at, first;

	while (f->values[at].tab == tab) {
		if ((by < 0 && at == 0) || (by > 0 && at + 1 >= f->count)) {
			if (f->screen->place->tab_count > 1)
				console_tab(f->screen->console, by);
			return;
		}
		at = by < 0 ? at - 1 : at + 1;
	}
	for (first = at; first > 0 && f->values[first - 1].tab == f->values[at].tab;)
		first--;
	f->at = first;
	if (!form_can_edit(&f->values[first]))
		step(f, 1, true);
}

/* The choice after the one that stands there. */
static void
choose(struct form_value *v, int by)
{
	struct span now = line_edit_text(&v->edit), rest = span_of(v->field->choices), word;
	struct span words[32];
	size_t count = 0, here = 0;

	while (rest.len > 0 && count < COUNT(words)) {
		(void)span_cut(rest, '|', &word, &rest);
		if (span_eq(word, now))
			here = count;
		words[count++] = word;
	}
	if (count > 0)
		line_edit_set(&v->edit, words[(here + count + (size_t)(ptrdiff_t)by) % count]);
}

static bool
edit(struct form *f, const struct press *press)
{
	struct form_value *v = &f->values[f->at];
	bool back = press->key == KEY_ARROW_LEFT;
	bool turn = press->key == ' ' || back || press->key == KEY_ARROW_RIGHT;

	if (!form_can_edit(v))
		return false;
	v->why[0] = '\0';
	if (v->field->kind == FORM_FLAG || v->field->kind == FORM_CHOICE) {
		if (turn && v->field->kind == FORM_CHOICE)
			choose(v, back ? -1 : 1);
		else if (turn)
			line_edit_set(&v->edit, span_eq(line_edit_text(&v->edit), SPAN("yes")) ?
					SPAN("no") :
					SPAN("yes"));
		return turn || (press->key >= 0x20 && press->key < KEY_SPECIAL);
	}
	return line_edit_press(&v->edit, press);
}

static bool
form_press(struct screen *s, const struct press *press)
{
	struct form *f = s->state;
	struct form_value *v = &f->values[f->at];

	f->leaving = f->leaving && (press->key == KEY_ESC || press->key == KEY_FN(10));
	switch (press->key) {
	case KEY_ARROW_DOWN:
	case KEY_TAB:
	case KEY_RETURN: step(f, 1, false); return true;
	case KEY_ARROW_UP:
	case KEY_BACK_TAB: step(f, -1, false); return true;
	case KEY_PAGE_DOWN: step_tab(f, 1); return true;
	case KEY_PAGE_UP: step_tab(f, -1); return true;
	case KEY_FN(2): save(f); return true;
	case KEY_FN(5): line_edit_set(&v->edit, buf_span(&v->base)); return true;
	default: return edit(f, press);
	}
}

static bool
form_may_leave(struct screen *s)
{
	struct form *f = s->state;
	size_t changes = form_changes(f);

	if (changes == 0 || f->leaving)
		return true;
	f->leaving = true;
	console_say(s->console, STYLE_WARNING, "~ %zu change%s not saved, Esc again leaves (F2 saves)",
		changes, changes == 1 ? "" : "s");
	return false;
}

/* ---- life ---- */

static void
form_start(struct screen *s, const struct form_class *class, const struct key_action *action)
{
	struct form *f = s->state;

	f->screen = s;
	f->class = class;
	f->action = action;
	add_fields(f);
}

static void
form_open(struct screen *s)
{
	if (s->class->form)
		form_start(s, s->class->form, NULL);
}

static void
form_close(struct screen *s)
{
	struct form *f = s->state;

	for (size_t i = 0; i < f->count; i++) {
		line_edit_fini(&f->values[i].edit);
		buf_fini(&f->values[i].base);
	}
}

static void
form_enter(struct screen *s)
{
	struct form *f = s->state;

	if (f->class)
		ask(f);
}

const struct panel_class form_panel = {
	.size = sizeof(struct form),
	.open = form_open,
	.close = form_close,
	.enter = form_enter,
	.press = form_press,
	.draw = form_draw,
	.title = form_title,
	.may_leave = form_may_leave,
	.bar = "F2 Save  F5 Revert  PgUp PgDn Tabs  F9 Cmd  Esc Leave",
};

static const struct screen_class screen_form = {
	.name = "form",
	.title = "Form",
	.panel = &form_panel,
};

void
form_open_for(struct screen *origin, const struct key_action *action)
{
	struct screen *s = console_open(origin->console, &screen_form, NULL,
		span_of(action->form->title));
	struct form *f = s->state;

	f->origin = origin;
	form_start(s, action->form, action);
}
