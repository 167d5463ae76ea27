/*
 * form_made.c - forms whose fields make one text: a rule, and a look at what it would do.
 */
#include "tui/form_inside.h"

bool
form_make(struct form *f, struct buf *out)
{
	if (!f->class->make || f->class->make(f->screen, out))
		return true;
	console_say(f->screen->console, STYLE_ERROR, "! %s", f->class->cannot);
	return false;
}

const struct json *
form_start_row(const struct form *f)
{
	const struct json *row = NULL;
	struct control_schema schema;
	struct span key;

	control_schema_parse(form_method(f)->params, &schema);
	if (!control_schema_find(&schema, SPAN("number")) || !screen_panel(f->origin)->row ||
		!screen_panel(f->origin)->row(f->origin, &row, &key))
		return NULL;
	return row;
}

void
form_try(struct form *f)
{
	const struct json *row = NULL, *under = form_start_row(f);
	struct buf made, text;
	struct json_writer w;
	struct arena a;

	arena_init(&a, NULL);
	buf_init(&made, FORM_MADE_MAX);
	buf_init(&text, CONTROL_LINE_MAX);
	json_writer_init(&w, &text);
	if (form_make(f, &made)) {
		json_put_object(&w);
		json_put_member_string(&w, span_of(f->class->trial_field), buf_span(&made));
		if (under)
			json_put_member_u64(&w, SPAN("number"),
				json_number_or(json_find(under, SPAN("number")), 0));
		json_put_close(&w);
		if (json_writer_end(&w) == OK && json_parse(&a, buf_span(&text), &row, NULL) == OK)
			console_open(f->screen->console, f->class->trial, row, SPAN("test"));
	}
	buf_fini(&made);
	buf_fini(&text);
	arena_reset(&a);
}
