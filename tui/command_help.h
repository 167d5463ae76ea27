/*
 * command_help.h - the commands as a person sees them: found, listed, explained, guessed at.
 */
#ifndef TUI_COMMAND_HELP_H
#define TUI_COMMAND_HELP_H

#include "tui/command_line.h"

/* The method whose words these are; NULL where there is none. */
const struct control_method *command_find(struct span words);
bool command_is_noun(struct span word); /* the first of two words of some command */

/* "did you mean: user list", or "see: postroom help". In A. */
struct span command_nearest(struct span typed, struct arena *a);
/* "one of: list, show, add". In A. */
struct span command_verbs(struct span noun, struct arena *a);

/* Is the key of KEY=VALUE that of one of ITEMS? */
bool command_key_is_among(const char *const *items, size_t count, const char *value);

/* Is VALUE what the parameter wants? ERR_SYNTAX with *complaint. */
MUST_CHECK enum err command_check_value(const struct control_param *p, const char *value,
	struct arena *a, struct complaint *complaint);

/* All commands, those of a noun, or one with its options. ERR_NOT_FOUND: no such words. */
MUST_CHECK enum err command_help(struct span words, struct buf *out);
/* "postroom user add NAME [--admin] ..." */
void command_usage(const struct control_method *m, struct buf *out);

#endif
