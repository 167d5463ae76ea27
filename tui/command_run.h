/*
 * command_run.h - one command, done: ask, open, call, print, exit status.
 *
 *   0 done   1 refused or not found   2 wrong usage   3 no server answers   4 no permission
 */
#ifndef TUI_COMMAND_RUN_H
#define TUI_COMMAND_RUN_H

#include "tui/command_line.h"
#include "tui/control_link.h"
#include "tui/print.h"

enum exit_status { EXIT_DONE, EXIT_REFUSED, EXIT_USAGE, EXIT_NO_SERVER, EXIT_NO_PERMISSION };

struct run {
	struct command *command;
	struct control_link *link; /* said hello */
	struct print_style style;
	struct arena *arena;
	struct span secret; /* the password of this command */
	int out, complaints; /* descriptors, usually 1 and 2 */
	struct span more;    /* where a list that --limit ended goes on, in `arena`; empty: nowhere */
	bool interactive;    /* may ask: standard input and error are a terminal */
};

/* What can be told wrong without a server: EXIT_DONE or EXIT_USAGE. */
int run_check_options(struct run *r);
int run_command(struct run *r);
/* Events of the log until ^C or the server's end. */
int run_follow(struct run *r);

/* "postroom: WHAT: WHY (HINT)" on one line, cleaned. */
void run_complain(int fd, struct complaint complaint, const struct print_style *style);
/* The server's error, or that it is gone; the exit status for it. */
int run_failed(struct run *r, enum err err);

#endif
