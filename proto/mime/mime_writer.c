/*
 * mime_writer.c - what a parser has found becomes a record (mime_derived.h).
 */
#include <string.h>

#include "proto/base/ascii.h"
#include "proto/base/utf8.h"
#include "proto/mail/header.h"
#include "proto/mail/mail_date.h"
#include "proto/mime/encoded_word.h"
#include "proto/mime/mime_bytes.h"
#include "proto/mime/mime_envelope.h"
#include "proto/mime/mime_node.h"
#include "proto/mime/mime_pack.h"
#include "proto/mime/mime_record.h"
#include "proto/mime/mime_reply.h"

#define RECORD_ROOM (MIME_RECORD_MAX - 128) /* bytes beside the head of a record */
#define FIELD_TEXT_MAX 16384 /* bytes of a field's own text; the rest is not searched */

static const enum mime_header_field field_rows[MIME_FIELDS] = {
	[MIME_FROM] = ENTITY_FROM,
	[MIME_TO] = ENTITY_TO,
	[MIME_CC] = ENTITY_CC,
	[MIME_BCC] = ENTITY_BCC,
	[MIME_SUBJECT] = ENTITY_SUBJECT,
	[MIME_MESSAGE_ID] = ENTITY_MESSAGE_ID,
	[MIME_REFERENCES] = ENTITY_REFERENCES,
	[MIME_IN_REPLY_TO] = ENTITY_IN_REPLY_TO,
};

/* ---- parts ---- */

static void
put_part(struct buf *out, const struct mime_node *node, uint64_t *end)
{
	unsigned bits = node->kind | node->encoding << MIME_PART_ENCODING_SHIFT;

	bits |= node->is_inner ? MIME_PART_INNER : 0;
	bits |= node->is_attachment ? MIME_PART_ATTACHMENT : 0;
	mime_put_u8(out, (uint8_t)bits);
	mime_put_u8(out, (uint8_t)node->media);
	mime_put_varint(out, node->depth);
	mime_put_u8(out, (uint8_t)node->charset);
	mime_put_varint(out, node->header_offset - *end);
	mime_put_varint(out, node->header_size);
	mime_put_varint(out, node->body_size);
	if (node->kind != MIME_MULTIPART)
		mime_put_varint(out, node->lines);
	*end = node->body_offset + (node->kind == MIME_LEAF ? node->body_size : 0);
}

static void
put_parts(struct buf *out, const struct mime_parser *p)
{
	uint64_t end = 0;

	for (const struct mime_node *node = p->first; node; node = node->next)
		put_part(out, node, &end);
}

/* ---- structure ---- */

static void
begin_node(struct buf *out, const struct mime_node *node)
{
	if (node->kind == MIME_MULTIPART) {
		mime_put_lit(out, "(");
		return;
	}
	(void)!buf_put(out, node->head);
	(void)!buf_put_u64(out, node->body_size);
	if (node->kind == MIME_MESSAGE) {
		mime_put_lit(out, " ");
		(void)!buf_put(out, node->next->envelope);
		mime_put_lit(out, " ");
	}
}

static void
end_node(struct buf *out, const struct mime_node *node)
{
	if (node->kind == MIME_MULTIPART)
		(void)!buf_put(out, node->head);
	if (node->kind == MIME_MESSAGE || node->is_text)
		(void)!buf_printf(out, " %llu", (unsigned long long)node->lines);
	(void)!buf_put_char(out, MIME_EXTENSION_MARK);
	(void)!buf_put(out, node->tail);
	(void)!buf_put_char(out, MIME_EXTENSION_MARK);
	mime_put_lit(out, ")");
}

/* In the order of the message; what is open waits in a stack. */
static void
put_structure(struct buf *out, const struct mime_parser *p)
{
	const struct mime_node *open[MIME_DEPTH_MAX + 1];
	size_t depth = 0;

	for (const struct mime_node *node = p->first; node; node = node->next) {
		while (depth > node->depth)
			end_node(out, open[--depth]);
		begin_node(out, node);
		open[depth++] = node;
	}
	while (depth > 0)
		end_node(out, open[--depth]);
}

/* ---- fields ---- */

static bool
put_own_text(struct buf *out, struct span value)
{
	struct buf decoded, folded;

	if (!encoded_word_is_needed(value))
		return false;
	buf_init(&decoded, 4 * FIELD_TEXT_MAX);
	buf_init(&folded, 8 * FIELD_TEXT_MAX);
	(void)!encoded_word_decode(&decoded, span_range(value, 0, FIELD_TEXT_MAX));
	(void)!utf8_put_folded(&folded, buf_span(&decoded));
	mime_put_varint(out, buf_span(&folded).len);
	(void)!buf_put(out, buf_span(&folded));
	buf_fini(&decoded);
	buf_fini(&folded);
	return true;
}

static void
put_field(struct buf *out, unsigned number, struct span header, struct span value)
{
	size_t at = buf_span(out).len;

	mime_put_u8(out, (uint8_t)number);
	mime_put_varint(out, (uint64_t)(value.ptr - header.ptr));
	mime_put_varint(out, value.len);
	if (put_own_text(out, value) && !out->overflow)
		out->bytes[out->start + at] |= (char)MIME_FIELD_OWN;
}

