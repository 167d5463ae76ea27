/*
 * session_end.c - how a session ends.
 *
 * session_close() only marks it and defers on_end_call(), the one place where the class is told,
 * the stream is closed and the memory freed (H77). It comes again until the last words have gone,
 * nothing is lent out and nobody holds the session.
 */
#include <stdlib.h>

#include "server/generation.h"
#include "server/metrics.h"
#include "server/services.h"
#include "server/session/session_inside.h"

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

/* Each command of `postroom` is a session of the control socket: that it came and went is no news. */
enum log_level
session_usual_level(const struct session *s)
{
	return s->service->is_control ? LEVEL_DEBUG : LEVEL_INFO;
}

static void
log_end(struct session *s)
{
	struct metrics *m = s->host->metrics;
	enum log_level level = reasons[s->reason].is_fault ? LEVEL_WARNING :
		s->reason == CLOSE_REFUSED		   ? LEVEL_INFO :
							     session_usual_level(s);

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
		shared_connection_end(s->host->shared, s->service, &s->peer, s->logged_in);
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

void
session_come_to_end(struct session *s)
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
	session_come_to_end(s);
}

void
session_close_saying(struct session *s, enum close_reason reason, struct span words)
{
	if (s->reason != CLOSE_NONE)
		return;
	if (s->stream.end == STREAM_OPEN && words.len > 0 && !s->mid_reply)
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
		session_come_to_end(s);
}

/* ---- deadlines ---- */

static void
on_deadline(struct loop_timer *timer)
{
	struct session *s = LIST_ITEM(timer, struct session, deadline);

	if (s->reason == CLOSE_NONE) {
		session_close_saying(s, s->deadline_reason,
			s->ends_mutely ? SPAN_NONE : s->class->timeout_text);
		return;
	}
	if (s->stream.end == STREAM_OPEN) /* the peer did not take its last words in time */
		s->stream.end = STREAM_STUCK;
	session_come_to_end(s);
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

void
session_delay_deadline(struct session *s, int64_t by_ms)
{
	int64_t left_ms = s->deadline.due_ms - loop_now_ms(s->host->loop);

	if (s->reason == CLOSE_NONE && by_ms > 0 && loop_timer_is_set(&s->deadline))
		session_set_deadline(
			s, (left_ms > 0 ? left_ms : 0) + by_ms, s->deadline_reason);
}

void
session_init_end(struct session *s)
{
	loop_timer_init(&s->deadline, on_deadline);
	loop_call_init(&s->end, on_end_call);
}

/* ---- ended from outside ---- */

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
		session_close_saying(s, reason, s->class->shutdown_text);
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
