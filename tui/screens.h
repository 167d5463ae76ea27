/*
 * screens.h - the screens by name, for screens.c and for screens that open one another.
 */
#ifndef TUI_SCREENS_H
#define TUI_SCREENS_H

#include "tui/screen.h"

extern const struct screen_class screen_overview, screen_queue, screen_trace, screen_logs, screen_users,
	screen_mappings, screen_services, screen_sessions, screen_settings, screen_audit;
/* below another */
extern const struct screen_class screen_message, screen_trace_steps, screen_user, screen_mailbox,
	screen_mailbox_bin;

#endif
