/*
 * form_panel.c - see form_panel.h; drawing is in form_draw.c.
 *
 * Before an object is saved it is looked at once more: what somebody else changed meanwhile is shown
 * field by field, and only a second F2 writes over it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tui/form_inside.h"
#include "tui/named_file.h"
#include "tui/table_panel.h"

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
	clashes = form_take_object(f, reply->result);
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
	bool one = f->count > 1 && form_can_edit(&f->values[f->at]);

	for (size_t i = 0; i < f->count; i++) {
		one &= i == f->at || !form_can_edit(&f->values[i]);
		if (!span_eq(span_of(f->values[i].field->name), error->field) ||
			!form_can_edit(&f->values[i]))
			continue;
		snprintf(f->values[i].why, sizeof(f->values[i].why), "%.*s", SPAN_FMT(error->why));
		f->at = i;
	}
	if (one) /* a setting: the fault names its key */
		snprintf(f->values[f->at].why, sizeof(f->values[f->at].why), "%.*s",
			SPAN_FMT(error->why));
	console_say_error(f->screen->console, error);
}

const struct control_method *
form_method(const struct form *f)
{
	return control_method_find(span_of(f->action ? f->action->method : f->class->save));
}

static void
saved(void *owner, struct link_reply *reply)
{
	struct screen *s = owner;
	struct form *f = s->state;
	struct console *c = s->console;
	const struct control_method *method = form_method(f);
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
		confirm_open(s->console, form_method(s->state), reply, saved, s);
}

/* Does the value go along? Of an object what was changed; of a key all, so that none is taken from the
 * row under the cursor; keys that were left as they are do not. */
static bool
goes_along(const struct form *f, const struct form_value *v)
{
	if (!form_can_edit(v)) /* what is shown may be the object's name among its keys */
		return v->field->keyed;
	if (!f->action)
		return form_is_changed(v);
	return !v->field->keyed || form_is_changed(v);
}

/* Open the file that is named, if one is; false: it cannot be opened. */
static bool
open_file(struct form *f, const struct control_schema *schema, int *fd)
{
	for (size_t i = 0; i < f->count; i++) {
		struct form_value *v = &f->values[i];
		struct span path = line_edit_text(&v->edit);
		const struct control_param *p =
			control_schema_find(schema, span_of(v->field->name));
		char text[LINE_EDIT_MAX + 1];

		if (v->field->kind != FORM_FILE || path.len == 0)
			continue;
		snprintf(text, sizeof(text), "%.*s", SPAN_FMT(path));
		*fd = named_file_open(text, !p || !control_choice_has(p->choices, SPAN("read")));
		if (*fd >= 0)
			return true;
		snprintf(v->why, sizeof(v->why), "%s", named_file_why(errno));
		f->at = i;
		return false;
	}
	return true;
}

static void
save_now(struct form *f)
{
	static struct key_action by_save;
	struct rpc_pair pairs[FORM_FIELDS_MAX + 1];
	bool keyed[FORM_FIELDS_MAX + 1];
	struct act_values values = { pairs, keyed, 0, -1, f->screen, saved, previewed };
	struct control_schema schema;
	struct buf made;
	bool by_keys; /* else each field is a parameter of its own */

	control_schema_parse(form_method(f)->params, &schema);
	by_keys = control_schema_find(&schema, SPAN("keys")) != NULL;
	if (!open_file(f, &schema, &values.fd))
		return;
	buf_init(&made, FORM_MADE_MAX);
	if (!form_make(f, &made)) {
		buf_fini(&made);
		return;
	}
	if (f->class->make) {
		pairs[0] = (struct rpc_pair){ span_of(f->class->made), buf_span(&made) };
		keyed[values.count++] = false;
	}
	for (size_t i = 0; i < f->count; i++) {
		if (!goes_along(f, &f->values[i]) || (f->class->make &&
			!control_schema_find(&schema, span_of(f->values[i].field->name))))
			continue;
		pairs[values.count] = (struct rpc_pair){ span_of(f->values[i].field->name),
			line_edit_text(&f->values[i].edit) };
		keyed[values.count++] = f->action ? f->values[i].field->keyed : by_keys;
	}
	by_save = (struct key_action){ .label = "save", .method = f->class->save };
	console_do_with(f->action ? f->origin : f->screen, f->action ? f->action : &by_save,
		&values);
	buf_fini(&made);
	if (values.fd >= 0)
		close(values.fd);
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
	case KEY_FN(3):
		if (f->class->trial)
			form_try(f);
		return true;
	case KEY_FN(4): return form_pick(f);
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
	if (form_saves(f))
		console_say(s->console, STYLE_WARNING, "~ %zu change%s not saved, Esc again leaves (F2 saves)",
			changes, changes == 1 ? "" : "s");
	else
		console_say(s->console, STYLE_WARNING, "~ %zu field%s filled in, Esc again leaves (F2: %s)", changes,
			changes == 1 ? "" : "s", form_does(f));
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
	form_add_fields(f);
	if (class->begin)
		class->begin(s, form_start_row(f));
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
	.bar_text = form_bar,
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
