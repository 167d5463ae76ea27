/*
 * main.c - postroom: the command line, and without a command the console.
 */
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/base/version.h"
#include "tui/command_help.h"
#include "tui/command_run.h"
#include "tui/console_loop.h"
#include "tui/console_plain.h"
#include "tui/status_watch.h"

#define WORDS_LIMIT 4096 /* arguments of one command */

struct program {
	const char *self; /* argv[0] */
	struct span more; /* where the list that was shown goes on */
	struct command command;
	struct print_style style;
	struct arena arena;
};

static int
complain(struct program *p, int status, struct complaint complaint)
{
	run_complain(STDERR_FILENO, complaint, &p->style);
	return status;
}

/*
 * The configuration that was named, or the one beside the socket, or that of ./run, whose socket went
 * with the server; else postroomd knows its own.
 */
static const char *
config_path(struct program *p)
{
	const char *socket = control_link_path(p->command.options.socket), *config;
	struct span path = span_of(control_link_is_default(socket) ? "var/" : socket);
	size_t slash = span_find_last(path, '/');

	if (p->command.options.config)
		return p->command.options.config;
	if (slash == path.len)
		return NULL;
	config = arena_text(&p->arena, arena_printf(&p->arena, "%.*s/postroom.yaml", (int)slash,
		path.ptr));
	return control_link_trusts(config) && access(config, R_OK) == 0 ? config : NULL;
}

/* Become the server's program, which stands beside this one. ACTION is its first option. */
static int
run_postroomd(struct program *p, const char *action, const char *value)
{
	const char *slash = strrchr(p->self, '/'), *config = config_path(p), *path;
	const char *args[6] = { "postroomd", action };
	size_t count = 2;

	path = arena_text(&p->arena, arena_printf(&p->arena, "%.*spostroomd",
		slash ? (int)(slash - p->self) + 1 : 0, p->self));
	if (value)
		args[count++] = value;
	if (config) {
		args[count++] = "-c";
		args[count++] = config;
	}
	if (slash)
		execv(path, (char *const *)(uintptr_t)args);
	else
		execvp(path, (char *const *)(uintptr_t)args);
	return complain(p, EXIT_NO_SERVER,
		(struct complaint){ span_of(path), SPAN("it cannot be run"), SPAN_NONE });
}

static int
no_server(struct program *p, const char *path, enum err err)
{
	const struct command *c = &p->command;

	if (err == ERR_DENIED)
		return complain(p, EXIT_NO_PERMISSION,
			(struct complaint){ span_of(path), SPAN("you may not use this socket"),
				SPAN("ask for membership in one of console.groups") });
	if (c->kind == COMMAND_METHOD && c->method->id == CONTROL_store_check)
		return run_postroomd(p, "--check-store",
			command_value(c, "repair") ? "--repair" : NULL);
	complain(p, EXIT_NO_SERVER,
		(struct complaint){ span_of(path), SPAN("no server answers"),
			SPAN("start one with ./run or postroomd; -s names another socket") });
	return c->options.check ? EXIT_REFUSED : EXIT_NO_SERVER;
}

static int
run_watch(struct program *p, struct control_link *link, const char *path)
{
	const char *term = getenv("TERM");
	struct watch w = {
		.path = path,
		.out = STDOUT_FILENO,
		.repaint = isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") != 0,
		.style = p->style,
		.link = *link,
	};
	int status;

	w.style.brief = w.repaint;
	status = watch_run(&w);
	watch_fini(&w);
	control_link_init(link, -1); /* the view has closed it */
	return status;
}

static int
run_over(struct program *p, struct run *r, const char *path)
{
	bool watch = p->command.kind != COMMAND_METHOD || p->command.options.watch;
	const struct json *hello;
	enum err err = control_link_hello(
		r->link, p->command.options.read_only || watch, &p->arena, &hello);

	if (err == ERR_BUSY)
		return no_server(p, path, ERR_NOT_FOUND);
	if (err != OK)
		return run_failed(r, err);
	return watch ? run_watch(p, r->link, path) : run_command(r);
}

static int
run_connected(struct program *p)
{
	const char *path = control_link_path(p->command.options.socket);
	struct control_link link;
	struct run r = {
		.command = &p->command,
		.link = &link,
		.style = p->style,
		.arena = &p->arena,
		.out = STDOUT_FILENO,
		.complaints = STDERR_FILENO,
		.interactive = isatty(STDIN_FILENO) && isatty(STDERR_FILENO),
	};
	int status = p->command.kind == COMMAND_METHOD ? run_check_options(&r) : EXIT_DONE;
	enum err err;

	if (status != EXIT_DONE)
		return status;
	err = control_link_open(&link, path);
	if (err != OK)
		return no_server(p, path, err);
	status = run_over(p, &r, path);
	p->more = r.more;
	control_link_close(&link);
	return status;
}

