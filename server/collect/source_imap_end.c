/*
 * source_imap_end.c - why a session is over, as a collection has it.
 */
#include "server/collect/source_imap.h"

#include <stdio.h>

static const struct {
	enum source_fault fault;
	bool quotes; /* the answer says more than we can */
} faults[] = {
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

void
source_imap_over(struct source_imap *i, const struct imap_client_event *ev)
{
	char text[SOURCE_ANSWER_SIZE];
	bool quotes = faults[ev->why].quotes && ev->answer.len > 0;

	if (ev->why == IMAP_OVER_AUTH && source_net_again(&i->net))
		return;
	i->net.problem.removed_unsure = i->removes && ev->why != IMAP_OVER_LOGOUT;
	snprintf(text, sizeof(text), "%s%s%.*s", imap_client_over_text(ev->why), quotes ? ": " : "",
		quotes ? (int)ev->answer.len : 0, ev->answer.ptr ? ev->answer.ptr : "");
	snprintf(i->net.problem.answer, sizeof(i->net.problem.answer), "%.*s", SPAN_FMT(ev->answer));
	source_net_close(&i->net, faults[ev->why].fault, text);
}
