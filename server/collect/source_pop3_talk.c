/*
 * source_pop3_talk.c - the session with a POP3 server, from its greeting to its end: what the machine says, and what is
 * waited for.
 */
#include "server/collect/source_pop3.h"

#include <stdio.h>

static struct source_pop3 *
of_net(struct source_net *n)
{
	return LIST_ITEM(n, struct source_pop3, net);
}

/* ---- what is waited for ---- */

void
source_pop3_watch(struct source_pop3 *p)
{
	bool only_quits = p->quit && p->pop3.count == 1 && !p->net.removes;

	if (p->pop3.count == 0)
		source_net_expect_nothing(&p->net);
	else
		source_net_expect(&p->net, only_quits ? SOURCE_POP3_QUIT_MS : 0);
}

/* ---- the end ---- */

static const struct source_net_fault faults[] = {
	[POP3_OVER_NO] = { SOURCE_OWN, false },
	[POP3_OVER_QUIT] = { SOURCE_FINE, false },
	[POP3_OVER_REFUSED] = { SOURCE_REFUSED, true },
	[POP3_OVER_LOCKED] = { SOURCE_LOCKED, true },
	[POP3_OVER_TOO_SOON] = { SOURCE_REFUSED, true },
	[POP3_OVER_NO_TLS] = { SOURCE_NO_TLS, false },
	[POP3_OVER_NO_AUTH] = { SOURCE_NO_LOGIN, false },
	[POP3_OVER_AUTH] = { SOURCE_NO_LOGIN, true },
	[POP3_OVER_NONSENSE] = { SOURCE_NONSENSE, true },
	[POP3_OVER_LINE] = { SOURCE_NONSENSE, false },
	[POP3_OVER_BROKEN_END] = { SOURCE_NONSENSE, false },
	[POP3_OVER_INJECTED] = { SOURCE_NO_TLS, false },
	[POP3_OVER_UNASKED] = { SOURCE_NONSENSE, false },
	[POP3_OVER_OUTPUT] = { SOURCE_OWN, false },
};

static void
on_over_event(struct source_pop3 *p, enum pop3_client_over why)
{
	if (why == POP3_OVER_AUTH && source_net_again(&p->net))
		return;
	source_net_end(&p->net, faults[why], pop3_client_over_text(why), pop3_client_said(&p->pop3));
}

/* Nothing was to be removed, and all else was answered: that it does not say goodbye is no fault. */
static void
on_lost(struct source_net *n, const char *why)
{
	struct source_pop3 *p = of_net(n);

	source_net_close(n, p->quit && p->pop3.count == 1 && !n->removes ? SOURCE_FINE : SOURCE_LOST, why);
}

static void
on_over(struct source_net *n)
{
	struct source_pop3 *p = of_net(n);
	struct source_problem *problem = &n->problem;

	if (p->pop3_open && problem->fault != SOURCE_FINE) {
		snprintf(problem->answer, sizeof(problem->answer), "%.*s", SPAN_FMT(pop3_client_said(&p->pop3)));
		if (problem->command[0] == '\0')
			pop3_client_command(&p->pop3, problem->command, sizeof(problem->command));
	}
}

/* ---- answers ---- */

static enum source_result
refusal(struct source_pop3 *p, const struct pop3_client_event *ev)
{
	static const struct span gone[] = { SPAN("no such"), SPAN("deleted"), SPAN("not exist"), SPAN("expunged") };

	if (ev->asked == POP3_ASKED_TOP && !p->pop3.has_top && !p->top_works)
		return SOURCE_CANNOT;
	for (size_t i = 0; i < COUNT(gone); i++)
		if (span_find_span_nocase(ev->answer.text, gone[i]) < ev->answer.text.len)
			return SOURCE_GONE;
	return SOURCE_FAILED;
}

