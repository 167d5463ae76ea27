/*
 * console_params.c - the parameters of a method, found by their names (see screen.h).
 */
#include "tui/table_panel.h"

static bool
is_subject(const struct screen_class *class, struct span name)
{
	return class->subject && span_eq(span_of(class->subject), name);
}

static const struct json *
fixed_params(const char *text, struct arena *a)
{
	const struct json *fixed = NULL;

	if (!text || json_parse(a, arena_printf(a, "{%s}", text), &fixed, NULL) != OK)
		return NULL;
	return fixed;
}

static const struct rpc_pair *
value_of(const struct act_values *values, struct span name, bool keyed)
{
	for (size_t i = 0; values && i < values->count; i++)
		if (values->keyed[i] == keyed && span_eq(values->pairs[i].key, name))
			return &values->pairs[i];
	return NULL;
}

static void
put_list(struct json_writer *w, struct span text)
{
	struct span part;

	json_put_array(w);
	while (text.len > 0) {
		size_t end = span_find_any(text, SPAN(";,"));

		part = span_trim(span_range(text, 0, end));
		text = span_from(text, end + 1);
		if (part.len > 0)
			json_put_string(w, part);
	}
	json_put_close(w);
}

/* What was typed, as the type wants it. */
static void
put_typed(struct json_writer *w, const struct control_param *p, struct span text)
{
	uint64_t number;

	json_put_name(w, p->name);
	if (p->type == CONTROL_TYPE_FLAG)
		json_put_bool(w, span_eq(text, SPAN("yes")));
	else if (p->type == CONTROL_TYPE_FD)
		json_put_u64(w, 0); /* the only one that goes along */
	else if (p->type == CONTROL_TYPE_LIST || p->type == CONTROL_TYPE_TARGETS)
		put_list(w, text);
	else if ((p->type == CONTROL_TYPE_COUNT || p->type == CONTROL_TYPE_NUMBER) &&
		span_u64(text, INT64_MAX, &number) == OK)
		json_put_u64(w, number);
	else
		json_put_string(w, text);
}

static void
put_keyed(struct json_writer *w, const struct act_values *values)
{
	json_put_name(w, SPAN("keys"));
	json_put_object(w);
	for (size_t i = 0; values && i < values->count; i++)
		if (values->keyed[i])
			json_put_member_string(w, values->pairs[i].key, values->pairs[i].value);
	json_put_close(w);
}

/* A cell of a row; a number is text where that is wanted, and what a form was filled in with a flag. */
static void
put_cell(struct json_writer *w, const struct control_param *p, const struct json *cell)
{
	uint64_t number;

	json_put_name(w, p->name);
	if (p->type == CONTROL_TYPE_TEXT && json_is(cell, JSON_NUMBER))
		json_put_string(w, cell->text);
	else if (p->type == CONTROL_TYPE_COUNT && json_is(cell, JSON_STRING) &&
		span_u64(cell->text, INT64_MAX, &number) == OK)
		json_put_u64(w, number);
	else if (p->type == CONTROL_TYPE_FLAG && json_is(cell, JSON_STRING))
		json_put_bool(w, span_eq(cell->text, SPAN("yes")));
	else
		json_put_json(w, cell);
}

void
console_place_set(struct place *p, const char *name, const char *value)
{
	struct json_writer w;
	struct buf text;

	buf_init(&text, JSON_TEXT_MAX);
	json_writer_init(&w, &text);
	json_put_object(&w);
	for (const struct json *at = p->row ? p->row->first : NULL; at; at = at->next)
		if (!span_eq(at->name, span_of(name))) {
			json_put_name(&w, at->name);
			json_put_json(&w, at);
		}
	if (value)
		json_put_member_string(&w, span_of(name), span_of(value));
	else
		json_put_member_bool(&w, span_of(name), false);
	json_put_close(&w);
	if (json_writer_end(&w) != OK || json_parse(&p->arena, buf_span(&text), &p->row, NULL) != OK)
		p->row = NULL;
	buf_fini(&text);
}

struct span
console_place_get(const struct place *p, const char *name)
{
	const struct json *cell;

	for (; p; p = p->back)
		if ((cell = json_find(p->row, span_of(name))) != NULL)
			return json_text(cell);
	return SPAN("");
}

