/*
 * log_follow.c - lines of the log as they come, until ^C.
 */
#include <signal.h>

#include "tui/command_run.h"
#include "tui/params.h"
#include "tui/print_reply.h"

static volatile sig_atomic_t stopped;

static void
on_signal(int number)
{
	(void)number;
	stopped = 1;
}

static void
follow_event(void *arg, const struct json *params)
{
	struct run *r = arg;
	const struct json *data = json_find(params, SPAN("data"));
	const struct json *lines = json_find(data, SPAN("lines"));
	struct buf out;

	buf_init(&out, PRINT_MAX);
	for (const struct json *row = lines ? lines->first : NULL; row; row = row->next) {
		if (r->command->options.json) {
			print_json(&out, row);
			print_put(&out, SPAN("\n"));
		} else {
			print_log_line(&out, row, &r->style);
		}
	}
	if (!r->command->options.json)
		print_skipped(&out, data);
	if (print_to_fd(r->out, buf_span(&out)) != OK || control_link_ack(r->link, params) != OK)
		stopped = 1;
	buf_fini(&out);
}

static void
put_if(struct json_writer *w, const struct run *r, const char *name)
{
	const char *value = command_value(r->command, name);

	if (value)
		json_put_member_string(w, span_of(name), span_of(value));
}

int
run_follow(struct run *r)
{
	struct sigaction action = { .sa_handler = on_signal };
	const struct json *result;
	struct params p;
	enum err err;

	params_begin(&p);
	json_put_member_string(&p.w, SPAN("topic"), SPAN("log"));
	put_if(&p.w, r, "level");
	put_if(&p.w, r, "service");
	put_if(&p.w, r, "session");
	put_if(&p.w, r, "filter");
	err = params_end(&p);
	r->link->on_event = follow_event;
	r->link->on_event_arg = r;
	sigaction(SIGINT, &action, NULL);
	if (err == OK)
		err = control_link_call(r->link,
			&(struct link_call){ .method = "subscribe", .params = buf_span(&p.text) },
			r->arena, &result);
	params_fini(&p);
	while (!stopped && (err == OK || err == ERR_BUSY))
		err = control_link_wait(r->link, -1);
	return stopped ? EXIT_DONE : run_failed(r, err);
}

