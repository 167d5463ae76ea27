/*
 * mime_downgrade.c - what has to change, found in one pass over the message.
 *
 * The part table says where headers and leaves lie; what is between them are boundaries and what nobody reads.
 */
#include "proto/mime/mime_downgrade.h"

#include "proto/mail/header.h"
#include "proto/mime/mime_entity.h"

#define HEAD_MAX HEADER_SIZE_MAX
#define READABLE_MORE 100 /* bytes that quoted-printable may take more than half as much again */
#define SLICE 4096 /* bytes that are encoded at a time, to be counted */

static const char *const sealed_text = "5.6.3 8-bit text in a signed or encrypted part";
static const char *const encoded_text = "5.6.3 8-bit text in a part that says it is encoded";
static const char *const opaque_text = "5.6.3 8-bit text in a part that must not be encoded";
static const char *const large_text = "5.6.3 8-bit text in a part with too large a header";

static void
look_fini(void *arg)
{
	struct mime_downgrade_look *l = arg;

	buf_fini(&l->head);
	buf_fini(&l->scratch);
}

static void begin_between(struct mime_downgrade_look *l);

void
mime_downgrade_init(
	struct mime_downgrade_look *l, struct arena *arena, const struct mime_derived *derived)
{
	*l = (struct mime_downgrade_look){ .arena = arena, .derived = derived };
	l->tail = (struct mime_edit **)&l->plan.edits;
	l->plan.header = derived->header;
	buf_init(&l->head, HEAD_MAX);
	buf_init(&l->scratch, SLICE * MIME_ENCODER_GROWS + MIME_ENCODER_MORE);
	arena_on_reset(arena, look_fini, l);
	begin_between(l);
}

/* The first reason stays. */
static void
cannot(struct mime_downgrade_look *l, const char *why)
{
	if (!l->plan.cannot)
		l->plan.cannot = why;
}

static struct mime_edit *
add_edit(struct mime_downgrade_look *l)
{
	struct mime_edit *edit = ARENA_NEW(l->arena, struct mime_edit);

	edit->at = l->start - l->derived->header.len;
	edit->size = l->end - l->start;
	*l->tail = edit;
	l->tail = &edit->next;
	return edit;
}

/* ---- headers ---- */

/* HEAD with another encoding, and with what makes it MIME where it says nothing (RFC 1428, 3). */
static enum err
put_header(const struct mime_downgrade_look *l, const char *encoding, struct buf *out)
{
	struct span names[] = { SPAN("Content-Transfer-Encoding") };
	struct span head = buf_span(&l->head);
	bool is_message = l->part.no == 0 || l->part.is_inner;

	if (span_ends_nocase(head, SPAN("\n")))
		head.len -= span_ends_nocase(head, SPAN("\r\n")) ? 2 : 1;
	if (header_put_without(out, head, names, COUNT(names)) != OK)
		return ERR_LIMIT;
	if (is_message && !l->has_version && header_put(out, SPAN("MIME-Version"), SPAN("1.0")) != OK)
		return ERR_LIMIT;
	if (!l->has_type && header_put(out, SPAN("Content-Type"),
				    SPAN("text/plain; charset=unknown-8bit")) != OK)
		return ERR_LIMIT;
	if (header_put(out, names[0], span_of(encoding)) != OK)
		return ERR_LIMIT;
	return buf_put(out, SPAN("\r\n"));
}

/* The header in l->head, which lies at AT, gets that ENCODING. */
static void
change_header(struct mime_downgrade_look *l, uint64_t at, const char *encoding)
{
	struct mime_edit *edit;
	struct buf out;
	struct span text;

	buf_init(&out, HEAD_MAX + 1024);
	if (l->head.overflow || put_header(l, encoding, &out) != OK ||
		(l->text_size += buf_span(&out).len) > MIME_DOWNGRADE_TEXT_MAX) {
		cannot(l, large_text);
		buf_fini(&out);
		return;
	}
	text = arena_copy(l->arena, buf_span(&out));
	buf_fini(&out);
	if (l->part.no == 0) {
		l->plan.header = text;
		return;
	}
	edit = add_edit(l);
	edit->at = at - l->derived->header.len;
	edit->size = buf_span(&l->head).len;
	edit->what = MIME_EDIT_PUT;
	edit->text = text;
	l->plan.body_size += text.len - edit->size;
}

