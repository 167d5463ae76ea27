/*
 * session.c - the life of a session.
 *
 *	open --> [handshake] --> class open --> input ... --> closing --> stream done --> freed
 *
 * session_close() only marks it and defers on_end_call(), the one place where the class is told,
 * the stream is closed and the memory freed (H77). It comes again until the last words have gone,
 * nothing is lent out and nobody holds the session.
 */
#include "server/session/session.h"

#include <stdio.h>
#include <stdlib.h>

#include "conf/conf.h"
#include "server/generation.h"
#include "server/metrics.h"
#include "server/services.h"

static const struct {
	const char *name, *text;
	bool is_fault;
} reasons[] = {
#define X(name, is_fault, text) { #name, text, is_fault },
	CLOSE_REASONS(X)
#undef X
};

const char *
close_reason_name(enum close_reason reason)
{
	return reasons[reason].name;
}

const char *
close_reason_text(enum close_reason reason)
{
	return reasons[reason].text;
}

bool
close_reason_is_fault(enum close_reason reason)
{
	return reasons[reason].is_fault;
}

static struct session *
of_stream(struct stream *stream)
{
	return LIST_ITEM(stream, struct session, stream);
}

/* ---- the end ---- */

/* Each command of `postroom` is a session of the control socket: that it came and went is no news. */
static enum log_level
usual_level(const struct session *s)
{
	return s->service->is_control ? LEVEL_DEBUG : LEVEL_INFO;
}

static void
log_end(struct session *s)
{
	struct metrics *m = s->host->metrics;
	enum log_level level = reasons[s->reason].is_fault ? LEVEL_WARNING :
		s->reason == CLOSE_REFUSED		   ? LEVEL_INFO :
							     usual_level(s);

	metric_add(m, bytes_in, s->stream.bytes_in);
	metric_add(m, bytes_out, s->stream.bytes_out);
	metric_add(m, sessions, -1);
	if (reasons[s->reason].is_fault)
		metric_add(m, session_faults, 1);
	session_log(s, level, .text = "closed",
		.fields = { { "why", span_of(reasons[s->reason].text) },
			{ "peer", span_of(s->peer.text) },
			{ "user", span_of(s->record.user) },
			{ "in", .number = (int64_t)s->stream.bytes_in },
			{ "out", .number = (int64_t)s->stream.bytes_out } });
}

static void
close_stream(struct session *s)
{
	if (s->stream_done)
		return;
	log_end(s);
	loop_timer_clear(&s->deadline);
	stream_fini(&s->stream);
	s->stream_done = true;
	shared_session_remove(s->host->shared, &s->record);
	if (s->counted)
		shared_connection_end(s->host->shared, s->service, &s->peer,
			s->record.user_id != 0);
	atomic_fetch_sub(&s->host->session_count, 1);
}

static void
free_session(struct session *s)
{
	list_remove(&s->link);
	loop_call_cancel(&s->end);
	arena_reset(&s->command);
	arena_reset(&s->arena);
	generation_release(&s->generation);
	free(s);
}

static void
on_end_call(struct loop_call *call)
{
	struct session *s = LIST_ITEM(call, struct session, end);

	if (!s->told_close) {
		s->told_close = true;
		if (s->opened && s->class->close)
			s->class->close(s);
	}
	if (s->stream.end == STREAM_OPEN && !s->stream_done)
		return; /* last words are on their way */
	if (!s->stream_done && stream_is_lent(&s->stream))
		return;
	close_stream(s);
	if (s->holds == 0)
		free_session(s);
}

static void
come_to_end(struct session *s)
{
	loop_defer(s->host->loop, &s->end);
}

static int64_t
goodbye_ms(enum close_reason reason)
{
	return reason == CLOSE_SHUTDOWN ? SESSION_STOP_GOODBYE_MS : SESSION_GOODBYE_MS;
}

void
session_close(struct session *s, enum close_reason reason)
{
	if (s->reason != CLOSE_NONE)
		return;
	s->reason = reason;
	s->waits = false;
	session_set_deadline(s, goodbye_ms(reason), reason);
	if (s->stream.end == STREAM_OPEN)
		stream_tell_sent(&s->stream);
	come_to_end(s);
}

/* With the class's words for it. */
static void
close_saying(struct session *s, enum close_reason reason, struct span words)
{
	if (s->reason != CLOSE_NONE)
		return;
	if (s->stream.end == STREAM_OPEN && words.len > 0)
		stream_put(&s->stream, words);
	session_close(s, reason);
}

