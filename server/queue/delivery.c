/*
 * delivery.c - the conversation with its deadlines, and the end; delivery_dial.c begins it.
 */
#include "server/queue/delivery.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "conf/conf.h"
#include "server/generation.h"
#include "server/metrics.h"
#include "server/net/tls.h"

/* ---- what is remembered for the trace ---- */

struct span
delivery_host(const struct delivery *d)
{
	return d->host_at > 0 ? d->hosts[d->host_at - 1].name : SPAN("");
}

void
delivery_blame(struct delivery *d, unsigned code, struct span enhanced, struct span text,
	enum smtp_stage stage)
{
	size_t n = span_copy_clean(span_range(text, 0, sizeof(d->why_text) - 1), d->why_text,
		sizeof(d->why_text) - 1);

	snprintf(d->why_enhanced, sizeof(d->why_enhanced), "%.*s", SPAN_FMT(enhanced));
	d->why = (struct outcome_row){ .kind = OUTCOME_DEFERRED, .code = code,
		.enhanced = span_of(d->why_enhanced), .text = { d->why_text, n },
		.stage = stage == SMTP_STAGE_CONNECT ? NULL : smtp_stage_name(stage) };
	if (d->probe)
		delivery_probe_blamed(d);
}

/* ---- the end ---- */

static void
end(struct delivery *d)
{
	loop_timer_clear(&d->deadline);
	d->ended = true;
	metric_add(d->host->metrics, outgoing_connections, -1);
	if (d->failed)
		metric_add(d->host->metrics, outgoing_refused, 1);
	loop_post(d->front->loop, d->probe ? delivery_probe_end : outgoing_on_end, d);
}

void
delivery_fail(struct delivery *d, bool for_good)
{
	d->failed = true;
	d->for_good = for_good;
	end(d);
}

static void
go_next(struct delivery *d)
{
	enum delivery_next next = d->next;

	d->next = NEXT_NOTHING;
	if (next == NEXT_ADDRESS) {
		delivery_next_address(d);
	} else if (next == NEXT_SAME_PLAIN) {
		d->plain = true;
		delivery_dial(d);
	} else if (next == NEXT_SAME_TOKEN) {
		delivery_get_token(d, delivery_dial);
	} else if (next == NEXT_END) {
		end(d);
	}
}

/* The one place where the stream is closed; again until nothing of it is lent out (H77). */
static void
on_closing(struct loop_call *call)
{
	struct delivery *d = LIST_ITEM(call, struct delivery, closing);

	if (d->stream_open && stream_is_lent(&d->stream))
		return; /* on_returned */
	if (d->proof.lent || d->warming.lent || d->downgrading.lent)
		return; /* delivery_auth.c, on_warm(), delivery_prepare.c come back */
	if (d->stream_open) {
		metric_add(d->host->metrics, bytes_in, d->stream.bytes_in);
		metric_add(d->host->metrics, bytes_out, d->stream.bytes_out);
		stream_fini(&d->stream);
		d->stream_open = false;
	}
	if (d->smtp_open)
		smtp_client_fini(&d->smtp);
	d->smtp_open = false;
	if (d->asked)
		return; /* the front answers first */
	go_next(d);
}

void
delivery_close(struct delivery *d, enum delivery_next next)
{
	loop_timer_clear(&d->deadline);
	if (d->next == NEXT_NOTHING)
		d->next = next;
	loop_defer(d->host->loop, &d->closing);
}

/* This server is of no use: the next one. After it had been ready: the end. */
void
delivery_leave_server(struct delivery *d)
{
	delivery_close(d, d->answered ? NEXT_END : NEXT_ADDRESS);
}

/* The items of a message that was not begun; AGAIN: they wait for another connection. */
static void
give_back(struct delivery *d, bool again)
{
	struct outgoing_returned *r = calloc(1, sizeof(*r));

	ENSURE(r);
	*r = (struct outgoing_returned){ d->all, d->batch, 0, again ? d->lane : NULL };
	d->batch = NULL;
	loop_post(d->front->loop, outgoing_on_settled, r);
}

/* The session is over, with or without a message under way. */
void
delivery_over(struct delivery *d, struct smtp_answer answer, struct span reason, enum smtp_stage stage)
{
	if (d->next != NEXT_NOTHING)
		return;
	delivery_blame(d, answer.code,
		answer.code && answer.enhanced.len > 0 ? answer.enhanced : SPAN("4.4.2"),
		answer.code ? answer.text : reason, stage);
	if (d->preparing) { /* nothing of it was said here */
		d->failed |= d->sent == 0;
		delivery_mail_put_back(d);
		give_back(d, true);
	} else if (d->outcome) {
		d->cut = true;
		if (d->sent == 0)
			d->failed = true; /* nothing ever went well here: it rests */
		delivery_mail_done(d, (struct smtp_answer){ 0 }, stage);
	}
	delivery_leave_server(d);
}

/* ---- the conversation ---- */

