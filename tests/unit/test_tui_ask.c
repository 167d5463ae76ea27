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
		_exit(255);
	_exit((int)ask_password(false, "Password: ", &p));
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
	for (int i = 0; i < 6000 && has_echo(slave); i++)
		usleep(10000);
	assert_false(has_echo(slave));
	assert_int_equal(write(master, "secr\003", 5), 5);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
	assert_true(has_echo(slave));
	close(slave);
	close(master);
}

static void
a_password_has_at_most_256_bytes(void **state)
{
	int pipe_fds[2], before = dup(STDIN_FILENO);
	char line[ASK_PASSWORD_MAX + 2];
	struct password p;

	(void)state;
	memset(line, 'x', sizeof(line));
	line[sizeof(line) - 1] = '\n';
	assert_int_equal(pipe(pipe_fds), 0);
	assert_int_equal(write(pipe_fds[1], line + 1, sizeof(line) - 1), sizeof(line) - 1);
	assert_int_equal(write(pipe_fds[1], line, sizeof(line)), sizeof(line));
	close(pipe_fds[1]);
	assert_int_equal(dup2(pipe_fds[0], STDIN_FILENO), STDIN_FILENO);
	close(pipe_fds[0]);
	assert_int_equal(ask_password(true, "", &p), OK);
	assert_int_equal(p.len, ASK_PASSWORD_MAX);
	assert_int_equal(ask_password(true, "", &p), ERR_LIMIT);
	assert_int_equal(dup2(before, STDIN_FILENO), STDIN_FILENO);
	close(before);
}

/* Read what the child says up to TEXT. */
static void
await_text(int master, const char *text)
{
	char said[1000];
	size_t len = 0;

	do {
		ssize_t got = read(master, said + len, sizeof(said) - 1 - len);

		assert_true(got > 0);
		len += (size_t)got;
		said[len] = '\0';
	} while (!strstr(said, text));
}

/* Typed twice: the second may not be longer, either. */
static void
two_passwords_must_be_the_same(void **state)
{
	static const struct {
		const char *first, *second;
		enum err want;
	} rows[] = {
		{ "secret\n", "secret\n", OK },
		{ "secret\n", "secrets\n", ERR_SYNTAX },
		{ "secret\n", "secres\n", ERR_SYNTAX },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int master = posix_openpt(O_RDWR | O_NOCTTY), slave, status;
		pid_t child;

		assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
		slave = open(ptsname(master), O_RDWR | O_NOCTTY);
		assert_true(slave >= 0);
		child = fork_asking(master);
		await_text(master, "Password: ");
		for (int n = 0; n < 6000 && has_echo(slave); n++)
			usleep(10000);
		check_row(i, write(master, rows[i].first, strlen(rows[i].first)) > 0);
		await_text(master, "Once more: ");
		for (int n = 0; n < 6000 && has_echo(slave); n++)
			usleep(10000);
		check_row(i, write(master, rows[i].second, strlen(rows[i].second)) > 0);
		assert_int_equal(waitpid(child, &status, 0), child);
		check_row(i, WIFEXITED(status) && WEXITSTATUS(status) == (int)rows[i].want);
		close(slave);
		close(master);
	}
}

int
test_tui_ask(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(h66_a_password_comes_from_one_line_of_standard_input),
		cmocka_unit_test(a_password_has_at_most_256_bytes),
		cmocka_unit_test(two_passwords_must_be_the_same),
		cmocka_unit_test(h66_an_interrupted_question_leaves_the_echo_on),
	};

	return cmocka_run_group_tests_name("tui_ask", tests, NULL, NULL);
}
