/*
 * script_wire.h - what a script is given: a message and the script, as bytes for a child of the runner.
 *
 * A byte for what it is, four bytes of length, high byte first, the text. The other way it is
 * pipeline/script_answer.h.
 */
#ifndef SERVER_SCRIPT_SCRIPT_WIRE_H
#define SERVER_SCRIPT_SCRIPT_WIRE_H

#include "proto/base/buf.h"
#include "server/script/script_words.h"

/* All of it: the texts, a record of parts, and room for small ones. */
#define SCRIPT_INPUT_MAX                                                                           \
	(SCRIPT_TEXT_MAX + SCRIPT_HEADER_MAX + SCRIPT_BODY_MAX + 4 * 1024 * 1024)

enum script_item {
	SCRIPT_ITEM_TEXT = 'S',	  /* the script */
	SCRIPT_ITEM_CHECK = 'C',  /* it is compiled and not run */
	SCRIPT_ITEM_SITE = 'I',	  /* it is the site's: more functions, body and attachments */
	SCRIPT_ITEM_FROM = 'F',
	SCRIPT_ITEM_RCPT = 'T',	  /* repeated */
	SCRIPT_ITEM_USER = 'U',
	SCRIPT_ITEM_SIZE = 'Z',	  /* decimal */
	SCRIPT_ITEM_SOURCE = 'V',
	SCRIPT_ITEM_AUTH = 'A',
	SCRIPT_ITEM_PEER = 'P',
	SCRIPT_ITEM_HEADER = 'H',
	SCRIPT_ITEM_BODY = 'B',   /* repeated: pieces of it in order, from its first byte */
	SCRIPT_ITEM_RECORD = 'D', /* of its parts (mime_derived.h) */
	SCRIPT_ITEM_FILE_NAME = 'N', /* repeated: of an attachment, its type and size follow */
	SCRIPT_ITEM_FILE_TYPE = 'Y',
	SCRIPT_ITEM_FILE_SIZE = 'X',
};

struct script_file {
	struct span name, type; /* UTF-8; "image/png" */
	uint64_t size;
};

struct script_input {
	bool checks, site;
	struct span text, from, user, source, auth, peer, header, record;
	struct span rcpts[SCRIPT_RCPTS_MAX];
	size_t rcpt_count;
	struct script_file files[SCRIPT_ATTACHMENTS_MAX];
	size_t file_count;
	uint64_t size;
	struct buf body; /* put together */
};

MUST_CHECK enum err script_item_put(struct buf *out, enum script_item item, struct span text);
/* Spans point into BYTES. ERR_SYNTAX. */
MUST_CHECK enum err script_input_read(struct span bytes, struct script_input *out);
void script_input_fini(struct script_input *in);

#endif