static int
print_help(struct program *p)
{
	const struct command *c = &p->command;
	struct span words = SPAN_NONE;
	struct buf out;
	int status = EXIT_DONE;

	for (size_t i = 0; i < c->word_count; i++)
		words = arena_printf(&p->arena, "%.*s%s%s", SPAN_FMT(words), i ? " " : "",
			c->words[i]);
	buf_init(&out, PRINT_MAX);
	if (command_help(words, &out) != OK)
		status = complain(p, EXIT_USAGE,
			(struct complaint){ words, SPAN("there is no such command"),
				command_nearest(words, &p->arena) });
	else if (out.overflow || print_to_fd(STDOUT_FILENO, buf_span(&out)) != OK)
		status = EXIT_REFUSED;
	buf_fini(&out);
	return status;
}

static int
run_restore(struct program *p)
{
	if (p->command.word_count != 1)
		return complain(p, EXIT_USAGE,
			(struct complaint){ SPAN("restore"), SPAN("wants one folder"),
				SPAN("postroom restore DIR [-c FILE]") });
	return run_postroomd(p, "--restore", p->command.words[0]);
}

static int dispatch(struct program *p);

/* A line of the plain console, as if the shell had run it. */
static void
run_plain_line(void *arg, size_t argc, char *const *argv, struct arena *a, struct span *more)
{
	const struct program *whole = arg;
	struct program line = { .self = whole->self, .style = whole->style };
	struct complaint complaint = { 0 };

	arena_init(&line.arena, NULL);
	if (command_parse(argc, argv, &line.arena, &line.command, &complaint) != OK) {
		(void)complain(&line, EXIT_USAGE, complaint);
	} else {
		if (!line.command.options.socket)
			line.command.options.socket = whole->command.options.socket;
		line.command.options.read_only |= whole->command.options.read_only;
		if (line.command.kind != COMMAND_CONSOLE && line.command.kind != COMMAND_NONE)
			(void)dispatch(&line);
	}
	*more = arena_copy(a, line.more);
	arena_reset(&line.arena);
}

/* The console; line by line where that is wanted, or the terminal cannot show it. */
static int
run_console(struct program *p)
{
	const struct command_options *o = &p->command.options;
	const char *term = getenv("TERM");
	struct console_options options = {
		.path = control_link_path(o->socket),
		.theme = o->theme,
		.utf8 = !p->style.ascii,
		.utc = o->utc,
		.read_only = o->read_only,
		.slow = o->slow,
	};
	struct plain plain = { stdin, STDOUT_FILENO, isatty(STDIN_FILENO), run_plain_line, p };

	if (o->theme && !theme_find(o->theme))
		return complain(p, EXIT_USAGE,
			(struct complaint){ SPAN("--theme"), SPAN("there is no such theme"),
				span_of(theme_names()) });
	if (!o->plain && isatty(STDOUT_FILENO) && isatty(STDIN_FILENO) && term &&
		strcmp(term, "dumb") != 0 && console_run(&options) >= 0)
		return EXIT_DONE;
	plain_run(&plain);
	return EXIT_DONE;
}

static int
dispatch(struct program *p)
{
	switch (p->command.kind) {
	case COMMAND_HELP:
		return print_help(p);
	case COMMAND_VERSION:
		return print_to_fd(STDOUT_FILENO, SPAN("postroom " POSTROOM_VERSION "\n")) == OK ?
			EXIT_DONE :
			EXIT_REFUSED;
	case COMMAND_RESTORE:
		return run_restore(p);
	case COMMAND_CONSOLE:
		return run_console(p);
	case COMMAND_NONE:
		if (isatty(STDOUT_FILENO) && isatty(STDIN_FILENO))
			return run_console(p);
		return complain(p, EXIT_USAGE,
			(struct complaint){ SPAN("usage"), SPAN("a command is missing"),
				SPAN("see: postroom help") });
	case COMMAND_METHOD:
		break;
	}
	return run_connected(p);
}

int
main(int argc, char **argv)
{
	struct program p = { .self = argc > 0 ? argv[0] : "postroom" };
	struct complaint complaint = { 0 };
	int status;

	setlocale(LC_CTYPE, "");
	signal(SIGPIPE, SIG_IGN);
	arena_init(&p.arena, NULL);
	p.style = print_style_now(false);
	if (argc > WORDS_LIMIT ||
		command_parse(argc > 0 ? (size_t)argc - 1 : 0, argv + 1, &p.arena, &p.command,
			&complaint) != OK) {
		if (complaint.what.len == 0)
			complaint = (struct complaint){ SPAN("usage"), SPAN("too many arguments"),
				SPAN_NONE };
		status = complain(&p, EXIT_USAGE, complaint);
	} else {
		p.style.utc = p.command.options.utc;
		status = dispatch(&p);
	}
	arena_reset(&p.arena);
	return status;
}
