/*
 * html_text.h - HTML as plain text, for eyes that will not be tricked (H72).
 *
 * Not a browser: tags go, blocks and line breaks become line ends, scripts, styles and comments go
 * with what is in them, the common entities become their characters. Links and images are not shown, nothing is fetched.
 * One pass; linear; the text is for display, so it still goes through utf8_put_printable() at the last.
 */
#ifndef PROTO_MIME_HTML_TEXT_H
#define PROTO_MIME_HTML_TEXT_H

#include "proto/base/buf.h"
#include "proto/base/span.h"

/* Append HTML, in UTF-8, as text with LF line ends. ERR_LIMIT: OUT is full. */
MUST_CHECK enum err html_text_put(struct buf *out, struct span html);

#endif
