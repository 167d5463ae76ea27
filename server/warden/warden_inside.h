/*
 * warden_inside.h - what the files of the warden share.
 */
#ifndef SERVER_WARDEN_WARDEN_INSIDE_H
#define SERVER_WARDEN_WARDEN_INSIDE_H

#include "server/server.h"
#include "server/warden/warden_requests.h"
#include "server/warden/warden_start.h"

#define WARDEN_PAM_MAX 8 /* at once; two are asked by the server's workers */

struct warden_child {
	pid_t pid; /* 0: none */
	int64_t until_ms;
};

struct warden {
	const struct server_options *options;
	struct conf *conf; /* the names that are allowed; NULL where it cannot be read */
	int sock, signals;
	pid_t server, check, backup, runner;
	struct warden_child asked[WARDEN_PAM_MAX]; /* PAM */
	int check_status_fd; /* where the check's exit status goes */
	struct warden_rights rights; /* of the server */
};

static inline struct warden_reply
warden_answer(enum err err, int error)
{
	return (struct warden_reply){ .err = err, .error = error };
}

/* A check of the store: its report goes to OUT_FD, its exit status into the pipe of *fd. */
struct warden_reply warden_check(struct warden *w, int out_fd, int *fd);
/* A backup into FOLDER: what the child says comes out of *fd, its last line is how it ended. */
struct warden_reply warden_backup(struct warden *w, int folder, int *fd);
/* Another runner, in the place of one that has ended; a socket to it comes out of *fd. */
struct warden_reply warden_runner(struct warden *w, int *fd);
/* Ask PAM in a child: its answer comes out of *fd. */
struct warden_reply warden_pam(struct warden *w, struct warden_request *request, int *fd);
/* One line on stderr where CONF names a folder of PAM that is not to be believed. */
void warden_pam_look(const struct conf *conf);
/* How long poll() may wait for the next of them to be overdue; those that are, are killed. -1: for ever. */
int warden_pam_wait_ms(struct warden *w);
void warden_pam_reaped(struct warden *w, pid_t pid);
/* True, with *server_status, where the server has ended. */
bool warden_reap(struct warden *w, int *server_status);

#endif
