/*
 * session.c - the life of a session; how it ends is in session_end.c.
 *
 *	open --> [handshake] --> class open --> input ... --> closing --> stream done --> freed
 */
#include <stdio.h>
#include <stdlib.h>

#include "conf/conf.h"
#include "server/generation.h"
#include "server/metrics.h"
#include "server/services.h"
#include "server/session/door.h"
#include "server/session/session_inside.h"

static struct session *
of_stream(struct stream *stream)
{
	return LIST_ITEM(stream, struct session, stream);
}

/* ---- what the stream says ---- */

static void
on_input(struct stream *stream)
{
	struct session *s = of_stream(stream);

	if (s->reason != CLOSE_NONE) {
		stream_consume_secret(stream, stream_peek(stream).len);
		return;
	}
	s->class->input(s);
	if (s->end_later != CLOSE_NONE && !s->waits)
		session_close_saying(s, s->end_later, s->class->shutdown_text);
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
	session_come_to_end(s); /* also where it was closing already */
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
	session_come_to_end(s);
}

static void
on_returned(struct stream *stream)
{
	session_come_to_end(of_stream(stream));
}

static const struct stream_events stream_events = {
	.on_input = on_input,
	.on_secure = on_secure,
	.on_end = on_stream_end,
	.on_sent = on_sent,
	.on_returned = on_returned,
};

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

/* ACC-08: a refused peer gets no greeting and, under TLS, no handshake. */
static void
start(struct session *s)
{
	if (!door_opens(s)) {
		session_close_saying(s, CLOSE_REFUSED,
			s->service->tls == TLS_IMPLICIT ? SPAN_NONE : s->class->refused_text);
		return;
	}
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
	session_init_end(s);
	list_append(&host->sessions, &s->link);
	if (!s->counted)
		atomic_fetch_add(&host->session_count, 1);
	limits = stream_limits_of(s);
	stream_init(&s->stream, host->loop, fd, &stream_events, &limits);
	fill_record(s);
	metric_add(host->metrics, sessions, 1);
	session_log(s, session_usual_level(s), .text = "connected",
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

/* Once for good: also where STARTTLS makes it forget who it was. */
static void
count_logged_in(struct session *s, uint64_t user_id)
{
	if (!s->counted || s->logged_in || user_id == 0)
		return;
	s->logged_in = true;
	shared_connection_logged_in(s->host->shared, s->service, &s->peer);
}

void
session_set_user(struct session *s, uint64_t user_id, struct span user)
{
	count_logged_in(s, user_id);
	shared_session_set_user(s->host->shared, &s->record, user_id, user);
}

enum err
session_take_user(struct session *s, uint64_t user_id, struct span user)
{
	unsigned max = s->service->is_control ? 0 : (unsigned)s->conf->limits_max_per_user;
	enum err err = shared_session_take_user(s->host->shared, &s->record, user_id, user, max);

	if (err == OK) {
		count_logged_in(s, user_id);
		return OK;
	}
	metric_add(s->host->metrics, refused_user, 1);
	log_put(s->host->log, &(struct log_line){ .level = LEVEL_WARNING, .area = "security",
				      .session = s->name,
				      .text = "refused, too many sessions of the user",
				      .fields = { { "user", user, 0 },
					      { "address", span_of(s->peer.text), 0 },
					      { "service", span_of(s->service->name), 0 },
					      { "limit", .number = max } } });
	return err;
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
