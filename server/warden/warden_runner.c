/*
 * warden_runner.c - the runner's process: a child of the warden with the rights of the server (H55), never root's (SEC-11).
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/runner/runner_process.h"
#include "server/warden/warden_inside.h"

static noreturn void
be_runner(struct warden *w, int sock, pid_t warden)
{
	struct warden_rights rights = warden_rights_of_programs(&w->rights);
	struct runner_cage cage = { w->conf, rights.drops };

	close(w->sock);
	close(w->signals);
	if (w->check > 0)
		close(w->check_status_fd);
	if (!warden_rights_drop(&rights)) {
		fprintf(stderr, "postroomd: runner: rights: %s (could not be given up)\n",
			strerror(errno));
		_exit(1);
	}
	if (!warden_deny_calls(true))
		fprintf(stderr, "postroomd: runner: seccomp: %s (it goes without)\n",
			strerror(errno));
	if (getppid() != warden)
		_exit(1);
	runner_process_run(sock, &cage);
}

struct warden_reply
warden_runner(struct warden *w, int *fd)
{
	pid_t self = getpid();
	int pair[2], error;

	if (w->runner > 0)
		kill(w->runner, SIGKILL); /* the server has lost it */
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return warden_answer(ERR_IO, errno);
	w->runner = fork();
	if (w->runner == 0) {
		close(pair[0]);
		be_runner(w, pair[1], self);
	}
	error = errno;
	close(pair[1]);
	if (w->runner > 0) {
		*fd = pair[0];
		return warden_answer(OK, 0);
	}
	w->runner = 0;
	close(pair[0]);
	return warden_answer(ERR_IO, error);
}
