/*
 * source_imap.c - a folder of an IMAP server as a source: the session, orders, listening, and the end.
 *
 * Up to SOURCE_AHEAD orders wait; the machine makes one command of those of a kind. The unique id of a message is UIDVALIDITY.UID. What is removed is
 * marked as deleted first and expunged when nothing else is under way: before IDLE, and before LOGOUT.
 */
#include "server/collect/source_imap.h"

#include <stdio.h>

#define UNIQUE_SIZE 24 /* "4294967295.4294967295" */

static struct source_imap *
of_source(struct source *s)
{
	return LIST_ITEM(s, struct source_imap, source);
}

static struct source_imap *
of_net(struct source_net *n)
{
	return LIST_ITEM(n, struct source_imap, net);
}

static void converse(struct source_imap *i);

/* ---- what is waited for ---- */

static void
watch(struct source_imap *i)
{
	enum imap_client_stage stage = imap_client_stage(&i->imap);

	if (stage == IMAP_STAGE_READY || (stage == IMAP_STAGE_IDLE && i->imap.idle_going && !i->imap.idle_end_wanted))
		source_net_expect_nothing(&i->net);
	else if (stage == IMAP_STAGE_LOGOUT && i->net.conf->timeout_ms > SOURCE_IMAP_LOGOUT_MS)
		source_net_expect(&i->net, SOURCE_IMAP_LOGOUT_MS);
	else
		source_net_expect(&i->net, 0);
}

static struct buf *
out(struct source_imap *i)
{
	return stream_out(&i->net.stream);
}

/* ---- the end ---- */

/* All was answered and expunged: that it does not say goodbye is no fault. */
static void
on_lost(struct source_net *n, const char *why)
{
	struct source_imap *i = of_net(n);

	if (i->logout && imap_client_stage(&i->imap) == IMAP_STAGE_LOGOUT && !i->removes) {
		source_net_close(n, SOURCE_FINE, "");
		return;
	}
	source_net_lose(n, i->removes, why);
}

static void
on_over(struct source_net *n)
{
	struct source_imap *i = of_net(n);
	struct source_problem *problem = &n->problem;

	loop_call_cancel(&i->call);
	loop_timer_clear(&i->wait);
	if (i->imap_open && problem->fault != SOURCE_FINE)
		imap_client_command(&i->imap, problem->command, sizeof(problem->command));
	i->source.events->over(&i->source, problem);
}

/* ---- when nothing is under way ---- */

static void
log_out(struct source_imap *i)
{
	i->logout = true;
	imap_client_logout(&i->imap, out(i));
}

static void
begin_list(struct source_imap *i)
{
	i->to_list = i->has_news = false;
	imap_client_list(&i->imap, out(i));
}

/* IDLE, or NOOP by and by. */
static void
listen_on(struct source_imap *i)
{
	bool can = i->imap.can & IMAP_CAN_IDLE;

	if (can)
		imap_client_idle(&i->imap, out(i));
	loop_timer_set(i->source.host->loop, &i->wait, can ? SOURCE_IMAP_IDLE_MS : SOURCE_IMAP_POLL_MS);
}

