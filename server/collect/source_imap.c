/*
 * source_imap.c - a folder of an IMAP server as a source: what the holder asks for.
 *
 * Up to SOURCE_AHEAD orders wait; the machine makes one command of those of a kind. The unique id of a message is
 * UIDVALIDITY.UID. What is removed is marked as deleted first and expunged when nothing else is under way: before IDLE,
 * and before LOGOUT.
 */
#include "server/collect/source_imap.h"

static struct source_imap *
of_source(struct source *s)
{
	return LIST_ITEM(s, struct source_imap, net.source);
}

static bool
is_usable(const struct source_imap *i)
{
	return i->ready && !i->net.closing && i->net.stream_open && !i->closing;
}

static void
start(struct source *s)
{
	struct source_imap *i = of_source(s);

	loop_timer_init(&i->wait, source_imap_wait);
	source_net_start(&i->net, &source_imap_events, SOURCE_IMAP_PORT, SOURCE_IMAPS_PORT);
}

static void
list(struct source *s)
{
	struct source_imap *i = of_source(s);

	if (!is_usable(i))
		return;
	i->listens = false;
	i->to_list = true;
	imap_client_idle_end(&i->imap, source_imap_out(i));
	source_net_defer(&i->net);
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
	source_net_defer(&i->net); /* behind it there may be more, and one command for all */
}

static void
idle(struct source *s)
{
	struct source_imap *i = of_source(s);

	if (!is_usable(i))
		return;
	i->listens = true;
	source_net_defer(&i->net);
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
	imap_client_idle_end(&i->imap, source_imap_out(i));
	source_net_defer(&i->net);
}

const struct source_kind source_imap = {
	.with = "IMAP",
	.size = sizeof(struct source_imap),
	.start = start,
	.list = list,
	.order = order,
	.resume = source_net_resume,
	.idle = idle,
	.close = close_it,
	.cut = source_net_cut,
	.free = source_net_free,
};
