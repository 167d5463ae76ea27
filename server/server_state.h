/*
 * server_state.h - what is behind struct server; for the server*.c files alone.
 */
#ifndef SERVER_SERVER_STATE_H
#define SERVER_SERVER_STATE_H

#include <limits.h>
#include <pthread.h>

#include "conf/conf_load.h"
#include "conf/conf_rules.h"
#include "server/generation.h"
#include "server/log.h"
#include "server/metrics.h"
#include "server/net/listener.h"
#include "server/net/loop.h"
#include "server/net/work.h"
#include "server/script/script_check.h"
#include "server/secret_key.h"
#include "server/server.h"
#include "store/commit.h"
#include "store/store.h"

#define SERVER_LISTENERS_MAX 128
#define SERVER_FDS_KEPT 200 /* for store, log, DNS, delivery (H33) */

/* What tells a file that was replaced; all zero: it could not be looked at. */
struct file_stamp {
	uint64_t ino;
	int64_t size, mtime_s, mtime_ns;
};

/* A generation in the making, and what was found of each rule file: begun and used on the front loop, filled by a worker. */
struct reading {
	struct server *server;
	const struct conf *now; /* in force; NULL: a start, on the one thread there is */
	bool trusts;	        /* the content rules were compiled */
	struct conf *next;
	bool unseen;	        /* other content rules are there: they are compiled first */
	struct {
		struct file_stamp stamp;
		char fault[SERVER_LINE_MAX]; /* why its text is refused; "" where it is not */
	} rules[RULE_FILE_COUNT];
};

struct server {
	const struct server_options *options;
	struct log_writer *writer;
	struct log *log; /* of threads that are no loop */
	struct crypto_key text_key; /* of text_veil.h */
	char log_dir[PATH_MAX]; /* of the start: Landlock allows no other */
	struct store *store;
	struct search *search; /* NULL: off, or its folder cannot be used */
	struct shared *shared;
	struct workers *workers;
	struct resolver *resolver;
	struct runner *runner;
	struct tokens *tokens;
	struct metrics metrics;
	struct secret_key secret_key;
	_Atomic int64_t clock_offset_ms;
	unsigned loop_count;
	struct host hosts[LOOP_MAX];
	struct store_inbox inboxes[LOOP_MAX];
	pthread_t threads[LOOP_MAX];
	struct list listeners; /* struct service_listener.link */
	struct loop_timer listen_timer; /* for addresses that are not there yet */
	unsigned listener_count;
	enum service_state states[SHARED_SERVICES_MAX];
	struct tasks *tasks;
	struct outgoing *outgoing;
	struct connect *connect;
	struct collect *collect;
	struct file_stamp tls_stamps[2]; /* certificate and key as they were read */
	struct rules_watch {             /* and each of the rule files */
		struct file_stamp stamp;
		char fault[SERVER_LINE_MAX]; /* why its last text was refused; "" where it was not */
		bool told; /* the Main Administrator was (SMR-14) */
	} rules[RULE_FILE_COUNT];
	struct rules_keeping {           /* a worker writes the rules in force beside their files */
		struct work work;
		struct generation *now;  /* whose; NULL: no work is under way */
		struct generation *next; /* and the newest after that; or NULL */
		enum err err[RULE_FILE_COUNT];
	} keeping;
	struct content_look {		 /* server_content.c: a text of the content rules is compiled */
		struct script_check check;
		struct arena arena;
		struct span text;
		bool under_way;
		bool unseen;  /* what stands in the file was not compiled yet */
		struct server_load load; /* of one that is compiled */
	} content;
	struct loading {		 /* server_load.c */
		struct list waiting;	 /* struct server_load.link */
		struct server_load *load; /* under way; or NULL */
		struct work work;
		struct generation *base; /* in force when it began */
		struct list old;	 /* struct old_generation.link */
		struct reading reading;
		struct tls_server *tls;
		struct tls_client *roots;
		enum err err;
	} loading;
	struct server_load hup, watch; /* of SIGHUP, of a rule file that changed */
	bool hup_again;
	struct loop_timer stop_timer;
	struct loop_io check_io; /* the pipe on which the warden says how a check ended */
	void (*check_done)(void *arg, int status);
	void *check_arg;
	bool check_runs;
	int64_t started_ms, stop_at_ms;
	unsigned fd_limit;
	bool stopping;
	_Atomic int exit_status;
	char reload_fault[SERVER_LINE_MAX];
};

static inline struct host *
server_front(struct server *s)
{
	return &s->hosts[0];
}

/* "postroomd: WHAT: WHY (HINT)" on stderr, and in the log where there is one. */
void server_complain(struct server *s, const char *what, const char *why, const char *hint);

/* ---- server_open.c ---- */

/* Log, workers, loops, store, certificate, listeners; what fails is said in one line. */
MUST_CHECK enum err server_open(struct server *s, struct generation *generation);

/* ---- server_wants.c ---- */

/* What the configuration lists. */
struct wants {
	struct want {
		const struct service *service;
		struct listen_address address;
	} items[SERVER_LISTENERS_MAX];
	size_t count;
};

/* The control socket, then every service of CONF that is not stopped. */
MUST_CHECK enum err server_wants(struct server *s, const struct conf *conf, struct wants *wants,
	char fault[SERVER_LINE_MAX]);

/* ---- server_listen.c ---- */

