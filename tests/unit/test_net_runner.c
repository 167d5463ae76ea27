/*
 * test_net_runner.c - the runner with real programs: how they end, what they leave, who may wait (H39, H55, H56).
 */
#include "tests/unit/test_net.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/base/buf.h"
#include "server/host.h"
#include "server/net/loop.h"
#include "server/runner/runner.h"
#include "tests/harness/runner_site.h"

struct site {
	struct loop *loop;
	struct host host;
	pid_t process; /* of the last runner */
	unsigned faults, starts;
};

struct ran {
	struct runner_job job;
	int done;
	struct runner_answer answer;
	char output[300], error[RUNNER_LINE_SIZE], says[RUNNER_SAYS_SIZE];
	size_t output_len;
};

static int
start_process(void *arg)
{
	struct site *s = arg;

	return runner_site_fork(&s->process);
}

static int
start_nothing(void *arg)
{
	(void)arg;
	errno = EAGAIN;
	return -1;
}

static void
count_fault(void *arg, const char *text)
{
	struct site *s = arg;

	assert_true(strlen(text) > 0);
	s->faults++;
}

static void
open_site(struct site *s, int (*start)(void *))
{
	struct runner_options options = { start, count_fault, s };

	*s = (struct site){ .process = 0 };
	assert_int_equal(loop_open(&s->loop), OK);
	s->host.loop = s->loop;
	s->host.runner = runner_open(s->loop, &options);
}

static void
close_site(struct site *s)
{
	int status = -1;

	runner_close(&s->host.runner);
	if (s->process > 0) {
		assert_int_equal(waitpid(s->process, &status, 0), s->process);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0); /* it saw the end */
	}
	loop_close(&s->loop);
}

static void
on_done(struct runner_job *job, const struct runner_answer *answer)
{
	struct ran *ran = LIST_ITEM(job, struct ran, job);

	assert_false(ran->done);
	ran->done = 1;
	ran->answer = *answer;
	ran->output_len = answer->output.len;
	snprintf(ran->output, sizeof(ran->output), "%.*s", SPAN_FMT(answer->output));
	snprintf(ran->error, sizeof(ran->error), "%s", answer->error);
	runner_says(answer, ran->says);
}

static enum err
run_argv(struct site *s, struct ran *ran, const struct span *argv, size_t argc)
{
	ran->job.argv = argv;
	ran->job.argc = argc;
	ran->job.done = on_done;
	if (ran->job.output_max == 0)
		ran->job.output_max = 1000;
	return runner_run(&s->host, &ran->job);
}

static void
run_script(struct site *s, struct ran *ran, const char *script)
{
	const struct span argv[] = { SPAN("/bin/sh"), SPAN("-c"), span_of(script) };

	assert_int_equal(run_argv(s, ran, argv, COUNT(argv)), OK);
}

static void
turn_until_done(struct site *s, struct ran *all, size_t count)
{
	int64_t begun = loop_now_ms(s->loop);

	for (size_t i = 0; i < count; i++) {
		while (!all[i].done && loop_now_ms(s->loop) - begun < RUNNER_PATIENCE_MS)
			loop_turn(s->loop, 10);
		if (!all[i].done)
			fail_msg("program %zu did not end", i);
	}
}

/* H56: "programs that hang, fork, print 1 GB, exit 1, die by signal, keep stdout open". */
static const struct {
	const char *script, *input;
	int64_t timeout_ms;
	enum runner_end end;
	int number;
	const char *output, *error; /* NULL: whatever it is */
} rows[] = {
	{ "echo hello", "", 0, RUNNER_EXITED, 0, "hello\n", "" },
	{ "cat", "what goes in\n", 0, RUNNER_EXITED, 0, "what goes in\n", "" },
	{ "cat /dev/stdin", "and again\n", 0, RUNNER_EXITED, 0, "and again\n", "" },
	{ "echo; echo no such account >&2; echo more >&2; exit 3", "", 0, RUNNER_EXITED, 3, "\n", "no such account" },
	{ "kill -9 $$", "", 0, RUNNER_SIGNALLED, SIGKILL, "", NULL },
	{ "sleep 100", "", 100, RUNNER_TIMED_OUT, 0, "", "" },
	{ "trap '' TERM; echo deaf; while :; do sleep 1; done", "", 100, RUNNER_TIMED_OUT, 0, NULL, "" },
	{ "exec cat /dev/zero", "", 0, RUNNER_TOO_MUCH, 0, NULL, "" },
	{ "echo why >&2; exec cat /dev/zero >&2", "", 3000, RUNNER_TIMED_OUT, 0, "", "why" },
	{ "(cat /dev/zero >&2 &) ; echo over", "", 0, RUNNER_EXITED, 0, "over\n", NULL },
	{ "sleep 100 & echo left", "", 0, RUNNER_EXITED, 0, "left\n", "" }, /* keeps stdout open */
	{ "setsid sleep 100 & echo gone", "", 0, RUNNER_EXITED, 0, "gone\n", "" },
	{ "(setsid sh -c 'trap \"\" TERM; sleep 100' &) ; echo far", "", 0, RUNNER_EXITED, 0, "far\n", "" },
	{ "i=0; while [ $i -lt 30 ]; do sleep 100 & i=$((i+1)); done; wait", "", 300, RUNNER_TIMED_OUT, 0, "", "" },
	{ "echo $A $LANG; env | sort | cut -d= -f1 | tr '\\n' ' '", "", 0, RUNNER_EXITED, 0,
		"one C.UTF-8\nA LANG PATH PWD ", "" },
	{ "ls /proc/self/fd | tr '\\n' ' '; pwd", "", 0, RUNNER_EXITED, 0, "0 1 2 3 /\n", "" }, /* 3: of ls itself */
	{ "ulimit -c; ulimit -t; ulimit -n", "", 0, RUNNER_EXITED, 0, "0\n10\n256\n", "" },
	{ "exec 2>&-; exec >&-; exit 0", "", 0, RUNNER_EXITED, 0, "", "" },
};

