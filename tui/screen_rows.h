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

#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

#endif
