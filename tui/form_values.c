/*
 * form_values.c - what stands in the fields of a form: as it begins, as the server has it, as it was typed.
 */
#include <stdio.h>
#include <string.h>

#include "tui/form_inside.h"

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

static void
value_text(const struct json *value, enum form_kind kind, struct buf *out)
{
	if (kind == FORM_TIME && json_is(value, JSON_NUMBER))
		print_interval(out, json_number_or(value, 0));
	else if (json_is(value, JSON_BOOL))
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

void
form_add_fields(struct form *f)
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
value_take(struct form_value *v, const struct json *value, const struct print_style *style)
{
	bool mine = form_is_changed(v), clash;
	struct buf theirs;

	buf_init(&theirs, LINE_EDIT_MAX);
	if (v->field->kind == FORM_SHOWN)
		value_shown(value, style, &theirs);
	else
		value_text(value, v->field->kind, &theirs);
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

size_t
form_take_object(struct form *f, const struct json *object)
{
	size_t clashes = 0;

	for (size_t i = 0; i < f->count; i++) {
		struct form_value *v = &f->values[i];
		const char *from = v->field->from ? v->field->from : v->field->name;
		const struct json *value = json_find(object, span_of(from));

		if (!value) /* there may be none of its own: a list of several */
			value = json_find(object, span_of(v->field->name));
		if (!value)
			value = json_find(f->screen->place->row, span_of(v->field->name));
		if (v->field->kind != FORM_SECRET)
			clashes += value_take(v, value, &f->screen->console->style);
	}
	f->revision = json_number_or(json_find(object, SPAN("revision")), f->revision);
	f->known = true;
	return clashes;
}

/* ---- by name ---- */

static struct form_value *
value_named(struct form *f, const char *name, size_t nth)
{
	for (size_t i = 0; i < f->count; i++)
		if (strcmp(f->values[i].field->name, name) == 0 && nth-- == 0)
			return &f->values[i];
	return NULL;
}

struct span
form_get(struct screen *form, const char *name, size_t nth)
{
	const struct form_value *v = value_named(form->state, name, nth);

	return v ? line_edit_text(&v->edit) : SPAN("");
}

void
form_begin_with(struct screen *form, const char *name, size_t nth, struct span value)
{
	struct form_value *v = value_named(form->state, name, nth);

	if (!v)
		return;
	buf_clear(&v->base);
	print_put(&v->base, value);
	line_edit_set(&v->edit, buf_span(&v->base));
}
