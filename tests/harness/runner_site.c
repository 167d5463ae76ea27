/*
 * runner_site.c - a process that serves runs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/runner/runner_process.h"
#include "tests/harness/runner_site.h"

int
runner_site_fork(pid_t *process)
{
	static const struct runner_cage cage = { NULL, false };
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	*process = fork();
	assert_true(*process >= 0);
	if (*process == 0) {
		close(pair[0]);
		runner_process_run(pair[1], &cage);
	}
	close(pair[1]);
	return pair[0];
}
