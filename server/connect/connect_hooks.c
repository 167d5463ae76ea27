/*
 * connect_hooks.c - programs of an administrator as a connection comes up and before it ends (EXT-12).
 *
 * The run waits for each, `program_timeout` at most. One that fails is told, and changes nothing else.
 */
#include <stdio.h>

#include "server/connect/connect_inside.h"

#define VARIABLES 2
#define HOOK_END_MS 3000 /* as the server stops */

static const char *const names[] = { [HOOK_UP] = "post_connect", [HOOK_DOWN] = "pre_disconnect" };

static const struct conf_list *
argv_of(const struct connection *c)
{
	return c->hook == HOOK_UP ? &c->conf->post_connect : &c->conf->pre_disconnect;
}

static void
failed(struct connection *c, const char *why)
{
	log_put(c->all->host->log,
		&(struct log_line){ .level = LEVEL_WARNING, .area = "connect", .text = "a program failed",
			.fields = { { "connection", span_of(c->name), 0 },
				{ "program", span_of(names[c->hook]), 0 }, { "why", span_of(why), 0 } } });
	connection_tell_hook(c, names[c->hook], why);
}

static void
on_ran(struct runner_job *job, const struct runner_answer *answer)
{
	struct connection *c = LIST_ITEM(job, struct connection, program);
	char says[RUNNER_SAYS_SIZE];

	if (answer->end != RUNNER_EXITED || answer->number != 0)
		failed(c, runner_says(answer, says));
	connection_hook_over(c);
}

/* Its place in the file, from 1 (CON-04). */
static size_t
number_of(const struct connection *c)
{
	const struct conf *conf = c->all->host->conf;

	for (size_t i = 0; i < connection_count(conf); i++)
		if (span_eq_nocase(connection_at(conf, i)->name, span_of(c->name)))
			return i + 1;
	return 0;
}

static enum err
run(struct connection *c)
{
	char number[sizeof("CONNECTION=") + 20], name[sizeof("POSTROOM_CONNECTION=") + CONNECTED_NAME_MAX];
	struct span env[VARIABLES];
	int64_t ms = c->conf->program_timeout_ms;

	snprintf(number, sizeof(number), "CONNECTION=%zu", number_of(c));
	snprintf(name, sizeof(name), "POSTROOM_CONNECTION=%s", c->name);
	env[0] = span_of(number);
	env[1] = span_of(name);
	c->program = (struct runner_job){ .argv = argv_of(c)->items, .argc = argv_of(c)->count,
		.env = env, .env_count = VARIABLES, .output_max = CONNECT_PROGRAM_OUTPUT, .done = on_ran,
		.timeout_ms = c->all->ending && ms > HOOK_END_MS ? HOOK_END_MS : ms };
	return runner_run(c->all->host, &c->program);
}

bool
connection_run_hook(struct connection *c, enum connect_hook hook)
{
	enum err err;

	c->hook = hook;
	if (argv_of(c)->count == 0)
		return false;
	connection_log(c, LEVEL_INFO, hook == HOOK_UP ? "runs post_connect" : "runs pre_disconnect");
	err = run(c);
	if (err != OK)
		failed(c, err_name(err));
	return err == OK;
}
