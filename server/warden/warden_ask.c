/*
 * warden_ask.c - rows and descriptors over the socketpair; both sides use the same two functions.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/warden/warden_wire.h"

/* True where the whole row went, with FD where it is not -1. */
bool
warden_send(int sock, const void *row, size_t size, int fd)
{
	struct iovec part = { (void *)(uintptr_t)row, size };
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	struct cmsghdr *c;
	ssize_t n;

	if (fd >= 0) {
		message.msg_control = control;
		message.msg_controllen = sizeof(control);
		c = CMSG_FIRSTHDR(&message);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(int));
	}
	do
		n = sendmsg(sock, &message, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)size;
}

/* 1: a whole row, *fd is what came with it or -1. 0: the other side has ended. -1: trouble. */
int
warden_receive(int sock, void *row, size_t size, int *fd)
{
	struct iovec part = { row, size };
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = sizeof(control) };
	struct cmsghdr *c;
	ssize_t n;

	*fd = -1;
	do
		n = recvmsg(sock, &message, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	c = n > 0 ? CMSG_FIRSTHDR(&message) : NULL;
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(c), sizeof(int));
	if (n == (ssize_t)size)
		return 1;
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	return n == 0 ? 0 : -1;
}

enum err
warden_ask(int warden_fd, const struct warden_request *request, int send_fd,
	struct warden_reply *reply, int *got_fd)
{
	static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

	*got_fd = -1;
	*reply = (struct warden_reply){ .err = ERR_IO, .error = EPIPE };
	pthread_mutex_lock(&one_at_a_time);
	if (!warden_send(warden_fd, request, sizeof(*request), send_fd) ||
		warden_receive(warden_fd, reply, sizeof(*reply), got_fd) != 1)
		reply->err = ERR_IO;
	pthread_mutex_unlock(&one_at_a_time);
	return (enum err)reply->err;
}
