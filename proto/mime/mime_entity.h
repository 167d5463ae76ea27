/*
 * mime_entity.h - what the header of a message or of a part says, field by field (RFC 2045, RFC 5322).
 *
 * Of several fields of a name the first counts, as everywhere (H12). Spans live in the header or the arena.
 */
#ifndef PROTO_MIME_MIME_ENTITY_H
#define PROTO_MIME_MIME_ENTITY_H

#include "proto/mime/mime_derived.h"
#include "proto/mime/mime_value.h"

enum mime_header_field {
	ENTITY_DATE,
	ENTITY_SUBJECT,
	ENTITY_FROM,
	ENTITY_SENDER,
	ENTITY_REPLY_TO,
	ENTITY_TO,
	ENTITY_CC,
	ENTITY_BCC,
	ENTITY_IN_REPLY_TO,
	ENTITY_MESSAGE_ID, /* up to here in the order of ENVELOPE */
	ENTITY_REFERENCES,
	ENTITY_TYPE,
	ENTITY_ENCODING,
	ENTITY_ID,
	ENTITY_DESCRIPTION,
	ENTITY_DISPOSITION,
	ENTITY_LANGUAGE,
	ENTITY_LOCATION,
	ENTITY_MD5,
	ENTITY_FIELDS
};

struct mime_entity {
	struct span fields[ENTITY_FIELDS]; /* values, folds and all; ptr NULL: not there */
	struct span type, subtype;         /* never empty */
	struct mime_params params;
	struct span encoding;              /* as written, "7bit" where nothing is */
	struct span disposition;           /* ptr NULL: none */
	struct mime_params disposition_params;

	enum mime_kind kind;               /* MIME_MULTIPART has a boundary that can be used */
	enum mime_encoding encoding_no;
	enum mime_media media;
	unsigned charset;
	bool is_attachment, is_digest;
	struct span boundary;
};

/* The fields alone. */
void mime_entity_fields(struct span header, struct mime_entity *out);
/* And what they mean. IS_DIGESTED: it is a part of multipart/digest (RFC 2046, 5.1.5). */
void mime_entity_read(
	struct arena *a, struct span header, bool is_digested, struct mime_entity *out);
/* It cannot be opened, for it is too deep or one too many: bytes of no type. */
void mime_entity_close(struct mime_entity *e);

#endif
