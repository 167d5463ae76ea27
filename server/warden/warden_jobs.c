/*
 * warden_jobs.c - children of the warden: postroomd once more, with the server's rights, for what
 * the server may not or should not do in its own process.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdnoreturn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/warden/warden.h"
#include "server/warden/warden_inside.h"

struct job {
	const char *option;
	int in_fd, out_fd; /* -1: as ours */
};

static noreturn void
exec_job(const struct warden *w, const struct job *job)
{
	char *argv[] = { "postroomd", (char *)(uintptr_t)job->option, "-c",
		(char *)(uintptr_t)w->options->conf_path, NULL };
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (warden_rights_drop(&w->rights) &&
		(job->in_fd < 0 || dup2(job->in_fd, STDIN_FILENO) >= 0) &&
		dup2(job->out_fd, STDOUT_FILENO) >= 0 && dup2(job->out_fd, STDERR_FILENO) >= 0)
		execv("/proc/self/exe", argv);
	_exit(1);
}

/* PIPES: [0] goes to the server; what is done with [1] is the caller's. */
static struct warden_reply
start_job(struct warden *w, struct job *job, pid_t *pid, int pipes[2])
{
	int error;

	if (*pid > 0)
		return warden_answer(ERR_BUSY, EBUSY);
	if (pipe2(pipes, O_CLOEXEC) != 0)
		return warden_answer(ERR_IO, errno);
	if (job->out_fd < 0)
		job->out_fd = pipes[1];
	*pid = fork();
	if (*pid == 0)
		exec_job(w, job);
	if (*pid > 0)
		return warden_answer(OK, 0);
	error = errno;
	close(pipes[0]);
	close(pipes[1]);
	return warden_answer(ERR_IO, error);
}

struct warden_reply
warden_check(struct warden *w, int out_fd, int *fd)
{
	struct job job = { "--check-store", -1, out_fd };
	struct warden_reply reply = warden_answer(ERR_IO, EBADF);
	int pipes[2];

	if (out_fd >= 0)
		reply = start_job(w, &job, &w->check, pipes);
	if (reply.err == OK) {
		w->check_status_fd = pipes[1];
		*fd = pipes[0];
	}
	return reply;
}

struct warden_reply
warden_backup(struct warden *w, int folder, int *fd)
{
	struct job job = { "--write-backup", folder, -1 };
	struct warden_reply reply = warden_answer(ERR_IO, EBADF);
	int pipes[2];

	if (folder >= 0)
		reply = start_job(w, &job, &w->backup, pipes);
	if (reply.err == OK) {
		close(pipes[1]);
		*fd = pipes[0];
	}
	return reply;
}

static int
exit_status(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

bool
warden_reap(struct warden *w, int *server_status)
{
	bool ended = false;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == w->server) {
			ended = true;
			*server_status = exit_status(status);
			if (WIFSIGNALED(status))
				fprintf(stderr, "postroomd: server: ended by signal %d (start it "
						"again, nothing acknowledged is lost; %s)\n",
					WTERMSIG(status), WTERMSIG(status) == SIGKILL ?
						"who killed it?" : "error.log may say more, please report it");
		} else if (pid == w->check) {
			int32_t code = exit_status(status);

			w->check = 0;
			if (write(w->check_status_fd, &code, sizeof(code)) != (ssize_t)sizeof(code))
				code = -1; /* the server reads an early end as -1 */
			close(w->check_status_fd);
		} else if (pid == w->backup) {
			w->backup = 0;
		} else if (pid == w->runner) {
			w->runner = 0; /* the server asks for another when it needs one */
		} else {
			warden_pam_reaped(w, pid);
		}
	}
	return ended;
}
