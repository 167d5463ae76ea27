/*
 * command_line.h - what was typed, as a method with its parameters.
 *
 * Words, options and parameters come from the rows of control_methods.h; only the options of the
 * program itself stand in a table of command_line.c. Nothing here reads a file or a terminal.
 */
#ifndef TUI_COMMAND_LINE_H
#define TUI_COMMAND_LINE_H

#include "proto/base/arena.h"
#include "proto/base/json.h"
#include "proto/control/control_method.h"

enum command_kind {
	COMMAND_METHOD,
	COMMAND_HELP,    /* words: what help is wanted of */
	COMMAND_VERSION,
	COMMAND_RESTORE, /* words[0]: the folder; runs the server's own program */
	COMMAND_CONSOLE,
	COMMAND_NONE,    /* no word at all */
};

/* The options of the program. Texts are NULL where they were not given. */
struct command_options {
	const char *socket, *config, *columns, *filter, *theme;
	bool json, utc, dry_run, yes, all, read_only, password_stdin, open;
	bool watch, check, follow, help, plain, slow;
};

struct command_value {
	const char **items; /* as typed */
	size_t count;
};

struct command {
	enum command_kind kind;
	const struct control_method *method;
	struct control_schema schema;
	struct command_options options;
	struct command_value values[CONTROL_PARAMS_MAX]; /* by the place in schema */
	const char **words; /* those that are no command and no option */
	size_t word_count;
};

/* One line for people: what was wrong, why, what to do. */
struct complaint {
	struct span what, why, hint;
};

/*
 * Read ARGV (without the program's name). What *out points to lies in ARGV or in A.
 * ERR_SYNTAX: wrong usage, *complaint says it.
 */
MUST_CHECK enum err command_parse(size_t argc, char *const *argv, struct arena *a,
	struct command *out, struct complaint *complaint);

/* Does it select its objects by --filter or --all, so that a preview comes first? */
bool command_selects(const struct command *c);
/* May it be left out: it is optional, a password, which is asked for, or an output file, else standard output? */
bool command_fills_in(const struct control_param *p);
/* The value of a parameter; NULL where it was not given. */
const char *command_value(const struct command *c, const char *name);

/*
 * Put the params object. SECRET is the password for a parameter of that type. Descriptors are
 * numbered in the order of the schema; command_files() opens them in that order.
 */
void command_put_params(const struct command *c, struct span secret, struct json_writer *w);

#endif