/* An account that has no *ENV: its setting is at fault, and nothing else of it would work (INM-18, TRB-08). */
static void
on_env(struct source_pop3 *p, const struct pop3_client_event *ev)
{
	if (ev->answer.kind == POP3_ANSWER_OK)
		return;
	snprintf(p->net.problem.command, sizeof(p->net.problem.command), "*ENV %u", ev->number);
	source_net_close(&p->net, SOURCE_REFUSED, "the server does not know *ENV: switch demon_env off (collect set demon_env=no)");
}

static void
on_answer(struct source_pop3 *p, const struct pop3_client_event *ev)
{
	static const enum source_order orders[POP3_ASKED_KINDS] = {
		[POP3_ASKED_TOP] = SOURCE_HEAD,
		[POP3_ASKED_RETR] = SOURCE_FETCH,
		[POP3_ASKED_DELE] = SOURCE_REMOVE,
		[POP3_ASKED_NOTHING] = SOURCE_KEEP,
	};
	bool ok = ev->answer.kind == POP3_ANSWER_OK;
	enum source_result result = ok ? SOURCE_DONE : refusal(p, ev);

	source_pop3_watch(p);
	if (ev->asked == POP3_ASKED_ENV) {
		on_env(p, ev);
	} else if (ev->asked == POP3_ASKED_UIDL) {
		source_pop3_list_end(p, ok);
	} else if (ev->asked != POP3_ASKED_LIST) {
		p->top_works |= ok && ev->asked == POP3_ASKED_TOP;
		p->net.source.events->answered(&p->net.source, ev->number, orders[ev->asked], result,
			ok ? SPAN("") : pop3_client_said(&p->pop3));
	}
}

static void
on_ready(struct source_pop3 *p, const struct pop3_client_event *ev)
{
	struct source_offer offer = { .count = ev->count, .bytes = ev->size, .has_sizes = true,
		.has_unique = p->pop3.has_uidl || !p->pop3.has_capa,
		.has_head = p->pop3.has_top || !p->pop3.has_capa,
		.remote = p->net.problem.remote, .tls = p->net.problem.tls };

	p->ready = true;
	p->stat_count = ev->count;
	p->empty = ev->count == 0;
	p->net.source.ahead = p->pop3.pipelining ? SOURCE_AHEAD : 1;
	source_net_expect_nothing(&p->net);
	p->net.source.events->ready(&p->net.source, &offer);
}

/* Demon's lines: ..., the third is the reverse-path, the fourth the forward-path (INM-18). */
static void
on_env_line(struct source_pop3 *p, const struct pop3_client_event *ev)
{
	struct source *s = &p->net.source;

	if (ev->count == 1)
		s->envelope_from = s->envelope_to = SPAN_NONE;
	if (ev->count == 3)
		s->envelope_from = (struct span){ p->sender, span_copy_clean(ev->text, p->sender, sizeof(p->sender)) };
	else if (ev->count == 4)
		s->envelope_to = (struct span){ p->recipient,
			span_copy_clean(ev->text, p->recipient, sizeof(p->recipient)) };
}

static void
on_prove(struct source_pop3 *p, const struct pop3_client_event *ev)
{
	char digest[2 * CRYPTO_MD5_SIZE + 1];

	if (ev->kind == POP3_CLIENT_TASK) {
		source_net_prove(&p->net, ev->task);
		return;
	}
	source_net_apop(&p->net, ev->text, digest);
	pop3_client_prove(&p->pop3, span_of(digest), SPAN_NONE, stream_out(&p->net.stream));
}

/* ---- the conversation ---- */

