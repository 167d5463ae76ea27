/*
 * mime_node.h - a part as the parser has it; for mime_parser.c and mime_writer.c.
 */
#ifndef PROTO_MIME_MIME_NODE_H
#define PROTO_MIME_MIME_NODE_H

#include "proto/mime/mime_entity.h"
#include "proto/mime/mime_parser.h"

struct mime_node {
	struct mime_node *next;
	uint64_t header_offset, header_size, body_offset, body_size;
	uint64_t lines;          /* of the body; while it is read: LFs before it */
	struct span head, tail;  /* of its structure, before the size and behind all else */
	struct span envelope;    /* of a message inside */
	unsigned depth;
	enum mime_kind kind;
	enum mime_encoding encoding;
	enum mime_media media;
	unsigned charset;
	bool is_inner, is_attachment, is_text; /* text: its structure has lines */
};

/* What the replies will say of NODE is what E says. */
void mime_describe(struct mime_parser *p, struct mime_node *node, const struct mime_entity *e);

/* The record of all nodes. ERR_LIMIT. */
MUST_CHECK enum err mime_write(struct mime_parser *p, struct span header, struct buf *record);

#endif
