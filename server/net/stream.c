/*
 * stream.c - a socket and its input; output is in stream_send.c, what TLS adds in stream_tls.c.
 *
 *	socket -> [wire_in -> TLS] -> fresh -> on_input, what it leaves -> in
 *	put -> out -> [TLS -> wire_out] -> socket
 *
 * `fresh` lies in the loop's read buffer, so a stream whose input is consumed whole never owns one.
 */
#include "server/net/stream.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/net/stream_tls.h"

#define READ_MORE (16 * 1024) /* appended at once to input that waits */

static void on_io(struct loop_io *io, unsigned ready);

/* Input that has been used, or is nobody's; what a test feeds may be read-only. */
static void
wipe(const struct stream *s, struct span bytes)
{
	if (bytes.len > 0 && !s->memory)
		explicit_bzero((char *)(uintptr_t)bytes.ptr, bytes.len);
}

void
stream_end_with(struct stream *s, enum stream_end why)
{
	if (s->end != STREAM_OPEN)
		return;
	s->end = why;
	loop_timer_clear(&s->progress);
	if (!s->memory)
		loop_io_watch(s->loop, &s->io, 0);
	s->events->on_end(s, why);
}

/* ---- input ---- */

static bool
may_offer(const struct stream *s)
{
	return s->end == STREAM_OPEN && !s->paused && !s->draining;
}

static bool
wants_bytes(const struct stream *s)
{
	if (s->eof || stream_tls_is_lent(s) || s->in.len - s->in.start >= s->in.max)
		return false;
	if (stream_tls_is_shaking(s))
		return stream_tls_wants_bytes(s);
	return !s->paused && (s->limits.reads_always || !stream_is_full(s));
}

/*
 * What is watched follows from the state; called when it changed. A stream that waits for a commit
 * stays watched until something really comes: most peers send nothing then, and each change costs
 * system calls.
 */
void
stream_watch(struct stream *s)
{
	unsigned events = 0;

	if (s->memory || s->end != STREAM_OPEN || !s->started)
		return;
	if (wants_bytes(s))
		s->stalled = false;
	if (wants_bytes(s) || (!s->stalled && !s->eof && (s->io.events & LOOP_READ)))
		events |= LOOP_READ;
	if (stream_wire_unsent(s) > 0 && !stream_tls_is_lent(s) && list_is_empty(&s->flush.link))
		events |= LOOP_WRITE; /* the kernel would not take it */
	loop_io_watch(s->loop, &s->io, events);
}

/* In the loop's buffer nothing stays that may be half a password (H66). */
static void
keep_fresh(struct stream *s)
{
	struct span fresh = s->fresh;

	s->fresh = SPAN_NONE;
	if (fresh.len == 0)
		return;
	if (buf_put(&s->in, fresh) != OK)
		stream_end_with(s, STREAM_OVERFLOW);
	wipe(s, fresh);
}

/* Input waits until output has fallen under its limit again. */
static bool
waits_for_room(const struct stream *s)
{
	return s->was_full && !s->limits.reads_always;
}

/* Offer what is there; end the stream when the peer has sent its last byte and all was offered. */
void
stream_offer(struct stream *s)
{
	if (s->in_input)
		return;
	if (stream_is_full(s))
		s->was_full = true;
	if (!may_offer(s) || waits_for_room(s)) {
		keep_fresh(s);
		return;
	}
	s->in_input = true;
	s->events->on_input(s);
	s->in_input = false;
	keep_fresh(s);
	if (stream_is_full(s))
		s->was_full = true;
	if (stream_at_eof(s) && may_offer(s) && !waits_for_room(s))
		stream_end_with(s, STREAM_EOF);
}

static void
read_plain(struct stream *s)
{
	size_t room = s->in.max - (s->in.len - s->in.start);
	size_t got;

	if (s->in.len == s->in.start) {
		char *into = loop_read_buffer(s->loop);

		got = stream_receive(s, into, room < LOOP_READ_SIZE ? room : LOOP_READ_SIZE);
		s->fresh = (struct span){ into, got };
	} else {
		char *into = buf_reserve(&s->in, room < READ_MORE ? room : READ_MORE);

		if (!into)
			return;
		got = stream_receive(s, into, room < READ_MORE ? room : READ_MORE);
		buf_added(&s->in, got);
	}
	if (got > 0 || s->eof)
		stream_offer(s);
}

/* After the last words: what comes is dropped until the peer has closed. */
static void
read_and_drop(struct stream *s)
{
	char *into = loop_read_buffer(s->loop);

	explicit_bzero(into, stream_receive(s, into, LOOP_READ_SIZE));
	if (s->eof)
		stream_end_with(s, STREAM_EOF);
}

static void
on_readable(struct stream *s)
{
	if (!s->draining && !wants_bytes(s))
		s->stalled = true;
	else if (s->draining)
		read_and_drop(s);
	else if (s->tls)
		stream_tls_read(s);
	else
		read_plain(s);
}

