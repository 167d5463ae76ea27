/*
 * source_net.c - a source's connection: the stream, deadlines, and the end.
 */
#include "server/collect/source_net.h"

#include <stdio.h>
#include <string.h>

#include "server/collect/source_inside.h"
#include "server/generation.h"
#include "server/metrics.h"
#include "server/net/tls.h"

static struct source_net *
of_stream(struct stream *stream)
{
	return LIST_ITEM(stream, struct source_net, stream);
}

/* ---- the end ---- */

static bool
is_lent(const struct source_net *n)
{
	return n->proof.lent || (n->stream_open && stream_is_lent(&n->stream));
}

static void
count_bytes(struct source_net *n)
{
	n->source->bytes_in += n->stream.bytes_in - n->counted_bytes;
	n->counted_bytes = n->stream.bytes_in;
}

static void
close_stream(struct source_net *n)
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
bury(struct source_net *n)
{
	sasl_proof_fini(&n->proof);
	buf_wipe(&n->secret);
	tls_client_release(&n->roots);
	arena_reset(&n->arena);
	n->events->freed(n);
}

/* The one place where the stream is closed; again until nothing of it is lent out (H77). */
static void
on_call(struct loop_call *call)
{
	struct source_net *n = LIST_ITEM(call, struct source_net, call);
	enum source_net_next next = n->next;

	if (is_lent(n))
		return; /* on_returned(), or the proof's end */
	close_stream(n);
	n->next = SOURCE_NET_NOTHING;
	if (n->doomed) {
		bury(n);
	} else if (next == SOURCE_NET_TOKEN) {
		n->closing = false;
		source_net_get_token(n);
	} else if (next == SOURCE_NET_OVER && !n->is_over) {
		n->is_over = true;
		n->events->over(n);
	}
}

/* Nothing more is waited for or asked. */
static void
stop_all(struct source_net *n)
{
	loop_timer_clear(&n->deadline);
	loop_timer_clear(&n->pause);
	n->waits_ms = 0;
	token_cancel(&n->token);
	source_net_dial_stop(n);
	source_net_roots_stop(n);
	proxy_fini(&n->proxy);
	n->closing = true;
}

void
source_net_close(struct source_net *n, enum source_fault fault, const char *why)
{
	if (n->closing)
		return;
	n->problem.fault = fault;
	n->problem.why[0] = '\0';
	if (fault != SOURCE_FINE)
		n->problem.why[span_copy_clean(span_of(why), n->problem.why, sizeof(n->problem.why) - 1)] = '\0';
	stop_all(n);
	n->next = SOURCE_NET_OVER;
	loop_defer(n->host->loop, &n->call);
}

void
source_net_lose(struct source_net *n, bool removes, const char *why)
{
	n->problem.removed_unsure = removes;
	source_net_close(n, SOURCE_LOST, why);
}

bool
source_net_again(struct source_net *n)
{
	if (n->conf->token_command.count == 0 || n->closing)
		return false;
	token_refused(n->host, n->token_number);
	if (n->token_again)
		return false;
	n->token_again = true;
	stop_all(n);
	n->next = SOURCE_NET_TOKEN;
	loop_defer(n->host->loop, &n->call);
	return true;
}

void
source_net_free(struct source_net *n)
{
	stop_all(n);
	n->doomed = true;
	if (is_lent(n)) {
		loop_defer(n->host->loop, &n->call);
		return;
	}
	loop_call_cancel(&n->call);
	close_stream(n);
	bury(n);
}

void
source_net_drop(struct source_net *n, struct source *source)
{
	if (n->events)
		source_net_free(n);
	else
		source_release(source);
}

/* ---- time ---- */

static void
set_deadline(struct source_net *n)
{
	n->heard_bytes = n->stream_open ? n->stream.bytes_in : 0;
	if (n->waits_ms > 0 && !n->paused)
		loop_timer_set(n->host->loop, &n->deadline, n->waits_ms);
	else
		loop_timer_clear(&n->deadline);
}

/* A byte now and then is no progress (H20); a slow line that brings a message is. */
static void
on_deadline(struct loop_timer *timer)
{
	struct source_net *n = LIST_ITEM(timer, struct source_net, deadline);

	if (n->closing)
		return;
	if (n->stream_open && n->stream.bytes_in - n->heard_bytes >= SOURCE_PROGRESS_BYTES)
		set_deadline(n);
	else
		n->events->lost(n, "no answer in time");
}

void
source_net_expect(struct source_net *n, int64_t ms)
{
	if (n->closing)
		return;
	n->waits_ms = ms > 0 ? ms : n->conf->timeout_ms;
	set_deadline(n);
}

void
source_net_expect_nothing(struct source_net *n)
{
	n->waits_ms = 0;
	loop_timer_clear(&n->deadline);
}

void
source_net_pause(struct source_net *n)
{
	if (n->closing || !n->stream_open || n->paused)
		return;
	n->paused = true;
	set_deadline(n);
	stream_pause(&n->stream);
}

void
source_net_resume(struct source_net *n)
{
	if (n->closing || !n->stream_open || !n->paused)
		return;
	n->paused = false;
	set_deadline(n);
	stream_resume(&n->stream);
}

/* ---- the stream ---- */

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
	bool silent = why == STREAM_EOF && stream->bytes_in == 0 && n->conf->tls != COLLECTOR_TLS_IMPLICIT;

	if (!n->closing && why == STREAM_TLS_FAILED && !stream_is_secure(stream))
		on_tls_failed(n);
	else if (!n->closing)
		n->events->lost(n, silent ? "the server closed the connection before it said anything (a port "
			"with TLS from the first byte? tls=implicit)" : texts[why]);
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
	const struct conf *conf = generation_conf(n->source->generation);
	struct stream_limits limits = { .input_max = SOURCE_INPUT_MAX,
		.output_pending = (size_t)conf->limits_output_pending,
		.stalled_ms = n->conf->timeout_ms,
		.handshake_ms = conf->timeouts_handshake_ms,
		.reads_always = true };

	stream_init(&n->stream, n->host->loop, fd, &stream_events, &limits);
	n->stream_open = true;
	n->problem.way = SOURCE_CONNECTED;
	n->counted_bytes = 0;
	n->paused = false;
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

/* ---- life ---- */

void
source_net_init(struct source_net *n, struct source *source, const struct source_net_events *events,
	uint16_t port)
{
	*n = (struct source_net){ .events = events, .source = source, .host = source->host,
		.conf = source->conf };
	n->port = source->conf->port > 0 ? (uint16_t)source->conf->port : port;
	loop_call_init(&n->call, on_call);
	loop_timer_init(&n->deadline, on_deadline);
	source_net_dial_init(n);
	arena_init(&n->arena, NULL);
	buf_init(&n->secret, TOKEN_SIZE_MAX);
	n->secret.wipes = true;
	snprintf(n->problem.remote, sizeof(n->problem.remote), "%.*s:%u", SPAN_FMT(n->conf->server), n->port);
	source_net_prove_init(n);
}

void
source_net_start(struct source_net *n)
{
	n->next = SOURCE_NET_TOKEN;
	loop_defer(n->host->loop, &n->call);
}
