/*
 * test_tui_ask.c - passwords from standard input and from a terminal.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "tests/unit/test_tui.h"
#include "tui/ask.h"

static void
h66_a_password_comes_from_one_line_of_standard_input(void **state)
{
	struct password p;
	int pipe_fds[2], before = dup(STDIN_FILENO);

	(void)state;
	assert_int_equal(pipe(pipe_fds), 0);
	assert_int_equal(write(pipe_fds[1], "one two\r\n\nrest", 14), 14);
	close(pipe_fds[1]);
	assert_int_equal(dup2(pipe_fds[0], STDIN_FILENO), STDIN_FILENO);
	close(pipe_fds[0]);
	assert_int_equal(ask_password(true, "", &p), OK);
	assert_true(span_eq((struct span){ p.bytes, p.len }, SPAN("one two")));
	assert_int_equal(ask_password(true, "", &p), ERR_SYNTAX); /* empty */
	password_wipe(&p);
	assert_int_equal(p.bytes[0], 0);
	assert_int_equal(dup2(before, STDIN_FILENO), STDIN_FILENO);
	close(before);
}

/* A child at a terminal of its own that asks for a password. */
static pid_t
fork_asking(int master)
{
	struct password p;
	pid_t child = fork();

	if (child != 0)
		return child;
	setsid();
	if (open(ptsname(master), O_RDWR) < 0) /* becomes the controlling terminal */
		_exit(2);
	(void)!ask_password(false, "Password: ", &p);
	_exit(3);
}

static bool
has_echo(int tty)
{
	struct termios now;

	assert_int_equal(tcgetattr(tty, &now), 0);
	return now.c_lflag & ECHO;
}

static void
h66_an_interrupted_question_leaves_the_echo_on(void **state)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY), slave, status;
	pid_t child;

	(void)state;
	assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	assert_true(slave >= 0 && has_echo(slave));
	child = fork_asking(master);
	for (int i = 0; i < 500 && has_echo(slave); i++)
		usleep(10000);
	assert_false(has_echo(slave));
	assert_int_equal(write(master, "secr\003", 5), 5);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
	assert_true(has_echo(slave));
	close(slave);
	close(master);
}

int
test_tui_ask(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(h66_a_password_comes_from_one_line_of_standard_input),
		cmocka_unit_test(h66_an_interrupted_question_leaves_the_echo_on),
	};

	return cmocka_run_group_tests_name("tui_ask", tests, NULL, NULL);
}
