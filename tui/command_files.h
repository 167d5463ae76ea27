/*
 * command_files.h - the files of a command, opened here and passed as descriptors.
 *
 * The server gets regular files and folders only: a pipe or a terminal is copied into, or out of, a
 * file in memory, so that the server never waits for a person.
 */
#ifndef TUI_COMMAND_FILES_H
#define TUI_COMMAND_FILES_H

#include "tui/command_line.h"

#define COMMAND_STDIN_MAX ((size_t)1 << 30) /* bytes taken from standard input */

struct command_files {
	int fds[CONTROL_FDS_MAX]; /* in the order of the schema */
	size_t count;
	int to_stdout; /* the one of them that is printed in the end, else -1 */
};

/* Open what the command names; "-" is standard input or output. ERR_NOT_FOUND, ERR_LIMIT or ERR_IO
 * with *complaint and nothing open. A folder for a backup is made where it is missing. */
MUST_CHECK enum err command_files_open(const struct command *c, struct arena *a,
	struct command_files *out, struct complaint *complaint);
/* Print what was written for standard output, cleaned where that is a terminal (H70). */
MUST_CHECK enum err command_files_finish(struct command_files *files);
void command_files_close(struct command_files *files);

#endif
