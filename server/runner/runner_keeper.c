/*
 * runner_keeper.c - one program from its start to its end, by a process of its own.
 *
 *     runner --fork--> keeper --fork, exec--> program --> what it starts
 *
 * What a program leaves behind becomes the keeper's child (it is a subreaper), also where it went into a session
 * of its own, and is killed when the program has ended: so nothing outlives it, and nothing of another
 * program is touched. The keeper has no secrets but the order, and says one row to the server.
 */
#include "server/runner/runner_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "server/script/script_child.h"
#include "server/warden/warden_wire.h"

#define NOT_BECOME 127	 /* exit status of a child that could not; *k->error_no says why */
#define CHILDREN_SIZE 4096 /* bytes of a list of children; who is not in it is in the next one */
#define SWEEP_LOOK_MS 20
#define DRAIN_MAX (1024 * 1024) /* bytes at a time: more than a pipe holds, and less than without end */

struct keeper {
	const struct runner_row *row;
	const struct runner_cage *cage;
	struct runner_report report;
	int signals, out, err; /* -1: closed */
	int kept;	       /* a file in memory: standard output */
	pid_t pid;
	int64_t due_ms; /* of SIGTERM, then of SIGKILL */
	bool ending;
	bool alone; /* nobody wants a report */
	bool line_over;	   /* the first line of standard error is whole */
	size_t line_len;
	int *error_no; /* shared with the child */
};

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool
is_kept(pid_t pid, const pid_t *kept, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (kept[i] == pid)
			return true;
	return false;
}

void
runner_kill_children(const pid_t *kept, size_t count)
{
	char text[CHILDREN_SIZE], path[64], *at = text, *end;
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	text[n > 0 ? n : 0] = '\0';
	for (long pid; (pid = strtol(at, &end, 10)) > 1 && *end == ' '; at = end) /* the last may be cut */
		if (!is_kept((pid_t)pid, kept, count))
			kill((pid_t)pid, SIGKILL);
}

/* ---- what it says ---- */

static void
close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static bool
is_script(const struct keeper *k)
{
	return k->row->kind == RUNNER_SCRIPT;
}

/* End it in good time, a script at once; what it is ended for stays the first reason. */
static void
begin_end(struct keeper *k, enum runner_end end)
{
	if (k->ending)
		return;
	k->ending = true;
	k->report.end = end;
	k->due_ms = now_ms() + RUNNER_GRACE_MS;
	kill(-k->pid, is_script(k) ? SIGKILL : SIGTERM);
}

static void
keep_output(struct keeper *k, const char *bytes, size_t size)
{
	if (k->report.output_size + size > k->row->output_max) {
		close_fd(&k->out);
		begin_end(k, RUNNER_TOO_MUCH);
	} else if (pwrite(k->kept, bytes, size, (off_t)k->report.output_size) == (ssize_t)size) {
		k->report.output_size += size;
	} else {
		close_fd(&k->out); /* no memory */
		begin_end(k, RUNNER_LOST);
	}
}

static void
keep_error(struct keeper *k, const char *bytes, size_t size)
{
	for (size_t i = 0; i < size && !k->line_over; i++) {
		char c = bytes[i];

		if (c == '\n' || c == '\r')
			k->line_over = k->line_len > 0;
		else if (k->line_len < sizeof(k->report.error) - 1)
			k->report.error[k->line_len++] = c;
	}
}

/* All that is there now; of what comes as fast as it is read, so much that its time is looked at. */
static void
drain(struct keeper *k, int *fd, void (*keep)(struct keeper *, const char *, size_t))
{
	char bytes[4096];
	size_t taken = 0;
	ssize_t n;

	while (*fd >= 0 && taken < DRAIN_MAX) {
		n = read(*fd, bytes, sizeof(bytes));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0)
			close_fd(fd);
		else
			keep(k, bytes, (size_t)n);
		taken += n > 0 ? (size_t)n : 0;
	}
}

/* ---- its life ---- */

static noreturn void
be_script(struct keeper *k, const int standard[3])
{
	size_t size = (size_t)k->row->input_size;

	runner_default_signals();
	script_child_run(standard[0], size, standard[1], (struct conf *)k->cage->conf);
}

static noreturn void
be_program(struct keeper *k, const struct runner_words *words, const int standard[3], pid_t keeper)
{
	setpgid(0, 0);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != keeper)
		_exit(NOT_BECOME);
	if (is_script(k))
		be_script(k, standard);
	*k->error_no = runner_program_become(words, standard, k->cage);
	_exit(NOT_BECOME);
}

