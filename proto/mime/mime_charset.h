/*
 * mime_charset.h - text in the charsets of mail to UTF-8.
 *
 * US-ASCII, UTF-8, ISO-8859-1 and windows-1252 are told here; the rest goes through iconv, which
 * mime_charset.c hides. Only the charsets of its table exist: what a message names never reaches
 * iconv_open(), whose tables are not all made for hostile text.
 *
 * What cannot be said becomes U+FFFD. US-ASCII that has 8-bit bytes is taken for UTF-8, and UTF-8 that is
 * none for windows-1252, byte by byte; ISO-8859-1 is windows-1252, as everywhere in mail.
 */
#ifndef PROTO_MIME_MIME_CHARSET_H
#define PROTO_MIME_MIME_CHARSET_H

#include "proto/base/buf.h"
#include "proto/base/span.h"

enum mime_charset_number { /* those that the record knows by number; the rest follows the table */
	MIME_CHARSET_NONE,
	MIME_CHARSET_ASCII,
	MIME_CHARSET_UTF8,
	MIME_CHARSET_LATIN1,
	MIME_CHARSET_WINDOWS_1252,
};

/* By any name that mail uses, letter case does not count. MIME_CHARSET_NONE: not one we know. */
unsigned mime_charset_find(struct span name);
/* "iso-2022-jp"; empty for MIME_CHARSET_NONE. */
struct span mime_charset_name(unsigned number);

#define MIME_CHARSET_HELD 16 /* bytes of a character that may be cut by the end of a piece */

struct mime_charset {
	unsigned number;
	void *iconv; /* NULL: not needed */
	char held[MIME_CHARSET_HELD];
	size_t held_len;
};

/* NUMBER: MIME_CHARSET_NONE is read as US-ASCII. ERR_NOT_FOUND: this system's iconv lacks it. */
MUST_CHECK enum err mime_charset_open(struct mime_charset *c, unsigned number);
/* Append TEXT, a piece of any size. ERR_LIMIT: OUT is full. */
MUST_CHECK enum err mime_charset_put(struct mime_charset *c, struct span text, struct buf *out);
/* The end: what is held is half a character. Closes too. */
MUST_CHECK enum err mime_charset_end(struct mime_charset *c, struct buf *out);
void mime_charset_close(struct mime_charset *c); /* once, or again; also after end */

/* Append TEXT that is no UTF-8; what is valid in it stays. Sets out->overflow. */
void mime_put_windows_1252(struct buf *out, struct span text);

#endif
