/*
 * console_loop.h - the console on a terminal.
 */
#ifndef TUI_CONSOLE_LOOP_H
#define TUI_CONSOLE_LOOP_H

#include "tui/theme.h"

struct console_options {
	const char *path; /* of the socket */
	const char *theme;
	bool utf8, utc, read_only;
	bool slow; /* a slow line: what no key asked for is painted every 2 s */
};

/* Run until a person leaves it; the exit status. -1: the terminal cannot show it. */
int console_run(const struct console_options *options);

#endif
