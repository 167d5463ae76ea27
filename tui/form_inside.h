/*
 * form_inside.h - the state of a form, shared by form_panel.c and form_draw.c.
 */
#ifndef TUI_FORM_INSIDE_H
#define TUI_FORM_INSIDE_H

#include "tui/form_panel.h"

#define FORM_MADE_MAX 262144 /* bytes that a form makes of its fields */

struct form_value {
	const struct form_field *field;
	const char *tab;
	struct line_edit edit;
	struct buf base;  /* what the server has */
	char why[128];    /* what is wrong with it; empty: nothing */
};

struct form {
	struct screen *screen;
	const struct form_class *class;
	const struct key_action *action; /* NULL: the form of an object */
	struct screen *origin;           /* of the action: the screen below */
	struct form_value values[FORM_FIELDS_MAX];
	size_t count, at, top;
	uint64_t revision;
	bool known, asked, checking, leaving;
};

bool form_is_changed(const struct form_value *v);
bool form_can_edit(const struct form_value *v);
size_t form_changes(const struct form *f);
/* Fields as they begin. */
void form_add_fields(struct form *f);
/* What the server has, or the row the form was opened on; how many fields both changed. */
size_t form_take_object(struct form *f, const struct json *object);
const struct control_method *form_method(const struct form *f); /* that saves it */
/* The row that is changed; NULL for a new one. */
const struct json *form_start_row(const struct form *f);
/* What the fields make, if they make anything; false: it was said why not. */
bool form_make(struct form *f, struct buf *out);
/* F3: what would it do? On a row of its own, with the number of the one that is changed. */
void form_try(struct form *f);
/* Is it a change of something that is there already? */
bool form_saves(const struct form *f);
/* What F2 does, in a word. */
const char *form_does(const struct form *f);
void form_bar(struct screen *screen, struct buf *out);
/* F4: names to choose from; false: the field has none. */
bool form_pick(struct form *f);
void form_draw(struct screen *screen, struct rect at);
void form_title(struct screen *screen, struct buf *out);

#endif
