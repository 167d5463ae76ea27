/*
 * mime_parser.c - lines, boundaries and the stack of what is open.
 *
 * A boundary is a line that is "--", the boundary, perhaps "--", and blanks (RFC 2046, 5.1.1), the
 * innermost first. The line end before it is the boundary's. Only lines that begin with '-' are held
 * to be looked at, others are passed over by memchr.
 */
#include "proto/mime/mime_parser.h"

#include <string.h>

#include "proto/mail/header.h"
#include "proto/mime/mime_envelope.h"
#include "proto/mime/mime_node.h"

static void
free_buffers(void *arg)
{
	struct mime_parser *p = arg;

	buf_fini(&p->head);
	buf_fini(&p->text);
}

void
mime_parser_init(struct mime_parser *p, struct arena *arena)
{
	*p = (struct mime_parser){ .arena = arena, .addresses = HEADER_ADDRESSES_MAX };
	buf_init(&p->head, MIME_PART_HEADER_MAX);
	buf_init(&p->text, MIME_RECORD_MAX);
	arena_on_reset(arena, free_buffers, p);
}

/* ---- parts ---- */

static struct mime_node *
node_add(struct mime_parser *p, uint64_t at)
{
	struct mime_node *node = ARENA_NEW(p->arena, struct mime_node);

	node->depth = (unsigned)p->depth;
	node->header_offset = node->body_offset = at;
	if (p->last)
		p->last->next = node;
	else
		p->first = node;
	p->last = node;
	if (++p->count >= MIME_PARTS_MAX || p->text_size >= MIME_TEXT_MAX)
		p->is_ending = true;
	return node;
}

static void
begin_part(struct mime_parser *p, bool is_inner)
{
	p->part = node_add(p, p->at);
	p->part->is_inner = is_inner;
	p->in_header = true;
	p->line_len = 0;
	buf_clear(&p->head);
	if (p->depth > 0)
		p->frames[p->depth - 1].has_parts = true;
}

/* The bytes of the line end before the next byte. */
static size_t
line_end_size(const struct mime_parser *p)
{
	if (p->tail[1] != '\n')
		return 0;
	return p->tail[0] == '\r' ? 2 : 1;
}

/* What NODE holds ends here, but for the TRIM bytes of a line end that a boundary has. */
static void
end_body(struct mime_parser *p, struct mime_node *node, size_t trim)
{
	bool is_empty = p->at < node->body_offset + trim;

	node->body_size = is_empty ? 0 : p->at - trim - node->body_offset;
	node->lines = is_empty ? 0 : p->lines - node->lines - (trim > 0);
}

/* A copy of what PUT says of E. */
static struct span
text_of(struct mime_parser *p, const struct mime_entity *e,
	void (*put)(struct arena *, const struct mime_entity *, struct buf *))
{
	struct span text;

	buf_clear(&p->text);
	put(p->arena, e, &p->text);
	text = arena_copy(p->arena, buf_span(&p->text));
	p->text_size += text.len;
	return text;
}

void
mime_describe(struct mime_parser *p, struct mime_node *node, const struct mime_entity *e)
{
	node->head = text_of(p, e, mime_put_part_head);
	node->tail = text_of(p, e, mime_put_part_tail);
	node->kind = e->kind;
	node->encoding = e->encoding_no;
	node->media = e->media;
	node->charset = e->charset;
	node->is_attachment = e->is_attachment;
	node->is_text = e->kind == MIME_LEAF && span_eq_nocase(e->type, SPAN("text"));
}

/* A multipart must have a part (RFC 9051, 9: body-type-mpart): one of no bytes. */
static void
add_missing_part(struct mime_parser *p, uint64_t at)
{
	static const struct mime_entity nothing = { .type = { "text", 4 },
		.subtype = { "plain", 5 }, .encoding = { "7bit", 4 }, .media = MIME_MEDIA_PLAIN };

	mime_describe(p, node_add(p, at), &nothing);
}

