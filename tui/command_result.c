/*
 * command_result.c - what a command was answered, printed.
 */
#include "tui/command_run_inside.h"
#include "tui/print_reply.h"

int
run_print(struct run *r, struct buf *out, int status)
{
	enum err err = out->overflow ? ERR_LIMIT : print_to_fd(r->out, buf_span(out));

	buf_fini(out);
	if (err == ERR_LIMIT)
		return run_tell(r, EXIT_REFUSED, SPAN("answer"), "it is too large to be shown",
			SPAN("use --limit or --filter"));
	return err == OK ? status : EXIT_REFUSED;
}

/* What a list without rows means. */
static const struct {
	unsigned id; /* CONTROL_... */
	const char *text;
} nothing[] = {
	{ CONTROL_user_list, "no users" },
	{ CONTROL_group_list, "no groups" },
	{ CONTROL_mapping_list, "no mappings" },
	{ CONTROL_maillist_members, "no members" },
	{ CONTROL_message_list, "no messages in this folder" },
	{ CONTROL_message_bin, "the bin is empty" },
	{ CONTROL_queue_list, "no messages wait" },
	{ CONTROL_collect_list, "no collectors: see postroom help collect add" },
	{ CONTROL_trace, "no traces" },
	{ CONTROL_log_tail, "no lines" },
	{ CONTROL_log_show, "no lines" },
	{ CONTROL_config_history, "no changes of the file" },
	{ CONTROL_undo_list, "no changes" },
	{ CONTROL_config_check, "all right: nothing is wrong with the configuration" },
	{ CONTROL_store_check, "all right: nothing is wrong with the store" },
};

/* On a terminal a sentence is better than titles over nothing; a check always says how it went. */
static bool
print_nothing(struct run *r, const struct control_method *m, const struct json *rows)
{
	const char *text = "nothing to list";

	if (!json_is(rows, JSON_ARRAY) || rows->first || r->command->options.json ||
		r->style.no_titles ||
		(r->style.width == 0 && m->reply != CONTROL_REPLY_FAULTS))
		return false;
	for (size_t i = 0; i < COUNT(nothing); i++)
		if (nothing[i].id == m->id)
			text = nothing[i].text;
	if (command_value(r->command, "filter"))
		text = "nothing fits the filter";
	return print_to_fd(r->out, span_of(text)) == OK &&
	       print_to_fd(r->out, SPAN("\n")) == OK;
}

int
run_print_result(struct run *r, const struct control_method *m, const struct json *result)
{
	const struct json *rows = json_find(result, SPAN("rows"));
	struct buf out;

	if (print_nothing(r, m, rows))
		return EXIT_DONE;
	for (const struct json *at = m->reply == CONTROL_REPLY_DONE && !r->command->options.json ?
			reply_errors(result) : NULL; at; at = at->next)
		run_complain(r->complaints, (struct complaint){ run_words(r), json_text(at), SPAN_NONE },
			&r->style);
	buf_init(&out, PRINT_MAX);
	print_reply(&out, m, result, r->command->options.columns, r->command->options.json,
		&r->style);
	return run_print(r, &out,
		reply_tells_of_faults(m, result) ? EXIT_REFUSED : EXIT_DONE);
}
