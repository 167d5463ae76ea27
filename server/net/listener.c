/*
 * listener.c - listen, accept, rest when there are no descriptors.
 */
#include "server/net/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define UNIX_PREFIX SPAN("unix:")
#define HOST_MAX 64

static enum err
parse_unix(struct span path, struct listen_address *out)
{
	struct sockaddr_un *un = (void *)&out->sockaddr;

	if (path.len == 0 || memchr(path.ptr, '\0', path.len))
		return ERR_SYNTAX;
	if (path.len >= sizeof(un->sun_path))
		return ERR_LIMIT;
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, path.ptr, path.len);
	out->length = sizeof(*un);
	return OK;
}

static enum err
parse_host(struct span host, uint16_t port, struct listen_address *out)
{
	struct sockaddr_in *in = (void *)&out->sockaddr;
	struct sockaddr_in6 *in6 = (void *)&out->sockaddr;
	char text[HOST_MAX];

	if (host.len >= sizeof(text))
		return ERR_SYNTAX;
	memcpy(text, host.ptr, host.len);
	text[host.len] = '\0';
	if (inet_pton(AF_INET, text, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		out->length = sizeof(*in);
		return OK;
	}
	if (inet_pton(AF_INET6, text, &in6->sin6_addr) != 1)
		return ERR_SYNTAX;
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	out->length = sizeof(*in6);
	return OK;
}

enum err
listen_address_parse(struct span text, struct listen_address *out)
{
	size_t colon = span_find_last(text, ':');
	struct span host = span_range(text, 0, colon);
	uint64_t port;

	memset(out, 0, sizeof(*out));
	if (text.len >= sizeof(out->text))
		return ERR_LIMIT;
	if (text.len == 0)
		return ERR_SYNTAX;
	memcpy(out->text, text.ptr, text.len);
	if (span_starts(text, UNIX_PREFIX))
		return parse_unix(span_from(text, UNIX_PREFIX.len), out);
	if (colon == text.len || span_u64(span_from(text, colon + 1), 65535, &port) != OK)
		return ERR_SYNTAX;
	if (span_starts(host, SPAN("[")) && host.ptr[host.len - 1] == ']')
		host = span_range(host, 1, host.len - 1);
	return parse_host(host, (uint16_t)port, out);
}

/* A socket file that nobody answers on was left by a server that was killed. */
static void
remove_stale_socket(const struct listen_address *a)
{
	const struct sockaddr_un *un = (const void *)&a->sockaddr;
	struct stat st;
	int fd;

	if (lstat(un->sun_path, &st) != 0 || !S_ISSOCK(st.st_mode))
		return;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	if (connect(fd, (const struct sockaddr *)un, sizeof(*un)) != 0 && errno == ECONNREFUSED &&
		unlink(un->sun_path) != 0)
		errno = EADDRINUSE; /* the bind will say so */
	close(fd);
}

static int
bind_socket(int fd, const struct listen_address *a)
{
	int yes = 1, rc;
	mode_t mask;

	if (a->sockaddr.ss_family != AF_UNIX) {
		if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) != 0)
			return -1;
		if (a->sockaddr.ss_family == AF_INET6 &&
			setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof(yes)) != 0)
			return -1;
		return bind(fd, (const struct sockaddr *)&a->sockaddr, a->length);
	}
	remove_stale_socket(a);
	mask = umask(0117); /* 0660 from the first moment (H59) */
	rc = bind(fd, (const struct sockaddr *)&a->sockaddr, a->length);
	umask(mask);
	return rc;
}