static bool
says_8bit(const struct mime_downgrade_look *l)
{
	return l->part.encoding == MIME_8BIT || l->part.encoding == MIME_BINARY;
}

/* RFC 1847, RFC 8551, RFC 3156: what is inside must arrive byte for byte. */
static bool
is_seal(const struct mime_entity *e)
{
	return (span_eq_nocase(e->type, SPAN("multipart")) &&
		       (span_eq_nocase(e->subtype, SPAN("signed")) ||
			       span_eq_nocase(e->subtype, SPAN("encrypted")))) ||
		(span_eq_nocase(e->type, SPAN("application")) &&
			(span_eq_nocase(e->subtype, SPAN("pkcs7-mime")) ||
				span_eq_nocase(e->subtype, SPAN("x-pkcs7-mime"))));
}

/* RFC 2045, 6.4: multiparts and messages have no encoding of their own; but see RFC 6533, 6. */
static bool
is_opaque(const struct mime_entity *e)
{
	return span_eq_nocase(e->type, SPAN("multipart")) ||
		(span_eq_nocase(e->type, SPAN("message")) &&
			!span_starts_nocase(e->subtype, SPAN("global-")));
}

/* The type as it is written, also where we could not read by it and took the part for a leaf. */
static void
read_type(struct arena *a, struct span head, struct mime_entity *e)
{
	struct span rest;

	mime_entity_fields(head, e);
	rest = e->fields[ENTITY_TYPE];
	if (!rest.ptr || !mime_take_type(a, &rest, &e->type, &e->subtype)) {
		e->type = SPAN("text"); /* RFC 2045, 5.2 */
		e->subtype = SPAN("plain");
	}
}

static void
end_header(struct mime_downgrade_look *l)
{
	struct span head = buf_span(&l->head);
	struct mime_entity e;
	struct arena a;

	arena_init(&a, NULL);
	read_type(&a, head, &e);
	l->is_text = span_eq_nocase(e.type, SPAN("text"));
	l->is_opaque = is_opaque(&e);
	l->has_type = e.fields[ENTITY_TYPE].ptr;
	l->has_version = header_find(head, SPAN("MIME-Version")).ptr;
	if (l->part.kind != MIME_LEAF && says_8bit(l) && !l->is_sealed)
		change_header(l, l->start, "7bit");
	if (!l->is_sealed && is_seal(&e)) {
		l->is_sealed = true;
		l->sealed_depth = l->part.depth;
	}
	arena_reset(&a);
	l->plan.has_8bit_header |= l->is_8bit;
}

/* ---- leaves ---- */

/* A text that is mostly ASCII can still be read as it stands; others are shorter in base64. */
static enum mime_encoding
choose(const struct mime_downgrade_look *l)
{
	uint64_t size = l->end - l->start;

	return l->is_text && l->printable_size <= size + size / 2 + READABLE_MORE
		       ? MIME_QUOTED_PRINTABLE
		       : MIME_BASE64;
}

/* Lines of 76 characters that hold 57 bytes, each with CRLF. */
static uint64_t
base64_size(uint64_t size)
{
	return (size + 2) / 3 * 4 + (size + 56) / 57 * 2;
}

static void
encode_leaf(struct mime_downgrade_look *l)
{
	enum mime_encoding encoding = choose(l);
	struct mime_edit *edit;
	uint64_t size = l->end - l->start;

	change_header(l, l->part.header_offset,
		encoding == MIME_BASE64 ? "base64" : "quoted-printable");
	edit = add_edit(l);
	edit->what = MIME_EDIT_ENCODE;
	edit->encoding = encoding;
	l->plan.body_size +=
		(encoding == MIME_BASE64 ? base64_size(size) : l->printable_size) - size;
	l->plan.base64 += encoding == MIME_BASE64;
	l->plan.printable += encoding == MIME_QUOTED_PRINTABLE;
}

