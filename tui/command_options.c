/*
 * command_options.c - the table of options that no method asks for, and how an option is told from a word.
 */
#include "tui/command_options.h"

#include <stddef.h>
#include <string.h>

#include "tui/command_line.h"

static const struct option options[] = {
#define FLAG(name, field, only) { name, false, offsetof(struct command_options, field), only }
#define TEXT(name, field, only) { name, true, offsetof(struct command_options, field), only }
	TEXT("-s", socket, NULL),
	TEXT("--socket", socket, NULL),
	TEXT("-c", config, NULL),
	TEXT("--config", config, NULL),
	FLAG("--json", json, NULL),
	TEXT("--columns", columns, NULL),
	TEXT("--filter", filter, NULL),
	FLAG("--utc", utc, NULL),
	FLAG("--dry-run", dry_run, NULL),
	FLAG("--yes", yes, NULL),
	FLAG("--all", all, NULL),
	FLAG("--read-only", read_only, NULL),
	FLAG("--plain", plain, "console"),
	FLAG("--slow", slow, "console"),
	TEXT("--theme", theme, "console"),
	FLAG("--password-stdin", password_stdin, NULL),
	FLAG("--open", open, NULL),
	FLAG("--help", help, NULL),
	FLAG("-h", help, NULL),
	FLAG("--watch", watch, "status"),
	FLAG("--check", check, "status"),
	FLAG("--follow", follow, "log.tail log.show"),
#undef FLAG
#undef TEXT
};

struct span
option_name(const char *arg, const char **value)
{
	const char *equals = arg[0] == '-' && arg[1] == '-' ? strchr(arg, '=') : NULL;

	*value = equals ? equals + 1 : NULL;
	return equals ? (struct span){ arg, (size_t)(equals - arg) } : span_of(arg);
}

const struct option *
option_find(struct span name)
{
	for (size_t i = 0; i < COUNT(options); i++)
		if (span_eq(span_of(options[i].name), name))
			return &options[i];
	return NULL;
}

bool
option_is(const char *arg)
{
	return arg[0] == '-' && arg[1] != '\0';
}

bool
option_takes_value(struct span name)
{
	const struct option *option = option_find(name);

	if (option)
		return option->takes_value;
	return span_eq(name, SPAN("--sort")) || span_eq(name, SPAN("--limit")) ||
		span_eq(name, SPAN("--after"));
}
