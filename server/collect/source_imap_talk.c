/*
 * source_imap_talk.c - the session with an IMAP server, from its greeting to its end: what the machine says, what is waited
 * for, and what is put off until all is answered.
 */
#include "server/collect/source_imap.h"

#include <stdio.h>

#define UNIQUE_SIZE 24 /* "4294967295.4294967295" */

static struct source_imap *
of_net(struct source_net *n)
{
	return LIST_ITEM(n, struct source_imap, net);
}

/* ---- what is waited for ---- */

static void
watch(struct source_imap *i)
{
	enum imap_client_stage stage = imap_client_stage(&i->imap);

	if (stage == IMAP_STAGE_READY || (stage == IMAP_STAGE_IDLE && i->imap.idle_going && !i->imap.idle_end_wanted))
		source_net_expect_nothing(&i->net);
	else
		source_net_expect(&i->net, stage == IMAP_STAGE_LOGOUT ? SOURCE_IMAP_LOGOUT_MS : 0);
}

/* ---- the end ---- */

static const struct source_net_fault faults[] = {
	[IMAP_OVER_NO] = { SOURCE_OWN, false },
	[IMAP_OVER_LOGOUT] = { SOURCE_FINE, false },
	[IMAP_OVER_BYE] = { SOURCE_REFUSED, true },
	[IMAP_OVER_REFUSED] = { SOURCE_REFUSED, true },
	[IMAP_OVER_BUSY] = { SOURCE_LOCKED, true },
	[IMAP_OVER_NO_TLS] = { SOURCE_NO_TLS, false },
	[IMAP_OVER_NO_AUTH] = { SOURCE_NO_LOGIN, false },
	[IMAP_OVER_AUTH] = { SOURCE_NO_LOGIN, true },
	[IMAP_OVER_NONSENSE] = { SOURCE_NONSENSE, true },
	[IMAP_OVER_LIMIT] = { SOURCE_NONSENSE, true },
	[IMAP_OVER_INJECTED] = { SOURCE_NO_TLS, false },
	[IMAP_OVER_UNASKED] = { SOURCE_NONSENSE, true },
	[IMAP_OVER_OUTPUT] = { SOURCE_OWN, false },
};

static void
on_machine_over(struct source_imap *i, const struct imap_client_event *ev)
{
	if (ev->why == IMAP_OVER_AUTH && source_net_again(&i->net))
		return;
	snprintf(i->net.problem.answer, sizeof(i->net.problem.answer), "%.*s", SPAN_FMT(ev->answer));
	source_net_end(&i->net, faults[ev->why], imap_client_over_text(ev->why), ev->answer);
}

/* All was answered and expunged: that it does not say goodbye is no fault. */
static void
on_lost(struct source_net *n, const char *why)
{
	struct source_imap *i = of_net(n);
	bool said_all = i->logout && imap_client_stage(&i->imap) == IMAP_STAGE_LOGOUT && !n->removes;

	source_net_close(n, said_all ? SOURCE_FINE : SOURCE_LOST, why);
}

static void
on_over(struct source_net *n)
{
	struct source_imap *i = of_net(n);
	struct source_problem *problem = &n->problem;

	loop_timer_clear(&i->wait);
	if (i->imap_open && problem->fault != SOURCE_FINE)
		imap_client_command(&i->imap, problem->command, sizeof(problem->command));
}

/* ---- when nothing is under way ---- */

static void
log_out(struct source_imap *i)
{
	i->logout = true;
	imap_client_logout(&i->imap, source_imap_out(i));
}

static void
begin_list(struct source_imap *i)
{
	i->to_list = i->has_news = false;
	imap_client_list(&i->imap, source_imap_out(i));
}

/* IDLE, or NOOP by and by. */
static void
listen_on(struct source_imap *i)
{
	bool can = i->imap.can & IMAP_CAN_IDLE;

	if (can)
		imap_client_idle(&i->imap, source_imap_out(i));
	loop_timer_set(i->net.source.host->loop, &i->wait, can ? SOURCE_IMAP_IDLE_MS : SOURCE_IMAP_POLL_MS);
}