static void
test_runner_programs_end_as_they_do_h56(void **state)
{
	static const struct span env[] = { SPAN("A=one") };
	static struct ran ran[COUNT(rows)] = { { .done = 0 } };
	struct site s;

	(void)state;
	open_site(&s, start_process);
	for (size_t i = 0; i < COUNT(rows); i++) {
		ran[i].job.env = env;
		ran[i].job.env_count = COUNT(env);
		ran[i].job.input = span_of(rows[i].input);
		ran[i].job.timeout_ms = rows[i].timeout_ms;
		run_script(&s, &ran[i], rows[i].script);
	}
	turn_until_done(&s, ran, COUNT(rows));
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (ran[i].answer.end != rows[i].end || ran[i].answer.number != rows[i].number)
			fail_msg("row %zu: %s", i, ran[i].says);
		if (rows[i].output)
			assert_string_equal(ran[i].output, rows[i].output);
		if (rows[i].error)
			assert_string_equal(ran[i].error, rows[i].error);
	}
	assert_int_equal(s.faults, 0);
	close_site(&s);
}

static void
test_runner_says_what_was_wrong(void **state)
{
	static const struct span none[] = { SPAN("/nonexistent/program") }, folder[] = { SPAN("/etc") };
	struct ran ran[3] = { { .done = 0 } };
	struct site s;

	(void)state;
	open_site(&s, start_process);
	assert_int_equal(run_argv(&s, &ran[0], none, 1), OK);
	assert_int_equal(run_argv(&s, &ran[1], folder, 1), OK);
	run_script(&s, &ran[2], "printf 'bad\\033[1m account\\n' >&2; exit 4");
	turn_until_done(&s, ran, COUNT(ran));
	assert_string_equal(ran[0].says, "cannot be started: No such file or directory");
	assert_int_equal(ran[0].answer.end, RUNNER_NOT_STARTED);
	assert_string_equal(ran[1].says, "cannot be started: Permission denied");
	assert_string_equal(ran[2].says, "ended with status 4: bad?[1m account"); /* H11 */
	close_site(&s);
}

static void
test_runner_refuses_what_cannot_be_run(void **state)
{
	static const struct span relative[] = { SPAN("sh") }, nul[] = { SPAN("/bin/sh"), SPAN("a\0b") },
				 good[] = { SPAN("/bin/true") }, nameless[] = { SPAN("=x") };
	static struct span many[RUNNER_ARGUMENTS_MAX + 1];
	static char big[RUNNER_WORDS_MAX];
	const struct span long_one[] = { SPAN("/bin/sh"), { big, sizeof(big) } };
	struct ran ran = { .done = 0 };
	struct site s;

	(void)state;
	memset(big, 'x', sizeof(big));
	for (size_t i = 0; i < COUNT(many); i++)
		many[i] = SPAN("/bin/true");
	open_site(&s, start_process);
	assert_int_equal(run_argv(&s, &ran, NULL, 0), ERR_SYNTAX);
	assert_int_equal(run_argv(&s, &ran, relative, 1), ERR_SYNTAX);
	assert_int_equal(run_argv(&s, &ran, nul, 2), ERR_SYNTAX);
	assert_int_equal(run_argv(&s, &ran, many, COUNT(many)), ERR_LIMIT);
	assert_int_equal(run_argv(&s, &ran, long_one, 2), ERR_LIMIT);
	ran.job.env = nameless;
	ran.job.env_count = 1;
	assert_int_equal(run_argv(&s, &ran, good, 1), ERR_SYNTAX);
	assert_null(ran.job.order);
	assert_int_equal(s.process, 0); /* and no runner was needed so far */
	close_site(&s);
}