void
delivery_ready(struct delivery *d)
{
	if (!d->answered) {
		d->answered = true;
		delivery_say_tls(d);
		if (d->probe)
			delivery_probe_ready(d);
	}
	if (d->probe && delivery_probe_asks(d))
		return;
	if (d->must_quit || d->probe) {
		smtp_client_quit(&d->smtp, stream_out(&d->stream));
		return;
	}
	d->asked = true;
	loop_post(d->front->loop, outgoing_on_ask, d);
}

void
delivery_start_tls(struct delivery *d)
{
	bool verify = d->route.tls == ROUTE_TLS_VERIFIED || d->route.tls == ROUTE_TLS_IMPLICIT;

	if (stream_connect_tls(&d->stream, d->roots, delivery_host(d), verify, d->host->workers) != OK)
		delivery_over(d, (struct smtp_answer){ 0 }, SPAN("plain text came before the TLS handshake"),
			SMTP_STAGE_STARTTLS);
}

/* 535 and the like are of our account, not of the mail (contract 8): all of it waits. */
static void
on_over(struct delivery *d, const struct smtp_client_event *ev)
{
	struct smtp_answer answer = ev->answer;

	if (ev->why == SMTP_OVER_QUIT) {
		delivery_close(d, NEXT_END);
		return;
	}
	if (ev->why == SMTP_OVER_AUTH && delivery_token_refused(d, answer.code)) {
		delivery_close(d, NEXT_SAME_TOKEN);
		return;
	}
	if (ev->why == SMTP_OVER_NO_AUTH || smtp_answer_is_good(answer))
		answer.code = 0; /* our reason says more */
	delivery_over(d, answer, span_of(smtp_client_over_text(ev->why)), ev->stage);
}

/* False: nothing more to be had now. */
static bool
on_event(struct delivery *d, const struct smtp_client_event *ev)
{
	bool was_sending = d->sending;

	switch (ev->kind) {
	case SMTP_CLIENT_NEED_BYTES:
		return false;
	case SMTP_CLIENT_NEED_HOLDER:
		if (d->sending && !stream_is_full(&d->stream))
			delivery_mail_text(d);
		return was_sending && !d->sending;
	case SMTP_CLIENT_STARTTLS:
		delivery_start_tls(d);
		return false;
	case SMTP_CLIENT_TASK:
		delivery_prove(d, ev->task);
		return true;
	case SMTP_CLIENT_READY:
		delivery_ready(d);
		return true;
	case SMTP_CLIENT_RECIPIENT:
		delivery_mail_recipient(d, ev);
		d->deadline_stage = SMTP_STAGE_CONNECT; /* each answer has its own time */
		return true;
	case SMTP_CLIENT_GO:
		d->sending = d->has_text_out = true;
		delivery_mail_text(d);
		return true;
	case SMTP_CLIENT_SENT:
		if (d->probe) {
			delivery_probe_answered(d, ev->answer);
			return true;
		}
		d->sending = d->has_text_out = false;
		d->sent++;
		delivery_mail_done(d, ev->answer, ev->stage);
		return true;
	case SMTP_CLIENT_OVER:
		on_over(d, ev);
		return false;
	}
	return false;
}

static void
converse(struct delivery *d)
{
	struct smtp_client_event ev;
	bool more = true;

	while (more && d->next == NEXT_NOTHING && d->stream_open && d->smtp_open) {
		size_t used = smtp_client_next(&d->smtp, stream_peek(&d->stream),
			stream_out(&d->stream), &ev);

		stream_consume(&d->stream, used); /* the event's texts lie in the machine */
		more = on_event(d, &ev);
	}
	delivery_watch(d);
}

void
delivery_go_on(struct delivery *d)
{
	converse(d);
}

/* ---- the stream ---- */

static struct delivery *
of_stream(struct stream *stream)
{
	return LIST_ITEM(stream, struct delivery, stream);
}

static void
on_input(struct stream *stream)
{
	struct delivery *d = of_stream(stream);

	d->heard_ms = loop_now_ms(d->host->loop);
	if (d->next != NEXT_NOTHING) {
		stream_consume(stream, stream_peek(stream).len);
		return;
	}
	if (d->smtp_open)
		converse(d);
}

static void
on_secure(struct stream *stream)
{
	struct delivery *d = of_stream(stream);

	if (d->next != NEXT_NOTHING)
		return;
	metric_add(d->host->metrics, tls_handshakes, 1);
	if (d->smtp.pending == SMTP_CLIENT_STARTTLS)
		smtp_client_tls_started(&d->smtp, stream_out(stream));
	converse(d);
}

