/*
 * source_pop3_text.c - the text of messages, and a holder who does not take it.
 *
 * It stays in the input of the stream, which is read no further, so that a provider waits as long as our disk does.
 */
#include "server/collect/source_pop3.h"

bool
source_pop3_text(struct source_pop3 *p, const struct pop3_client_event *ev, struct span in, size_t used)
{
	bool is_static = ev->text.ptr < in.ptr || ev->text.ptr >= in.ptr + in.len;

	if (source_net_offer(&p->net, ev->number, ev->text))
		return true;
	p->held_text = (struct span){ is_static ? ev->text.ptr : NULL, ev->text.len };
	p->held_at = is_static ? 0 : (size_t)(ev->text.ptr - in.ptr);
	p->held_used = used;
	p->held_number = ev->number;
	return false;
}

bool
source_pop3_offer(struct source_pop3 *p)
{
	struct span in = stream_peek(&p->net.stream), text = p->held_text;

	if (!text.ptr)
		text = span_range(in, p->held_at, p->held_at + text.len);
	if (!source_net_offer(&p->net, p->held_number, text))
		return false;
	stream_consume(&p->net.stream, p->held_used);
	return true;
}
