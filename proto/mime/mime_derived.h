/*
 * mime_derived.h - what is made ready from a message at delivery, and lies beside its header.
 *
 * A record for readers that must not parse again: FETCH of ENVELOPE, BODY, BODYSTRUCTURE and parts,
 * SEARCH, SORT and THREAD, the console. mime_parser.h makes it, in one pass. It is small because it
 * never says what the header beside it says: texts are packed against the header (mime_pack.h), a
 * field that reads as it is written is two numbers.
 *
 *	version u8 | header size | part count | flags
 *	sent: seconds, minutes east (zigzag; only with the flag)
 *	ENVELOPE: size, packed size | structure: size, packed size | parts: size | fields: size
 *	then the bytes of the four, in that order
 *
 *	part:	kind, encoding, inner, attachment in u8 | media u8 | depth | charset u8 |
 *		gap from what was before | header size | body size | lines (leaf and message)
 *	field:	its number and form u8 | offset in the header, size | with a text of its own: size, text
 *
 * Numbers are varints of 7 bits a byte but where u8 stands. Offsets count from the first byte of the
 * content's own header; what a copy has in front of it (copy.front) is added by the reader. A reader
 * takes its own version alone: an older record is made anew (ERR_NOT_FOUND).
 */
#ifndef PROTO_MIME_MIME_DERIVED_H
#define PROTO_MIME_MIME_DERIVED_H

#include "proto/base/buf.h"
#include "proto/base/span.h"

#define MIME_DERIVED_VERSION 1
#define MIME_DEPTH_MAX 50    /* H8: multiparts and messages inside each other */
#define MIME_PARTS_MAX 10000 /* H8: the last one takes all that follows */

enum mime_field {
	MIME_FROM,
	MIME_TO,
	MIME_CC,
	MIME_BCC,
	MIME_SUBJECT,
	MIME_MESSAGE_ID,
	MIME_REFERENCES,
	MIME_IN_REPLY_TO,
	MIME_FIELDS
};

/* A field of the header; of several the first. */
struct mime_text {
	struct span raw;  /* its value in the header, folds and all; ptr NULL: there is none */
	struct span text; /* decoded, in UTF-8, case folded; ptr NULL: RAW is ASCII and says it itself */
};

struct mime_derived {
	struct span header;
	bool has_sent;
	int64_t sent_s;            /* of Date, since 1970 UTC */
	int sent_offset_minutes;   /* east of UTC: SENTON and its like go by the writer's day */
	size_t part_count;         /* at least 1 */
	struct mime_text fields[MIME_FIELDS];

	/* What follows is the reader's own. */
	struct span envelope, structure, parts; /* packed */
	size_t envelope_size, structure_size;
};

/*
 * RECORD lies beside HEADER (content.derived, content.header); *out points into both. ERR_NOT_FOUND:
 * there is none, or of another version: make it anew. ERR_CORRUPT: the same, and nothing is logged.
 */
MUST_CHECK enum err mime_derived_open(
	struct span record, struct span header, struct mime_derived *out);

/*
 * Append the value of ENVELOPE, "(...)", of BODYSTRUCTURE, or of BODY, as they go on the wire
 * (RFC 9051, 7.5.2). What is not ASCII or cannot be quoted is a literal, so the text is for clients
 * of any kind. ERR_LIMIT: OUT is full. ERR_CORRUPT.
 */
MUST_CHECK enum err mime_derived_put_envelope(const struct mime_derived *d, struct buf *out);
MUST_CHECK enum err mime_derived_put_bodystructure(
	const struct mime_derived *d, struct buf *out);
MUST_CHECK enum err mime_derived_put_body(const struct mime_derived *d, struct buf *out);

/* Append a field unfolded, decoded, in UTF-8, case folded (utf8_fold()): for SORT and indexes. */
MUST_CHECK enum err mime_derived_put_text(
	const struct mime_derived *d, enum mime_field field, struct buf *out);
/*
 * Does that text hold NEEDLE, which is folded already (utf8_put_folded)? Of From to Bcc also an address as it
 * is without comments and blanks. Allocates nothing.
 */
bool mime_derived_holds(const struct mime_derived *d, enum mime_field field, struct span needle);

/* ---- parts ---- */

enum mime_kind { MIME_LEAF, MIME_MULTIPART, MIME_MESSAGE };
enum mime_encoding {
	MIME_7BIT,
	MIME_8BIT,
	MIME_BINARY,
	MIME_QUOTED_PRINTABLE,
	MIME_BASE64,
	MIME_ENCODING_UNKNOWN, /* bytes are given as they are; BINARY is NO [UNKNOWN-CTE] */
};
enum mime_media { /* what a leaf is, as far as a reader cares */
	MIME_MEDIA_OTHER,
	MIME_MEDIA_PLAIN, /* text/plain, and what says nothing */
	MIME_MEDIA_HTML,
	MIME_MEDIA_TEXT,  /* another text/... */
	MIME_MEDIA_IMAGE,
	MIME_MEDIA_AUDIO,
	MIME_MEDIA_VIDEO,
	MIME_MEDIA_APPLICATION,
};

struct mime_part {
	unsigned no;    /* in the order of the message, from 0, the message itself */
	unsigned depth; /* 0: the message itself */
	enum mime_kind kind;
	enum mime_encoding encoding;
	enum mime_media media;
	unsigned charset;   /* of mime_charset.h; 0: none said, or one without a number */
	bool is_inner;      /* the message that an attached message/rfc822 is; has no number of its own */
	bool is_attachment; /* its disposition says so, or it has a file name */
	uint64_t header_offset, header_size; /* with the empty line that ends it */
	uint64_t body_offset, body_size;     /* encoded, as it lies there */
	uint64_t lines;                      /* of the body */
};

/* All parts in order: zero-initialise AT; false behind the last one. */
struct mime_walk {
	size_t at, no;
	uint64_t end;
};
bool mime_part_next(const struct mime_derived *d, struct mime_walk *at, struct mime_part *out);

/*
 * The part that "1.2.3" names (RFC 9051, 6.4.5.1); of no numbers, the message. ERR_NOT_FOUND. Then
 *	BODY[1.2]		body_offset, body_size
 *	BODY[1.2.MIME]		header_offset, header_size; not of the message itself
 *	BODY[1.2.HEADER], TEXT	of what mime_part_inner() says: header and body
 */
MUST_CHECK enum err mime_part_find(const struct mime_derived *d, const uint32_t *numbers,
	size_t count, struct mime_part *out);
/* The message inside PART, whose kind is MIME_MESSAGE; PART itself if that is the message. */
MUST_CHECK enum err mime_part_inner(
	const struct mime_derived *d, const struct mime_part *part, struct mime_part *out);

#define MIME_NUMBER_MAX 256 /* bytes of "1.2.3", at most */
/* The number of PART, "1.2.3"; nothing for a multipart that has none of its own. */
MUST_CHECK enum err mime_part_put_number(
	const struct mime_derived *d, const struct mime_part *part, struct buf *out);

#endif