/* All that is open above the first DEPTH frames ends. */
static void
end_parts(struct mime_parser *p, size_t depth, size_t trim)
{
	if (p->part)
		end_body(p, p->part, trim);
	p->part = NULL;
	while (p->depth > depth) {
		struct mime_frame *frame = &p->frames[p->depth - 1];
		struct mime_node *node = frame->node;

		p->open -= frame->boundary.len > 0 && !frame->is_closed;
		end_body(p, node, trim);
		if (!frame->has_parts)
			add_missing_part(p, node->body_offset + node->body_size);
		p->depth--;
	}
}

/* ---- headers ---- */

static void
push(struct mime_parser *p, const struct mime_entity *e)
{
	p->frames[p->depth++] = (struct mime_frame){ .node = p->part,
		.boundary = e->kind == MIME_MULTIPART ? e->boundary : SPAN_NONE,
		.is_digest = e->is_digest };
	p->open += e->kind == MIME_MULTIPART;
	p->part = NULL;
}

/* The header of p->part is here: now it is known what its body is. */
static void
end_header(struct mime_parser *p, struct span header)
{
	struct mime_node *node = p->part;
	struct mime_frame *above = p->depth > 0 ? &p->frames[p->depth - 1] : NULL;
	struct mime_entity e;

	mime_entity_read(
		p->arena, header, above && above->is_digest && !node->is_inner, &e);
	if (e.kind != MIME_LEAF && (p->is_ending || p->depth == MIME_DEPTH_MAX))
		mime_entity_close(&e); /* H8 */
	mime_describe(p, node, &e);
	node->header_size = p->at - node->header_offset;
	node->body_offset = p->at;
	node->lines = p->lines;
	if (node->is_inner) {
		buf_clear(&p->text);
		mime_put_envelope(&e, &p->addresses, &p->text);
		node->envelope = arena_copy(p->arena, buf_span(&p->text));
		p->text_size += node->envelope.len;
	}
	p->in_header = false;
	if (e.kind != MIME_LEAF)
		push(p, &e);
	if (e.kind == MIME_MESSAGE)
		begin_part(p, true);
	if (p->is_ending)
		p->open = 0; /* the rest is this part's */
}

void
mime_parser_header(struct mime_parser *p, struct span header)
{
	begin_part(p, false);
	p->at = header.len;
	p->tail[1] = '\n';
	end_header(p, header);
	p->at_line = true;
}

/* Where it was cut off: by a boundary, or by the end of all. */
static void
end_headers(struct mime_parser *p)
{
	while (p->in_header) /* a message inside has an empty one, and is text */
		end_header(p, buf_span(&p->head));
}

/* ---- lines ---- */

/* BYTES of one line, its end or not. */
static void
take_bytes(struct mime_parser *p, struct span bytes)
{
	bool ends = bytes.len > 0 && bytes.ptr[bytes.len - 1] == '\n', is_empty;

	if (bytes.len == 0)
		return;
	p->tail[0] = bytes.len > 1 ? bytes.ptr[bytes.len - 2] : p->tail[1];
	p->tail[1] = bytes.ptr[bytes.len - 1];
	p->at += bytes.len;
	p->lines += ends;
	p->at_line = ends;
	if (!p->in_header)
		return;
	p->line_len += bytes.len;
	is_empty = ends && (p->line_len == 1 || (p->line_len == 2 && p->tail[0] == '\r'));
	if (!is_empty) /* what is over MIME_PART_HEADER_MAX is not looked at */
		(void)!buf_put(&p->head, bytes);
	else
		end_header(p, buf_span(&p->head));
	if (ends)
		p->line_len = 0;
}

