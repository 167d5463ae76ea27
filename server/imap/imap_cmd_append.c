/*
 * imap_cmd_append.c - APPEND (RFC 9051, 6.3.12).
 */
#include "server/imap/imap_session.h"

void
imap_on_append(struct imap_session *imap, const struct imap_event *ev)
{
	if (ev->kind == IMAP_APPEND_ABORT)
		imap_answer(imap, ev->reply);
	else if (ev->kind != IMAP_APPEND_TEXT)
		imap_answer(imap, IMAP_NO("CANNOT", "Not yet"));
}

void
imap_append_drop(struct imap_session *imap)
{
	(void)imap;
}
