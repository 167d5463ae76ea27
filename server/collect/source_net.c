/*
 * source_net.c - a source's connection: how it begins, what is put off, and the end.
 */
#include "server/collect/source_net.h"

#include <stdio.h>

#include "server/net/tls.h"

static struct source_net *
of_source(struct source *s)
{
	return LIST_ITEM(s, struct source_net, source);
}

/* ---- the end ---- */

static bool
is_lent(const struct source_net *n)
{
	return n->proof.lent || (n->stream_open && stream_is_lent(&n->stream));
}

static void
bury(struct source_net *n)
{
	sasl_proof_fini(&n->proof);
	buf_wipe(&n->secret);
	tls_client_release(&n->roots);
	arena_reset(&n->arena);
	n->events->freed(n);
	source_release(&n->source);
}

/* The one place where the stream is closed; again until nothing of it is lent out (H77). */
static void
on_call(struct loop_call *call)
{
	struct source_net *n = LIST_ITEM(call, struct source_net, call);
	enum source_net_next next = n->next;

	if (is_lent(n))
		return; /* on_returned(), or the proof's end */
	source_net_hang_up(n);
	n->next = SOURCE_NET_NOTHING;
	if (n->doomed) {
		bury(n);
	} else if (next == SOURCE_NET_TOKEN) {
		n->closing = false;
		source_net_get_token(n);
	} else if (next == SOURCE_NET_ADDRESS) {
		n->closing = false;
		source_net_next_address(n);
	} else if (next == SOURCE_NET_OVER && !n->is_over) {
		n->is_over = true;
		n->events->over(n);
		n->source.events->over(&n->source, &n->problem);
	}
}

/* Nothing more is waited for or asked. */
static void
stop_all(struct source_net *n)
{
	loop_timer_clear(&n->deadline);
	loop_timer_clear(&n->pause);
	loop_call_cancel(&n->later);
	n->waits_ms = 0;
	token_cancel(&n->token);
	source_net_dial_stop(n);
	source_net_roots_stop(n);
	proxy_fini(&n->proxy);
	n->closing = true;
}

/* The connection goes, and another is made. */
static bool
is_made_anew(const struct source_net *n)
{
	return n->closing && !n->doomed && (n->next == SOURCE_NET_TOKEN || n->next == SOURCE_NET_ADDRESS);
}

void
source_net_finish(struct source_net *n, enum source_fault fault, const char *why)
{
	if (n->closing && !is_made_anew(n))
		return;
	n->problem.fault = fault;
	n->problem.removed_unsure = n->removes && fault != SOURCE_FINE;
	n->problem.why[0] = '\0';
	if (fault != SOURCE_FINE)
		n->problem.why[span_copy_clean(span_of(why), n->problem.why, sizeof(n->problem.why) - 1)] = '\0';
	stop_all(n);
	n->next = SOURCE_NET_OVER;
	loop_defer(n->host->loop, &n->call);
}

void
source_net_close(struct source_net *n, enum source_fault fault, const char *why)
{
	char all[SOURCE_WHY_SIZE];

	if (n->closing)
		return;
	if (fault != SOURCE_NO_TLS && !(fault == SOURCE_LOST && n->shakes)) {
		source_net_finish(n, fault, why);
	} else if (source_net_goes_on(n, why)) {
		source_net_expect_nothing(n);
		loop_call_cancel(&n->later);
		n->closing = true;
		n->next = SOURCE_NET_ADDRESS;
		loop_defer(n->host->loop, &n->call);
	} else {
		source_net_finish(n, fault, source_net_say_tried(n, why, all));
	}
}

void
source_net_end(struct source_net *n, struct source_net_fault fault, const char *why, struct span said)
{
	char text[SOURCE_ANSWER_SIZE];
	bool quotes = fault.quotes && said.len > 0;

	snprintf(text, sizeof(text), "%s%s%.*s", why, quotes ? ": " : "", quotes ? (int)said.len : 0,
		quotes ? said.ptr : "");
	source_net_close(n, fault.fault, text);
}

void
source_net_cut(struct source *s)
{
	source_net_finish(of_source(s), SOURCE_LOST, "it was told to stop");
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
source_net_free(struct source *s)
{
	struct source_net *n = of_source(s);

	if (!n->events) {
		source_release(s);
		return;
	}
	stop_all(n);
	n->doomed = true;
	if (is_lent(n)) {
		loop_defer(n->host->loop, &n->call);
		return;
	}
	loop_call_cancel(&n->call);
	source_net_hang_up(n);
	bury(n);
}

/* ---- life ---- */

static void
on_later(struct loop_call *call)
{
	struct source_net *n = LIST_ITEM(call, struct source_net, later);

	if (!n->closing && n->stream_open)
		n->events->deferred(n);
}

void
source_net_defer(struct source_net *n)
{
	if (!n->closing)
		loop_defer(n->host->loop, &n->later);
}

static uint16_t
port_of(const struct conf_collector *conf, uint16_t port, uint16_t tls_port)
{
	if (conf->port > 0)
		return (uint16_t)conf->port;
	return conf->tls == COLLECTOR_TLS_IMPLICIT ? tls_port : port;
}

void
source_net_start(struct source_net *n, const struct source_net_events *events, uint16_t port, uint16_t tls_port)
{
	n->events = events;
	n->host = n->source.host;
	n->conf = n->source.conf;
	n->port = port_of(n->conf, port, tls_port);
	loop_call_init(&n->call, on_call);
	loop_call_init(&n->later, on_later);
	source_net_stream_init(n);
	source_net_dial_init(n);
	arena_init(&n->arena, NULL);
	buf_init(&n->secret, TOKEN_SIZE_MAX);
	n->secret.wipes = true;
	snprintf(n->problem.remote, sizeof(n->problem.remote), "%.*s:%u", SPAN_FMT(n->conf->server), n->port);
	source_net_prove_init(n);
	n->next = SOURCE_NET_TOKEN;
	loop_defer(n->host->loop, &n->call);
}
