/*
 * mbox.h - messages into an mbox file of the form mboxrd, and out of one: lines end in LF, and every line of the message
 * that is "From " behind any number of '>' gets one '>' more, so that reading it back is exact.
 */
#ifndef PROTO_MAIL_MBOX_H
#define PROTO_MAIL_MBOX_H

#include "proto/base/arena.h"
#include "proto/base/buf.h"

struct mbox_put {
	bool in_line;   /* behind the first bytes of a line: nothing to be quoted */
	bool is_ended;  /* the last byte was a line's end */
	size_t quotes;  /* '>' at the front of the line, held back */
	size_t matched; /* bytes of "From " behind them, held back */
	bool cr;        /* a CR, held back: it goes where LF follows */
};

/* The line in front of a message. SENDER may be empty; TIME_S in UTC. ERR_LIMIT: OUT is full. */
MUST_CHECK enum err mbox_begin(
	struct mbox_put *m, struct span sender, int64_t time_s, struct buf *out);
/* Its bytes in pieces of any size. */
MUST_CHECK enum err mbox_text(struct mbox_put *m, struct span text, struct buf *out);
/* What was held back, and the empty line behind a message. */
MUST_CHECK enum err mbox_end(struct mbox_put *m, struct buf *out);

/* Where the next message begins ("From " behind an empty line), or TEXT.len. */
size_t mbox_border(struct span text, size_t from);
/* A message without the empty line behind it, which is the separator's (RFC 4155, appendix A). */
struct span mbox_trim(struct span text);
/* One without its "From " line, and ">From " as it was; in A. */
struct span mbox_unquote(struct arena *a, struct span text);

#endif
