/*
 * command_preview.c - a change is shown, asked about, and applied to what was shown.
 */
#include "tui/ask.h"
#include "tui/command_run_inside.h"
#include "tui/params.h"
#include "tui/print_reply.h"

static enum err
call_preview(struct run *r, const struct command_files *files, const struct json **result)
{
	const struct command_options *o = &r->command->options;
	struct params p;
	enum err err;

	params_begin(&p);
	json_put_member_string(&p.w, SPAN("method"), span_of(r->command->method->method));
	json_put_name(&p.w, SPAN("params"));
	command_put_params(r->command, r->secret, &p.w);
	if (o->filter)
		json_put_member_string(&p.w, SPAN("filter"), span_of(o->filter));
	if (o->all)
		json_put_member_bool(&p.w, SPAN("all"), true);
	err = params_end(&p);
	if (err == OK)
		err = run_call(r, "preview", &p.text, files, result);
	params_fini(&p);
	return err;
}

static int
show_preview(struct run *r, const struct json *preview)
{
	struct buf out;

	buf_init(&out, PRINT_MAX);
	if (r->command->options.json) {
		print_json(&out, preview);
		out.overflow |= buf_put(&out, SPAN("\n")) != OK;
	} else {
		print_preview(&out, preview, &r->style);
	}
	return run_print(r, &out, EXIT_DONE);
}

static int
apply(struct run *r, const struct json *preview)
{
	const struct json *result;
	struct params p;
	enum err err;

	params_begin(&p);
	json_put_member_string(&p.w, SPAN("token"), json_text(json_find(preview, SPAN("token"))));
	err = params_end(&p);
	if (err == OK)
		err = run_call(r, "apply", &p.text, NULL, &result);
	params_fini(&p);
	return err == OK ? run_print_result(r, r->command->method, result) : run_failed(r, err);
}

/* Without --yes a pipe may do to all what is harmless or can be undone, and to nothing else. */
static bool
wants_yes(const struct run *r)
{
	const struct command_options *o = &r->command->options;

	return !o->yes && !(o->all && r->command->method->guard == CONTROL_G1 && !r->interactive);
}

/* USR-13: who has mail is removed after a second question. */
static bool
ask_again(const struct run *r, const struct json *preview)
{
	uint64_t bytes = 0;

	if (r->command->method->id != CONTROL_user_remove ||
		json_u64(json_find(preview, SPAN("bytes")), UINT64_MAX, &bytes) != OK || bytes == 0)
		return true;
	return ask_yes("There is mail in it, which goes too. Really? [y/N] ");
}

int
run_show_preview(struct run *r, const struct command_files *files, bool shown)
{
	const struct json *preview;
	enum err err;

	if (r->command->options.yes && control_schema_find(&r->command->schema, SPAN("confirm")))
		run_set_param(r, "confirm", SPAN(""));
	do
		err = call_preview(r, files, &preview);
	while (err == ERR_DENIED && run_confirms(r));
	if (err != OK)
		return run_failed(r, err);
	return shown ? show_preview(r, preview) : EXIT_DONE;
}

bool
run_shows_first(const struct run *r)
{
	unsigned id = r->command->method->id;

	if (r->command->options.yes)
		return false;
	return r->command->method->guard == CONTROL_G3 || (r->interactive &&
		(id == CONTROL_user_remove || id == CONTROL_user_import || id == CONTROL_user_bulk));
}

int
run_preview(struct run *r, const struct command_files *files)
{
	const struct command_options *o = &r->command->options;
	const struct json *preview;
	enum err err;
	int status;

	if (!o->dry_run && !r->interactive && wants_yes(r))
		return run_tell(r, EXIT_USAGE, span_of(r->command->method->words),
			r->command->method->guard == CONTROL_G3
				? "what cannot be undone wants --yes here"
				: "a change that selects its objects wants --yes here",
			SPAN("--dry-run shows what it would change"));
	err = call_preview(r, files, &preview);
	if (err != OK)
		return run_failed(r, err);
	if (!o->json || o->dry_run) {
		status = show_preview(r, preview);
		if (status != EXIT_DONE || o->dry_run)
			return status;
	}
	if (wants_yes(r) && !(ask_yes("Do it? [y/N] ") && ask_again(r, preview)))
		return run_tell(r, EXIT_REFUSED, span_of(r->command->method->words),
			"nothing was changed", SPAN_NONE);
	return apply(r, preview);
}
