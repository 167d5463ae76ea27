/*
 * warden_pam.c - is this a system account's password? PAM is asked in a child of the warden (SEC-06).
 *
 * A stack of PAM modules reads shadow files, talks to directories, may sleep or hang: so it runs in
 * a process of its own with the warden's rights, for WARDEN_PAM_MS at most, and the warden goes on.
 * The child says one number: 0 is yes.
 */
#include <errno.h>
#include <fcntl.h>
#include <security/pam_appl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdnoreturn.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "conf/conf.h"
#include "server/warden/warden_inside.h"

#define OUR_SERVICE "postroom"

/* What the modules ask on the screen of a person who is not there. */
static int
converse(int count, const struct pam_message **asked, struct pam_response **out, void *arg)
{
	const struct warden_request *request = arg;
	struct pam_response *answers;

	if (count <= 0 || count > PAM_MAX_NUM_MSG)
		return PAM_CONV_ERR;
	answers = calloc((size_t)count, sizeof(*answers)); /* PAM's to free and to wipe */
	if (!answers)
		return PAM_BUF_ERR;
	for (int i = 0; i < count; i++) {
		if (asked[i]->msg_style == PAM_PROMPT_ECHO_OFF)
			answers[i].resp = strdup(request->secret);
		else if (asked[i]->msg_style == PAM_PROMPT_ECHO_ON)
			answers[i].resp = strdup(request->text);
	}
	*out = answers;
	return PAM_SUCCESS;
}

/* No delay of PAM's own: logins are delayed before it is asked (H57), and all of them alike. */
static void
no_delay(int status, unsigned microseconds, void *arg)
{
	(void)status;
	(void)microseconds;
	(void)arg;
}

static bool
is_ours_alone(const struct stat *st)
{
	return (st->st_uid == 0 || st->st_uid == geteuid()) && !(st->st_mode & (S_IWGRP | S_IWOTH));
}

/*
 * A descriptor of auth.pam_folder, so that what is looked at is what is used. What stands there is run
 * with our rights, and who has taken the server over can write its configuration: -1 where anybody but us
 * could have filled the folder or written the stack.
 */
static int
open_folder(const struct conf *conf)
{
	int fd = open(conf->auth_pam_folder.ptr, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat folder, stack;

	if (fd >= 0 && fstat(fd, &folder) == 0 && is_ours_alone(&folder) &&
		fstatat(fd, OUR_SERVICE, &stack, 0) == 0 && is_ours_alone(&stack))
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

void
warden_pam_look(const struct conf *conf)
{
	int fd;

	if (!conf->auth_pam || conf->auth_pam_folder.len == 0)
		return;
	fd = open_folder(conf);
	if (fd >= 0)
		close(fd);
	else
		fprintf(stderr,
			"postroomd: auth.pam_folder %s: not used (it and " OUR_SERVICE
			" in it must be there, be root's and writable by nobody else)\n",
			conf->auth_pam_folder.ptr);
}

static int
start(const struct conf *conf, const char *account, const struct pam_conv *conv, pam_handle_t **pam)
{
	char folder[sizeof("/proc/self/fd/") + 12];
	int fd;

	if (conf->auth_pam_folder.len == 0)
		return pam_start(OUR_SERVICE, account, conv, pam);
	fd = open_folder(conf); /* open until this child ends */
	if (fd < 0)
		return PAM_OPEN_ERR;
	snprintf(folder, sizeof(folder), "/proc/self/fd/%d", fd);
	return pam_start_confdir(OUR_SERVICE, account, conv, folder, pam);
}

static bool
is_right(const struct conf *conf, struct warden_request *request)
{
	struct pam_conv conv = { converse, request };
	pam_handle_t *pam = NULL;
	int flags = PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK;
	int status = start(conf, request->text, &conv, &pam);

	if (status != PAM_SUCCESS)
		return false;
	status = pam_set_item(pam, PAM_FAIL_DELAY, (const void *)(uintptr_t)no_delay);
	if (status == PAM_SUCCESS)
		status = pam_authenticate(pam, flags);
	if (status == PAM_SUCCESS)
		status = pam_acct_mgmt(pam, flags); /* expired, not now, not from here */
	pam_end(pam, status | PAM_DATA_SILENT);
	return status == PAM_SUCCESS;
}

static noreturn void
be_asked(struct warden *w, struct warden_request *request, int out_fd)
{
	struct rlimit none = { 0, 0 };
	sigset_t signals;
	int32_t answer;

	close(w->sock);
	close(w->signals);
	sigemptyset(&signals);
	sigprocmask(SIG_SETMASK, &signals, NULL);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || setrlimit(RLIMIT_CORE, &none) != 0 ||
		prctl(PR_SET_DUMPABLE, 0) != 0)
		_exit(1);
	answer = is_right(w->conf, request) ? 0 : 1;
	explicit_bzero(request, sizeof(*request)); /* H66 */
	_exit(write(out_fd, &answer, sizeof(answer)) == (ssize_t)sizeof(answer) ? 0 : 1);
}

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

struct warden_reply
warden_pam(struct warden *w, struct warden_request *request, int *fd)
{
	struct warden_child *child = w->asked;
	int pipes[2];

	if (!w->conf->auth_pam || request->text[0] == '\0')
		return warden_answer(ERR_DENIED, EPERM);
	while (child < w->asked + WARDEN_PAM_MAX && child->pid > 0)
		child++;
	if (child == w->asked + WARDEN_PAM_MAX)
		return warden_answer(ERR_BUSY, EBUSY);
	if (pipe2(pipes, O_CLOEXEC) != 0)
		return warden_answer(ERR_IO, errno);
	child->pid = fork();
	if (child->pid == 0)
		be_asked(w, request, pipes[1]);
	close(pipes[1]);
	if (child->pid < 0) {
		child->pid = 0;
		close(pipes[0]);
		return warden_answer(ERR_BUSY, EAGAIN);
	}
	child->until_ms = now_ms() + WARDEN_PAM_MS;
	*fd = pipes[0];
	return warden_answer(OK, 0);
}

int
warden_pam_wait_ms(struct warden *w)
{
	int64_t now = now_ms(), wait = -1;

	for (struct warden_child *child = w->asked; child < w->asked + WARDEN_PAM_MAX; child++) {
		int64_t left = child->until_ms - now;

		if (child->pid <= 0)
			continue;
		if (left <= 0 && kill(child->pid, SIGKILL) == 0)
			child->until_ms = now + WARDEN_PAM_MS; /* it is reaped before that */
		if (left > 0 && (wait < 0 || left < wait))
			wait = left;
	}
	return (int)wait;
}

void
warden_pam_reaped(struct warden *w, pid_t pid)
{
	for (struct warden_child *child = w->asked; child < w->asked + WARDEN_PAM_MAX; child++) {
		if (child->pid == pid)
			child->pid = 0;
	}
}
