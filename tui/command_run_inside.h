/*
 * command_run_inside.h - what command_run.c, command_result.c and command_preview.c share.
 */
#ifndef TUI_COMMAND_RUN_INSIDE_H
#define TUI_COMMAND_RUN_INSIDE_H

#include "tui/command_files.h"
#include "tui/command_run.h"

/* "user show anna": the command and the first word that it was given. */
struct span run_words(struct run *r);
/* Complain and give back STATUS. */
int run_tell(struct run *r, int status, struct span what, const char *why, struct span hint);
/* Write OUT and free it; STATUS if that went well. */
int run_print(struct run *r, struct buf *out, int status);
int run_print_result(struct run *r, const struct control_method *m, const struct json *result);
MUST_CHECK enum err run_call(struct run *r, const char *method, struct buf *params,
	const struct command_files *files, const struct json **result);

/* A parameter of the command, as if it had been typed. */
void run_set_param(struct run *r, const char *name, struct span text);
/* The server wants to hear that it is meant (SEC-01), and the person says so: call again. */
bool run_confirms(struct run *r);
/* Call the method, and print its answer. */
int run_direct(struct run *r, struct command_files *files);

/* VISUAL, EDITOR, at a terminal vi; NULL: none. */
const char *run_editor(const struct run *r);
/* Has it edited PATH and ended well? */
bool run_is_edited(const struct run *r, const char *path);
/* `rule smtp edit` and the like: get the text, let it be edited, apply it. */
bool run_is_edit(const struct control_method *method);
int run_edit(struct run *r);
/* `config edit`: the same with the configuration file. */
int run_config_edit(struct run *r);

/* At a terminal these are shown before they are done (USR-13, USR-43). */
bool run_shows_first(const struct run *r);
/* Preview, and print it if SHOWN. */
int run_show_preview(struct run *r, const struct command_files *files, bool shown);
/* Preview; then, unless it was all that was wanted, ask and apply what was pinned. */
int run_preview(struct run *r, const struct command_files *files);

#endif
