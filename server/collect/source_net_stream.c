/*
 * source_net_stream.c - what a source and its server say: the stream, TLS, how long an answer is waited for.
 */
#include "server/collect/source_net.h"

#include <stdio.h>
#include <string.h>

#include "server/generation.h"
#include "server/metrics.h"
#include "server/net/tls.h"

static struct source_net *
of_source(struct source *s)
{
	return LIST_ITEM(s, struct source_net, source);
}

static struct source_net *
of_stream(struct stream *stream)
{
	return LIST_ITEM(stream, struct source_net, stream);
}

#define MAYBE_IMPLICIT "(a port with TLS from the first byte? tls=implicit)"

/* ---- time ---- */

static uint64_t
heard(const struct source_net *n)
{
	return n->stream_open ? n->stream.bytes_in : 0;
}

/* From now on; while nobody takes what comes, behind that. */
static void
set_deadline(struct source_net *n)
{
	n->heard_bytes = heard(n);
	n->left_ms = n->waits_ms;
	if (n->waits_ms > 0 && !n->paused)
		loop_timer_set(n->host->loop, &n->deadline, n->waits_ms);
	else
		loop_timer_clear(&n->deadline);
}

/* Of a long answer, part by part: a line may be slow, but it ends some day. */
static bool
is_too_slow(struct source_net *n)
{
	uint64_t came = heard(n) - n->rate_bytes;
	char why[160];

	n->rate_ms += n->waits_ms;
	if (n->rate_ms < SOURCE_RATE_MS)
		return false;
	if (came >= (uint64_t)n->rate_ms / 1000 * SOURCE_RATE_MIN) {
		n->rate_bytes = heard(n);
		n->rate_ms = 0;
		return false;
	}
	snprintf(why, sizeof(why), "too slow: %llu bytes in %lld seconds, and %d a second are the least (the line, or a "
		"server that keeps us waiting)", (unsigned long long)came, (long long)n->rate_ms / 1000, SOURCE_RATE_MIN);
	n->events->lost(n, why);
	return true;
}

/* Such a port waits for our first word, as we wait for its. */
static bool
said_nothing(const struct source_net *n)
{
	return n->stream_open && n->stream.bytes_in == 0 && n->conf->tls != COLLECTOR_TLS_IMPLICIT;
}

/* A byte now and then is no progress (H20); a slow line that brings a message is. */
static void
on_deadline(struct loop_timer *timer)
{
	struct source_net *n = LIST_ITEM(timer, struct source_net, deadline);

	if (n->closing)
		return;
	if (heard(n) - n->heard_bytes < SOURCE_PROGRESS_BYTES)
		n->events->lost(n, said_nothing(n) ? "no answer in time (timeout), not even a greeting " MAYBE_IMPLICIT :
						     "no answer in time (timeout)");
	else if (!is_too_slow(n))
		set_deadline(n);
}

void
source_net_expect(struct source_net *n, int64_t ms)
{
	if (n->closing)
		return;
	n->waits_ms = ms > 0 && ms < n->conf->timeout_ms ? ms : n->conf->timeout_ms;
	n->rate_bytes = heard(n);
	n->rate_ms = 0;
	set_deadline(n);
}

void
source_net_expect_nothing(struct source_net *n)
{
	n->waits_ms = n->left_ms = 0;
	loop_timer_clear(&n->deadline);
}

/* ---- what comes, and nobody takes ---- */

/* Reading stops, so does time. */
static void
pause_input(struct source_net *n)
{
	if (n->closing || !n->stream_open || n->paused)
		return;
	n->paused = true;
	if (loop_timer_is_set(&n->deadline))
		n->left_ms = n->deadline.due_ms - loop_now_ms(n->host->loop);
	loop_timer_clear(&n->deadline);
	stream_pause(&n->stream);
}

bool
source_net_offer(struct source_net *n, uint32_t number, struct span piece)
{
	n->held = !n->source.events->text(&n->source, number, piece);
	if (n->held)
		pause_input(n);
	return !n->held;
}

void
source_net_resume(struct source *s)
{
	struct source_net *n = of_source(s);

	if (n->closing || !n->stream_open || !n->paused)
		return;
	n->paused = false;
	if (n->waits_ms > 0) /* time goes on where it stood, or who pauses often would never be told */
		loop_timer_set(n->host->loop, &n->deadline, n->left_ms > SOURCE_RESUME_MS ? n->left_ms : SOURCE_RESUME_MS);
	stream_resume(&n->stream);
}

/* ---- the stream ---- */

static void
count_bytes(struct source_net *n)
{
	n->source.bytes_in += n->stream.bytes_in - n->counted_bytes;
	n->counted_bytes = n->stream.bytes_in;
}

void
source_net_hang_up(struct source_net *n)
{
	if (!n->stream_open)
		return;
	count_bytes(n);
	metric_add(n->host->metrics, bytes_in, n->stream.bytes_in);
	metric_add(n->host->metrics, bytes_out, n->stream.bytes_out);
	stream_fini(&n->stream);
	n->stream_open = false;
}

