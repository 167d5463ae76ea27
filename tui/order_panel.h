/*
 * order_panel.h - in which order the header of collected mail is read (INM-13), step by step.
 */
#ifndef TUI_ORDER_PANEL_H
#define TUI_ORDER_PANEL_H

#include "tui/console.h"

#define ORDER_STEPS_MAX 10

extern const struct panel_class order_panel;
extern const struct screen_class screen_order; /* on a row of collect.list */

#endif