/* False with errno. */
static bool
start(struct keeper *k, const struct runner_words *words, int input)
{
	int out[2] = { -1, -1 }, err[2] = { -1, -1 };
	pid_t self = getpid();

	k->kept = memfd_create("output", MFD_CLOEXEC);
	if (k->kept < 0 || pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0)
		return false; /* what is open goes with this process */
	k->pid = fork();
	if (k->pid == 0)
		be_program(k, words, (int[]){ input, out[1], err[1] }, self);
	if (k->pid < 0)
		return false;
	setpgid(k->pid, k->pid); /* who of the two comes first does not matter */
	close(out[1]);
	close(err[1]);
	k->out = out[0];
	k->err = err[0];
	k->due_ms = now_ms() + k->row->timeout_ms;
	return fcntl(k->out, F_SETFL, O_NONBLOCK) == 0 && fcntl(k->err, F_SETFL, O_NONBLOCK) == 0;
}

static void
on_due(struct keeper *k)
{
	if (!k->ending) {
		begin_end(k, RUNNER_TIMED_OUT);
		return;
	}
	kill(-k->pid, SIGKILL);
	k->due_ms = now_ms() + RUNNER_GRACE_MS;
}

/* True once the program is a zombie; then nothing else has its number, nor that of its group. */
static bool
has_ended(struct keeper *k)
{
	siginfo_t info = { .si_pid = 0 };

	while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid > 0) {
		if (info.si_pid == k->pid)
			return true;
		waitpid(info.si_pid, NULL, 0);
		info.si_pid = 0;
	}
	return false;
}

static void
on_signal(struct keeper *k)
{
	struct signalfd_siginfo info;

	if (read(k->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	if (info.ssi_signo == RUNNER_KEEPER_CANCEL)
		begin_end(k, RUNNER_LOST);
	if (info.ssi_signo != RUNNER_KEEPER_ALONE)
		return;
	k->ending = k->alone = true;
	kill(-k->pid, SIGKILL);
}

static void
watch(struct keeper *k)
{
	while (!has_ended(k)) {
		struct pollfd fds[] = { { k->signals, POLLIN, 0 }, { k->out, POLLIN, 0 },
			{ k->err, POLLIN, 0 } };
		int64_t wait = k->due_ms - now_ms();

		if (wait <= 0)
			on_due(k);
		else if (poll(fds, COUNT(fds), wait > 1000000 ? 1000000 : (int)wait) < 0 && errno != EINTR)
			_exit(1);
		if (fds[0].revents)
			on_signal(k);
		if (fds[1].revents)
			drain(k, &k->out, keep_output);
		if (fds[2].revents)
			drain(k, &k->err, keep_error);
	}
	drain(k, &k->out, keep_output);
	drain(k, &k->err, keep_error);
}

/* All that it left; what cannot be killed now is left to the runner. */
static void
sweep(struct keeper *k)
{
	int64_t until_ms = now_ms() + RUNNER_GRACE_MS;
	struct pollfd fd = { k->signals, POLLIN, 0 };
	struct signalfd_siginfo info;
	pid_t pid;

	for (;;) {
		runner_kill_children(NULL, 0);
		while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
			continue;
		if ((pid < 0 && errno == ECHILD) || now_ms() >= until_ms)
			return;
		if (poll(&fd, 1, SWEEP_LOOK_MS) > 0 &&
			read(k->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
			return;
	}
}

static void
settle(struct keeper *k)
{
	int status = 0;
	bool ours = k->ending;

	kill(-k->pid, SIGKILL);
	if (waitpid(k->pid, &status, 0) != k->pid)
		_exit(1);
	sweep(k);
	if (ours)
		return;
	if (WIFSIGNALED(status)) {
		k->report.end = RUNNER_SIGNALLED;
		k->report.number = WTERMSIG(status);
	} else if (WEXITSTATUS(status) == NOT_BECOME && *k->error_no != 0) {
		k->report.end = RUNNER_NOT_STARTED;
		k->report.number = *k->error_no;
	} else {
		k->report.end = RUNNER_EXITED;
		k->report.number = WEXITSTATUS(status);
	}
}

static bool
prepare(struct keeper *k)
{
	sigset_t mask;
	void *shared;

	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigaddset(&mask, RUNNER_KEEPER_CANCEL);
	sigaddset(&mask, RUNNER_KEEPER_ALONE);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	k->signals = signalfd(-1, &mask, SFD_CLOEXEC);
	shared = mmap(NULL, sizeof(*k->error_no), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return false;
	k->error_no = shared;
	return k->signals >= 0 && prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0;
}

noreturn void
runner_keeper_run(
	const struct runner_row *row, int file, int sock, const struct runner_cage *cage)
{
	struct keeper k = { .row = row, .cage = cage, .signals = -1, .out = -1, .err = -1, .kept = -1,
		.report = { .id = row->id } };
	struct runner_words words = { .bytes = NULL };

	if (!prepare(&k) || (!is_script(&k) && runner_words_read(row, file, &words) != OK) ||
		lseek(file, 0, SEEK_SET) != 0 || !start(&k, &words, file)) {
		k.report.end = RUNNER_NOT_STARTED;
		k.report.number = errno;
	} else {
		close(file);
		watch(&k);
		settle(&k);
	}
	_exit(k.alone || warden_send(sock, &k.report, sizeof(k.report), k.report.output_size > 0 ? k.kept : -1)
			? 0
			: 1);
}