void server_listeners_init(struct server *s);
/*
 * Open what CONF lists and is not open, then close what it does not list any more. On a failure
 * nothing has changed: *fault says which address and why. An address that this machine does not
 * have is no failure at a start, nor later once it is known: its service waits for it (SVC-03).
 */
MUST_CHECK enum err server_listen(struct server *s, const struct conf *conf, bool at_start,
	char fault[SERVER_LINE_MAX]);
void server_listeners_start(struct server *s);
void server_listeners_close(struct server *s);

/* ---- server_accept.c ---- */

void server_accept(struct server *s, const struct service *service, int fd, const struct peer *peer);

/* ---- server_tls.c ---- */

/* The certificate of CONF; one of our own making where there is none. */
MUST_CHECK enum err server_tls_open(struct server *s, const struct conf *conf,
	struct tls_server **out, char fault[SERVER_LINE_MAX]);

/* Where certificate and key lie; without settings, in the store's directory. ERR_LIMIT. */
struct tls_paths {
	char certificate[PATH_MAX / 4], key[PATH_MAX / 4];
};
MUST_CHECK enum err server_tls_paths(const struct conf *conf, struct tls_paths *out);

/* All of it; FD is closed. ERR_IO, errno says why. */
MUST_CHECK enum err server_read_fd(int fd, struct buf *out);

/* ---- server_tls_follow.c ---- */

/* The certificate of CONF was just read: a later change of its files is a new one. */
void server_tls_mark(struct server *s, const struct conf *conf);
void server_stamp_file(struct server *s, const char *path, struct file_stamp *out);
bool server_stamp_eq(const struct file_stamp *a, const struct file_stamp *b);

/* ---- server_rules.c ---- */

/*
 * Read the rule files of r->next. A bad text is noted in R, and r->next gets the rules that are in force; at a
 * start, where none are, ERR_SYNTAX with the faults as lines in FAULTS (may be NULL). On a worker.
 */
MUST_CHECK enum err server_rules_read(struct reading *r, struct buf *faults);
/* What R found: stamps, faults to the log and `status`. Front loop, or a start. */
void server_rules_note(struct server *s, const struct reading *r);
/* A text is not taken: the first of LINES is why, in the log, in `status` and in a letter. */
void server_rules_refuse(struct server *s, enum rule_file file, struct span lines);

/* GENERATION is in force: its rules are kept for a start (SMR-14), by a worker; of several the last one's. */
void server_rules_keep(struct server *s, struct generation *generation);
void server_rules_close(struct server *s); /* what was not kept yet is; the workers have been closed */

/* ---- server_content.c: for server_rules.c ---- */

/* Compile what stands in the file of the content rules, and take it over, or refuse it. */
void server_content_look(struct server *s);
/* Into r->next, as conf_rules_load(); one that was not compiled yet leaves the old one there. */
MUST_CHECK enum err server_content_load(struct reading *r, struct conf_faults *faults);
void server_content_close(struct server *s); /* the runner has been closed */

/* ---- server_conf.c ---- */

/* Post GENERATION and TLS to all loops, which take them between two turns. */
void server_swap(struct server *s, struct generation *generation, struct tls_server *tls);

/* All faults as lines. */
void server_put_faults(const struct conf_faults *faults, const char *path, struct buf *out);
/* The file into r->next. Any thread. */
MUST_CHECK enum err server_conf_read(struct reading *r, struct buf *faults);
/* What of r->next has its own files: certificate and roots. On a worker; ERR_IO: FAULT says why. */
MUST_CHECK enum err server_conf_prepare(struct server *s, const struct conf *next, struct tls_server **tls,
	struct tls_client **roots, char fault[SERVER_LINE_MAX]);
/* NEXT into force, or why not (LINES are what is odd but taken). The roots and TLS stay the caller's. Front loop. */
MUST_CHECK enum err server_conf_take(struct server *s, struct conf *next, struct tls_server *tls,
	struct tls_client *roots, struct span lines);
/* A file is not taken, why is the first of LINES: into the log and `status`. */
void server_conf_refuse(struct server *s, struct span lines);

/* ---- server_load.c ---- */

void server_load_init(struct server *s);
void server_load_close(struct server *s); /* the workers have been closed */
bool server_load_is_busy(const struct server *s);
void server_load_sweep(struct server *s); /* generations that nobody looks at any more are freed, by a worker */

/* ---- server_conf.c ---- */

/* What is set anew in one place for all loops: limits of store and workers. */
void server_set_limits(struct server *s, const struct conf *conf);
struct resolver_options server_resolver_options(struct server *s, const struct conf *conf);
struct log_options server_log_options(const struct conf *conf, const struct server_options *o);

/* ---- server_outgoing.c ---- */

void server_outgoing_start(struct server *s);
/* The roots of CONF; without any, nothing can be verified, which is said where a route wants it. Any thread. */
struct tls_client *server_conf_roots(struct server *s, const struct conf *conf);
/* ROOTS are those of the one that all loops will have; and another look at what is due. */
void server_outgoing_follow(struct server *s, struct tls_client *roots);

/* ---- server_clock.c ---- */

void server_clock_restore(struct server *s, const struct conf *conf);

/* ---- server_warden.c ---- */

MUST_CHECK enum err server_bind(struct server *s, const struct listen_address *address, int *fd);
MUST_CHECK enum err server_open_file(struct server *s, const char *path, int *fd);
/* struct runner_options */
int server_runner_start(void *server);
void server_runner_fault(void *server, const char *text);

#endif
