/*
 * command_config_edit.c - `config edit`: the configuration file in the person's own editor.
 *
 *   read the file ---> editor ---> checked by the server ---> what differs ---> applied
 *                        ^               | faults                 | asked
 *                        +-- edit again -+------------------------+
 *
 * The file is read here, with the rights of whoever edits; the server says where it lies, and gets the new text as
 * a descriptor, with the mark of the old one. What could not be applied is kept in its file; what was quit is not.
 */
#include <errno.h>
#include <string.h>

#include "proto/control/control_mark.h"
#include "tui/ask.h"
#include "tui/command_run_inside.h"
#include "tui/edit_file.h"
#include "tui/end_signals.h"
#include "tui/params.h"
#include "tui/print_reply.h"

#define TEXT_MAX ((size_t)1 << 20) /* bytes of a configuration, as the server takes it */
#define FILE_NAME "postroom.yaml"  /* an editor knows YAML by it */

struct editing {
	struct run *r;
	const char *path;      /* of the configuration */
	struct span was;       /* its text */
	struct edit_file file; /* where it is edited */
	bool again;            /* the person wants to go on editing */
	bool kept;             /* or: what was typed must not be lost */
};

static int
find_path(struct editing *e)
{
	struct run *r = e->r;
	const struct json *result;
	struct params p;
	enum err err;

	params_begin(&p);
	err = params_end(&p);
	if (err == OK)
		err = run_call(r, "config.file", &p.text, NULL, &result);
	params_fini(&p);
	if (err != OK)
		return run_failed(r, err);
	e->path = arena_text(r->arena, json_text(json_find(result, SPAN("path"))));
	return EXIT_DONE;
}

static int
read_old(struct editing *e)
{
	struct run *r = e->r;
	char *mark = arena_alloc(r->arena, CONTROL_MARK_SIZE);
	enum err err = edit_file_read(e->path, TEXT_MAX, r->arena, &e->was);

	if (err == ERR_LIMIT)
		return run_tell(r, EXIT_REFUSED, span_of(e->path), "it is over 1 MiB", SPAN_NONE);
	if (err != OK && (errno == EACCES || errno == EPERM))
		return run_tell(r, EXIT_NO_PERMISSION, span_of(e->path), "you may not read this file",
			SPAN("edit as its owner or root; config set changes one setting without reading it"));
	if (err != OK)
		return run_tell(r, EXIT_REFUSED, span_of(e->path), strerror(errno), SPAN_NONE);
	control_mark(e->was, mark);
	run_set_param(r, "read", span_of(mark));
	return EXIT_DONE;
}

/* e: once more; q: what was typed goes. Any other answer, or nobody there to ask, keeps it. True: y. */
static bool
ask_on(struct editing *e, const char *question)
{
	char letter = e->r->interactive ? ask_letter(question) : '\0';

	e->again = letter == 'e';
	e->kept = letter != 'q';
	if (letter != 'e' && letter != 'y')
		run_tell(e->r, EXIT_REFUSED, run_words(e->r), "nothing was changed", SPAN_NONE);
	return letter == 'y';
}

/* EXIT_DONE, or there are faults, which are shown with their lines. */
static int
check(struct editing *e, const struct command_files *files)
{
	const struct control_method *m = &control_methods[CONTROL_config_check];
	struct run *r = e->r;
	const struct json *result;
	struct params p;
	enum err err;

	params_begin(&p);
	json_put_member_u64(&p.w, SPAN("file"), 0);
	err = params_end(&p);
	if (err == OK)
		err = run_call(r, m->method, &p.text, files, &result);
	params_fini(&p);
	e->kept = err != OK;
	if (err != OK)
		return run_failed(r, err);
	if (!reply_tells_of_faults(m, result))
		return EXIT_DONE;
	(void)run_print_result(r, m, result);
	(void)ask_on(e, "e edits it again, q quits without a change: ");
	return EXIT_REFUSED;
}

static int
apply(struct editing *e, struct command_files *files)
{
	const struct command_options *o = &e->r->command->options;
	bool asks = e->r->interactive && !o->yes && !o->dry_run;
	int status = run_show_preview(e->r, files, !o->json || o->dry_run);

	e->kept = status != EXIT_DONE;
	if (status != EXIT_DONE || o->dry_run)
		return status;
	if (asks && !ask_on(e, "Do it? y does it, e edits it again, q quits without a change: "))
		return EXIT_REFUSED;
	status = run_direct(e->r, files);
	e->kept = status != EXIT_DONE;
	return status;
}

static int
take_over(struct editing *e)
{
	struct run *r = e->r;
	struct command_files files;
	struct complaint complaint = { 0 };
	int status;

	run_set_param(r, "file", span_of(e->file.path));
	if (command_files_open(r->command, r->arena, &files, &complaint) != OK) {
		run_complain(r->complaints, complaint, &r->style);
		return EXIT_REFUSED;
	}
	status = check(e, &files);
	if (status == EXIT_DONE)
		status = apply(e, &files);
	command_files_close(&files);
	return status;
}

/* Once through the editor. */
static int
edit_once(struct editing *e)
{
	struct run *r = e->r;
	bool ended_well = run_is_edited(r, e->file.path);
	struct span text;
	enum err err = edit_file_read(e->file.path, TEXT_MAX, r->arena, &text);

	e->again = false;
	e->kept = err == ERR_LIMIT;
	if (err != OK)
		return run_tell(r, EXIT_REFUSED, SPAN("edited text"),
			err == ERR_LIMIT ? "it is over 1 MiB, nothing was changed" : strerror(errno), SPAN_NONE);
	e->kept = !span_eq(text, e->was);
	if (!ended_well)
		return run_tell(r, EXIT_REFUSED, span_of(run_editor(r)),
			"it did not end well, nothing was changed", SPAN("see VISUAL and EDITOR"));
	if (e->kept)
		return take_over(e);
	return print_to_fd(r->out, r->command->options.json ?
			SPAN("{\"done\":0,\"note\":\"nothing changed\"}\n") : SPAN("nothing changed\n")) == OK ?
		EXIT_DONE : EXIT_REFUSED;
}

static int
edit(struct editing *e)
{
	struct run *r = e->r;
	const char *kept = NULL;
	int status;

	if (!edit_file_make(r->arena, FILE_NAME, e->was, &e->file))
		return run_tell(r, EXIT_REFUSED, SPAN("file to edit"), strerror(errno), SPAN("see TMPDIR"));
	do
		status = edit_once(e);
	while (e->again && !end_signals_came());
	if (e->kept || e->again)
		kept = edit_file_keep(&e->file, r->arena);
	if (kept)
		run_tell(r, status, SPAN("text"), "what you wrote is kept", span_of(kept));
	edit_file_remove(&e->file);
	return status;
}

int
run_config_edit(struct run *r)
{
	struct editing e = { .r = r };
	int status;

	if (r->command->options.read_only)
		return run_tell(r, EXIT_NO_PERMISSION, run_words(r), "this session is read-only", SPAN_NONE);
	if (!run_editor(r))
		return run_tell(r, EXIT_USAGE, run_words(r),
			"there is no terminal to edit at, and EDITOR names no program",
			SPAN("at a terminal, or: postroom config set KEY VALUE"));
	status = find_path(&e);
	if (status == EXIT_DONE)
		status = read_old(&e);
	if (status != EXIT_DONE)
		return status;
	end_signals_hold();
	status = edit(&e);
	end_signals_release();
	return status;
}
