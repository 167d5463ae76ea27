/*
 * end_signals.c - signals that end a program are held, and raised afterwards.
 */
#include "tui/end_signals.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/base/span.h"

static const int numbers[] = { SIGINT, SIGQUIT, SIGTERM, SIGHUP };
static struct sigaction before[COUNT(numbers)];
static unsigned depth; /* of holds; one thread */
static volatile sig_atomic_t came;
static volatile sig_atomic_t program; /* that is waited for; 0: none */

static void
on_signal(int number)
{
	came = number;
	if (program > 0 && (number == SIGTERM || number == SIGHUP))
		kill(program, number);
}

void
end_signals_hold(void)
{
	struct sigaction ours = { .sa_handler = on_signal };

	if (depth++ > 0)
		return;
	came = 0;
	for (size_t i = 0; i < COUNT(numbers); i++)
		sigaction(numbers[i], &ours, &before[i]);
}

int
end_signals_came(void)
{
	return came;
}

static void
put_back(void)
{
	for (size_t i = 0; i < COUNT(numbers); i++)
		sigaction(numbers[i], &before[i], NULL);
}

pid_t
end_signals_fork(void)
{
	sigset_t ours, mask;
	pid_t pid;

	sigemptyset(&ours);
	for (size_t i = 0; i < COUNT(numbers); i++)
		sigaddset(&ours, numbers[i]);
	sigprocmask(SIG_BLOCK, &ours, &mask); /* none may come to it while it still catches them */
	pid = fork();
	if (pid == 0)
		put_back();
	else
		program = pid > 0 ? pid : 0;
	sigprocmask(SIG_SETMASK, &mask, NULL);
	return pid;
}

int
end_signals_wait(pid_t pid)
{
	siginfo_t info;
	int status = -1;

	while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) < 0 && errno == EINTR)
		;
	program = 0; /* its number may be another's once it is reaped */
	if (came == SIGINT || came == SIGQUIT)
		came = 0;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

void
end_signals_release(void)
{
	if (--depth > 0)
		return;
	put_back();
	if (came)
		raise(came);
}