/* What was put off until all is answered. True: it puts something on the wire. */
static bool
go_on(struct source_imap *i)
{
	if (!i->ready || i->logout || i->net.closing || !imap_client_is_quiet(&i->imap))
		return false;
	if ((i->closing || i->listens) && imap_client_has_removed(&i->imap))
		imap_client_expunge(&i->imap, source_imap_out(i));
	else if (i->closing)
		log_out(i);
	else if (i->to_list)
		begin_list(i);
	else if (i->listens && i->has_news)
		return false; /* the holder is told of it */
	else if (i->listens && !loop_timer_is_set(&i->wait))
		listen_on(i);
	else
		return false;
	watch(i);
	return true;
}

/* IDLE or NOOP has ended. */
static void
on_idled(struct source_imap *i)
{
	bool tells = i->has_news && i->listens && !i->closing && !i->to_list;

	loop_timer_clear(&i->wait);
	if (!tells)
		return;
	i->listens = i->has_news = false;
	i->net.source.events->news(&i->net.source);
}

/* ---- events ---- */

static bool
has_unique(const struct source_imap *i)
{
	const struct imap_client_folder *folder = &i->imap.folder;

	return folder->uidvalidity != 0 && !folder->unsticky;
}

static void
on_ready(struct source_imap *i)
{
	struct source_offer offer = { .count = i->imap.folder.exists, .bytes = SOURCE_SIZE_UNKNOWN,
		.has_sizes = true, .has_unique = has_unique(i), .has_head = true,
		.epoch = has_unique(i) ? i->imap.folder.uidvalidity : 0,
		.remote = i->net.problem.remote, .tls = i->net.problem.tls };

	i->ready = true;
	i->net.source.ahead = SOURCE_AHEAD;
	i->net.source.events->ready(&i->net.source, &offer);
}

/* Marked as deleted, by whom ever: it is there, but nobody wants it any more. */
static void
on_item(struct source_imap *i, const struct imap_client_event *ev)
{
	char unique[UNIQUE_SIZE];
	struct source_item item = { .number = ev->uid, .size = ev->size,
		.unwanted = (ev->flags & IMAP_FLAG_DELETED) ||
			    (i->net.source.conf->unseen_only && (ev->flags & IMAP_FLAG_SEEN)) };

	if (has_unique(i)) {
		snprintf(unique, sizeof(unique), "%u.%u", (unsigned)i->imap.folder.uidvalidity, (unsigned)ev->uid);
		item.unique = span_of(unique);
	}
	i->net.source.events->item(&i->net.source, &item);
}

/* False: nothing more is to be had now. */
static bool
on_event(struct source_imap *i, const struct imap_client_event *ev)
{
	switch (ev->kind) {
	case IMAP_CLIENT_NEED_BYTES:
	case IMAP_CLIENT_NEED_HOLDER:
	case IMAP_CLIENT_TEXT: /* converse() */
		return false;
	case IMAP_CLIENT_STARTTLS:
		source_net_expect_nothing(&i->net); /* the handshake has its own time */
		source_net_start_tls(&i->net);
		return false;
	case IMAP_CLIENT_TASK:
		source_net_prove(&i->net, ev->task);
		return false;
	case IMAP_CLIENT_READY:
		on_ready(i);
		return true;
	case IMAP_CLIENT_ITEM:
		on_item(i, ev);
		return true;
	case IMAP_CLIENT_LISTED:
		i->net.source.events->listed(&i->net.source, has_unique(i));
		return true;
	case IMAP_CLIENT_ANSWER:
		i->net.removes |= ev->stage == IMAP_STAGE_DELETE && ev->result == IMAP_RESULT_OK;
		return source_imap_answer(i, ev);
	case IMAP_CLIENT_EXPUNGED:
		i->net.removes = false;
		return true;
	case IMAP_CLIENT_NEWS:
		i->has_news = true;
		imap_client_idle_end(&i->imap, source_imap_out(i));
		return true;
	case IMAP_CLIENT_IDLED:
		on_idled(i);
		return true;
	case IMAP_CLIENT_OVER:
		on_machine_over(i, ev);
		return false;
	}
	return false;
}

