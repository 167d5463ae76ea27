/*
 * runner_program.c - a process becomes a program: descriptors, limits, files that stay closed, exec.
 */
#include "server/runner/runner_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "conf/conf.h"
#include "server/warden/warden_start.h"

#define SEARCH_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define LANGUAGE "LANG=C.UTF-8"
#define FIRST_CLOSED 3

/* COUNT words from *AT on, which moves on; false: there are not so many. */
static bool
take_words(char **at, const char *end, char **out, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char *stop = memchr(*at, '\0', (size_t)(end - *at));

		if (!stop)
			return false;
		out[i] = *at;
		*at = stop + 1;
	}
	out[count] = NULL;
	return true;
}

enum err
runner_words_read(const struct runner_row *row, int file, struct runner_words *out)
{
	static char path[] = SEARCH_PATH, language[] = LANGUAGE;
	char *at;

	*out = (struct runner_words){ .env = { path, language } };
	if (row->argc == 0 || row->argc > RUNNER_ARGUMENTS_MAX ||
		row->env_count > RUNNER_VARIABLES_MAX || row->words_size > RUNNER_WORDS_MAX ||
		row->input_size > RUNNER_INPUT_MAX)
		return ERR_SYNTAX;
	at = out->bytes = malloc(row->words_size + 1);
	ENSURE(at);
	if (pread(file, at, row->words_size, (off_t)row->input_size) != (ssize_t)row->words_size ||
		ftruncate(file, (off_t)row->input_size) != 0)
		return ERR_IO;
	return take_words(&at, out->bytes + row->words_size, out->argv, row->argc) &&
			take_words(&at, out->bytes + row->words_size, out->env + 2, row->env_count)
		? OK
		: ERR_SYNTAX;
}

/* ---- in the child ---- */

static bool
set_limit(__rlimit_resource_t what, rlim_t value)
{
	struct rlimit now;

	if (getrlimit(what, &now) != 0)
		return false;
	if (value > now.rlim_max)
		value = now.rlim_max;
	now.rlim_cur = now.rlim_max = value;
	return setrlimit(what, &now) == 0;
}

static bool
set_limits(const struct runner_cage *cage)
{
	if (!set_limit(RLIMIT_CPU, RUNNER_CPU_S) || !set_limit(RLIMIT_NOFILE, RUNNER_FILES) ||
		!set_limit(RLIMIT_CORE, 0))
		return false;
#ifndef __SANITIZE_ADDRESS__ /* its own memory is larger; a program that is not ours gets it with exec */
	if (!set_limit(RLIMIT_AS, RUNNER_MEMORY))
		return false;
#endif
	if (cage->conf && !set_limit(RLIMIT_FSIZE, (rlim_t)cage->conf->limits_message_size))
		return false;
	return !cage->own_user || set_limit(RLIMIT_NPROC, RUNNER_TASKS);
}

void
runner_default_signals(void)
{
	sigset_t none;

	for (int signo = 1; signo < NSIG; signo++)
		signal(signo, SIG_DFL); /* those that cannot be changed are it anyway */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

int
runner_program_become(
	const struct runner_words *words, const int standard[3], const struct runner_cage *cage)
{
	int moved[3];

	for (int i = 0; i < 3; i++) { /* none of them is in the way of another then */
		moved[i] = fcntl(standard[i], F_DUPFD_CLOEXEC, FIRST_CLOSED);
		if (moved[i] < 0)
			return errno;
	}
	for (int i = 0; i < 3; i++)
		if (dup2(moved[i], i) < 0)
			return errno;
	if (syscall(SYS_close_range, FIRST_CLOSED, ~0u, 0) != 0 || chdir("/") != 0)
		return errno;
	umask(077);
	if (cage->conf && !warden_hide_files(cage->conf) && errno != ENOSYS && errno != EOPNOTSUPP)
		return errno;
	if (!set_limits(cage))
		return errno;
	runner_default_signals();
	execve(words->argv[0], words->argv, words->env);
	return errno;
}
