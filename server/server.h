/*
 * server.h - the process as a whole, for main.c and the control socket.
 *
 * All functions belong to the front loop's thread unless they say otherwise.
 */
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

#include "conf/conf_rules.h"
#include "proto/base/version.h"
#include "proto/base/buf.h"
#include "proto/base/list.h"
#include "server/host.h"
#include "server/services.h"

struct conf;
struct server;
struct tls_client;

#define SERVER_LINE_MAX 400 /* of what is said on stderr */
#define SERVER_STOP_MS 8000 /* for sessions to end after SIGTERM; exit follows within 10 s */

struct server_options {
	const char *conf_path; /* as given by -c, made absolute */
	int warden_fd;	       /* -1: no warden; requests are answered by this process itself */
	bool foreground;
	bool log_to_stderr;
	int ready_fd; /* -1, or where a byte says that all listeners are open */
};

/* Opens everything, runs until told to stop; returns the exit status. */
int server_run(const struct server_options *options);

/* ---- for the control socket ---- */

const char *server_conf_path(const struct server *s);
int64_t server_started_ms(const struct server *s);     /* wall clock */
const char *server_store_state(const struct server *s); /* "ok", "full", ... */
struct log_writer *server_log_writer(const struct server *s);

/*
 * Read files again and take them into force: read and checked by a worker, swapped in between two turns of every loop,
 * one load after the other in the order they were asked for. A bad file changes nothing.
 */
struct server_load {
	struct list link;
	enum server_load_what { LOAD_CONF, LOAD_RULES } what; /* the file and all rules; or the rules alone */
	enum rule_file file; /* LOAD_RULES: whose fault is this load's */
	bool trusts;	     /* the content rules were compiled */
	/* Or NULL: before anything is read, change BACK of this file's history is taken back. */
	const char *back_path;
	uint32_t back;
	/*
	 * Front loop; the new generation is host->conf there. OK; ERR_SYNTAX or ERR_IO: refused, all faults are lines
	 * of `faults`, good during the call, and logged; ERR_NOT_FOUND: it could not be taken back; ERR_BUSY: the
	 * workers have too much to do. The load may be used again then.
	 */
	void (*done)(struct server_load *load, enum err err);
	struct buf faults;
	enum err err;
	struct server *server;
};
/* LOAD stays where it is until `done`. Front loop. */
void server_load(struct server *s, struct server_load *load);
/*
 * Can the certificate and its key be read, and do they fit? Any thread; as this process, without the
 * warden: ERR_DENIED where the rights are missing. FAULT says what.
 */
MUST_CHECK enum err server_tls_check(const struct conf *conf, char fault[SERVER_LINE_MAX]);
/* Why the last reload was refused; "" where it was not. */
const char *server_reload_fault(const struct server *s);

void server_stop(struct server *s); /* as SIGTERM does */

/* `service list|start|stop`. ERR_NOT_FOUND: no such service in the file; ERR_DENIED: no class yet. */
enum service_state { SERVICE_ABSENT, SERVICE_RUNNING, SERVICE_STOPPED, SERVICE_FAILED };
enum service_state server_service_state(struct server *s, const struct service *service);
/* Its addresses as "a, b" into OUT. */
MUST_CHECK enum err server_service_addresses(struct server *s, const struct service *service,
	struct buf *out);
MUST_CHECK enum err server_service_start(struct server *s, const struct service *service);
MUST_CHECK enum err server_service_stop(struct server *s, const struct service *service);

/* `session end`: ERR_NOT_FOUND where no session has that id. */
MUST_CHECK enum err server_session_end(struct server *s, uint64_t id);

/*
 * `postroomd --check-store` in a child of the warden (the server never forks, H46). Its report goes
 * to OUT_FD, which stays the caller's. DONE(ARG, STATUS) on the front loop with the exit status, or
 * -1 where it could not be run. ERR_BUSY: one runs already.
 */
MUST_CHECK enum err server_check_store(struct server *s, int out_fd,
	void (*done)(void *arg, int status), void *arg);

/* The secret in the file at PATH, its last line end cut; OUT wipes. Any thread. ERR_IO, ERR_LIMIT. */
MUST_CHECK enum err server_read_secret(struct server *s, struct span path, struct buf *out);

/*
 * The roots in the PEM file at PATH, *COUNT of them; the caller's count. Any thread; takes some 10 ms, so it is for a
 * worker.
 */
struct tls_client *server_read_roots(struct server *s, const char *path, size_t *count);

/* Take the rule files over where they have changed and been left alone for a second. Front loop. */
void server_rules_follow(struct server *s);
/*
 * Is the text of FILE that stands there now in force, or refused? False: it is being read, ask again (DLR-02). Front
 * loop.
 */
bool server_rules_are_read(struct server *s, enum rule_file file);
/* Why the last text was refused, "FILE:3:1: ..."; "" where it was not. */
const char *server_rules_fault(const struct server *s, enum rule_file file);

/* Take the certificate over where its files were replaced (SVC-07). Front loop. */
void server_tls_follow(struct server *s);

/*
 * A backup into the folder DIR_FD by a child of the warden: *out_fd, then the caller's, is a pipe
 * with what it says (backup_child.h). ERR_BUSY: one runs already. Front loop.
 */
MUST_CHECK enum err server_backup(struct server *s, int dir_fd, int *out_fd);
/*
 * The file NAME of a folder that a client passed, read-only, by the warden: the server itself may
 * not (H55). ERR_NOT_FOUND, ERR_DENIED, ERR_IO with errno. Any thread.
 */
MUST_CHECK enum err server_open_in(struct server *s, int dir_fd, const char *name, int *fd);

/* The number of a Unix group; false: there is none. Front loop. */
bool server_group_find(struct server *s, const char *name, gid_t *gid);

/*
 * Is this the password of a system account, by PAM (SEC-06)? Asked of the warden; on a worker, for it
 * may take 12 s. ERR_DENIED: no; ERR_BUSY: nobody could say.
 */
MUST_CHECK enum err server_pam_check(const struct server *s, struct span account,
	struct span password);

/* `clock advance`: ERR_DENIED without testing.clock. Tasks and deadlines that fall due run. */
MUST_CHECK enum err server_clock_advance(struct server *s, int64_t by_ms);

#endif
