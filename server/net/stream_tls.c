/*
 * stream_tls.c - TLS inside a stream: handshake steps on workers, records to and from the buffers.
 */
#include "server/net/stream_tls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/net/tls.h"
#include "server/net/work.h"

#define WIRE_IN_MAX (128 * 1024)
#define WIRE_OUT_MAX (2 * 1024 * 1024)
#define WIRE_OUT_ENOUGH (128 * 1024) /* encrypted ahead of the socket */
#define TLS_PIECE (16 * 1024)	     /* a record's worth of plain text */
#define RETRY_MS 20		     /* the workers' queue was full */

enum shake { SHAKE_ASKED, SHAKE_READING, SHAKE_LENT, SHAKE_RETRY, SHAKE_DONE };

struct stream_tls {
	struct stream *stream;
	struct tls_server *server; /* our side: one of them */
	struct tls_client *client;
	struct span name; /* client: of the server, on the heap */
	bool verify;
	struct workers *workers;
	struct tls *tls; /* made at the first byte (H34) */
	struct buf wire_in, wire_out;
	struct work work;
	struct loop_timer retry;
	enum shake shake;
	enum tls_step step; /* the worker's answer */
};

bool
stream_tls_is_shaking(const struct stream *s)
{
	return s->tls && s->tls->shake != SHAKE_DONE;
}

bool
stream_tls_is_mute(const struct stream *s)
{
	return stream_tls_is_shaking(s) && s->tls->shake != SHAKE_ASKED;
}

bool
stream_tls_is_lent(const struct stream *s)
{
	return s->tls && s->tls->shake == SHAKE_LENT;
}

bool
stream_tls_wants_bytes(const struct stream *s)
{
	return s->tls->shake == SHAKE_READING;
}

bool
stream_tls_has_input(const struct stream *s)
{
	return buf_span(&s->tls->wire_in).len > 0;
}

size_t
stream_tls_unsent(const struct stream *s)
{
	if (!s->tls || s->tls->shake == SHAKE_LENT)
		return 0;
	return buf_span(&s->tls->wire_out).len;
}

bool
stream_is_secure(const struct stream *s)
{
	return s->secure;
}

const char *
stream_tls_version(const struct stream *s)
{
	return s->secure && s->tls ? tls_version(s->tls->tls) : "";
}

const char *
stream_tls_distrust(const struct stream *s, char *text, size_t size)
{
	if (s->tls && s->tls->tls && s->tls->shake != SHAKE_LENT)
		return tls_distrust(s->tls->tls, text, size);
	snprintf(text, size, "%s", "");
	return text;
}

const char *
stream_tls_failure(const struct stream *s, char *text, size_t size)
{
	if (s->tls && s->tls->tls && s->tls->shake != SHAKE_LENT)
		return tls_failure(s->tls->tls, text, size);
	snprintf(text, size, "the connection ended in the handshake");
	return text;
}

const char *
stream_tls_cipher(const struct stream *s)
{
	return s->secure && s->tls ? tls_cipher(s->tls->tls) : "";
}

/* ---- the handshake ---- */

static void
become_secure(struct stream *s)
{
	s->tls->shake = SHAKE_DONE;
	s->secure = true;
	loop_timer_clear(&s->progress);
	s->events->on_secure(s);
	if (s->end == STREAM_OPEN)
		stream_tls_pump(s);
}

static void
step_run(struct work *work)
{
	struct stream_tls *t = LIST_ITEM(work, struct stream_tls, work);

	t->step = tls_handshake(t->tls);
}

static void
step_done(struct work *work, enum err result)
{
	struct stream_tls *t = LIST_ITEM(work, struct stream_tls, work);
	struct stream *s = t->stream;

	t->shake = SHAKE_READING;
	if (s->end != STREAM_OPEN) {
		s->events->on_returned(s);
		return;
	}
	stream_send(s, &t->wire_out);
	if (s->end != STREAM_OPEN)
		return;
	/* after the peer's last byte no more will come to go on with */
	if (result != OK || t->step == TLS_FAILED || t->step == TLS_CLOSED ||
		(t->step == TLS_WANT_MORE && s->eof)) {
		stream_end_with(s, STREAM_TLS_FAILED);
		return;
	}
	if (t->step == TLS_DONE)
		become_secure(s);
	stream_watch(s);
}

static void
lend(struct stream_tls *t)
{
	t->shake = SHAKE_LENT;
	t->work = (struct work){ .loop = t->stream->loop, .kind = WORK_TLS, .run = step_run,
		.done = step_done };
	if (workers_submit(t->workers, &t->work) == OK)
		return;
	t->shake = SHAKE_RETRY;
	loop_timer_set(t->stream->loop, &t->retry, RETRY_MS);
}

static void
on_retry(struct loop_timer *timer)
{
	lend(LIST_ITEM(timer, struct stream_tls, retry));
}

/* NULL: a stream in memory, which is secure at once. */
static struct stream_tls *
tls_begin(struct stream *s, struct workers *workers)
{
	struct stream_tls *t;

	if (s->memory) {
		s->secure = true;
		s->events->on_secure(s);
		return NULL;
	}
	t = calloc(1, sizeof(*t));
	ENSURE(t);
	t->stream = s;
	t->workers = workers;
	buf_init(&t->wire_in, WIRE_IN_MAX);
	buf_init(&t->wire_out, WIRE_OUT_MAX);
	loop_timer_init(&t->retry, on_retry);
	s->tls = t;
	loop_defer(s->loop, &s->flush); /* sends what is put, then begins */
	stream_watch(s);
	return t;
}

