/*
 * command_options.h - options of the command line itself: --json, --filter, -s SOCKET.
 */
#ifndef TUI_COMMAND_OPTIONS_H
#define TUI_COMMAND_OPTIONS_H

#include <stdbool.h>

#include "proto/base/span.h"

struct option {
	const char *name;
	bool takes_value;
	size_t offset;    /* of its field in struct command_options: bool, or const char * with a value */
	const char *only; /* with these methods, a blank between; NULL: with all */
};

/* NULL: it is none of these, perhaps one of the method's. */
const struct option *option_find(struct span name);

bool option_is(const char *arg); /* not a word */
/* "--name" of "--name=value"; *value is NULL where there is no '='. */
struct span option_name(const char *arg, const char **value);
/* Those that may stand in front of the command as well, some of lists among them. */
bool option_takes_value(struct span name);

#endif
