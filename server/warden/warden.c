/*
 * warden.c - bind, open, check: what needs rights, for a server that has none (H55).
 *
 * Single-threaded. It reads the configuration for the names it may bind and open, fixed-size rows
 * from the server's socketpair, and nothing else. It opens no store: a check is a child of its own.
 */
#include "server/warden/warden.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conf/conf_load.h"
#include "server/net/listener.h"
#include "server/secret_key.h"
#include "server/warden/warden_inside.h"
#include "server/warden/warden_wire.h"

static void
read_names(struct warden *w)
{
	struct conf_faults faults;
	struct conf *conf = NULL;

	conf_faults_init(&faults);
	if (conf_load_file(w->options->conf_path, w->rights.uid, &conf, &faults) == OK) {
		conf_free(&w->conf);
		w->conf = conf;
		warden_pam_look(conf);
	}
	conf_faults_fini(&faults);
}

/* ---- what may be asked ---- */

static bool
listen_allows(const struct conf_listen *l, struct span text)
{
	char any4[32], any6[32];

	if (l->kind != LISTEN_ANY)
		return span_eq(l->text, text);
	snprintf(any4, sizeof(any4), "0.0.0.0:%u", l->port);
	snprintf(any6, sizeof(any6), "[::]:%u", l->port);
	return span_eq(span_of(any4), text) || span_eq(span_of(any6), text);
}

/* The service that lists TEXT; NULL: none. */
static const struct conf_service *
lists_address(const struct warden *w, struct span text)
{
	for (size_t i = 0; i < w->conf->services.count; i++) {
		const struct conf_service *service = &w->conf->services.items[i];

		for (size_t k = 0; k < service->listen.count; k++) {
			if (listen_allows(&service->listen.items[k], text))
				return service;
		}
	}
	return NULL;
}

static bool
is_control(const struct warden *w, struct span text)
{
	return span_starts(text, SPAN("unix:")) && span_eq(span_from(text, 5), w->conf->control);
}

static bool
is_file_of(const struct secret *secret, struct span path)
{
	return secret->kind == SECRET_FILE && span_eq(secret->value, path);
}

/* Programs replace them, and what stands there since the start is closed to the server (Landlock). */
static const char *const system_files[] = { WARDEN_GROUP_FILE, WARDEN_RESOLV_CONF };

static bool
may_open(const struct warden *w, struct span path)
{
	const struct conf *c = w->conf;
	char key[PATH_MAX];

	if (path.len == 0)
		return false;
	for (size_t i = 0; i < COUNT(system_files); i++) {
		if (span_eq(path, span_of(system_files[i])))
			return true;
	}
	if (secret_key_path(c, key) == OK && span_eq(path, span_of(key)))
		return true;
	if (span_eq(path, c->tls_certificate) || span_eq(path, c->tls_key) ||
		span_eq(path, c->tls_ca))
		return true;
	if (is_file_of(&c->socks_password, path))
		return true;
	for (size_t i = 0; i < c->outgoing_routes.count; i++) {
		if (is_file_of(&c->outgoing_routes.items[i].password, path))
			return true;
	}
	for (size_t i = 0; i < c->collectors.count; i++) {
		if (is_file_of(&c->collectors.items[i].password, path) ||
			span_eq(path, c->collectors.items[i].tls_ca))
			return true;
	}
	for (size_t i = 0; i < c->connections.count; i++) {
		if (is_file_of(&c->connections.items[i].password, path))
			return true;
	}
	return false;
}

static struct warden_reply
do_bind(struct warden *w, struct span text, int *fd)
{
	const struct conf_service *service = lists_address(w, text);
	struct listen_address address;
	enum err err;
	gid_t gid;

	if ((!service && !is_control(w, text)) || listen_address_parse(text, &address) != OK)
		return warden_answer(ERR_DENIED, EPERM);
	if (!warden_group_find(&w->rights, service, &gid))
		return warden_answer(ERR_IO, EINVAL);
	err = listen_address_bind(&address, fd);
	if (err != OK)
		return warden_answer(err, errno);
	if (warden_give_socket(&w->rights, &address, gid))
		return warden_answer(OK, 0);
	close(*fd);
	*fd = -1;
	return warden_answer(ERR_IO, EPERM);
}

static struct warden_reply
do_open(struct warden *w, struct span path, int *fd)
{
	if (!may_open(w, path))
		return warden_answer(ERR_DENIED, EPERM);
	*fd = open(path.ptr, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK); /* no wait for a pipe */
	return *fd >= 0 ? warden_answer(OK, 0) : warden_answer(errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, errno);
}

/*
 * A file of a folder that a client passed (a maildir to import), with the server's rights. A folder
 * that was only named (O_PATH) proves nothing and is refused.
 */
static struct warden_reply
do_open_in(struct warden *w, int folder, const char *name, int *fd)
{
	int flags = folder < 0 ? -1 : fcntl(folder, F_GETFL), error;

	if (flags < 0 || (flags & O_PATH) || name[0] == '\0' || strchr(name, '/') ||
		strcmp(name, "..") == 0)
		return warden_answer(ERR_DENIED, EPERM);
	setfsgid(w->rights.gid);
	setfsuid(w->rights.uid);
	*fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
	error = errno;
	setfsuid(geteuid());
	setfsgid(getegid());
	return *fd >= 0 ? warden_answer(OK, 0) : warden_answer(error == ENOENT ? ERR_NOT_FOUND : ERR_IO, error);
}

/* ---- the loop ---- */