/* The frame whose boundary LINE is; p->depth: none. */
static size_t
find_boundary(const struct mime_parser *p, struct span line, bool *is_last)
{
	line = span_trim_folds(span_from(line, 2));
	for (size_t i = p->depth; i-- > 0;) {
		struct span boundary = p->frames[i].boundary;

		if (boundary.len == 0 || p->frames[i].is_closed || line.len < boundary.len ||
			line.len > boundary.len + 2 || line.ptr[0] != boundary.ptr[0])
			continue;
		*is_last = line.len == boundary.len + 2 &&
			span_eq(span_from(line, boundary.len), SPAN("--"));
		if ((*is_last || line.len == boundary.len) && span_starts(line, boundary))
			return i;
	}
	return p->depth;
}

/* The held line is whole, or the message ends in it. */
static void
take_held(struct mime_parser *p)
{
	struct span line = { p->held, p->held_len };
	bool is_last = false;
	size_t frame = span_starts(line, SPAN("--")) ? find_boundary(p, line, &is_last) : p->depth;

	p->held_len = 0;
	if (frame == p->depth) {
		take_bytes(p, line);
		return;
	}
	end_headers(p);
	end_parts(p, frame + 1, line_end_size(p));
	p->in_header = false;
	take_bytes(p, line);
	if (is_last) {
		p->frames[frame].is_closed = true;
		p->open--;
	} else {
		begin_part(p, false);
	}
}

/* Hold what may be a boundary; the bytes taken. */
static size_t
hold(struct mime_parser *p, struct span piece)
{
	size_t len = span_find(piece, '\n'), room = MIME_LINE_HELD - p->held_len;
	bool ends = len < piece.len;

	len += ends;
	if (len > room) {
		len = room;
		ends = false;
	}
	memcpy(p->held + p->held_len, piece.ptr, len);
	p->held_len += len;
	if (ends) {
		take_held(p);
	} else if (p->held_len == MIME_LINE_HELD) {
		p->held_len = 0;
		take_bytes(p, (struct span){ p->held, MIME_LINE_HELD });
	}
	return len;
}

/* Whole lines of a body that cannot be boundaries, and the beginning of one more; the bytes taken. */
static size_t
pass_lines(struct mime_parser *p, struct span piece)
{
	size_t at = 0, lines = 0;
	bool at_line = p->at_line;

	while (at < piece.len && !(at_line && piece.ptr[at] == '-' && p->open > 0)) {
		const char *end = memchr(piece.ptr + at, '\n', piece.len - at);

		at_line = end;
		lines += at_line;
		at = end ? (size_t)(end - piece.ptr) + 1 : piece.len;
	}
	if (at > 0) {
		p->tail[0] = at > 1 ? piece.ptr[at - 2] : p->tail[1];
		p->tail[1] = piece.ptr[at - 1];
	}
	p->at += at;
	p->lines += lines;
	p->at_line = at_line;
	return at;
}

void
mime_parser_feed(struct mime_parser *p, struct span body)
{
	while (body.len > 0) {
		size_t used;

		if (p->held_len > 0 || (p->at_line && p->open > 0 && body.ptr[0] == '-'))
			used = hold(p, body);
		else if (!p->in_header)
			used = pass_lines(p, body);
		else {
			used = span_find(body, '\n');
			used += used < body.len;
			take_bytes(p, span_range(body, 0, used));
		}
		body = span_from(body, used);
	}
}

enum err
mime_parser_end(struct mime_parser *p, struct span header, struct buf *record)
{
	if (p->held_len > 0)
		take_held(p);
	end_headers(p);
	end_parts(p, 0, 0);
	return mime_write(p, header, record);
}

enum err
mime_derive(struct arena *a, struct span header, const struct span *body, size_t count,
	struct buf *record)
{
	struct mime_parser *p = ARENA_NEW(a, struct mime_parser);

	mime_parser_init(p, a);
	mime_parser_header(p, header);
	for (size_t i = 0; i < count; i++)
		mime_parser_feed(p, body[i]);
	return mime_parser_end(p, header, record);
}
