/*
 * dialer.c - socket, connect, wait until it is writable, ask how it went.
 */
#include "server/net/dialer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const unsigned char mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

bool
dial_address_is_ipv4(const struct dial_address *a)
{
	return memcmp(a->ip, mapped, sizeof(mapped)) == 0;
}

static struct sockaddr_storage
sockaddr_of(const struct dial_address *a, socklen_t *length)
{
	struct sockaddr_storage out = { 0 };
	struct sockaddr_in *in = (struct sockaddr_in *)&out;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&out;

	if (dial_address_is_ipv4(a)) {
		in->sin_family = AF_INET;
		in->sin_port = htons(a->port);
		memcpy(&in->sin_addr, a->ip + 12, 4);
		*length = sizeof(*in);
	} else {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(a->port);
		memcpy(&in6->sin6_addr, a->ip, 16);
		*length = sizeof(*in6);
	}
	return out;
}

bool
dial_address_parse(struct span text, uint16_t port, struct dial_address *out)
{
	char name[INET6_ADDRSTRLEN];

	if (text.len > 2 && text.ptr[0] == '[' && text.ptr[text.len - 1] == ']')
		text = span_range(text, 1, text.len - 1);
	if (span_starts_nocase(text, SPAN("IPv6:")))
		text = span_from(text, 5);
	if (text.len == 0 || text.len >= sizeof(name))
		return false;
	memcpy(name, text.ptr, text.len);
	name[text.len] = '\0';
	out->port = port;
	memcpy(out->ip, mapped, sizeof(mapped));
	return inet_pton(AF_INET, name, out->ip + 12) == 1 ||
		inet_pton(AF_INET6, name, out->ip) == 1;
}

const char *
dial_address_text(const struct dial_address *address, char out[DIAL_TEXT_SIZE])
{
	struct sockaddr_storage sockaddr;
	struct peer peer;
	socklen_t length;

	sockaddr = sockaddr_of(address, &length);
	peer_from_sockaddr(&peer, &sockaddr);
	snprintf(out, DIAL_TEXT_SIZE, peer.is_ipv4 ? "%s:%u" : "[%s]:%u", peer.text, address->port);
	return out;
}

const char *
dial_refusal(const struct dial_address *a, bool allow_loopback)
{
	static const unsigned char none[16] = { 0 };
	static const unsigned char loopback6[16] = { [15] = 1 };

	if (memcmp(a->ip, none, 16) == 0 || (dial_address_is_ipv4(a) && a->ip[12] == 0))
		return "the address is nobody's";
	if (dial_address_is_ipv4(a) ? a->ip[12] >= 224 : a->ip[0] == 0xff)
		return "the address is no host's";
	if (!allow_loopback &&
		(dial_address_is_ipv4(a) ? a->ip[12] == 127 : memcmp(a->ip, loopback6, 16) == 0))
		return "the address is this machine's loopback (allow_loopback)";
	return NULL;
}

/* ---- dialling ---- */

static void
end(struct dialer *d, int error)
{
	int fd = d->io.fd;

	loop_timer_clear(&d->timer);
	loop_call_cancel(&d->call);
	if (fd >= 0)
		loop_io_watch(d->loop, &d->io, 0);
	d->io.fd = -1;
	buf_wipe(&d->out);
	if (error != 0 && fd >= 0) {
		close(fd);
		fd = -1;
	}
	d->done(d, fd, error);
}

/* What is to be said, then what is said: never a byte of what follows behind the proxy's own. */
static void
talk_to_proxy(struct dialer *d)
{
	char bytes[SOCKS_REPLY_MAX];
	enum socks_turn turn = SOCKS_MORE;
	ssize_t n;

	while (turn == SOCKS_MORE) {
		struct span out = buf_span(&d->out);

		n = out.len > 0 ? send(d->io.fd, out.ptr, out.len, MSG_NOSIGNAL)
				: recv(d->io.fd, bytes, socks_client_wants(&d->socks), 0);
		if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
			loop_io_watch(d->loop, &d->io, out.len > 0 ? LOOP_WRITE : LOOP_READ);
			return;
		}
		if (n < 0) {
			end(d, errno);
			return;
		}
		if (out.len > 0)
			buf_consume(&d->out, (size_t)n);
		else if (n == 0)
			turn = SOCKS_FAILED;
		else
			turn = socks_client_next(&d->socks, (struct span){ bytes, (size_t)n }, &d->out);
	}
	if (turn == SOCKS_FAILED && d->socks.why[0] == '\0')
		snprintf(d->socks.why, sizeof(d->socks.why), "it closed the connection");
	end(d, turn == SOCKS_DONE ? 0 : d->socks.refused ? ECONNREFUSED : EPROTO);
}

static void
on_ready(struct loop_io *io, unsigned ready)
{
	struct dialer *d = LIST_ITEM(io, struct dialer, io);
	int error = 0, one = 1;
	socklen_t length = sizeof(error);

	if (d->asked && !(ready & LOOP_ERROR)) {
		talk_to_proxy(d);
		return;
	}
	if ((ready & LOOP_ERROR) || getsockopt(io->fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0)
		error = EBADF;
	if (error == 0 && setsockopt(io->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) != 0)
		error = errno;
	if (error == 0 && d->by_socks) {
		d->asked = true;
		talk_to_proxy(d);
	} else {
		end(d, error);
	}
}

static void
on_timer(struct loop_timer *timer)
{
	end(LIST_ITEM(timer, struct dialer, timer), ETIMEDOUT);
}

static void
on_call(struct loop_call *call)
{
	struct dialer *d = LIST_ITEM(call, struct dialer, call);

	end(d, d->error);
}

void
dialer_init(struct dialer *d, struct loop *loop, void (*done)(struct dialer *, int, int))
{
	d->loop = loop;
	d->done = done;
	d->by_socks = d->asked = false;
	buf_init(&d->out, SOCKS_SENT_MAX);
	d->out.wipes = true;
	loop_io_init(&d->io, -1, on_ready);
	loop_timer_init(&d->timer, on_timer);
	loop_call_init(&d->call, on_call);
}

void
dialer_start(struct dialer *d, const struct dial_address *address, int64_t timeout_ms)
{
	socklen_t length;
	struct sockaddr_storage to = sockaddr_of(address, &length);
	int fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	d->error = 0;
	d->by_socks = d->asked = false;
	d->socks.why[0] = '\0';
	loop_io_init(&d->io, fd, on_ready);
	if (fd < 0 || (connect(fd, (const struct sockaddr *)&to, length) != 0 && errno != EINPROGRESS)) {
		d->error = errno;
		loop_defer(d->loop, &d->call);
		return;
	}
	loop_io_watch(d->loop, &d->io, LOOP_WRITE); /* also where it is connected already */
	loop_timer_set(d->loop, &d->timer, timeout_ms);
}

void
dialer_start_via(struct dialer *d, const struct dial_via *via, int64_t timeout_ms)
{
	struct socks_client machine;

	buf_clear(&d->out);
	if (socks_client_init(&machine, &via->socks, &d->out) == OK) {
		dialer_start(d, &via->server, timeout_ms);
	} else {
		d->error = EPROTO;
		loop_io_init(&d->io, -1, on_ready);
		loop_defer(d->loop, &d->call);
	}
	d->socks = machine;
	d->by_socks = true;
}

void
dialer_cancel(struct dialer *d)
{
	loop_timer_clear(&d->timer);
	loop_call_cancel(&d->call);
	buf_wipe(&d->out);
	if (d->io.fd < 0)
		return;
	loop_io_watch(d->loop, &d->io, 0);
	close(d->io.fd);
	d->io.fd = -1;
}
