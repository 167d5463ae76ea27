/*
 * runner_process.c - the runner: the one process that starts programs for the server (H55).
 *
 * It is started by the warden when the server asks for it, with the rights of the server, and reads
 * orders from one socket: each goes to a keeper, a child of its own (runner_keeper.c), which reports to the server
 * itself. When the socket closes the server has ended, and so do all of them. Scripts come here, too.
 */
#include "server/runner/runner_process.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/warden/warden_wire.h"

#define PLACES (RUNNER_PROGRAMS_MAX + RUNNER_SCRIPTS_MAX)

struct process {
	int sock, signals;
	const struct runner_cage *cage;
	pid_t keepers[PLACES]; /* 0: none */
	uint64_t ids[PLACES];
};

/* The server ended with that: nobody is left to be told. */
static void
report(struct process *p, uint64_t id, enum runner_end end, int number)
{
	struct runner_report row = { .id = id, .end = (int32_t)end, .number = number };

	if (!warden_send(p->sock, &row, sizeof(row), -1))
		_exit(0);
}

/* A keeper that said nothing left its program behind: it is ours now, and does not live on. */
static void
reaped(struct process *p, pid_t pid, int status)
{
	for (size_t i = 0; i < PLACES; i++) {
		if (p->keepers[i] != pid)
			continue;
		p->keepers[i] = 0;
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
			report(p, p->ids[i], RUNNER_LOST, 0);
	}
}

/* A place; the server counts, too, so that where there is none a keeper has reported and is about to end. */
static size_t
find_place(struct process *p)
{
	int status;

	for (;;) {
		pid_t pid;

		for (size_t i = 0; i < PLACES; i++)
			if (p->keepers[i] == 0)
				return i;
		pid = waitpid(-1, &status, 0);
		if (pid > 0)
			reaped(p, pid, status);
	}
}

static noreturn void
be_keeper(struct process *p, const struct runner_row *row, int file, pid_t runner)
{
	close(p->signals);
	if (prctl(PR_SET_PDEATHSIG, RUNNER_KEEPER_ALONE) != 0 || getppid() != runner)
		_exit(1);
	runner_keeper_run(row, file, p->sock, p->cage);
}

static void
start(struct process *p, const struct runner_row *row, int file)
{
	size_t i = find_place(p);
	pid_t self = getpid(), pid = file >= 0 ? fork() : -1;

	if (pid == 0)
		be_keeper(p, row, file, self);
	if (pid < 0) {
		report(p, row->id, RUNNER_NOT_STARTED, errno);
		return;
	}
	p->keepers[i] = pid;
	p->ids[i] = row->id;
}

static void
cancel(struct process *p, uint64_t id)
{
	for (size_t i = 0; i < PLACES; i++)
		if (p->keepers[i] > 0 && p->ids[i] == id)
			kill(p->keepers[i], RUNNER_KEEPER_CANCEL);
}

static void
take_order(struct process *p)
{
	struct runner_row row;
	int file = -1;

	if (warden_receive(p->sock, &row, sizeof(row), &file) != 1)
		_exit(0); /* the keepers hear of it (RUNNER_KEEPER_ALONE) */
	if (row.kind != RUNNER_CANCEL)
		start(p, &row, file);
	else
		cancel(p, row.id);
	if (file >= 0)
		close(file);
}

static void
reap(struct process *p)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		reaped(p, pid, status);
	runner_kill_children(p->keepers, PLACES);
}

static void
take_signal(struct process *p)
{
	struct signalfd_siginfo info;

	if (read(p->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
		reap(p);
}

noreturn void
runner_process_run(int sock, const struct runner_cage *cage)
{
	struct process p = { .sock = sock, .cage = cage };
	struct pollfd fds[2];
	sigset_t mask;

	/* a terminal and a supervisor tell all processes to end; this one ends when the server has */
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	p.signals = signalfd(-1, &mask, SFD_CLOEXEC);
	if (p.signals < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0)
		_exit(1);
	fds[0] = (struct pollfd){ p.signals, POLLIN, 0 };
	fds[1] = (struct pollfd){ p.sock, POLLIN, 0 };
	for (;;) {
		if (poll(fds, COUNT(fds), -1) < 0 && errno != EINTR)
			_exit(1);
		if (fds[0].revents)
			take_signal(&p);
		if (fds[1].revents)
			take_order(&p);
	}
}