/* What was put off until all is answered. True: it puts something on the wire. */
static bool
go_on(struct source_imap *i)
{
	if (!i->ready || i->logout || i->net.closing || !imap_client_is_quiet(&i->imap))
		return false;
	if ((i->closing || i->listens) && imap_client_has_removed(&i->imap))
		imap_client_expunge(&i->imap, out(i));
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

/* Time for NOOP, or for a new IDLE: routers forget a connection on which nothing is said. */
static void
on_wait(struct loop_timer *timer)
{
	struct source_imap *i = LIST_ITEM(timer, struct source_imap, wait);

	if (i->net.closing || !i->listens)
		return;
	if (imap_client_is_quiet(&i->imap))
		imap_client_noop(&i->imap, out(i));
	else
		imap_client_idle_end(&i->imap, out(i));
	watch(i);
	converse(i);
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
	i->source.events->news(&i->source);
}

/* ---- events ---- */

static void
on_ready(struct source_imap *i)
{
	const struct imap_client_folder *folder = &i->imap.folder;
	struct source_offer offer = { .count = folder->exists, .bytes = SOURCE_SIZE_UNKNOWN, .has_sizes = true,
		.has_unique = folder->uidvalidity != 0 && !folder->unsticky, .has_head = true,
		.remote = i->net.problem.remote, .tls = i->net.problem.tls };

	i->ready = true;
	i->source.ahead = SOURCE_AHEAD;
	i->source.events->ready(&i->source, &offer);
}

static bool
has_unique(const struct source_imap *i)
{
	return i->imap.folder.uidvalidity != 0 && !i->imap.folder.unsticky;
}

/* Marked as deleted, by whom ever: it is there, but nobody wants it any more. */
static void
on_item(struct source_imap *i, const struct imap_client_event *ev)
{
	char unique[UNIQUE_SIZE];
	struct source_item item = { .number = ev->uid, .size = ev->size,
		.unwanted = (ev->flags & IMAP_FLAG_DELETED) ||
			    (i->source.conf->unseen_only && (ev->flags & IMAP_FLAG_SEEN)) };

	if (has_unique(i)) {
		snprintf(unique, sizeof(unique), "%u.%u", (unsigned)i->imap.folder.uidvalidity, (unsigned)ev->uid);
		item.unique = span_of(unique);
	}
	i->source.events->item(&i->source, &item);
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
		i->source.events->listed(&i->source, has_unique(i));
		return true;
	case IMAP_CLIENT_ANSWER:
		i->removes |= ev->stage == IMAP_STAGE_DELETE && ev->result == IMAP_RESULT_OK;
		return source_imap_answer(i, ev);
	case IMAP_CLIENT_EXPUNGED:
		i->removes = false;
		return true;
	case IMAP_CLIENT_NEWS:
		i->has_news = true;
		imap_client_idle_end(&i->imap, out(i));
		return true;
	case IMAP_CLIENT_IDLED:
		on_idled(i);
		return true;
	case IMAP_CLIENT_OVER:
		source_imap_over(i, ev);
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
	size_t used = imap_client_next(&i->imap, in, out(i), &ev), left;

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
	if (ev.kind != IMAP_CLIENT_TASK && ev.kind != IMAP_CLIENT_STARTTLS && !i->held && !i->net.closing &&
		(ev.kind != IMAP_CLIENT_NEED_BYTES || i->imap.tag != tag || i->imap.idle_going != idles))
		watch(i); /* a line that says nothing does not set it anew (H20) */
	return more;
}

static void
converse(struct source_imap *i)
{
	bool more = true;

	if (i->held && !source_imap_go_on(i))
		return;
	while (more && !i->held && !i->net.closing && i->imap_open && i->net.stream_open)
		more = next_event(i) || go_on(i);
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

	imap_client_tls_started(&i->imap, out(i));
	watch(i);
	converse(i);
}

static void
on_proved(struct source_net *n, struct span proof, struct span signature)
{
	struct source_imap *i = of_net(n);

	imap_client_prove(&i->imap, proof, signature, out(i));
	watch(i);
	converse(i);
}

static void
on_freed(struct source_net *n)
{
	struct source_imap *i = of_net(n);

	loop_call_cancel(&i->call);
	loop_timer_clear(&i->wait);
	if (i->imap_open)
		imap_client_fini(&i->imap);
	source_release(&i->source);
}

static const struct source_net_events net_events = {
	.connected = on_connected,
	.input = on_input,
	.secure = on_secure,
	.proved = on_proved,
	.lost = on_lost,
	.over = on_over,
	.freed = on_freed,
};

/* ---- what the holder asks ---- */

static bool
is_usable(const struct source_imap *i)
{
	return i->ready && !i->net.closing && i->net.stream_open && !i->closing;
}

/* What waited until the holder's call had returned. */
static void
on_call(struct loop_call *call)
{
	struct source_imap *i = LIST_ITEM(call, struct source_imap, call);

	if (i->net.closing || !i->imap_open || !i->net.stream_open)
		return;
	go_on(i);
	converse(i);
}

static void
defer(struct source_imap *i)
{
	loop_defer(i->source.host->loop, &i->call);
}

static void
start(struct source *s)
{
	struct source_imap *i = of_source(s);
	uint16_t port = s->conf->tls == COLLECTOR_TLS_IMPLICIT ? SOURCE_IMAPS_PORT : SOURCE_IMAP_PORT;

	loop_call_init(&i->call, on_call);
	loop_timer_init(&i->wait, on_wait);
	source_net_init(&i->net, s, &net_events, port);
	source_net_start(&i->net);
}

static void
list(struct source *s)
{
	struct source_imap *i = of_source(s);

	if (!is_usable(i))
		return;
	i->listens = false;
	i->to_list = true;
	imap_client_idle_end(&i->imap, out(i));
	defer(i);
}

static void
order(struct source *s, enum source_order what, uint32_t number)
{
	static const enum imap_client_stage stages[] = {
		[SOURCE_HEAD] = IMAP_STAGE_HEAD,
		[SOURCE_FETCH] = IMAP_STAGE_FETCH,
		[SOURCE_REMOVE] = IMAP_STAGE_DELETE,
		[SOURCE_KEEP] = IMAP_STAGE_SEEN,
	};
	struct source_imap *i = of_source(s);
	bool marks = s->conf->mark_seen && !i->imap.folder.read_only;

	if (!is_usable(i))
		return;
	i->listens = false;
	if (!imap_client_has_room(&i->imap)) {
		source_net_close(&i->net, SOURCE_OWN, "more orders than can be under way");
		return;
	}
	imap_client_order(&i->imap, what == SOURCE_KEEP && !marks ? IMAP_STAGE_KEEP : stages[what], number);
	defer(i); /* behind it there may be more, and one command for all */
}

static void
resume(struct source *s)
{
	source_net_resume(&of_source(s)->net);
}

static void
idle(struct source *s)
{
	struct source_imap *i = of_source(s);

	if (!is_usable(i))
		return;
	i->listens = true;
	defer(i);
}

static void
close_it(struct source *s)
{
	struct source_imap *i = of_source(s);

	if (i->closing)
		return;
	if (!is_usable(i)) {
		source_net_close(&i->net, SOURCE_FINE, "");
		return;
	}
	i->closing = true;
	imap_client_idle_end(&i->imap, out(i));
	defer(i);
}

static void
cut(struct source *s)
{
	source_net_lose(&of_source(s)->net, of_source(s)->removes, "it was told to stop");
}

static void
free_it(struct source *s)
{
	source_net_drop(&of_source(s)->net, s);
}

const struct source_kind source_imap = {
	.with = "IMAP",
	.size = sizeof(struct source_imap),
	.start = start,
	.list = list,
	.order = order,
	.resume = resume,
	.idle = idle,
	.close = close_it,
	.cut = cut,
	.free = free_it,
};