static struct warden_reply
do_request(struct warden *w, struct warden_request *request, int came, int *goes)
{
	struct span text = span_of(request->text);

	switch (request->kind) {
	case WARDEN_BIND:
		return do_bind(w, text, goes);
	case WARDEN_OPEN:
		return do_open(w, text, goes);
	case WARDEN_OPEN_IN:
		return do_open_in(w, came, request->text, goes);
	case WARDEN_CHECK_STORE:
		return warden_check(w, came, goes);
	case WARDEN_BACKUP:
		return warden_backup(w, came, goes);
	case WARDEN_PAM:
		return warden_pam(w, request, goes);
	case WARDEN_RUNNER:
		return warden_runner(w, goes);
	case WARDEN_REREAD:
		return warden_answer(OK, 0);
	default:
		return warden_answer(ERR_DENIED, EINVAL);
	}
}

static void
serve_request(struct warden *w)
{
	struct warden_request request;
	struct warden_reply reply = warden_answer(ERR_DENIED, EPERM);
	int came = -1, goes = -1;

	if (warden_receive(w->sock, &request, sizeof(request), &came) != 1)
		return; /* the server is ending: SIGCHLD follows */
	request.text[sizeof(request.text) - 1] = '\0';
	request.secret[sizeof(request.secret) - 1] = '\0';
	if (request.kind == WARDEN_REREAD)
		read_names(w);
	if (w->conf)
		reply = do_request(w, &request, came, &goes);
	explicit_bzero(&request, sizeof(request)); /* H66 */
	if (!warden_send(w->sock, &reply, sizeof(reply), goes)) {
		fprintf(stderr, "postroomd: warden: %s (the server does not listen)\n",
			strerror(errno));
		shutdown(w->sock, SHUT_RDWR); /* or it would wait for this answer for ever */
	}
	if (came >= 0)
		close(came);
	if (goes >= 0)
		close(goes);
}

static bool
take_signal(struct warden *w, int *status)
{
	struct signalfd_siginfo info;

	if (read(w->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return false;
	if (info.ssi_signo == SIGCHLD)
		return warden_reap(w, status);
	if (kill(w->server, info.ssi_signo == SIGHUP ? SIGHUP : SIGTERM) != 0)
		return warden_reap(w, status);
	return false;
}

static int
watch(struct warden *w)
{
	struct pollfd fds[] = { { w->signals, POLLIN, 0 }, { w->sock, POLLIN, 0 } };
	int status = 1;

	for (;;) {
		if (poll(fds, COUNT(fds), warden_pam_wait_ms(w)) < 0 && errno != EINTR)
			return 1;
		if (fds[1].revents & POLLIN)
			serve_request(w);
		else if (fds[1].revents)
			fds[1].fd = -1; /* closed: only the end is left to wait for */
		if ((fds[0].revents & POLLIN) && take_signal(w, &status))
			return status;
	}
}

/* ---- starting ---- */

/* A server without it serves; it says what it cannot do. */
static void
make_secret_key(const struct warden *w)
{
	char path[PATH_MAX];

	if (secret_key_path(w->conf, path) == OK && secret_key_make(path, &w->rights) != OK)
		fprintf(stderr, "postroomd: secrets.key %s: %s (cannot be made: name another place)\n",
			path, strerror(errno));
}

static noreturn void
be_server(struct warden *w, struct server_options *options, int sock, pid_t warden,
	const sigset_t *mask)
{
	close(w->sock);
	close(w->signals);
	sigprocmask(SIG_SETMASK, mask, NULL);
	options->warden_fd = sock;
	if (!warden_rights_drop(&w->rights)) {
		fprintf(stderr, "postroomd: rights: %s (could not be given up)\n", strerror(errno));
		_exit(1);
	}
	if (w->conf && !warden_limit_files(w->conf, options->conf_path))
		fprintf(stderr, "postroomd: landlock: %s (the server goes without)\n",
			strerror(errno));
	conf_free(&w->conf);
#ifndef __SANITIZE_ADDRESS__ /* the leak checker attaches to its own process */
	if (!warden_deny_calls(false))
		fprintf(stderr, "postroomd: seccomp: %s (the server goes without)\n",
			strerror(errno));
#endif
	if (getppid() != warden)
		_exit(1); /* it died before the parent's death could be signalled */
	exit(server_run(options));
}

int
warden_run(struct server_options *options)
{
	struct warden w = { .options = options };
	pid_t self = getpid();
	sigset_t mask, before;
	int pair[2], status;

	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGHUP);
	sigaddset(&mask, SIGCHLD);
	sigprocmask(SIG_BLOCK, &mask, &before);
	sigaddset(&before, SIGTERM); /* those of the server wait until its loop listens to them */
	sigaddset(&before, SIGINT);
	sigaddset(&before, SIGHUP);
	signal(SIGPIPE, SIG_IGN); /* a server that died while a check ran */
	warden_rights_find(&w.rights);
	warden_raise_limits();
	read_names(&w);
	if (w.conf && !warden_make_folders(w.conf, &w.rights)) {
		conf_free(&w.conf);
		return 1;
	}
	if (w.conf)
		make_secret_key(&w);
	w.signals = signalfd(-1, &mask, SFD_CLOEXEC);
	if (w.signals < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
		fprintf(stderr, "postroomd: start: %s\n", strerror(errno));
		return 1;
	}
	w.sock = pair[0];
	w.server = fork();
	if (w.server == 0)
		be_server(&w, options, pair[1], self, &before);
	close(pair[1]);
	status = 1;
	if (w.server < 0)
		fprintf(stderr, "postroomd: start: %s\n", strerror(errno));
	else
		status = watch(&w);
	close(w.sock);
	close(w.signals);
	conf_free(&w.conf);
	return status;
}
