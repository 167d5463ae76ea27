/*
 * append_text.h - the text of an appended message on its way into an intake.
 *
 * A line that ends in LF alone gets its CR, as in all that is stored: what goes out again by SMTP or
 * POP3 must never hold a bare one (H1). What came as literal8 is bytes, not lines, and stays as it is: it
 * is binary (RFC 3516, 4.1), which no SMTP without BINARYMIME takes anyhow. Text that intake has no room for is kept here until it has; it is no
 * more than one read of the stream brought.
 */
#ifndef SERVER_IMAP_APPEND_TEXT_H
#define SERVER_IMAP_APPEND_TEXT_H

#include "server/queue/intake.h"

struct append_text {
	struct span piece; /* the next to go */
	struct span rest;  /* what comes behind it */
	char *kept;	   /* both of them, when there was no room; or NULL */
	bool as_is;	   /* a literal8 */
	bool cr;	   /* the byte before REST was a CR */
};

/* TEXT comes; it need live during the call only. ERR_BUSY: call append_text_go_on() when there is room. */
MUST_CHECK enum err append_text_put(struct append_text *t, struct intake *in, struct span text);
MUST_CHECK enum err append_text_go_on(struct append_text *t, struct intake *in);
void append_text_fini(struct append_text *t);

#endif
