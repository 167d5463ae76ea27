/*
 * runner_process.h - the runner's own process, and those that it starts.
 */
#ifndef SERVER_RUNNER_RUNNER_PROCESS_H
#define SERVER_RUNNER_RUNNER_PROCESS_H

#include <stdnoreturn.h>
#include <sys/types.h>

#include "server/runner/runner_wire.h"

#define RUNNER_CPU_S 10			     /* of processor time, each process of a program */
#define RUNNER_MEMORY ((rlim_t)512 * 1024 * 1024) /* bytes of address space */
#define RUNNER_FILES 256		     /* descriptors */
#define RUNNER_TASKS 512 /* of the user, the server's own threads counted; where it has a user of its own */

struct conf;

/* What a program may not do, beyond what the rights of the runner already say. */
struct runner_cage {
	const struct conf *conf; /* the store and keys that it names stay closed; NULL: nothing is hidden */
	bool own_user;		 /* the user is the server's alone */
};

/* Take orders from SOCK until it closes; in a child of the warden, with the rights of the server. */
noreturn void runner_process_run(int sock, const struct runner_cage *cage);

/* ---- runner_keeper.c ---- */

/* Run one program to its end, and report; in a child of the runner. FILE came with ROW. */
noreturn void runner_keeper_run(
	const struct runner_row *row, int file, int sock, const struct runner_cage *cage);
#define RUNNER_KEEPER_CANCEL SIGUSR1 /* to it: end the program */
#define RUNNER_KEEPER_ALONE SIGUSR2  /* the runner has died: end it at once, nobody asks */

/* Send SIGKILL to all children of this process but the COUNT of KEPT. */
void runner_kill_children(const pid_t *kept, size_t count);

/* ---- runner_program.c ---- */

struct runner_words {
	char *bytes; /* heap */
	char *argv[RUNNER_ARGUMENTS_MAX + 1];
	char *env[RUNNER_VARIABLES_MAX + 3];
};
/* What FILE holds behind the input, which alone is left in it. ERR_SYNTAX, ERR_IO with errno. */
MUST_CHECK enum err runner_words_read(const struct runner_row *row, int file, struct runner_words *out);

/* In a child: signals are as at the start of a process. */
void runner_default_signals(void);

/* In a child: become that program. Comes back with errno where it cannot. */
int runner_program_become(
	const struct runner_words *words, const int standard[3], const struct runner_cage *cage);

#endif
