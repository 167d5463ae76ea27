/*
 * console_plain.h - the console line by line: for screen readers, dumb terminals and pipes.
 */
#ifndef TUI_CONSOLE_PLAIN_H
#define TUI_CONSOLE_PLAIN_H

#include <stdio.h>

#include "proto/base/arena.h"

#define PLAIN_WORDS_MAX 256 /* of one line */
#define PLAIN_LINE_MAX 8192 /* bytes of one line */
#define PLAIN_ROWS "10"     /* of a list at a time */

struct plain {
	FILE *in;
	int out;
	bool prompts; /* standard input is a terminal */
	/*
	 * Run a command of these words. *more is set, in A, to the key where the list goes on, if
	 * it was one and does.
	 */
	void (*run)(void *arg, size_t argc, char *const *argv, struct arena *a, struct span *more);
	void *arg;
};

/*
 * Ask for lines until `quit` or the end: a screen's name shows ten of its rows, `next` the next ten,
 * `screens` and `keys SCREEN` say what there is, any other line is a command as the shell would take
 * it. Nothing is written but what a line asked for, and no escape sequence ever.
 */
void plain_run(const struct plain *p);
/* Cut LINE into words as a shell would: blanks, '...', "...", \x. ERR_SYNTAX: a quote is open. */
MUST_CHECK enum err plain_words(
	struct span line, struct arena *a, char *words[PLAIN_WORDS_MAX], size_t *count);

#endif