static void
put_fields(struct buf *out, struct span header, const struct mime_entity *e)
{
	for (unsigned i = 0; i < MIME_FIELDS; i++)
		if (e->fields[field_rows[i]].len > 0)
			put_field(out, i, header, e->fields[field_rows[i]]);
}

/* ---- all of it ---- */

struct texts {
	struct buf envelope, structure, parts, fields; /* packed, as they go into the record */
	size_t envelope_size, structure_size;
};

static void
pack(struct mime_packer *packer, const struct buf *text, size_t *size, struct buf *out)
{
	*size = buf_span(text).len;
	(void)!mime_pack(packer, buf_span(text), out);
}

/* What of the header is worth a copy. */
static void
begin_packer(struct mime_packer *packer, struct span header, const struct mime_entity *e)
{
	mime_packer_begin(packer, header);
	for (unsigned i = 0; i < ENTITY_FIELDS; i++)
		if (e->fields[i].ptr)
			mime_packer_add(packer, e->fields[i]);
}

static void
make_texts(struct mime_parser *p, struct span header, const struct mime_entity *e,
	struct texts *t)
{
	struct mime_packer *packer = ARENA_NEW(p->arena, struct mime_packer);

	begin_packer(packer, header, e);
	p->addresses = HEADER_ADDRESSES_MAX;
	buf_clear(&p->text);
	mime_put_envelope(e, &p->addresses, &p->text);
	if (p->text.overflow) {
		buf_clear(&p->text);
		mime_put_lit(&p->text, "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)");
	}
	pack(packer, &p->text, &t->envelope_size, &t->envelope);
	p->text.max = 4 * MIME_RECORD_MAX; /* MIME_TEXT_MAX, one part more, and what they all have */
	buf_clear(&p->text);
	put_structure(&p->text, p);
	pack(packer, &p->text, &t->structure_size, &t->structure);
	put_parts(&t->parts, p);
	put_fields(&t->fields, header, e);
}

static bool
is_too_much(const struct texts *t)
{
	return t->envelope.overflow || t->structure.overflow || t->parts.overflow ||
		t->fields.overflow ||
		buf_span(&t->envelope).len + buf_span(&t->structure).len + buf_span(&t->parts).len +
				buf_span(&t->fields).len > RECORD_ROOM;
}

/* More than a record can say (MIME_RECORD_MAX): the message is one leaf of bytes. */
static void
forget_parts(struct mime_parser *p)
{
	struct mime_entity bytes = { .encoding = { "binary", 6 }, .encoding_no = MIME_BINARY };

	mime_entity_close(&bytes);
	mime_describe(p, p->first, &bytes);
	p->first->next = NULL;
	p->count = 1;
}

static void
put_head(struct buf *out, const struct mime_parser *p, struct span header,
	const struct mime_entity *e)
{
	struct mail_date date;
	bool has_sent = e->fields[ENTITY_DATE].ptr &&
		mail_date_parse(e->fields[ENTITY_DATE], &date) == OK;

	mime_put_u8(out, MIME_DERIVED_VERSION);
	mime_put_varint(out, header.len);
	mime_put_varint(out, p->count);
	mime_put_u8(out, has_sent ? MIME_RECORD_SENT : 0);
	if (has_sent) {
		mime_put_zigzag(out, date.seconds);
		mime_put_zigzag(out, date.offset_minutes);
	}
}

static void
put_texts(struct buf *out, const struct texts *t)
{
	const struct buf *all[] = { &t->envelope, &t->structure, &t->parts, &t->fields };

	mime_put_varint(out, t->envelope_size);
	mime_put_varint(out, buf_span(&t->envelope).len);
	mime_put_varint(out, t->structure_size);
	mime_put_varint(out, buf_span(&t->structure).len);
	mime_put_varint(out, buf_span(&t->parts).len);
	mime_put_varint(out, buf_span(&t->fields).len);
	for (size_t i = 0; i < COUNT(all); i++) {
		(void)!buf_put(out, buf_span(all[i]));
		out->overflow = out->overflow || all[i]->overflow;
	}
}

enum err
mime_write(struct mime_parser *p, struct span header, struct buf *record)
{
	struct mime_entity e;
	struct texts t;
	struct buf *all[] = { &t.envelope, &t.structure, &t.parts, &t.fields };

	for (size_t i = 0; i < COUNT(all); i++)
		buf_init(all[i], MIME_RECORD_MAX);
	mime_entity_fields(header, &e);
	/* the message's own header may have grown since: all that follows it moves on */
	for (struct mime_node *node = p->first->next; node; node = node->next) {
		node->header_offset += header.len - p->first->header_size;
		node->body_offset += header.len - p->first->header_size;
	}
	p->first->header_size = p->first->body_offset = header.len;
	make_texts(p, header, &e, &t);
	if (is_too_much(&t)) {
		forget_parts(p);
		for (size_t i = 0; i < COUNT(all); i++)
			buf_clear(all[i]);
		make_texts(p, header, &e, &t);
	}
	put_head(record, p, header, &e);
	put_texts(record, &t);
	for (size_t i = 0; i < COUNT(all); i++)
		buf_fini(all[i]);
	return record->overflow ? ERR_LIMIT : OK;
}
