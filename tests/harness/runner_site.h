/*
 * runner_site.h - a runner for tests, forked as the warden does; the test's own rights are enough.
 */
#ifndef TESTS_HARNESS_RUNNER_SITE_H
#define TESTS_HARNESS_RUNNER_SITE_H

#include <sys/types.h>

#define RUNNER_PATIENCE_MS 60000 /* for what must come, however busy the machine */

/* Our end of its socket; *process is to be waited for behind runner_close(). */
int runner_site_fork(pid_t *process);

#endif
