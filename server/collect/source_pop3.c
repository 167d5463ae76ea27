/*
 * source_pop3.c - a POP3 mailbox as a source (INM-02): what the holder asks for.
 *
 * Orders are commands; where the server takes them ahead (PIPELINING) up to SOURCE_AHEAD are under way. What is removed is
 * gone at +OK to QUIT, not before (RFC 1939, 6).
 */
#include "server/collect/source_pop3.h"

static struct source_pop3 *
of_source(struct source *s)
{
	return LIST_ITEM(s, struct source_pop3, net.source);
}

static bool
is_usable(const struct source_pop3 *p)
{
	return p->ready && !p->net.closing && p->net.stream_open && !p->quit;
}

static void
ask(struct source_pop3 *p, enum pop3_asked_kind kind, uint32_t number)
{
	bool was_idle = p->pop3.count == 0;
	uint64_t size = kind == POP3_ASKED_RETR ? source_pop3_size(p, number) : POP3_SIZE_UNKNOWN;

	if (pop3_client_ask(&p->pop3, kind, number, size, stream_out(&p->net.stream)) != OK)
		source_net_close(&p->net, SOURCE_OWN, "more orders than can be under way");
	else if (was_idle)
		source_pop3_watch(p);
}

static void
start(struct source *s)
{
	source_net_start(&of_source(s)->net, &source_pop3_events, SOURCE_POP3_PORT, SOURCE_POP3S_PORT);
}

static void
list(struct source *s)
{
	struct source_pop3 *p = of_source(s);

	if (!is_usable(p))
		return;
	source_pop3_list_begin(p);
	if (p->empty) {
		p->to_list_empty = true;
		source_net_defer(&p->net);
		return;
	}
	ask(p, POP3_ASKED_LIST, 0);
	ask(p, POP3_ASKED_UIDL, 0);
}

static void
order(struct source *s, enum source_order what, uint32_t number)
{
	static const enum pop3_asked_kind kinds[] = {
		[SOURCE_HEAD] = POP3_ASKED_TOP,
		[SOURCE_FETCH] = POP3_ASKED_RETR,
		[SOURCE_REMOVE] = POP3_ASKED_DELE,
		[SOURCE_KEEP] = POP3_ASKED_NOTHING,
	};
	struct source_pop3 *p = of_source(s);

	if (!is_usable(p))
		return;
	if (what == SOURCE_FETCH && s->conf->demon_env)
		ask(p, POP3_ASKED_ENV, number);
	p->net.removes |= what == SOURCE_REMOVE;
	ask(p, kinds[what], number);
	if (what == SOURCE_KEEP)
		source_net_defer(&p->net); /* it has no bytes of its own that would bring its answer */
}

static void
close_it(struct source *s)
{
	struct source_pop3 *p = of_source(s);

	if (p->quit)
		return;
	if (!is_usable(p)) {
		source_net_close(&p->net, SOURCE_FINE, "");
		return;
	}
	p->quit = true;
	pop3_client_quit(&p->pop3, stream_out(&p->net.stream));
	source_pop3_watch(p);
}

const struct source_kind source_pop3 = {
	.with = "POP3",
	.size = sizeof(struct source_pop3),
	.start = start,
	.list = list,
	.order = order,
	.resume = source_net_resume,
	.close = close_it,
	.cut = source_net_cut,
	.free = source_net_free,
};
