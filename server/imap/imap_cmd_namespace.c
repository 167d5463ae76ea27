/*
 * imap_cmd_namespace.c - NAMESPACE (RFC 9051, 6.3.10; RFC 2342).
 */
#include "server/imap/imap_session.h"

enum imap_turn
imap_cmd_namespace(struct imap_session *imap, struct imap_cursor *args)
{
	if (!imap_take_end(args))
		return imap_bad_arguments(imap, args);
	imap_put(buf_put(imap_out(imap),
		SPAN("* NAMESPACE ((\"\" \"/\")) ((\"Other users/\" \"/\")) ((\"Shared/\" \"/\"))\r\n")));
	return imap_end(imap, IMAP_OK("These are the namespaces"));
}