/* What AT was opened on, where its class calls that by the parameter's name, or a cell of it. */
static bool
put_of_place(const struct screen *s, const struct place *at, const struct control_param *p,
	struct json_writer *w)
{
	const struct screen_class *class = at->class;
	const struct json *cell;

	if (at == s->place)
		class = s->class;
	else if (at->screens[at->tab])
		class = at->screens[at->tab]->class;
	if (is_subject(class, p->name) && at->key.len > 0) {
		cell = class->subject_field ? json_find(at->row, span_of(class->subject_field)) :
					      NULL;
		if (cell)
			put_cell(w, p, cell);
		else
			json_put_member_string(w, p->name, at->key);
		return true;
	}
	cell = json_find(at->row, p->name);
	if (!cell || cell->kind == JSON_NULL)
		return false;
	if (!json_is(cell, JSON_BOOL) || cell->truth || p->type == CONTROL_TYPE_FLAG)
		put_cell(w, p, cell); /* else it is left out on purpose: console_place_set() */
	return true;
}

/* Of the row under the cursor, of the row the place was opened on, of the one before that. */
static bool
put_found(struct screen *s, const struct control_param *p, bool lists, struct json_writer *w)
{
	const struct json *row = NULL, *cell;
	struct span key;

	if (!lists && screen_panel(s)->row && screen_panel(s)->row(s, &row, &key) &&
		(cell = json_find(row, p->name)) != NULL) {
		put_cell(w, p, cell);
		return true;
	}
	for (const struct place *at = s->place; at; at = at->back)
		if (put_of_place(s, at, p, w))
			return true;
	return false;
}

static bool
put_targets(struct screen *s, const struct control_param *p, struct json_writer *w)
{
	struct selection selection;

	if (!table_selection(s, &selection))
		return put_found(s, p, false, w) || (json_put_name(w, p->name), json_put_array(w),
			json_put_string(w, s->place->key), json_put_close(w), s->place->key.len > 0);
	if (selection.count == 0)
		return false;
	if (selection.all)
		return true; /* a preview chooses them by the filter */
	json_put_name(w, p->name);
	table_put_keys(s, w);
	return true;
}

/* Is NAME one of the words of TAKE? */
static bool
is_taken(const char *take, struct span name)
{
	struct span rest = span_of(take), word;

	while (rest.len > 0) {
		(void)span_cut(rest, ' ', &word, &rest);
		if (span_eq(word, name))
			return true;
	}
	return false;
}

struct param_sources {
	struct screen *screen;
	const struct json *fixed;
	const struct act_values *values;
	const char *take, *marked;
	bool lists; /* it is the method that gives the rows, which says nothing of one of them */
};

static bool
put_param(const struct param_sources *from, const struct control_param *p, struct json_writer *w)
{
	const struct act_values *values = from->values;
	const struct rpc_pair *value = value_of(values, p->name, false);
	const struct json *fixed = from->fixed;
	struct screen *s = from->screen;

	if (value && (value->value.len > 0 || !p->optional)) {
		put_typed(w, p, value->value);
	} else if (value) {
		return true;
	} else if (json_find(fixed, p->name)) {
		json_put_name(w, p->name);
		json_put_json(w, json_find(fixed, p->name));
	} else if (p->type == CONTROL_TYPE_KEYS && values) {
		put_keyed(w, values);
	} else if (p->type == CONTROL_TYPE_TARGETS ||
		(from->marked && span_eq(span_of(from->marked), p->name))) {
		return put_targets(s, p, w);
	} else if (!p->optional || is_taken(from->take, p->name) ||
		is_subject(s->class, p->name)) {
		return put_found(s, p, from->lists, w) || p->optional;
	}
	return true;
}

bool
console_put_params(struct screen *s, const struct control_method *method,
	const struct key_action *action, const struct act_values *values, struct buf *out)
{
	struct param_sources from = { s, NULL, values, action ? action->take : s->class->take,
		action ? action->marked : NULL, !action };
	struct control_schema schema;
	struct json_writer w;
	struct arena a;
	bool whole = true;

	arena_init(&a, NULL);
	from.fixed = fixed_params(action ? action->params : s->class->params, &a);
	control_schema_parse(method->params, &schema);
	json_writer_init(&w, out);
	json_put_object(&w);
	for (size_t i = 0; i < schema.count; i++)
		whole &= put_param(&from, &schema.items[i], &w);
	json_put_close(&w);
	arena_reset(&a);
	return json_writer_end(&w) == OK && whole;
}