/* The next event, as far as its text is taken; the deadline follows from what is asked then. False: no more. */
static bool
next_event(struct source_imap *i)
{
	struct imap_client_event ev;
	struct span in = stream_peek(&i->net.stream);
	uint32_t tag = i->imap.tag;
	bool idles = i->imap.idle_going, more;
	size_t used = imap_client_next(&i->imap, in, source_imap_out(i), &ev), left;

	if (ev.kind == IMAP_CLIENT_TEXT) {
		left = source_imap_text(i, ev.uid, ev.text);
		if (left > 0)
			imap_client_again(&i->imap, left);
		stream_consume(&i->net.stream, used - left);
		return left == 0;
	}
	if (ev.kind == IMAP_CLIENT_STARTTLS) /* nothing of the clear text is left when TLS begins (H3) */
		stream_consume(&i->net.stream, used);
	more = on_event(i, &ev);
	if (ev.kind != IMAP_CLIENT_STARTTLS)
		stream_consume(&i->net.stream, used);
	if (ev.kind != IMAP_CLIENT_TASK && ev.kind != IMAP_CLIENT_STARTTLS && !i->net.held && !i->net.closing &&
		(ev.kind != IMAP_CLIENT_NEED_BYTES || i->imap.tag != tag || i->imap.idle_going != idles))
		watch(i); /* a line that says nothing does not set it anew (H20) */
	return more;
}

static void
converse(struct source_imap *i)
{
	bool more = true;

	if (i->net.held && !source_imap_go_on(i))
		return;
	while (more && !i->net.held && !i->net.closing && i->imap_open && i->net.stream_open)
		more = next_event(i) || go_on(i);
}

void
source_imap_wait(struct loop_timer *timer)
{
	struct source_imap *i = LIST_ITEM(timer, struct source_imap, wait);

	if (i->net.closing || !i->listens)
		return;
	if (imap_client_is_quiet(&i->imap))
		imap_client_noop(&i->imap, source_imap_out(i));
	else
		imap_client_idle_end(&i->imap, source_imap_out(i));
	watch(i);
	converse(i);
}

/* ---- the connection ---- */

static void
on_input(struct source_net *n)
{
	converse(of_net(n));
}

static void
on_connected(struct source_net *n)
{
	static const unsigned mechanisms[] = {
		[COLLECTOR_AUTH_PLAIN] = SASL_CLIENT_BIT(SASL_CLIENT_PLAIN),
		[COLLECTOR_AUTH_SASL_PLAIN] = SASL_CLIENT_BIT(SASL_CLIENT_PLAIN),
		[COLLECTOR_AUTH_APOP] = 0, /* is POP3's alone */
		[COLLECTOR_AUTH_CRAM_MD5] = SASL_CLIENT_BIT(SASL_CLIENT_CRAM_MD5),
		[COLLECTOR_AUTH_XOAUTH2] = SASL_CLIENT_WITH_TOKEN,
	};
	struct source_imap *i = of_net(n);
	struct imap_client_config config = {
		.tls = n->conf->tls == COLLECTOR_TLS_STARTTLS ? IMAP_CLIENT_TLS_REQUIRED : IMAP_CLIENT_TLS_NONE,
		.secure = n->conf->tls == COLLECTOR_TLS_IMPLICIT,
		.secret_in_clear = n->conf->tls == COLLECTOR_TLS_NONE,
		.login = n->conf->auth == COLLECTOR_AUTH_PLAIN,
		.mechanisms = mechanisms[n->conf->auth],
		.folder = n->conf->folder,
	};

	if (i->imap_open)
		imap_client_fini(&i->imap);
	i->imap_open = false;
	if (source_net_account(n, &config.account, &config.nonce) != OK)
		return;
	imap_client_init(&i->imap, &config);
	i->imap_open = true;
	source_net_expect(n, 0);
}

static void
on_secure(struct source_net *n)
{
	struct source_imap *i = of_net(n);

	imap_client_tls_started(&i->imap, source_imap_out(i));
	watch(i);
	converse(i);
}

static void
on_proved(struct source_net *n, struct span proof, struct span signature)
{
	struct source_imap *i = of_net(n);

	imap_client_prove(&i->imap, proof, signature, source_imap_out(i));
	watch(i);
	converse(i);
}

static void
on_freed(struct source_net *n)
{
	struct source_imap *i = of_net(n);

	loop_timer_clear(&i->wait);
	if (i->imap_open)
		imap_client_fini(&i->imap);
}

/* What waited until the holder's call had returned. */
static void
on_deferred(struct source_net *n)
{
	go_on(of_net(n));
	converse(of_net(n));
}

const struct source_net_events source_imap_events = {
	.connected = on_connected,
	.input = on_input,
	.secure = on_secure,
	.proved = on_proved,
	.lost = on_lost,
	.deferred = on_deferred,
	.over = on_over,
	.freed = on_freed,
};
