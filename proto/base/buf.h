/*
 * buf.h - output that grows up to a limit, then says ERR_LIMIT.
 *
 * The bytes are taken from the front as they are sent. A refused put leaves the buffer as it was,
 * and sets `overflow`, so a chain of puts may be checked once at its end.
 */
#ifndef PROTO_BASE_BUF_H
#define PROTO_BASE_BUF_H

#include "proto/base/span.h"

struct buf {
	char *bytes;
	size_t start; /* what is before it has been consumed */
	size_t len;   /* end of what is filled */
	size_t size;  /* allocated */
	size_t max;   /* never holds more than this */
	bool overflow;
	bool wipes; /* what it gives back is overwritten, also when it grows: it may hold secrets (H66) */
};

void buf_init(struct buf *b, size_t max);
void buf_fini(struct buf *b); /* frees; the buffer can be used again */
void buf_wipe(struct buf *b); /* buf_fini() of one that may hold secrets */

static inline struct span
buf_span(const struct buf *b)
{
	return (struct span){ b->bytes ? b->bytes + b->start : NULL, b->len - b->start };
}

void buf_consume(struct buf *b, size_t used); /* gives all memory back once it is empty */
void buf_clear(struct buf *b);                /* forgets the content and `overflow`, keeps the memory */

MUST_CHECK enum err buf_put(struct buf *b, struct span bytes);
MUST_CHECK enum err buf_put_char(struct buf *b, char c);
MUST_CHECK enum err buf_put_u64(struct buf *b, uint64_t value);
/* For our own fixed formats with numbers; text from outside goes through a *_put of its protocol. */
MUST_CHECK enum err buf_printf(struct buf *b, const char *format, ...) PRINTF_LIKE(2, 3);

/* Room for SIZE more bytes to be written in place, then buf_added(). NULL where over the limit. */
char *buf_reserve(struct buf *b, size_t size);
void buf_added(struct buf *b, size_t size);

#endif