static void
on_io(struct loop_io *io, unsigned ready)
{
	struct stream *s = LIST_ITEM(io, struct stream, io);

	if (ready & LOOP_ERROR) {
		stream_end_with(s, STREAM_RESET);
		return;
	}
	if ((ready & LOOP_READ) && s->limits.reads_always) /* its last words, before a send finds it gone */
		on_readable(s);
	if ((ready & LOOP_WRITE) && s->end == STREAM_OPEN)
		stream_flush(s);
	if ((ready & LOOP_READ) && !s->limits.reads_always && s->end == STREAM_OPEN)
		on_readable(s);
	stream_watch(s);
}

static void
hear_last_words(struct stream *s)
{
	on_readable(s);
	stream_end_with(s, STREAM_RESET);
}

/* Deferred by resume, by room in the output, by EOF in memory. */
static void
on_feed(struct loop_call *call)
{
	struct stream *s = LIST_ITEM(call, struct stream, feed);

	if (s->broken && s->end == STREAM_OPEN) {
		hear_last_words(s);
		return;
	}
	if (!may_offer(s))
		return;
	stream_offer(s);
	if (s->secure && !s->memory && s->end == STREAM_OPEN)
		stream_tls_pump(s); /* records that waited inside TLS (H62) */
	stream_watch(s);
}

struct span
stream_peek(const struct stream *s)
{
	return s->fresh.len > 0 ? s->fresh : buf_span(&s->in);
}

void
stream_consume(struct stream *s, size_t used)
{
	if (s->fresh.len == 0) {
		if (used > 0)
			buf_consume(&s->in, used);
		return;
	}
	ENSURE(used <= s->fresh.len);
	s->fresh = span_from(s->fresh, used);
}

void
stream_consume_secret(struct stream *s, size_t used)
{
	wipe(s, span_range(stream_peek(s), 0, used));
	stream_consume(s, used);
}

bool
stream_at_eof(const struct stream *s)
{
	return s->eof && !(s->tls && stream_tls_has_input(s));
}

void
stream_pause(struct stream *s)
{
	s->paused = true; /* reading stops when something comes meanwhile */
}

void
stream_resume(struct stream *s)
{
	s->paused = false;
	loop_defer(s->loop, &s->feed);
}

/* ---- life ---- */

void
stream_shutdown(struct stream *s)
{
	if (s->end != STREAM_OPEN || s->shut)
		return;
	s->shut = s->draining = true;
	stream_consume_secret(s, s->fresh.len); /* whatever it is, nobody wants it */
	buf_fini(&s->in);
	if (s->memory) {
		stream_end_with(s, STREAM_EOF);
		return;
	}
	stream_tls_say_goodbye(s);
	if (s->eof || shutdown(s->io.fd, SHUT_WR) != 0)
		stream_end_with(s, STREAM_EOF);
	else
		s->paused = false;
	stream_watch(s);
}

void
stream_set_limits(struct stream *s, const struct stream_limits *limits)
{
	s->limits = *limits;
	s->in.max = limits->input_max ? limits->input_max : STREAM_INPUT_MAX;
	s->out.max = limits->output_pending + STREAM_OUTPUT_OVER;
}

void
stream_init(struct stream *s, struct loop *loop, int fd, const struct stream_events *events,
	const struct stream_limits *limits)
{
	int yes = 1, domain = AF_UNSPEC;
	socklen_t size = sizeof(domain);
	bool slow = false;

	*s = (struct stream){ .loop = loop, .events = events, .memory = fd < 0 };
	buf_init(&s->in, STREAM_INPUT_MAX);
	s->in.wipes = true; /* passwords come in (H66) */
	stream_init_output(s);
	stream_set_limits(s, limits);
	loop_call_init(&s->feed, on_feed);
	loop_io_init(&s->io, fd, on_io);
	if (s->memory || getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0)
		return;
	s->is_unix = domain == AF_UNIX;
	if (!s->is_unix)
		slow = setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes)) != 0;
	(void)slow; /* slower is not wrong */
}

void
stream_start(struct stream *s)
{
	s->started = true;
	stream_watch(s);
}

void
stream_fini(struct stream *s)
{
	ENSURE(!stream_is_lent(s) && !s->in_input);
	loop_timer_clear(&s->progress);
	loop_call_cancel(&s->flush);
	loop_call_cancel(&s->feed);
	while (s->fd_count > 0)
		close(s->fds[--s->fd_count]);
	stream_tls_free(s);
	buf_fini(&s->in);
	buf_wipe(&s->out);
	buf_fini(&s->sent);
	if (s->memory)
		return;
	loop_io_watch(s->loop, &s->io, 0);
	close(s->io.fd);
	s->io.fd = -1;
}

bool
stream_is_lent(const struct stream *s)
{
	return stream_tls_is_lent(s);
}

/* ---- memory ---- */

void
stream_memory_feed(struct stream *s, struct span bytes)
{
	ENSURE(s->memory);
	s->bytes_in += bytes.len;
	if (s->in.len > s->in.start) {
		if (buf_put(&s->in, bytes) != OK)
			stream_end_with(s, STREAM_OVERFLOW);
	} else {
		s->fresh = bytes;
	}
	stream_offer(s);
}

void
stream_memory_eof(struct stream *s)
{
	s->eof = true;
	stream_offer(s);
}

struct span
stream_memory_sent(const struct stream *s)
{
	return buf_span(&s->sent);
}

void
stream_memory_forget(struct stream *s, size_t bytes)
{
	if (bytes > 0)
		buf_consume(&s->sent, bytes);
}
