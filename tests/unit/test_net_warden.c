/*
 * test_net_warden.c - what the server's process may not ask of the kernel (H55).
 */
#include "tests/unit/test_net.h"

#include <errno.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/warden/warden_start.h"

enum { ALL_DENIED = 7 };

/* In a child: the status says which call was let through. */
static int
try_calls(void)
{
	char *const none[] = { NULL };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || !warden_deny_calls(false))
		return 1;
	if (execve("/bin/true", none, none) == 0 || errno != EPERM)
		return 2;
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0 || errno != EPERM)
		return 3;
	if (mount("none", "/proc", "proc", 0, NULL) == 0 || errno != EPERM)
		return 4;
	if (dup(STDERR_FILENO) < 0 || getppid() <= 0)
		return 5; /* the rest goes on */
	return ALL_DENIED;
}

static void
test_warden_denied_calls_fail_h55(void **state)
{
	pid_t pid = fork();
	int status = 0;

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(try_calls());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), ALL_DENIED);
}

int
test_net_warden(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_warden_denied_calls_fail_h55),
	};

	return cmocka_run_group_tests_name("warden", tests, NULL, NULL);
}