static void
test_runner_twenty_at_once_then_they_wait_h39(void **state)
{
	static struct ran ran[RUNNER_PROGRAMS_MAX + 30], more[RUNNER_WAITING_MAX];
	static const struct span argv[] = { SPAN("/bin/true") };
	struct site s;
	size_t taken = 0;

	(void)state;
	open_site(&s, start_process);
	for (size_t i = 0; i < COUNT(ran); i++)
		run_script(&s, &ran[i], "sleep 0.5");
	while (runner_stats(s.host.runner).running == 0)
		loop_turn(s.loop, 10);
	assert_int_equal(runner_stats(s.host.runner).running, RUNNER_PROGRAMS_MAX);
	assert_int_equal(runner_stats(s.host.runner).waiting, 30);
	while (taken < COUNT(more) && run_argv(&s, &more[taken], argv, 1) == OK)
		taken++;
	assert_int_equal(taken, RUNNER_WAITING_MAX - 30);
	assert_null(more[taken].job.order);
	for (size_t i = 0; i < taken; i++)
		runner_cancel(&more[i].job); /* before the front has seen them */
	turn_until_done(&s, ran, COUNT(ran));
	for (size_t i = 0; i < COUNT(ran); i++)
		assert_int_equal(ran[i].answer.end, RUNNER_EXITED);
	for (size_t i = 0; i < taken; i++)
		assert_false(more[i].done);
	assert_int_equal(runner_stats(s.host.runner).started, 1);
	close_site(&s);
}

/* The pid that a script wrote; its process is gone, or a zombie of somebody else's. */
static bool
is_gone(const char *path)
{
	char text[32] = "", status[256] = "", name[64];
	FILE *f = fopen(path, "r");
	bool zombie = false;

	if (!f || !fgets(text, sizeof(text), f))
		fail_msg("%s: nothing there", path);
	fclose(f);
	snprintf(name, sizeof(name), "/proc/%ld/stat", strtol(text, NULL, 10));
	f = fopen(name, "r");
	if (f) {
		zombie = fgets(status, sizeof(status), f) && strstr(status, ") Z ");
		fclose(f);
	}
	return !f || zombie;
}

static bool
has_text(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && st.st_size > 0;
}

static void
turn_until_text(struct site *s, const char *path)
{
	int64_t begun = loop_now_ms(s->loop);

	while (!has_text(path) && loop_now_ms(s->loop) - begun < RUNNER_PATIENCE_MS)
		loop_turn(s->loop, 10);
	assert_true(has_text(path));
}

/* L may be NULL: nothing more is to be done for it. */
static void
wait_until_gone(struct loop *l, const char *path)
{
	for (int i = 0; i < RUNNER_PATIENCE_MS / 10 && !is_gone(path); i++) {
		usleep(10000);
		if (l)
			loop_turn(l, 0);
	}
	assert_true(is_gone(path));
}

struct left {
	char folder[40], script[300], inner[80], outer[80];
};

/* A program, and one that it started in a session of its own; both say who they are. */
static void
prepare_left(struct left *l)
{
	snprintf(l->folder, sizeof(l->folder), "/tmp/postroom-runner-XXXXXX");
	assert_non_null(mkdtemp(l->folder));
	snprintf(l->inner, sizeof(l->inner), "%s/inner", l->folder);
	snprintf(l->outer, sizeof(l->outer), "%s/outer", l->folder);
	snprintf(l->script, sizeof(l->script),
		"setsid sh -c 'echo $$ >%s; exec sleep 100' & echo $$ >%s; exec sleep 100", l->inner, l->outer);
}

static void
clean_left(struct left *l)
{
	unlink(l->inner);
	unlink(l->outer);
	rmdir(l->folder);
}

static void
test_runner_cancel_ends_the_program(void **state)
{
	struct ran ran = { .done = 0 }, after = { .done = 0 };
	struct left left;
	struct site s;

	(void)state;
	prepare_left(&left);
	open_site(&s, start_process);
	run_script(&s, &ran, left.script);
	turn_until_text(&s, left.inner);
	turn_until_text(&s, left.outer);
	runner_cancel(&ran.job);
	runner_cancel(&ran.job); /* no effect */
	wait_until_gone(s.loop, left.inner);
	wait_until_gone(s.loop, left.outer);
	run_script(&s, &after, "echo fine");
	turn_until_done(&s, &after, 1);
	assert_string_equal(after.output, "fine\n");
	assert_false(ran.done);
	assert_int_equal(runner_stats(s.host.runner).running, 0);
	close_site(&s);
	clean_left(&left);
}

