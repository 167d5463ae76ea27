/*
 * mime_downgrade.h - a message made 7-bit for a server without 8BITMIME (RFC 6152, 3; contract 8).
 *
 * Looked at first, in one pass, then carried out in another, both in pieces of any size:
 *
 *     init --> look, the message as it comes --> end: the plan
 *     run init --> run put, what follows the header as it comes
 *
 * A leaf that has 8-bit bytes becomes base64, or quoted-printable where it is text and mostly ASCII, and its
 * Content-Transfer-Encoding is set; what it decodes to stays as it was. What holds it and says 8bit says 7bit
 * then. In what nobody reads, before and behind the parts of a multipart, a '?' is put. Never altered are
 * signed and encrypted parts, nor what says that it is encoded and is not: the plan says why it cannot be.
 * 8-bit bytes in a header are none of this, and only told (RFC 6532).
 */
#ifndef PROTO_MIME_MIME_DOWNGRADE_H
#define PROTO_MIME_MIME_DOWNGRADE_H

#include "proto/base/arena.h"
#include "proto/mime/mime_derived.h"
#include "proto/mime/mime_encoder.h"

#define MIME_DOWNGRADE_TEXT_MAX (4u << 20) /* bytes of changed headers, the message's own included */
#define MIME_DOWNGRADE_OUT_MAX (8u << 20)  /* bytes that a piece of 64 KiB can become */

struct mime_edit {
	struct mime_edit *next;
	uint64_t at, size; /* the bytes it replaces; AT counts from behind the message's header */
	enum { MIME_EDIT_PUT, MIME_EDIT_ENCODE, MIME_EDIT_MARK } what;
	struct span text;            /* PUT */
	enum mime_encoding encoding; /* ENCODE */
};

struct mime_downgrade {
	bool has_8bit_header;       /* of the message or of a part: it needs SMTPUTF8 */
	bool has_8bit_body;         /* without it nothing is to be done */
	const char *cannot;         /* static text, "5.6.3 why" it cannot be made 7-bit; NULL: it can */
	unsigned printable, base64; /* leaves that become so */
	struct span header;         /* of the message, as it is to be sent */
	const struct mime_edit *edits;
	uint64_t body_size; /* of what follows it, as it is to be sent */
};

struct mime_downgrade_look {
	struct arena *arena;
	const struct mime_derived *derived;
	struct mime_downgrade plan;
	struct mime_edit **tail;
	size_t text_size;
	/* The region that is read: bytes between parts, a part's header, a leaf. */
	enum { LOOK_BETWEEN, LOOK_HEADER, LOOK_LEAF } region;
	uint64_t at, start, end;
	struct mime_walk walk;
	struct mime_part part;
	bool has_part, is_8bit;
	bool is_sealed;         /* inside of a signed or encrypted part, of this depth: */
	unsigned sealed_depth;
	struct buf head;        /* of that part */
	struct mime_encoder encoder;
	uint64_t printable_size;
	struct buf scratch;
	/* What the header says. */
	bool is_text, is_opaque, has_type, has_version;
};

/* DERIVED and what it points into live as long as the plan; all memory is ARENA's. */
void mime_downgrade_init(
	struct mime_downgrade_look *l, struct arena *arena, const struct mime_derived *derived);
/* The whole message from the first byte of its header. */
void mime_downgrade_look(struct mime_downgrade_look *l, struct span bytes);
/* ERR_CORRUPT: it is not the message that DERIVED was made of. *out lives in the arena. */
MUST_CHECK enum err mime_downgrade_end(struct mime_downgrade_look *l, struct mime_downgrade *out);

struct mime_downgrade_run {
	const struct mime_edit *edit;
	uint64_t at;
	bool is_inside;
	struct mime_encoder encoder;
};
void mime_downgrade_run_init(struct mime_downgrade_run *r, const struct mime_downgrade *plan);
/* Append what IN, the next bytes behind the header, becomes. ERR_LIMIT: OUT is full, and R is of no use any more. */
MUST_CHECK enum err mime_downgrade_run_put(
	struct mime_downgrade_run *r, struct span in, struct buf *out);

#endif