static void
on_tls_failed(struct delivery *d)
{
	char distrust[200] = "", failure[200] = "", text[LANE_WHY_SIZE];

	metric_add(d->host->metrics, tls_failures, 1);
	stream_tls_distrust(&d->stream, distrust, sizeof(distrust));
	stream_tls_failure(&d->stream, failure, sizeof(failure));
	snprintf(text, sizeof(text), "TLS failed: %.140s%s%.140s", distrust,
		distrust[0] && failure[0] ? "; " : "", failure);
	snprintf(d->tls, sizeof(d->tls), "%s", text);
	if (d->route.tls == ROUTE_TLS_OPPORTUNISTIC && d->next == NEXT_NOTHING) {
		d->in_clear_after_failure = true;
		delivery_close(d, NEXT_SAME_PLAIN);
		return;
	}
	delivery_over(d, (struct smtp_answer){ 0 }, span_of(text), SMTP_STAGE_STARTTLS);
}

static void
on_stream_end(struct stream *stream, enum stream_end why)
{
	static const char *const texts[] = {
		[STREAM_EOF] = "the server closed the connection",
		[STREAM_RESET] = "the connection broke",
		[STREAM_STUCK] = "the server takes no more of the message",
		[STREAM_OVERFLOW] = "the server takes no more of the message",
	};
	struct delivery *d = of_stream(stream);

	if (why == STREAM_TLS_FAILED && !stream_is_secure(stream))
		on_tls_failed(d);
	else if (d->next == NEXT_NOTHING && d->smtp.stage == SMTP_STAGE_QUIT)
		delivery_close(d, NEXT_END);
	else
		delivery_over(d, (struct smtp_answer){ 0 },
			span_of(why == STREAM_TLS_FAILED ? "a bad TLS record" : texts[why]),
			d->smtp.stage);
	loop_defer(d->host->loop, &d->closing);
}

static void
on_returned(struct stream *stream)
{
	loop_defer(of_stream(stream)->host->loop, &of_stream(stream)->closing);
}

static void
on_warm(struct body_warming *w)
{
	struct delivery *d = LIST_ITEM(w, struct delivery, warming);

	if (d->next != NEXT_NOTHING)
		loop_defer(d->host->loop, &d->closing);
	else
		stream_resume(&d->stream); /* on_input() goes on, also where the output is full by then */
}

const struct stream_events delivery_stream_events = {
	.on_input = on_input,
	.on_secure = on_secure,
	.on_end = on_stream_end,
	.on_returned = on_returned,
};

/* ---- life ---- */

struct delivery *
delivery_new(void)
{
	struct delivery *d = calloc(1, sizeof(*d));

	ENSURE(d);
	list_init(&d->link);
	list_init(&d->idle_link);
	list_init(&d->group_link);
	arena_init(&d->arena, NULL);
	arena_init(&d->mail_arena, NULL);
	return d;
}

void
delivery_free(struct delivery **dp)
{
	struct delivery *d = *dp;

	*dp = NULL;
	delivery_auth_fini(d);
	proxy_fini(&d->proxy);
	arena_reset(&d->mail_arena);
	arena_reset(&d->arena);
	generation_release(&d->generation);
	tls_client_release(&d->roots);
	free(d);
}

void
delivery_cut(struct delivery *d)
{
	if (!d->started)
		return;
	resolver_cancel(&d->question);
	proxy_cancel(&d->proxy);
	token_cancel(&d->token);
	loop_timer_clear(&d->pause);
	dialer_cancel(&d->dialer);
	loop_timer_clear(&d->deadline);
	loop_call_cancel(&d->closing);
	d->body_pinned = false; /* the store has been closed, no worker is left */
	downgrade_release(&d->downgrading.made);
	delivery_mail_drop(d);
	if (d->smtp_open)
		smtp_client_fini(&d->smtp);
	if (d->stream_open && !stream_is_lent(&d->stream))
		stream_fini(&d->stream);
}

void
delivery_start(void *arg)
{
	struct delivery *d = arg;

	d->started = true;
	d->heard_ms = loop_now_ms(d->host->loop);
	dialer_init(&d->dialer, d->host->loop, delivery_on_dialled);
	loop_call_init(&d->closing, on_closing);
	loop_timer_init(&d->deadline, delivery_on_deadline);
	d->warming.done = on_warm;
	d->downgrading.done = delivery_on_looked;
	buf_init(&d->secret, TOKEN_SIZE_MAX);
	d->secret.wipes = true;
	metric_add(d->host->metrics, outgoing_connections, 1);
	delivery_via_init(d);
	delivery_get_token(d, delivery_find_via);
}

/* The next message; none: goodbye. */
void
delivery_take(void *arg)
{
	struct delivery *d = arg;

	d->asked = false;
	d->heard_ms = loop_now_ms(d->host->loop);
	if (d->next != NEXT_NOTHING || !d->stream_open) { /* it broke meanwhile */
		if (d->batch) {
			d->failed |= d->sent == 0; /* or it would be dialled again at once */
			give_back(d, true);
		}
		loop_defer(d->host->loop, &d->closing);
		return;
	}
	if (!d->batch) {
		d->must_quit = true;
		delivery_ready(d);
	} else if (delivery_mail_load(d)) {
		delivery_prepare(d);
	} else {
		give_back(d, false);
		delivery_ready(d);
	}
	converse(d);
}
