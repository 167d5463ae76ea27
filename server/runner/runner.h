/*
 * runner.h - programs, run by a process of their own outside the server's sandbox (H55, H56).
 *
 *     runner_run --post--> the front loop: RUNNER_PROGRAMS_MAX at once, the rest waits --> the runner
 *     done <-----post----- how it ended and what it said <--------------------------------- fork, exec
 *
 * Never a shell: a list of arguments, the first of them the path of the program. A program has the rights of the
 * server's user, no descriptors but its standard ones, an environment of a few variables, limits of the
 * kernel, and its time; what it leaves running ends with it. Any loop may ask; `done` comes on that loop.
 *
 * Scripts of users go the same way, to places of their own: a child that becomes no program but runs one
 * script in Lua (server/script/script_child.h), and is killed without grace when its time is over (H74).
 */
#ifndef SERVER_RUNNER_RUNNER_H
#define SERVER_RUNNER_RUNNER_H

#include "proto/base/span.h"
#include "server/host.h"

#define RUNNER_PROGRAMS_MAX 20	/* at once (H39) */
#define RUNNER_WAITING_MAX 1000 /* for a place; beyond it ERR_BUSY */
#define RUNNER_SCRIPTS_MAX 8	/* scripts in Lua at once, beside the programs */
#define RUNNER_SCRIPTS_BYTES (64 * 1024 * 1024) /* of what is given to scripts that wait or run; beyond it ERR_BUSY */
#define RUNNER_OWNER_SHARE 8 /* one user's scripts have this part of both; those of all users a half, the site's the other */
#define RUNNER_ARGUMENTS_MAX 64
#define RUNNER_VARIABLES_MAX 8 /* beside PATH and LANG, which every program gets */
#define RUNNER_WORDS_MAX (64 * 1024)	/* bytes of arguments and variables */
#define RUNNER_INPUT_MAX (1024 * 1024)	/* bytes on its standard input */
#define RUNNER_OUTPUT_MAX (1024 * 1024) /* bytes of its standard output that are kept for the caller */
#define RUNNER_TIMEOUT_MS 60000		/* where a job says 0 */
#define RUNNER_GRACE_MS 2000 /* from SIGTERM to SIGKILL, both to its process group */
#define RUNNER_LINE_SIZE 200 /* of the first line on its standard error, cut and cleaned */
#define RUNNER_SAYS_SIZE (RUNNER_LINE_SIZE + 100)

struct runner;
struct runner_order;

enum runner_end {
	RUNNER_EXITED,	    /* number: its exit status */
	RUNNER_SIGNALLED,   /* number: the signal */
	RUNNER_TIMED_OUT,   /* ended by us, after its time */
	RUNNER_TOO_MUCH,    /* ended by us: it said more than output_max */
	RUNNER_NOT_STARTED, /* number: errno; there is no such program, for instance */
	RUNNER_LOST,	    /* the runner ended, or there is none: nobody knows what became of it */
};

struct runner_answer {
	enum runner_end end;
	int number;
	int64_t timeout_ms;  /* that it had */
	struct span output;  /* standard output, what came of it; lives for the call of `done`, then wiped */
	const char *error;   /* first line of standard error; "" where there was none */
};

/* Embedded in whoever asks, zeroed at first; not to be moved or freed between runner_run() and `done`. */
struct runner_job {
	bool script; /* no program: INPUT is a script and its message (script_wire.h); no arguments, no variables */
	uint64_t owner; /* of a script: the user whose it is, who waits for his own rather than others; 0: the site */
	const struct span *argv; /* argv[0]: an absolute path; no NUL in any. Copied, as all of this is */
	size_t argc;
	const struct span *env; /* "NAME=value" */
	size_t env_count;
	struct span input;
	int64_t timeout_ms; /* 0: RUNNER_TIMEOUT_MS. It counts from the start, not from the waiting */
	size_t output_max;  /* 0: any output is RUNNER_TOO_MUCH; at most RUNNER_OUTPUT_MAX */
	/* On the loop that asked, never in runner_run(). The job may be run again, or freed, in it. */
	void (*done)(struct runner_job *job, const struct runner_answer *answer);
	struct runner_order *order; /* the runner's own; NULL: nothing is under way */
};

/*
 * Run it. Exactly one `done` follows unless it is cancelled, or this says an error: ERR_SYNTAX: no arguments,
 * no absolute path, a NUL, a variable without a name; ERR_LIMIT: too much of something; ERR_BUSY:
 * RUNNER_WAITING_MAX wait already.
 */
MUST_CHECK enum err runner_run(struct host *host, struct runner_job *job);
/* Would a script of OWNER with SIZE bytes of input be taken now? */
bool runner_has_room(struct host *host, uint64_t owner, size_t size);
/* On the loop that asked: no `done` comes, and the program is ended. No effect where none is under way. */
void runner_cancel(struct runner_job *job);

/* One line without the name of the program: "ended with status 3: no such account", "took longer than 60 s" */
const char *runner_says(const struct runner_answer *answer, char out[RUNNER_SAYS_SIZE]);

struct runner_options {
	/* Front loop: a socket to a runner that was just started, the caller's; -1, errno says why. */
	int (*start)(void *arg);
	/* Front loop: the runner ended while it was needed, or cannot be started; one line. May be NULL. */
	void (*on_fault)(void *arg, const char *text);
	void *arg;
};

/* FRONT speaks with the runner, which is started when the first program is run. */
struct runner *runner_open(struct loop *front, const struct runner_options *options);
/* No loop runs any more. Programs under way are ended; what waits is dropped without an answer. */
void runner_close(struct runner **r);

/* Front loop: the file has changed. The next program has a runner that knows it, once those that run have ended. */
void runner_follow(void *runner);

/* Front loop. */
struct runner_stats {
	unsigned running, waiting; /* programs */
	unsigned scripts_running, scripts_waiting;
	uint64_t started, lost;
};
struct runner_stats runner_stats(const struct runner *r);

#endif