static void
test_runner_ends_with_the_server_and_leaves_nothing(void **state)
{
	struct ran ran = { .done = 0 };
	struct left left;
	struct site s;

	(void)state;
	prepare_left(&left);
	open_site(&s, start_process);
	run_script(&s, &ran, left.script);
	turn_until_text(&s, left.inner);
	turn_until_text(&s, left.outer);
	close_site(&s); /* all that it sees of a server that was killed */
	assert_false(ran.done);
	assert_null(ran.job.order);
	wait_until_gone(NULL, left.inner);
	wait_until_gone(NULL, left.outer);
	clean_left(&left);
}

static void
test_runner_that_dies_is_reported_and_replaced(void **state)
{
	static struct ran ran[RUNNER_PROGRAMS_MAX + 2] = { { .done = 0 } };
	struct left left;
	struct site s;
	int status;

	(void)state;
	prepare_left(&left);
	open_site(&s, start_process);
	for (size_t i = 0; i < RUNNER_PROGRAMS_MAX; i++)
		run_script(&s, &ran[i], i == 0 ? left.script : "sleep 100");
	run_script(&s, &ran[RUNNER_PROGRAMS_MAX], "echo waited");
	run_script(&s, &ran[RUNNER_PROGRAMS_MAX + 1], "echo waited");
	turn_until_text(&s, left.inner);
	turn_until_text(&s, left.outer);
	assert_int_equal(kill(s.process, SIGKILL), 0);
	assert_int_equal(waitpid(s.process, &status, 0), s.process);
	turn_until_done(&s, ran, COUNT(ran));
	for (size_t i = 0; i < COUNT(ran); i++)
		assert_int_equal(ran[i].answer.end, i < RUNNER_PROGRAMS_MAX ? RUNNER_LOST : RUNNER_EXITED);
	assert_string_equal(ran[RUNNER_PROGRAMS_MAX + 1].output, "waited\n");
	assert_int_equal(s.faults, 1);
	assert_int_equal(runner_stats(s.host.runner).started, 2);
	assert_int_equal(runner_stats(s.host.runner).lost, 1);
	wait_until_gone(s.loop, left.inner);
	wait_until_gone(s.loop, left.outer);
	close_site(&s);
	clean_left(&left);
}

static void
test_runner_that_cannot_be_started_is_reported(void **state)
{
	struct ran ran = { .done = 0 };
	struct site s;

	(void)state;
	open_site(&s, start_nothing);
	run_script(&s, &ran, "echo never");
	turn_until_done(&s, &ran, 1);
	assert_int_equal(ran.answer.end, RUNNER_LOST);
	assert_int_equal(s.faults, 1);
	close_site(&s);
}

/* One that is gone before it reads anything. */
static int
start_dead(void *arg)
{
	struct site *s = arg;
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	close(pair[1]);
	s->starts++;
	return pair[0];
}

static void
test_runner_that_dies_at_its_start_is_not_started_for_ever(void **state)
{
	static struct ran ran[3] = { { .done = 0 } };
	struct site s;

	(void)state;
	open_site(&s, start_dead);
	for (size_t i = 0; i < COUNT(ran); i++)
		run_script(&s, &ran[i], "echo never");
	turn_until_done(&s, ran, COUNT(ran));
	for (size_t i = 0; i < COUNT(ran); i++)
		assert_int_equal(ran[i].answer.end, RUNNER_LOST);
	assert_int_equal(s.starts, COUNT(ran)); /* each program is tried once */
	close_site(&s);
}

int
test_net_runner(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_runner_programs_end_as_they_do_h56),
		cmocka_unit_test(test_runner_says_what_was_wrong),
		cmocka_unit_test(test_runner_refuses_what_cannot_be_run),
		cmocka_unit_test(test_runner_twenty_at_once_then_they_wait_h39),
		cmocka_unit_test(test_runner_cancel_ends_the_program),
		cmocka_unit_test(test_runner_ends_with_the_server_and_leaves_nothing),
		cmocka_unit_test(test_runner_that_dies_is_reported_and_replaced),
		cmocka_unit_test(test_runner_that_cannot_be_started_is_reported),
		cmocka_unit_test(test_runner_that_dies_at_its_start_is_not_started_for_ever),
	};

	return cmocka_run_group_tests_name("runner", tests, NULL, NULL);
}
