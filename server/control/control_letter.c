/*
 * control_letter.c - a message read by its derived record: one part decoded, all of them named.
 */
#include "server/control/control_letter.h"

#include "proto/mime/html_text.h"
#include "proto/mime/mime_charset.h"
#include "proto/mime/mime_decoder.h"
#include "proto/mime/mime_entity.h"
#include "server/queue/derive_stored.h"
#include "store/bodies.h"

#define PART_HEADER_MAX (64 * 1024)

struct letter_reader {
	struct snapshot *snap;
	const struct content *content;
	struct arena *arena;
	struct mime_derived derived;
};

static bool
reader_open(struct letter_reader *r, struct control_call *call, struct snapshot *snap,
	const struct content *c)
{
	struct span made;

	*r = (struct letter_reader){ .snap = snap, .content = c, .arena = &call->arena };
	return derived_of(snap, c, UINT64_MAX, &call->arena, &r->derived, &made) == OK;
}

/* The bytes of a part that lie together from AT on; at most LEFT. Empty: they cannot be read. */
static struct span
bytes_at(const struct letter_reader *r, uint64_t at, uint64_t left)
{
	struct span header = r->content->header, piece;

	if (at < header.len)
		return span_range(header, at, at + left);
	if (body_read(r->snap, r->content->body_id, at - header.len, &piece) != OK)
		return SPAN_NONE;
	return span_range(piece, 0, left);
}

/* ---- text ---- */

static bool
is_shown(const struct mime_part *part, enum mime_media media)
{
	return part->kind == MIME_LEAF && part->media == media && !part->is_attachment;
}

/* The first text that is no attachment; plain if there is one. */
static bool
find_text(const struct letter_reader *r, struct mime_part *out)
{
	static const enum mime_media wanted[] = { MIME_MEDIA_PLAIN, MIME_MEDIA_HTML, MIME_MEDIA_TEXT };

	for (size_t i = 0; i < COUNT(wanted); i++) {
		struct mime_walk at = { 0 };

		while (mime_part_next(&r->derived, &at, out))
			if (is_shown(out, wanted[i]))
				return true;
	}
	return false;
}

/* Up to LETTER_TEXT_MAX bytes of PART decoded, in UTF-8. */
static void
read_text(const struct letter_reader *r, const struct mime_part *part, struct buf *out)
{
	struct mime_decoder decoder;
	struct mime_charset charset;
	uint64_t at = part->body_offset, end = at + part->body_size;
	struct span piece;
	struct buf bytes;

	buf_init(&bytes, 4 * BODY_PIECE_DATA);
	mime_decoder_init(&decoder, part->encoding);
	if (mime_charset_open(&charset, part->charset) != OK)
		(void)!mime_charset_open(&charset, MIME_CHARSET_NONE);
	while (at < end && buf_span(out).len <= LETTER_TEXT_MAX) {
		piece = bytes_at(r, at, end - at < BODY_PIECE_DATA ? end - at : BODY_PIECE_DATA);
		if (piece.len == 0)
			break;
		at += piece.len;
		buf_clear(&bytes);
		(void)!mime_decoder_put(&decoder, piece, &bytes);
		if (at >= end)
			(void)!mime_decoder_end(&decoder, &bytes);
		(void)!mime_charset_put(&charset, buf_span(&bytes), out);
	}
	(void)!mime_charset_end(&charset, out);
	buf_fini(&bytes);
}

static void
put_text(struct control_call *call, const struct letter_reader *r)
{
	struct mime_part part;
	struct buf text, plain;

	buf_init(&text, 2 * LETTER_TEXT_MAX);
	buf_init(&plain, 8 * LETTER_TEXT_MAX);
	if (find_text(r, &part)) {
		read_text(r, &part, &text);
		(void)!(part.media == MIME_MEDIA_HTML ? html_text_put(&plain, buf_span(&text))
						      : buf_put(&plain, buf_span(&text)));
	}
	json_put_member_string(&call->json, SPAN("text"),
		span_range(buf_span(&plain), 0, LETTER_TEXT_MAX));
	buf_fini(&text);
	buf_fini(&plain);
}

/* ---- parts ---- */

static struct span
part_header(const struct letter_reader *r, const struct mime_part *part)
{
	uint64_t at = part->header_offset, end = at + part->header_size;
	struct span piece, out;
	struct buf header;

	buf_init(&header, PART_HEADER_MAX + BODY_PIECE_DATA);
	while (at < end && buf_span(&header).len < PART_HEADER_MAX &&
		(piece = bytes_at(r, at, end - at)).len > 0 && buf_put(&header, piece) == OK)
		at += piece.len;
	out = arena_copy(r->arena, buf_span(&header));
	buf_fini(&header);
	return out;
}

static void
put_part(struct control_call *call, const struct letter_reader *r, const struct mime_part *part)
{
	struct span header = part_header(r, part), name;
	struct mime_entity e;
	struct buf line;

	mime_entity_read(r->arena, header, false, &e);
	name = mime_file_name(r->arena, header);
	buf_init(&line, 4096);
	(void)!mime_part_put_number(&r->derived, part, &line);
	if (buf_span(&line).len == 0)
		(void)!buf_put_char(&line, '-'); /* what holds the others */
	(void)!buf_printf(&line, " %.*s/%.*s", SPAN_FMT(span_range(e.type, 0, 100)),
		SPAN_FMT(span_range(e.subtype, 0, 100)));
	(void)!buf_printf(&line, " %llu %.*s", (unsigned long long)part->body_size,
		SPAN_FMT(span_range(e.encoding, 0, 100)));
	if (name.len > 0) {
		(void)!buf_put_char(&line, ' ');
		(void)!buf_put(&line, mime_safe_file_name(r->arena, name));
	}
	json_put_string(&call->json, buf_span(&line));
	buf_fini(&line);
}

void
control_put_letter(struct control_call *call, struct snapshot *snap, const struct content *c)
{
	struct mime_walk at = { 0 };
	struct letter_reader r;
	struct mime_part part;
	size_t count = 0;

	if (!reader_open(&r, call, snap, c))
		return;
	put_text(call, &r);
	json_put_name(&call->json, SPAN("parts"));
	json_put_array(&call->json);
	while (count++ < LETTER_PARTS_MAX && mime_part_next(&r.derived, &at, &part))
		put_part(call, &r, &part);
	json_put_close(&call->json);
}

/* "1.2": at most MIME_DEPTH_MAX + 1 numbers. */
static enum err
read_number(struct span text, uint32_t *numbers, size_t *count)
{
	struct span one;

	for (*count = 0; text.len > 0; ++*count) {
		uint64_t number;

		if (*count == MIME_DEPTH_MAX + 1)
			return ERR_LIMIT;
		(void)span_cut(text, '.', &one, &text);
		if (span_u64(one, UINT32_MAX, &number) != OK)
			return ERR_SYNTAX;
		numbers[*count] = (uint32_t)number;
	}
	return *count > 0 ? OK : ERR_SYNTAX;
}

bool
control_letter_part(struct control_call *call, struct snapshot *snap, const struct content *c,
	struct span number, struct mime_part *out)
{
	uint32_t numbers[MIME_DEPTH_MAX + 1];
	struct letter_reader r;
	size_t count;

	if (reader_open(&r, call, snap, c) && read_number(number, numbers, &count) == OK &&
		mime_part_find(&r.derived, numbers, count, out) == OK)
		return true;
	return control_fail(call, RPC_NOT_FOUND, "this message has no such part",
		"its parts are those that the message shows", "part");
}
