/*
 * imap_sync.c - what became of the selected folder since the client last heard.
 */
#include "server/imap/imap_sync.h"

#include "server/imap/imap_session.h"

enum imap_turn
imap_sync(struct imap_session *imap, bool with_expunge)
{
	(void)imap;
	(void)with_expunge;
	return IMAP_DONE;
}

enum imap_turn
imap_load_view(struct imap_session *imap)
{
	(void)imap;
	return IMAP_DONE;
}

void
imap_unselect(struct imap_session *imap)
{
	(void)imap;
}