void
session_hold(struct session *s)
{
	s->holds++;
}

void
session_release(struct session *s)
{
	ENSURE(s->holds > 0);
	s->holds--;
	if (s->holds == 0 && s->reason != CLOSE_NONE)
		come_to_end(s);
}

/* ---- what the stream says ---- */

static void
on_input(struct stream *stream)
{
	struct session *s = of_stream(stream);

	if (s->reason != CLOSE_NONE) {
		stream_consume(stream, stream_peek(stream).len);
		return;
	}
	s->class->input(s);
	if (s->end_later != CLOSE_NONE && !s->waits)
		close_saying(s, s->end_later, s->class->shutdown_text);
}

static void
begin(struct session *s)
{
	s->opened = true;
	s->class->open(s);
}

static void
on_secure(struct stream *stream)
{
	struct session *s = of_stream(stream);

	if (s->reason != CLOSE_NONE)
		return;
	metric_add(s->host->metrics, tls_handshakes, 1);
	shared_session_set_tls(s->host->shared, &s->record, stream_tls_version(stream));
	session_log(s, LEVEL_DEBUG, .text = "secure",
		.fields = { { "version", span_of(stream_tls_version(stream)) },
			{ "cipher", span_of(stream_tls_cipher(stream)) } });
	if (s->opened)
		s->class->secured(s);
	else
		begin(s);
}

static void
on_stream_end(struct stream *stream, enum stream_end why)
{
	static const enum close_reason reason_of[] = {
		[STREAM_OPEN] = CLOSE_NONE,
		[STREAM_EOF] = CLOSE_PEER,
		[STREAM_RESET] = CLOSE_BROKEN,
		[STREAM_STUCK] = CLOSE_STUCK,
		[STREAM_TLS_FAILED] = CLOSE_TLS,
		[STREAM_OVERFLOW] = CLOSE_TROUBLE,
	};
	struct session *s = of_stream(stream);

	if (why == STREAM_TLS_FAILED && s->reason == CLOSE_NONE)
		metric_add(s->host->metrics, tls_failures, 1);
	session_close(s, reason_of[why]);
	come_to_end(s); /* also where it was closing already */
}

/* The last words have left. After a fault the peer may still be sending: let it read them first. */
static void
on_sent(struct stream *stream)
{
	struct session *s = of_stream(stream);

	if (s->reason == CLOSE_NONE)
		return;
	stream_shutdown(stream);
	if (s->reason == CLOSE_QUIT || s->reason == CLOSE_PEER)
		stream->end = STREAM_EOF; /* it asked for the end: no need to wait for its FIN */
	come_to_end(s);
}

static void
on_returned(struct stream *stream)
{
	come_to_end(of_stream(stream));
}

static const struct stream_events stream_events = {
	.on_input = on_input,
	.on_secure = on_secure,
	.on_end = on_stream_end,
	.on_sent = on_sent,
	.on_returned = on_returned,
};

/* ---- deadlines ---- */

static void
on_deadline(struct loop_timer *timer)
{
	struct session *s = LIST_ITEM(timer, struct session, deadline);

	if (s->reason == CLOSE_NONE) {
		close_saying(s, s->deadline_reason,
			s->ends_mutely ? SPAN_NONE : s->class->timeout_text);
		return;
	}
	if (s->stream.end == STREAM_OPEN) /* the peer did not take its last words in time */
		s->stream.end = STREAM_STUCK;
	come_to_end(s);
}

void
session_set_deadline(struct session *s, int64_t after_ms, enum close_reason reason)
{
	if (s->stream_done)
		return;
	s->deadline_reason = reason;
	if (after_ms > 0)
		loop_timer_set(s->host->loop, &s->deadline, after_ms);
	else
		loop_timer_clear(&s->deadline);
}

/* ---- life ---- */

static void
fill_record(struct session *s)
{
	s->record.loop = s->host->number;
	s->record.service = s->service;
	s->record.doing = "";
	s->record.tls = "";
	s->record.since_ms = host_now_ms(s->host);
	s->record.peer = s->peer;
	shared_session_add(s->host->shared, &s->record);
	snprintf(s->name, sizeof(s->name), "s%llu", (unsigned long long)s->record.id);
}

static void
start(struct session *s)
{
	if (s->service->tls != TLS_IMPLICIT) {
		begin(s);
		return;
	}
	if (!s->host->tls ||
		stream_start_tls(&s->stream, s->host->tls, s->host->workers) != OK)
		session_close(s, CLOSE_TLS);
}

