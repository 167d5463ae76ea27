/*
 * backup_child.c - see backup_child.h.
 */
#include "server/backup_child.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "store/backup.h"

/* Nobody listens any more: the client left, or the server died. */
static void
say_progress(void *arg, uint64_t done, uint64_t total)
{
	struct backup_job *job = arg;

	if (printf("progress %" PRIu64 " %" PRIu64 "\n", done, total) < 0 || fflush(stdout) != 0)
		atomic_store(&job->cancel, true);
}

static void
say_end(const struct backup_job *job, enum err err)
{
	if (err == OK)
		printf("done %" PRIu64 " %" PRIu64 " %s\n", job->bytes, job->findings,
			job->first_finding);
	else
		printf("failed %d\n", (int)err);
}

int
backup_child_run(const struct store_options *options)
{
	struct backup_job job = { .dir_fd = STDIN_FILENO, .progress = say_progress };
	struct store_fault why = { .err = OK };
	enum err err = store_open(options, &job.store, &why);

	signal(SIGPIPE, SIG_IGN);
	job.arg = &job;
	if (err == OK)
		err = backup_run(&job);
	store_close(&job.store);
	say_end(&job, err);
	return fflush(stdout) == 0 && err == OK ? 0 : 1;
}
