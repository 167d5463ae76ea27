/*
 * connect_program.c - the programs of a link, and the interfaces that tell whether it is up.
 */
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>

#include "server/connect/connect_inside.h"
#include "server/net/random.h"
#include "server/secrets.h"

#define VARIABLES 5
#define PASSWORD_MAX 512

bool
connection_can_ask(const struct conf_connection *conf)
{
	return conf->status.count > 0 || conf->interfaces.count > 0;
}

bool
connection_interface_is_up(const struct conf_connection *conf)
{
	struct ifaddrs *all, *at;
	bool up = false;

	if (getifaddrs(&all) != 0)
		return false;
	for (at = all; at && !up; at = at->ifa_next)
		for (size_t i = 0; i < conf->interfaces.count && !up; i++)
			up = span_eq(conf->interfaces.items[i], span_of(at->ifa_name)) &&
				(at->ifa_flags & IFF_UP) && (at->ifa_flags & IFF_RUNNING);
	freeifaddrs(all);
	return up;
}

/* The environment holds the password, which no list of processes shows to others (CON-05, H66). */
static size_t
variables(struct connection *c, struct arena *a, struct span password, struct span env[VARIABLES])
{
	const struct conf_connection *conf = c->conf;
	size_t count = 0;

	env[count++] = arena_printf(a, "POSTROOM_CONNECTION=%s", c->name);
	env[count++] = arena_printf(a, "POSTROOM_MULTILINK=%d", conf->multilink);
	if (conf->numbers.count > 0)
		env[count++] = arena_printf(a, "POSTROOM_NUMBER=%.*s",
			SPAN_FMT(conf->numbers.items[random_u64() % conf->numbers.count]));
	if (conf->username.len > 0)
		env[count++] = arena_printf(a, "POSTROOM_USER=%.*s", SPAN_FMT(conf->username));
	if (password.len > 0)
		env[count++] = arena_printf(a, "POSTROOM_PASSWORD=%.*s", SPAN_FMT(password));
	return count;
}

/* ---- of a run ---- */

static bool
goes_down(const struct connection *c)
{
	return c->link.state == LINK_CLOSES || c->link.state == LINK_CLEARS;
}

static void
on_ran(struct runner_job *job, const struct runner_answer *answer)
{
	struct connection *c = LIST_ITEM(job, struct connection, program);
	bool well = answer->end == RUNNER_EXITED && answer->number == 0;
	char says[RUNNER_SAYS_SIZE];

	if (!well && goes_down(c)) /* what the attempt failed of was said before */
		connection_log_left_up(c, runner_says(answer, says));
	else if (!well)
		snprintf(c->problem, sizeof(c->problem), "the program %s",
			runner_says(answer, says));
	connection_link(c, well ? LINK_YES : LINK_NO);
}

/* It could not even be asked for; in another turn, as all answers. */
static void
not_run(void *arg)
{
	struct connection *c = arg;

	if (c->runs)
		connection_link(c, LINK_NO);
}

void
connection_run_program(struct connection *c, const struct conf_list *argv, int64_t timeout_ms)
{
	struct span env[VARIABLES];
	struct buf password;
	struct arena arena;
	enum err err;

	buf_init(&password, PASSWORD_MAX);
	password.wipes = true;
	if (secret_of_conf(c->all->host, &c->conf->password, &password) != OK && !goes_down(c)) {
		buf_wipe(&password);
		snprintf(c->problem, sizeof(c->problem),
			"its password cannot be read (look at connections.%s.password)", c->name);
		loop_post(c->all->host->loop, not_run, c);
		return;
	}
	arena_init(&arena, NULL);
	arena.wipes = true;
	c->program = (struct runner_job){ .argv = argv->items, .argc = argv->count, .env = env,
		.env_count = variables(c, &arena, buf_span(&password), env), .timeout_ms = timeout_ms,
		.output_max = CONNECT_PROGRAM_OUTPUT, .done = on_ran };
	err = runner_run(c->all->host, &c->program);
	buf_wipe(&password);
	arena_reset(&arena);
	if (err == OK)
		return;
	snprintf(c->problem, sizeof(c->problem), "the program could not be run: %s", err_name(err));
	loop_post(c->all->host->loop, not_run, c);
}

/* ---- between runs ---- */

static void
on_watched(struct runner_job *job, const struct runner_answer *answer)
{
	connection_seen(LIST_ITEM(job, struct connection, program),
		answer->end == RUNNER_EXITED && answer->number == 0);
}

bool
connection_watch(struct connection *c, const struct conf_connection *conf)
{
	char name[sizeof("POSTROOM_CONNECTION=") + CONNECTED_NAME_MAX];
	struct span env;

	if (conf->status.count == 0) {
		connection_seen(c, connection_interface_is_up(conf));
		return true;
	}
	if (c->program.order)
		return false;
	snprintf(name, sizeof(name), "POSTROOM_CONNECTION=%s", c->name);
	env = span_of(name);
	c->program = (struct runner_job){ .argv = conf->status.items, .argc = conf->status.count,
		.env = &env, .env_count = 1,
		.timeout_ms = CONNECT_WATCH_MS, .output_max = CONNECT_PROGRAM_OUTPUT,
		.done = on_watched };
	return runner_run(c->all->host, &c->program) == OK;
}
