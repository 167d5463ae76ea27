/*
 * screen_rows.h - what a file of a screen includes: the shapes of its rows.
 *
 * A row names what it needs and leaves out what is zero; the compiler is told so here.
 */
#ifndef TUI_SCREEN_ROWS_H
#define TUI_SCREEN_ROWS_H

#include "tui/form_panel.h"
#include "tui/print_reply.h"
#include "tui/screens.h"

extern const struct form_class form_write_to; /* of message.send, screen_users.c */
extern const struct form_class form_rule, form_rule_new; /* of rule.smtp.set and add, screen_rule_form.c */

extern const struct form_class form_rule_place; /* of rule.smtp.move, rule.download.move */

/* Keys of lists of rules (screen_rules.c): one place up or down. */
void rule_up(struct screen *screen);
void rule_down(struct screen *screen);
/* The part of a rule that its form asks in both languages: put one line, switched off or not. */
void rule_put_line(struct buf *out, bool off, struct span text);
/* The conditions of ROW into the fields `condition`, as many as the form holds; what is left into `more`. */
void rule_begin_conditions(struct screen *form, const struct json *row);
/* All lines of the conditions. */
void rule_put_conditions(struct screen *form, struct buf *out);

#define RULE_CONDITIONS_MAX 20 /* that a form holds; rules with more are edited as text */

#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

#endif