/* False: nothing more is to be had now. */
static bool
on_event(struct source_pop3 *p, const struct pop3_client_event *ev)
{
	switch (ev->kind) {
	case POP3_CLIENT_NEED_BYTES:
	case POP3_CLIENT_NEED_HOLDER:
		return false;
	case POP3_CLIENT_STLS:
		source_net_expect_nothing(&p->net); /* the handshake has its own time */
		source_net_start_tls(&p->net);
		return false;
	case POP3_CLIENT_TASK:
	case POP3_CLIENT_APOP:
		on_prove(p, ev);
		return true;
	case POP3_CLIENT_READY:
		on_ready(p, ev);
		return true;
	case POP3_CLIENT_SIZE:
		source_pop3_list_size(p, ev->number, ev->size);
		return true;
	case POP3_CLIENT_UNIQUE:
		source_pop3_list_unique(p, ev->number, ev->text);
		return true;
	case POP3_CLIENT_ENV:
		on_env_line(p, ev);
		return true;
	case POP3_CLIENT_TEXT:
		return true; /* source_pop3_text() */
	case POP3_CLIENT_ANSWER:
		on_answer(p, ev);
		return true;
	case POP3_CLIENT_OVER:
		on_over_event(p, ev->why);
		return false;
	}
	return false;
}

static void
converse(struct source_pop3 *p)
{
	struct pop3_client_event ev;
	bool more = true;

	if (p->net.held && !source_pop3_offer(p))
		return;
	while (more && !p->net.closing && p->pop3_open && p->net.stream_open) {
		struct span in = stream_peek(&p->net.stream);
		size_t used = pop3_client_next(&p->pop3, in, stream_out(&p->net.stream), &ev);

		if (ev.kind == POP3_CLIENT_TEXT && !source_pop3_text(p, &ev, in, used))
			return;
		if (ev.kind == POP3_CLIENT_STLS) /* nothing of the clear text is left when TLS begins (H3) */
			stream_consume(&p->net.stream, used);
		more = on_event(p, &ev);
		if (ev.kind != POP3_CLIENT_STLS) /* the event's text lies in it */
			stream_consume(&p->net.stream, used);
	}
}

static void
on_input(struct source_net *n)
{
	converse(of_net(n));
}

static void
on_connected(struct source_net *n)
{
	struct source_pop3 *p = of_net(n);
	struct pop3_client_config config = {
		.auth = (enum pop3_client_auth)n->conf->auth,
		.stls = n->conf->tls == COLLECTOR_TLS_STARTTLS,
		.secure = n->conf->tls == COLLECTOR_TLS_IMPLICIT,
		.secret_in_clear = n->conf->tls == COLLECTOR_TLS_NONE,
	};
	struct sasl_nonce nonce;

	if (p->pop3_open)
		pop3_client_fini(&p->pop3);
	p->pop3_open = false;
	if (source_net_account(n, &config.account, &nonce) != OK)
		return;
	pop3_client_init(&p->pop3, &config);
	p->pop3_open = true;
	source_net_expect(n, 0);
}

static void
on_secure(struct source_net *n)
{
	struct source_pop3 *p = of_net(n);

	pop3_client_tls_started(&p->pop3, stream_out(&n->stream));
	source_net_expect(n, 0);
	converse(p);
}

static void
on_proved(struct source_net *n, struct span proof, struct span signature)
{
	struct source_pop3 *p = of_net(n);

	pop3_client_prove(&p->pop3, proof, signature, stream_out(&n->stream));
	converse(p);
}

static void
on_freed(struct source_net *n)
{
	struct source_pop3 *p = of_net(n);

	if (p->pop3_open)
		pop3_client_fini(&p->pop3);
	source_pop3_list_fini(p);
}

/* What waited until the holder's call had returned. */
static void
on_deferred(struct source_net *n)
{
	struct source_pop3 *p = of_net(n);

	if (n->held)
		return;
	if (p->to_list_empty) {
		p->to_list_empty = false;
		n->source.events->listed(&n->source, true);
	}
	if (p->list.ends)
		source_pop3_list_go_on(p);
	converse(p);
}

const struct source_net_events source_pop3_events = {
	.connected = on_connected,
	.input = on_input,
	.secure = on_secure,
	.proved = on_proved,
	.lost = on_lost,
	.deferred = on_deferred,
	.over = on_over,
	.freed = on_freed,
};