static void
count_printable(struct mime_downgrade_look *l, struct span bytes)
{
	while (bytes.len > 0) {
		struct span slice = span_range(bytes, 0, SLICE);

		buf_clear(&l->scratch);
		if (mime_encoder_put(&l->encoder, slice, &l->scratch) != OK)
			return; /* there is always room for a slice */
		l->printable_size += buf_span(&l->scratch).len;
		bytes = span_from(bytes, slice.len);
	}
}

static void
end_leaf(struct mime_downgrade_look *l)
{
	buf_clear(&l->scratch);
	if (mime_encoder_end(&l->encoder, &l->scratch) == OK)
		l->printable_size += buf_span(&l->scratch).len;
	l->plan.has_8bit_body |= l->is_8bit;
	if (!l->is_8bit && says_8bit(l) && !l->is_sealed)
		change_header(l, l->part.header_offset, "7bit");
	else if (!l->is_8bit)
		return;
	else if (l->is_sealed)
		cannot(l, sealed_text);
	else if (l->part.encoding > MIME_BINARY)
		cannot(l, encoded_text);
	else if (l->is_opaque)
		cannot(l, opaque_text);
	else
		encode_leaf(l);
}

/* ---- regions ---- */

static void
end_between(struct mime_downgrade_look *l)
{
	if (!l->is_8bit)
		return;
	l->plan.has_8bit_body = true;
	if (l->is_sealed)
		cannot(l, sealed_text);
	else
		add_edit(l)->what = MIME_EDIT_MARK;
}

static void
begin(struct mime_downgrade_look *l, int region, uint64_t end)
{
	l->region = region;
	l->start = l->at;
	l->end = end;
	l->is_8bit = false;
}

static void
begin_between(struct mime_downgrade_look *l)
{
	l->has_part = mime_part_next(l->derived, &l->walk, &l->part);
	begin(l, LOOK_BETWEEN, l->has_part ? l->part.header_offset : UINT64_MAX);
}

static void
end_region(struct mime_downgrade_look *l)
{
	switch (l->region) {
	case LOOK_BETWEEN:
		end_between(l);
		if (l->is_sealed && l->part.depth <= l->sealed_depth)
			l->is_sealed = false;
		buf_clear(&l->head);
		begin(l, LOOK_HEADER, l->at + l->part.header_size);
		break;
	case LOOK_HEADER:
		end_header(l);
		mime_encoder_init(&l->encoder, MIME_QUOTED_PRINTABLE);
		l->printable_size = 0;
		if (l->part.kind == MIME_LEAF)
			begin(l, LOOK_LEAF, l->at + l->part.body_size);
		else
			begin_between(l);
		break;
	case LOOK_LEAF:
		end_leaf(l);
		begin_between(l);
		break;
	}
}

static void
take(struct mime_downgrade_look *l, struct span bytes)
{
	l->is_8bit |= !span_is_ascii(bytes);
	if (l->region == LOOK_HEADER)
		(void)!buf_put(&l->head, bytes); /* what is too large is noticed where it matters */
	else if (l->region == LOOK_LEAF && l->part.encoding <= MIME_BINARY)
		count_printable(l, bytes);
	l->at += bytes.len;
}

void
mime_downgrade_look(struct mime_downgrade_look *l, struct span bytes)
{
	while (bytes.len > 0) {
		struct span now;

		while (l->at == l->end)
			end_region(l);
		now = l->end - l->at < bytes.len ? span_range(bytes, 0, (size_t)(l->end - l->at)) : bytes;
		take(l, now);
		bytes = span_from(bytes, now.len);
	}
}

enum err
mime_downgrade_end(struct mime_downgrade_look *l, struct mime_downgrade *out)
{
	while (l->at == l->end)
		end_region(l);
	if (l->region != LOOK_BETWEEN || l->has_part || l->at < l->derived->header.len)
		return ERR_CORRUPT;
	end_between(l);
	l->plan.body_size += l->at - l->derived->header.len;
	if (!l->plan.has_8bit_body) {
		l->plan.header = l->derived->header;
		l->plan.edits = NULL;
		l->plan.cannot = NULL;
		l->plan.body_size = l->at - l->derived->header.len;
	}
	*out = l->plan;
	return OK;
}
