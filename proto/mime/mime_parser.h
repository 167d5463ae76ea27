/*
 * mime_parser.h - one pass over a message, in pieces of any size, that makes its derived record.
 *
 *     init --> header, once --> feed, the body as it comes --> end: the record
 *
 * Linear, on a stack of its own (H8), and nothing of a body is kept: a part table, the header of the
 * part that is being read and what the replies will say. What a hostile message can make it hold is
 * bounded by MIME_PARTS_MAX, MIME_PART_HEADER_MAX and MIME_TEXT_MAX.
 */
#ifndef PROTO_MIME_MIME_PARSER_H
#define PROTO_MIME_MIME_PARSER_H

#include "proto/base/arena.h"
#include "proto/mime/mime_derived.h"

#define MIME_PART_HEADER_MAX 65536 /* bytes of a part's header that are read; of a message inside, too */
#define MIME_TEXT_MAX (1u << 20)       /* bytes of structure: the part that passes it is the last */
#define MIME_LINE_HELD 256         /* bytes of a line that may be a boundary */
#define MIME_RECORD_MAX (1u << 20) /* bytes */

struct mime_node; /* a part */

struct mime_frame { /* a multipart or a message that is being read */
	struct mime_node *node;
	struct span boundary; /* empty: a message */
	bool is_closed;       /* its last boundary came; an epilogue follows */
	bool is_digest, has_parts;
};

struct mime_parser {
	struct arena *arena;
	struct mime_node *first, *last; /* in the order of the message */
	size_t count;
	struct mime_frame frames[MIME_DEPTH_MAX];
	size_t depth;              /* frames in use */
	size_t open;               /* of them, those whose boundary counts */
	struct mime_node *part;    /* the one whose header or body is read; NULL: between parts */
	bool in_header;
	bool is_ending;            /* nothing is opened any more */
	struct buf head;           /* of that header */
	struct buf text;           /* of a reply, while it is made */
	uint64_t at;               /* of the next byte, from the content's first */
	uint64_t lines;            /* LFs before it */
	char tail[2];              /* the two bytes before it */
	bool at_line;              /* it begins a line */
	size_t line_len;           /* of this line, in a header */
	char held[MIME_LINE_HELD]; /* the beginning of a line that may be a boundary; before AT */
	size_t held_len;
	size_t addresses;          /* that may still be looked at (H7) */
	size_t text_size;          /* of all parts */
};

/* All memory comes from ARENA, and must be there until the end. */
void mime_parser_init(struct mime_parser *p, struct arena *arena);
/* The whole header of the message, with its empty line; what is kept of it is copied. */
void mime_parser_header(struct mime_parser *p, struct span header);
void mime_parser_feed(struct mime_parser *p, struct span body);
/*
 * The message has ended: append its record to *record (MIME_RECORD_MAX is enough). HEADER is the one
 * that will lie beside it: the one of before, or one with fields put in front or changed; what a
 * Content-* field said stays as it was said then. ERR_LIMIT: *record is full.
 */
MUST_CHECK enum err mime_parser_end(
	struct mime_parser *p, struct span header, struct buf *record);

/* All of it for a message that lies in memory, or whose BODY comes in several spans. */
MUST_CHECK enum err mime_derive(struct arena *a, struct span header, const struct span *body,
	size_t count, struct buf *record);

#endif
