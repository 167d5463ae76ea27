/*
 * end_signals.c - signals that end a program are held, and raised afterwards.
 */
#include "tui/end_signals.h"

#include <signal.h>
#include <stddef.h>

#include "proto/base/span.h"

static const int numbers[] = { SIGINT, SIGQUIT, SIGTERM, SIGHUP };
static struct sigaction before[COUNT(numbers)];
static unsigned depth; /* of holds; one thread */
static volatile sig_atomic_t came;

static void
on_signal(int number)
{
	came = number;
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

void
end_signals_forget(void)
{
	came = 0;
}

void
end_signals_release(void)
{
	if (--depth > 0)
		return;
	for (size_t i = 0; i < COUNT(numbers); i++)
		sigaction(numbers[i], &before[i], NULL);
	if (came)
		raise(came);
}
