/*
 * stream_send.c - output of a stream: put during a turn, sent at its end, watched for progress.
 */
#include <errno.h>
#include <sys/socket.h>

#include "server/net/stream_tls.h"

#define STREAM_MEMORY_MAX (16 * 1024 * 1024) /* what a test may leave unread */

static void
on_no_progress(struct loop_timer *timer)
{
	struct stream *s = LIST_ITEM(timer, struct stream, progress);

	stream_end_with(s, stream_tls_is_shaking(s) ? STREAM_TLS_FAILED : STREAM_STUCK);
}

/* Nothing more can be sent. A server may have said why before it closed. */
static void
break_off(struct stream *s)
{
	if (!s->limits.reads_always || stream_tls_is_shaking(s)) {
		stream_end_with(s, STREAM_RESET);
		return;
	}
	s->broken = true;
	loop_defer(s->loop, &s->feed);
}

/* Send the front of B. True while the kernel takes bytes. */
static bool
send_some(struct stream *s, struct buf *b)
{
	struct span bytes = buf_span(b);
	ssize_t n;

	do
		n = send(s->io.fd, bytes.ptr, bytes.len, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0) {
		if (errno != EAGAIN && errno != EWOULDBLOCK)
			break_off(s);
		return false;
	}
	s->bytes_out += (uint64_t)n;
	buf_consume(b, (size_t)n);
	if (!stream_tls_is_shaking(s)) /* a handshake has one deadline, which bytes do not move */
		loop_timer_clear(&s->progress);
	return true;
}

/* All of B that the kernel takes; false where some is left. */
bool
stream_send(struct stream *s, struct buf *b)
{
	while (b->len > b->start) {
		if (!send_some(s, b))
			return false;
	}
	return true;
}

static void
send_to_memory(struct stream *s)
{
	struct span bytes = buf_span(&s->out);

	s->bytes_out += bytes.len;
	if (buf_put(&s->sent, bytes) != OK)
		stream_end_with(s, STREAM_OVERFLOW);
	buf_fini(&s->out);
}

static bool
send_all(struct stream *s)
{
	if (s->memory) {
		send_to_memory(s);
		return true;
	}
	return s->secure || stream_tls_is_mute(s) ? stream_tls_send(s) : stream_send(s, &s->out);
}

static void
after_sending(struct stream *s)
{
	if (s->was_full && !stream_is_full(s)) {
		s->was_full = false;
		loop_defer(s->loop, &s->feed);
	}
	if (s->want_sent && stream_unsent(s) == 0) {
		s->want_sent = false;
		s->events->on_sent(s);
	}
}

void
stream_flush(struct stream *s)
{
	loop_call_cancel(&s->flush);
	if (s->end != STREAM_OPEN || s->broken || stream_tls_is_lent(s))
		return;
	if (s->out.overflow) {
		stream_end_with(s, STREAM_OVERFLOW);
		return;
	}
	if (stream_tls_is_mute(s))
		buf_fini(&s->out); /* no plain word inside a handshake */
	if (!send_all(s) && s->end == STREAM_OPEN && !loop_timer_is_set(&s->progress))
		loop_timer_set(s->loop, &s->progress, s->limits.stalled_ms);
	if (s->end != STREAM_OPEN)
		return;
	if (stream_unsent(s) == 0)
		stream_tls_begin(s); /* where STARTTLS waited for its go-ahead to leave */
	after_sending(s);
	stream_watch(s);
}

static void
on_flush(struct loop_call *call)
{
	stream_flush(LIST_ITEM(call, struct stream, flush));
}

struct buf *
stream_out(struct stream *s)
{
	loop_defer(s->loop, &s->flush);
	return &s->out;
}

void
stream_put(struct stream *s, struct span bytes)
{
	/* a refused put sets out.overflow, and the next flush ends the stream */
	if (buf_put(stream_out(s), bytes) != OK)
		s->out.overflow = true;
}

bool
stream_is_full(const struct stream *s)
{
	return s->out.len - s->out.start > s->limits.output_pending;
}

size_t
stream_wire_unsent(const struct stream *s)
{
	return s->out.len - s->out.start + stream_tls_unsent(s);
}

size_t
stream_unsent(const struct stream *s)
{
	return stream_wire_unsent(s);
}

void
stream_tell_sent(struct stream *s)
{
	s->want_sent = true;
	loop_defer(s->loop, &s->flush);
}

void
stream_init_output(struct stream *s)
{
	buf_init(&s->out, STREAM_OUTPUT_OVER);
	buf_init(&s->sent, STREAM_MEMORY_MAX);
	loop_timer_init(&s->progress, on_no_progress);
	loop_call_init(&s->flush, on_flush);
}