enum err
listen_address_bind(const struct listen_address *a, int *out)
{
	int fd = socket(a->sockaddr.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int error;

	if (fd < 0)
		return ERR_IO;
	if (bind_socket(fd, a) == 0 && listen(fd, LISTENER_BACKLOG) == 0) {
		*out = fd;
		return OK;
	}
	error = errno;
	close(fd);
	errno = error;
	return error == EADDRINUSE ? ERR_EXISTS : error == EACCES ? ERR_DENIED : ERR_IO;
}

/* ---- accepting ---- */

static void
rest(struct listener *l, int error)
{
	int64_t now_ms = loop_now_ms(l->loop);

	loop_io_watch(l->loop, &l->io, 0);
	loop_timer_set(l->loop, &l->pause, LISTENER_PAUSE_MS);
	l->paused++;
	if (l->complained_ms != 0 && now_ms - l->complained_ms < LISTENER_QUIET_MS)
		return;
	l->complained_ms = now_ms;
	l->on_pause(l, error);
}

static void
on_rested(struct loop_timer *timer)
{
	struct listener *l = LIST_ITEM(timer, struct listener, pause);

	loop_io_watch(l->loop, &l->io, LOOP_READ);
}

/* A connection that died in the queue is no reason to stop (accept(2), "Error handling"). */
static bool
is_the_peers(int error)
{
	return error == ECONNABORTED || error == EINTR || error == EPROTO || error == ENETDOWN ||
		error == EHOSTUNREACH || error == ENETUNREACH || error == EPERM;
}

static void
take(struct listener *l, int fd, const struct sockaddr_storage *from)
{
	struct peer peer;

	if (from->ss_family == AF_UNIX)
		peer_from_unix(&peer, fd);
	else
		peer_from_sockaddr(&peer, from);
	l->on_accept(l, fd, &peer);
}

static void
on_acceptable(struct loop_io *io, unsigned ready)
{
	struct listener *l = LIST_ITEM(io, struct listener, io);

	if (ready & LOOP_ERROR)
		return; /* the owner finds out when it stops it */
	for (int i = 0; i < LISTENER_BATCH; i++) {
		struct sockaddr_storage from = { 0 };
		socklen_t length = sizeof(from);
		int fd = accept4(io->fd, (struct sockaddr *)&from, &length,
			SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			if (l->address.sockaddr.ss_family == AF_UNIX)
				from.ss_family = AF_UNIX; /* an unnamed peer leaves it empty */
			take(l, fd, &from);
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			return;
		} else if (!is_the_peers(errno)) {
			rest(l, errno);
			return;
		}
	}
}

void
listener_init(struct listener *l, struct loop *loop, int fd)
{
	list_init(&l->link);
	l->loop = loop;
	l->complained_ms = 0;
	l->file_dev = 0;
	l->file_ino = 0;
	l->paused = 0;
	loop_io_init(&l->io, fd, on_acceptable);
	loop_timer_init(&l->pause, on_rested);
}

/* False: no Unix socket, or no file of it. */
static bool
socket_file(const struct listener *l, struct stat *out)
{
	const struct sockaddr_un *un = (const void *)&l->address.sockaddr;

	return un->sun_family == AF_UNIX && lstat(un->sun_path, out) == 0;
}

void
listener_start(struct listener *l)
{
	struct stat st;

	if (socket_file(l, &st)) {
		l->file_dev = st.st_dev;
		l->file_ino = st.st_ino;
	}
	loop_io_watch(l->loop, &l->io, LOOP_READ);
}

/* A bound socket that does not listen is no obstacle to one with SO_REUSEADDR (socket(7)). */
enum err
listener_yield(struct listener *l)
{
	loop_timer_clear(&l->pause);
	loop_io_watch(l->loop, &l->io, 0);
	return shutdown(l->io.fd, SHUT_RDWR) == 0 ? OK : ERR_IO;
}

enum err
listener_reclaim(struct listener *l)
{
	if (listen(l->io.fd, LISTENER_BACKLOG) != 0)
		return ERR_IO;
	loop_io_watch(l->loop, &l->io, LOOP_READ);
	return OK;
}

void
listener_stop(struct listener *l)
{
	const struct sockaddr_un *un = (const void *)&l->address.sockaddr;
	struct stat st;

	loop_timer_clear(&l->pause);
	loop_io_watch(l->loop, &l->io, 0);
	if (socket_file(l, &st) &&
		(l->file_ino == 0 || (st.st_dev == l->file_dev && st.st_ino == l->file_ino)) &&
		unlink(un->sun_path) != 0)
		errno = 0; /* the folder is not ours: the next start replaces it */
	close(l->io.fd); /* after the file: until then its number is nobody else's */
}