enum err
stream_start_tls(struct stream *s, struct tls_server *server, struct workers *workers)
{
	struct stream_tls *t;

	if (stream_peek(s).len > 0 || s->tls || s->secure)
		return ERR_SYNTAX;
	t = tls_begin(s, workers);
	if (t)
		t->server = tls_server_hold(server);
	return OK;
}

enum err
stream_connect_tls(struct stream *s, struct tls_client *client, struct span name, bool verify,
	struct workers *workers)
{
	struct stream_tls *t;

	if (stream_peek(s).len > 0 || s->tls || s->secure)
		return ERR_SYNTAX;
	t = tls_begin(s, workers);
	if (!t)
		return OK;
	t->client = tls_client_hold(client);
	t->name = (struct span){ strndup(name.ptr, name.len), name.len };
	ENSURE(t->name.ptr);
	t->verify = verify;
	return OK;
}

void
stream_tls_begin(struct stream *s)
{
	if (!s->tls || s->tls->shake != SHAKE_ASKED)
		return;
	s->tls->shake = SHAKE_READING;
	loop_timer_set(s->loop, &s->progress, s->limits.handshake_ms);
	if (!s->tls->client)
		return;
	s->tls->tls = tls_connect(s->tls->client, s->tls->name, s->tls->verify, &s->tls->wire_in,
		&s->tls->wire_out);
	lend(s->tls); /* a client speaks first */
}

/* ---- records ---- */

static void
read_handshake(struct stream *s, struct stream_tls *t)
{
	if (s->eof && buf_span(&t->wire_in).len == 0) {
		stream_end_with(s, STREAM_TLS_FAILED);
		return;
	}
	if (!t->tls)
		t->tls = tls_open(t->server, &t->wire_in, &t->wire_out);
	lend(t);
}

void
stream_tls_read(struct stream *s)
{
	struct stream_tls *t = s->tls;
	char *into = loop_read_buffer(s->loop);
	size_t got;

	if (t->shake != SHAKE_READING && t->shake != SHAKE_DONE)
		return;
	if (t->shake == SHAKE_DONE && (s->paused || stream_is_full(s)))
		return;
	got = stream_receive(s, into, LOOP_READ_SIZE);
	if (s->end != STREAM_OPEN || (got == 0 && !s->eof))
		return;
	if (buf_put(&t->wire_in, (struct span){ into, got }) != OK) {
		stream_end_with(s, STREAM_TLS_FAILED);
		return;
	}
	if (t->shake == SHAKE_READING)
		read_handshake(s, t);
	else
		stream_tls_pump(s);
}

/* One piece of plain text as the stream's fresh input. */
static enum tls_step
take_plain(struct stream *s)
{
	size_t room = s->in.max - (s->in.len - s->in.start);
	size_t want = room < TLS_PIECE ? room : TLS_PIECE;
	size_t got = 0;
	bool append = s->in.len > s->in.start;
	char *into = append ? buf_reserve(&s->in, want) : loop_read_buffer(s->loop);
	enum tls_step step;

	if (!into || want == 0)
		return TLS_WANT_MORE; /* as full as it may be: the owner must consume first */
	step = tls_read(s->tls->tls, into, want, &got);
	if (step != TLS_DONE)
		return step;
	if (append)
		buf_added(&s->in, got);
	else
		s->fresh = (struct span){ into, got };
	return TLS_DONE;
}

/* Until TLS has nothing left, so that no record lies unread while the socket is silent (H62). */
void
stream_tls_pump(struct stream *s)
{
	while (s->end == STREAM_OPEN && !s->paused && !s->draining && !stream_is_full(s)) {
		enum tls_step step = take_plain(s);

		if (step == TLS_FAILED) {
			stream_end_with(s, STREAM_TLS_FAILED);
			return;
		}
		if (step == TLS_CLOSED)
			s->eof = true;
		if (step == TLS_WANT_MORE && !s->eof)
			return;
		if (step == TLS_WANT_MORE)
			buf_fini(&s->tls->wire_in); /* a record that will never be whole */
		stream_offer(s);
		if (step != TLS_DONE)
			return;
	}
	if (stream_is_full(s))
		s->was_full = true;
}

static enum tls_step
encrypt_some(struct stream *s)
{
	struct span plain = buf_span(&s->out);
	struct span piece = span_range(plain, 0, TLS_PIECE);
	enum tls_step step = tls_write(s->tls->tls, piece);

	if (step == TLS_DONE)
		buf_consume(&s->out, piece.len);
	return step;
}

bool
stream_tls_send(struct stream *s)
{
	struct stream_tls *t = s->tls;

	do {
		while (buf_span(&s->out).len > 0 && buf_span(&t->wire_out).len < WIRE_OUT_ENOUGH) {
			if (encrypt_some(s) == TLS_DONE)
				continue;
			stream_end_with(s, STREAM_TLS_FAILED);
			return true;
		}
		if (!stream_send(s, &t->wire_out))
			return false;
	} while (buf_span(&s->out).len > 0);
	return true;
}

void
stream_tls_say_goodbye(struct stream *s)
{
	if (!s->secure || !s->tls)
		return;
	tls_close_notify(s->tls->tls);
	stream_send(s, &s->tls->wire_out);
}

void
stream_tls_free(struct stream *s)
{
	struct stream_tls *t = s->tls;

	if (!t)
		return;
	s->tls = NULL;
	loop_timer_clear(&t->retry);
	tls_close(&t->tls);
	tls_server_release(&t->server);
	tls_client_release(&t->client);
	free((char *)t->name.ptr);
	buf_wipe(&t->wire_in);
	buf_fini(&t->wire_out);
	free(t);
}
