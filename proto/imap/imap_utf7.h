/*
 * imap_utf7.h - mailbox names: modified UTF-7 on the wire (RFC 3501, 5.1.3), UTF-8 inside; and what
 * a folder may be called (H24).
 */
#ifndef PROTO_IMAP_IMAP_UTF7_H
#define PROTO_IMAP_IMAP_UTF7_H

#include "proto/base/arena.h"
#include "proto/base/buf.h"

#define IMAP_NAME_MAX 200  /* bytes of a folder's name, UTF-8 */
#define IMAP_LEVELS_MAX 20 /* of a folder's name */

/* Append the other form. ERR_SYNTAX: TEXT is not of its form, and only of it; OUT is then as it was. */
MUST_CHECK enum err imap_utf7_decode(struct span text, struct buf *out);
MUST_CHECK enum err imap_utf7_encode(struct span text, struct buf *out);

/*
 * May a folder have this name? UTF-8, no control characters and none that is invisible, levels parted
 * by '/', none of them empty, "." or "..". ERR_SYNTAX; ERR_LIMIT: too long or too deep.
 */
MUST_CHECK enum err imap_name_check(struct span name);

/*
 * WIRE, an argument, as the name of a folder: decoded (UTF8: it is UTF-8 already), checked, INBOX in
 * capitals where it is the first level. One trailing '/' is dropped (RFC 9051, 6.3.4). In A.
 */
MUST_CHECK enum err imap_name_of(struct arena *a, struct span wire, bool utf8, struct span *name);

/* Is it INBOX, or below it? Any letter case. */
bool imap_name_is_inbox(struct span name);

#endif