static struct stream_limits
stream_limits_of(const struct session *s)
{
	return (struct stream_limits){ .input_max = s->class->input_max,
		.output_pending = (size_t)s->conf->limits_output_pending,
		.stalled_ms = s->conf->timeouts_stalled_ms,
		.handshake_ms = s->conf->timeouts_handshake_ms };
}

struct session *
session_open(struct host *host, const struct service *service, int fd, const struct peer *peer)
{
	struct session *s = calloc(1, service->class->size);
	struct stream_limits limits;

	ENSURE(s && service->class->size >= sizeof(*s));
	s->class = service->class;
	s->service = service;
	s->host = host;
	s->generation = generation_hold(host->generation);
	s->conf = generation_conf(s->generation);
	s->peer = *peer;
	s->counted = fd >= 0;
	arena_init(&s->arena, &host->pool);
	arena_init(&s->command, &host->pool);
	loop_timer_init(&s->deadline, on_deadline);
	loop_call_init(&s->end, on_end_call);
	list_append(&host->sessions, &s->link);
	if (!s->counted)
		atomic_fetch_add(&host->session_count, 1);
	limits = stream_limits_of(s);
	stream_init(&s->stream, host->loop, fd, &stream_events, &limits);
	fill_record(s);
	metric_add(host->metrics, sessions, 1);
	session_log(s, usual_level(s), .text = "connected",
		.fields = { { "service", span_of(service->name) },
			{ "peer", span_of(peer->text) } });
	start(s);
	stream_start(&s->stream);
	return s;
}

void
session_wait(struct session *s)
{
	if (s->reason != CLOSE_NONE)
		return;
	s->waits = true;
	s->waits_idle = false;
	stream_pause(&s->stream);
}

void
session_wait_is_idle(struct session *s)
{
	s->waits_idle = s->waits;
}

void
session_resume(struct session *s)
{
	if (s->reason != CLOSE_NONE)
		return;
	s->waits = s->waits_idle = false;
	stream_resume(&s->stream);
}

bool
session_can_tls(const struct session *s)
{
	return s->service->tls == TLS_STARTTLS && !s->stream.secure && s->class->secured &&
		(s->host->tls || s->stream.memory);
}

enum err
session_start_tls(struct session *s)
{
	if (!session_can_tls(s))
		return ERR_NOT_FOUND;
	return stream_start_tls(&s->stream, s->host->tls, s->host->workers);
}

void
session_set_user(struct session *s, uint64_t user_id, struct span user)
{
	if (s->counted && s->record.user_id == 0 && user_id != 0)
		shared_connection_logged_in(s->host->shared, s->service, &s->peer);
	shared_session_set_user(s->host->shared, &s->record, user_id, user);
}

void
session_set_doing(struct session *s, const char *doing)
{
	if (s->record.doing != doing)
		shared_session_set_doing(s->host->shared, &s->record, doing);
}

bool
session_take_conf(struct session *s)
{
	struct stream_limits limits;

	if (s->generation == s->host->generation)
		return false;
	generation_release(&s->generation);
	s->generation = generation_hold(s->host->generation);
	s->conf = generation_conf(s->generation);
	limits = stream_limits_of(s);
	stream_set_limits(&s->stream, &limits);
	return true;
}

/* It is closing already; what it may still take is cut to what REASON allows. */
static void
hurry(struct session *s, enum close_reason reason)
{
	int64_t left_ms = s->deadline.due_ms - loop_now_ms(s->host->loop);

	if (left_ms > goodbye_ms(reason))
		session_set_deadline(s, goodbye_ms(reason), s->reason);
}

static void
end_session(struct session *s, enum close_reason reason)
{
	if (s->reason != CLOSE_NONE)
		hurry(s, reason);
	else if (s->waits && !s->waits_idle)
		s->end_later = reason; /* what is under way is answered first */
	else
		close_saying(s, reason, s->class->shutdown_text);
}

void
session_close_all(struct host *host, const struct service *service, enum close_reason reason)
{
	struct list *at, *following;

	list_for_each(at, following, &host->sessions) {
		struct session *s = LIST_ITEM(at, struct session, link);

		if (!service || s->service == service)
			end_session(s, reason);
	}
}

bool
session_close_by_id(struct host *host, uint64_t id, enum close_reason reason)
{
	struct list *at, *following;

	list_for_each(at, following, &host->sessions) {
		struct session *s = LIST_ITEM(at, struct session, link);

		if (s->record.id != id)
			continue;
		end_session(s, reason);
		return true;
	}
	return false;
}
