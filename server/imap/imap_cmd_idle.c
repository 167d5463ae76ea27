/*
 * imap_cmd_idle.c - IDLE (RFC 9051, 6.3.13): from here on news come by themselves, see imap_dispatch.c.
 */
#include "server/imap/imap_session.h"

enum imap_turn
imap_cmd_idle(struct imap_session *imap, struct imap_cursor *args)
{
	if (!imap_take_end(args))
		return imap_bad_arguments(imap, args);
	imap_server_idle(&imap->machine, imap_out(imap));
	imap->idling = true;
	host_snapshot_close(imap->session.host); /* it may be older than the watch on the folder */
	/* as long as between any two commands; a client says DONE before that (RFC 9051, 5.4) */
	session_set_deadline(&imap->session, imap->session.conf->timeouts_imap_ms, CLOSE_IDLE);
	return IMAP_DONE;
}
