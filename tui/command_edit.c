/*
 * command_edit.c - `rule smtp edit`, `rule download edit`, `rule archive edit`: the text in the person's own editor, then applied.
 *
 * What cannot be applied is kept in its file, so that no work is lost.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tui/command_run_inside.h"
#include "tui/end_signals.h"

static const struct {
	enum control_id edit, apply;
	const char *language;
} edited[] = {
	{ CONTROL_rule_smtp_edit, CONTROL_rule_smtp_apply, "smtp" },
	{ CONTROL_rule_download_edit, CONTROL_rule_download_apply, "download" },
	{ CONTROL_rule_archive_edit, CONTROL_rule_archive_apply, "archive" },
};

static size_t
edited_at(const struct control_method *method)
{
	size_t i = 0;

	while (i < COUNT(edited) && edited[i].edit != method->id)
		i++;
	return i;
}

bool
run_is_edit(const struct control_method *method)
{
	return edited_at(method) < COUNT(edited);
}

/*
 * VISUAL, EDITOR: a command that may have words of its own. NULL: none is named, and that of everybody wants a
 * terminal, without which it would wait for ever.
 */
const char *
run_editor(const struct run *r)
{
	const char *visual = getenv("VISUAL"), *plain = getenv("EDITOR");

	return visual && visual[0] ? visual : plain && plain[0] ? plain : r->interactive ? "vi" : NULL;
}

/* Without a terminal the editor reads nothing: a program that edits by itself does not want to. */
bool
run_is_edited(const struct run *r, const char *path)
{
	int status = -1;
	pid_t pid;

	end_signals_hold();
	pid = end_signals_fork();
	if (pid == 0) {
		if (!r->interactive && !freopen("/dev/null", "r", stdin))
			_exit(127);
		execlp("sh", "sh", "-c", "exec $0 \"$1\"", run_editor(r), path, (char *)NULL);
		_exit(127);
	}
	if (pid > 0)
		status = end_signals_wait(pid);
	end_signals_release();
	return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* TEXT in a file that nobody else reads. False: errno says why. */
static bool
write_file(struct run *r, struct span text, const char **path)
{
	const char *folder = getenv("TMPDIR");
	char *name = arena_alloc(r->arena, 4096);
	struct span full = arena_printf(r->arena, "%s/postroom-XXXXXX",
		folder && folder[0] ? folder : "/tmp");
	bool good;
	int fd;

	memcpy(name, full.ptr, full.len < 4095 ? full.len : 4095);
	fd = mkstemp(name);
	if (fd < 0)
		return false;
	good = print_to_fd(fd, text) == OK;
	good = close(fd) == 0 && good;
	*path = name;
	return good;
}

/* As `rule ... apply PATH`, with the options of this command. */
static int
apply(struct run *r, const char *path)
{
	struct command *asked = r->command;
	struct command c = { .kind = COMMAND_METHOD, .method = &control_methods[edited[edited_at(asked->method)].apply],
		.options = asked->options };
	int status;

	control_schema_parse(c.method->params, &c.schema);
	c.values[0] = (struct command_value){ &path, 1 };
	r->command = &c;
	status = run_command(r);
	r->command = asked;
	return status;
}

int
run_edit(struct run *r)
{
	const struct json *result;
	const char *path = NULL;
	struct buf params;
	int status;
	enum err err;

	if (!run_editor(r))
		return run_tell(r, EXIT_USAGE, run_words(r), "there is no terminal to edit at, and EDITOR names no program",
			arena_printf(r->arena, "usage: postroom %s, at a terminal; postroom rule %s apply FILE|- takes a text",
				r->command->method->words,
				edited[edited_at(r->command->method)].language));
	buf_init(&params, 64);
	err = buf_put(&params, SPAN("{}"));
	if (err == OK)
		err = run_call(r, r->command->method->method, &params, NULL, &result);
	buf_fini(&params);
	if (err != OK)
		return run_failed(r, err);
	if (!write_file(r, json_text(json_find(result, SPAN("text"))), &path))
		return run_tell(r, EXIT_REFUSED, SPAN("file to edit"), strerror(errno), SPAN("see TMPDIR"));
	if (run_is_edited(r, path)) {
		status = apply(r, path);
	} else {
		status = run_tell(r, EXIT_REFUSED, span_of(run_editor(r)), "it did not end well, nothing was changed",
			SPAN("see VISUAL and EDITOR"));
	}
	if (status == EXIT_DONE)
		unlink(path);
	else
		run_tell(r, status, SPAN("text"), "what you wrote is kept", span_of(path));
	return status;
}
