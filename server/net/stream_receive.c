/*
 * stream_receive.c - one read from a socket, with the descriptors that a Unix peer may pass.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/net/stream_tls.h"

/* The peer's descriptors of one message; those we have no place for are closed. */
static void
keep_fds(struct stream *s, struct msghdr *message)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		size_t count;
		int fds[STREAM_FDS_MAX * 2];

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		if (count > COUNT(fds))
			count = COUNT(fds); /* the control buffer holds no more */
		memcpy(fds, CMSG_DATA(c), count * sizeof(int));
		for (size_t i = 0; i < count; i++) {
			if (s->fd_count < STREAM_FDS_MAX)
				s->fds[s->fd_count++] = fds[i];
			else
				close(fds[i]);
		}
	}
}

static ssize_t
receive(struct stream *s, char *into, size_t size)
{
	struct iovec part = { into, size };
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int) * STREAM_FDS_MAX * 2)];
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	ssize_t n;

	do {
		if (!s->is_unix) {
			n = recv(s->io.fd, into, size, 0);
			continue;
		}
		message.msg_control = control;
		message.msg_controllen = sizeof(control);
		n = recvmsg(s->io.fd, &message, MSG_CMSG_CLOEXEC);
		if (n >= 0)
			keep_fds(s, &message);
	} while (n < 0 && errno == EINTR);
	return n;
}

size_t
stream_receive(struct stream *s, char *into, size_t size)
{
	ssize_t n = receive(s, into, size);

	if (n > 0) {
		s->bytes_in += (size_t)n;
		return (size_t)n;
	}
	if (n == 0)
		s->eof = true;
	else if (errno != EAGAIN && errno != EWOULDBLOCK)
		stream_end_with(s, STREAM_RESET);
	return 0;
}

int
stream_take_fd(struct stream *s)
{
	int fd;

	if (s->fd_count == 0)
		return -1;
	fd = s->fds[0];
	s->fd_count--;
	memmove(s->fds, s->fds + 1, s->fd_count * sizeof(int));
	return fd;
}