static void
on_input(struct stream *stream)
{
	struct source_net *n = of_stream(stream);

	count_bytes(n);
	if (n->closing)
		stream_consume(stream, stream_peek(stream).len);
	else
		n->events->input(n);
}

static void
on_secure(struct stream *stream)
{
	struct source_net *n = of_stream(stream);

	if (n->closing)
		return;
	n->shakes = false;
	metric_add(n->host->metrics, tls_handshakes, 1);
	source_net_tell_tls(n);
	if (n->conf->tls == COLLECTOR_TLS_IMPLICIT)
		n->events->connected(n);
	else
		n->events->secure(n);
}

static void
on_tls_failed(struct source_net *n)
{
	char distrust[200] = "", failure[200] = "", text[300];
	bool plain, judged;

	metric_add(n->host->metrics, tls_failures, 1);
	stream_tls_distrust(&n->stream, distrust, sizeof(distrust));
	stream_tls_failure(&n->stream, failure, sizeof(failure));
	judged = strstr(failure, "Certificate verification failed"); /* DISTRUST says why */
	plain = n->conf->tls == COLLECTOR_TLS_IMPLICIT && strstr(failure, "invalid SSL record");
	snprintf(text, sizeof(text), "TLS failed: %.90s%s%.90s%s", distrust,
		distrust[0] && failure[0] && !judged ? "; " : "", judged ? "" : failure,
		plain ? " (a port without TLS from the first byte? tls=starttls)" : "");
	source_net_close(n, SOURCE_NO_TLS, text);
}

static void
on_end(struct stream *stream, enum stream_end why)
{
	static const char *const texts[] = {
		[STREAM_EOF] = "the server closed the connection",
		[STREAM_RESET] = "the connection broke",
		[STREAM_STUCK] = "the server reads nothing",
		[STREAM_TLS_FAILED] = "a bad TLS record",
		[STREAM_OVERFLOW] = "the server reads nothing",
	};
	struct source_net *n = of_stream(stream);
	bool silent = why == STREAM_EOF && said_nothing(n);

	if (!n->closing && why == STREAM_TLS_FAILED && !stream_is_secure(stream))
		on_tls_failed(n);
	else if (!n->closing)
		n->events->lost(n, silent ? "the server closed the connection before it said anything " MAYBE_IMPLICIT : texts[why]);
	loop_defer(n->host->loop, &n->call);
}

static void
on_returned(struct stream *stream)
{
	loop_defer(of_stream(stream)->host->loop, &of_stream(stream)->call);
}

static const struct stream_events stream_events = {
	.on_input = on_input,
	.on_secure = on_secure,
	.on_end = on_end,
	.on_returned = on_returned,
};

static void
connect_tls(struct source_net *n)
{
	n->shakes = true;
	if (stream_connect_tls(&n->stream, n->roots, n->name, true, n->host->workers) != OK)
		source_net_close(n, SOURCE_NO_TLS, "plain text came before the TLS handshake"); /* H3 */
}

void
source_net_start_tls(struct source_net *n)
{
	if (!n->closing)
		connect_tls(n);
}

void
source_net_tell_tls(struct source_net *n)
{
	char why[200] = "";

	if (!n->stream_open || !stream_is_secure(&n->stream)) {
		snprintf(n->problem.tls, sizeof(n->problem.tls), "%s",
			n->conf->tls == COLLECTOR_TLS_NONE ? "in clear" : "not encrypted yet");
		return;
	}
	stream_tls_distrust(&n->stream, why, sizeof(why));
	snprintf(n->problem.tls, sizeof(n->problem.tls), "%.30s %.60s, %s%.80s", stream_tls_version(&n->stream),
		stream_tls_cipher(&n->stream), why[0] ? "not verified: " : "verified", why);
}

void
source_net_talk(struct source_net *n, int fd)
{
	const struct conf *conf = generation_conf(n->source.generation);
	struct stream_limits limits = { .input_max = SOURCE_INPUT_MAX,
		.output_pending = (size_t)conf->limits_output_pending,
		.stalled_ms = n->conf->timeout_ms,
		.handshake_ms = conf->timeouts_handshake_ms,
		.reads_always = true };

	stream_init(&n->stream, n->host->loop, fd, &stream_events, &limits);
	n->stream_open = true;
	n->problem.way = SOURCE_CONNECTED;
	n->counted_bytes = 0;
	n->paused = n->held = n->shakes = false;
	source_net_tell_tls(n);
	source_net_get_roots(n);
}

void
source_net_trusted(struct source_net *n)
{
	if (n->conf->tls == COLLECTOR_TLS_IMPLICIT)
		connect_tls(n);
	else
		n->events->connected(n);
	if (!n->closing)
		stream_start(&n->stream);
}

void
source_net_stream_init(struct source_net *n)
{
	loop_timer_init(&n->deadline, on_deadline);
}
