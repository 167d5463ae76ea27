/*
 * search_text.c - parts of a message through decoder, charset and folding into a sink.
 *
 * What is ASCII as it is stored goes to the sink as it lies in the store, without a copy. Of HTML the source
 * goes there, and behind it what a reader sees: `K&uuml;<b>che</b>` is found as its address in a link is.
 */
#include "server/search/search_text.h"

#include "proto/base/find.h"
#include "proto/base/utf8.h"
#include "proto/mail/header.h"
#include "proto/mime/encoded_word.h"
#include "proto/mime/html_text.h"
#include "proto/mime/mime_charset.h"
#include "proto/mime/mime_decoder.h"
#include "proto/mime/mime_value.h"
#include "server/search/search_derived.h"
#include "store/bodies.h"

#define FIELD_ROOM (256u << 10)

struct reader {
	struct snapshot *snap;
	const struct content *content;
	const struct search_sink *sink;
	struct buf decoded, text, folded; /* of one piece, or of one field */
	struct buf html;                  /* the source of a part, its first SEARCH_HTML_MAX bytes */
	uint64_t left;                    /* of SEARCH_TEXT_MAX */
	bool enough;                      /* the sink wants no more */
};

static void
reader_init(struct reader *r, const struct search_sink *sink)
{
	*r = (struct reader){ .sink = sink, .left = SEARCH_TEXT_MAX };
	buf_init(&r->decoded, FIELD_ROOM);
	buf_init(&r->text, FIELD_ROOM);
	buf_init(&r->folded, 3 * FIELD_ROOM);
	buf_init(&r->html, SEARCH_HTML_MAX);
}

static void
reader_fini(struct reader *r)
{
	buf_fini(&r->decoded);
	buf_fini(&r->text);
	buf_fini(&r->folded);
	buf_fini(&r->html);
}

static void
give(struct reader *r, unsigned where, struct span text, bool ends)
{
	if (!r->enough && (text.len > 0 || ends))
		r->enough = !r->sink->piece(r->sink->arg, where, text, ends);
}

/* TEXT is UTF-8, or nearly. */
static void
give_folded(struct reader *r, unsigned where, struct span text, bool ends)
{
	if (find_8bit(text) < text.len) {
		buf_clear(&r->folded);
		(void)!utf8_put_folded(&r->folded, text);
		text = buf_span(&r->folded);
	}
	give(r, where, text, ends);
}

/* ---- headers ---- */

/* As it is written, line by line, without the ends of lines. */
static void
give_lines(struct reader *r, struct span raw)
{
	struct span line;

	while (span_next_line(&raw, &line))
		give(r, SEARCH_IN_HEADER, line, false);
	give(r, SEARCH_IN_HEADER, SPAN_NONE, true);
}

static void
give_field(struct reader *r, const struct header_field *field)
{
	if (find_8bit(field->raw) == field->raw.len &&
		find_bytes(field->raw, SPAN("=?")) == field->raw.len) {
		give_lines(r, field->raw);
		return;
	}
	buf_clear(&r->text);
	(void)!encoded_word_decode(&r->text, field->value); /* as much as there is room for */
	give_folded(r, SEARCH_IN_HEADER, field->name, false);
	give(r, SEARCH_IN_HEADER, SPAN(": "), false);
	give_folded(r, SEARCH_IN_HEADER, buf_span(&r->text), true);
}

static void
give_header(struct reader *r, struct span header)
{
	struct header_field field;

	while (!r->enough && header_next(&header, &field))
		give_field(r, &field);
}

/* The name of the file in a part, where it is written in pieces or with a charset (RFC 2231). */
static void
give_file_name(struct reader *r, struct span header)
{
	struct arena arena;

	if (r->enough || find_bytes(header, SPAN("*")) == header.len)
		return;
	arena_init(&arena, NULL);
	give_folded(r, SEARCH_IN_HEADER, mime_file_name(&arena, header), true);
	arena_reset(&arena);
}

void
search_text_header(struct span header, const struct search_sink *sink)
{
	struct reader r;

	if (header.len == 0 || !(sink->where & SEARCH_IN_HEADER))
		return;
	reader_init(&r, sink);
	give_header(&r, header);
	reader_fini(&r);
}

/* ---- bytes of the body ---- */

/* The bytes of the message from OFFSET on, as many as lie together; at most SIZE. */
static enum err
bytes_at(struct reader *r, uint64_t offset, uint64_t size, struct span *out)
{
	struct span header = r->content->header;
	enum err err = OK;

	if (offset < header.len)
		*out = span_from(header, (size_t)offset);
	else
		err = body_read(r->snap, r->content->body_id, offset - header.len, out);
	if (err == OK && out->len > size)
		out->len = (size_t)size;
	return err == OK && out->len == 0 ? ERR_NOT_FOUND : err;
}

/* The header of a part lies in the body, maybe over the border of two pieces: put together first. */
static enum err
give_part_header(struct reader *r, const struct mime_part *part)
{
	uint64_t at = part->header_offset, left = part->header_size;
	struct span bytes;
	enum err err = OK;

	if (left > SEARCH_PART_HEADER_MAX)
		left = SEARCH_PART_HEADER_MAX;
	buf_clear(&r->decoded);
	while (left > 0 && err == OK) {
		err = bytes_at(r, at, left, &bytes);
		if (err != OK)
			break;
		(void)!buf_put(&r->decoded, bytes);
		at += bytes.len;
		left -= bytes.len;
	}
	give_header(r, buf_span(&r->decoded));
	give_file_name(r, buf_span(&r->decoded));
	return err;
}

/* ---- text ---- */

struct text {
	struct reader *r;
	struct mime_decoder decoder;
	struct mime_charset charset;
	bool is_plain; /* ASCII in it is itself */
	bool as_it_is; /* its encoding changes nothing */
	bool is_html;
};

/* TEXT is UTF-8, not folded. */
static void
keep_html(struct text *t, struct span text)
{
	struct buf *html = &t->r->html;

	if (t->is_html)
		(void)!buf_put(html, span_range(text, 0, html->max - buf_span(html).len));
}

/* What a reader of the HTML sees, as a section of its own. */
static void
give_html(struct text *t)
{
	struct reader *r = t->r;

	if (!t->is_html || r->enough)
		return;
	buf_clear(&r->text);
	(void)!html_text_put(&r->text, buf_span(&r->html));
	give_folded(r, SEARCH_IN_BODY, buf_span(&r->text), true);
}

static void
put_text(struct text *t, struct span bytes)
{
	struct reader *r = t->r;

	if (t->is_plain && t->charset.held_len == 0 && find_8bit(bytes) == bytes.len) {
		keep_html(t, bytes);
		give(r, SEARCH_IN_BODY, bytes, false);
		return;
	}
	buf_clear(&r->text);
	(void)!mime_charset_put(&t->charset, bytes, &r->text);
	keep_html(t, buf_span(&r->text));
	give_folded(r, SEARCH_IN_BODY, buf_span(&r->text), false);
}

static void
put_bytes(struct text *t, struct span bytes)
{
	if (!t->as_it_is) {
		buf_clear(&t->r->decoded);
		(void)!mime_decoder_put(&t->decoder, bytes, &t->r->decoded);
		bytes = buf_span(&t->r->decoded);
	}
	put_text(t, bytes);
}

static void
end_text(struct text *t)
{
	struct reader *r = t->r;

	buf_clear(&r->decoded);
	(void)!mime_decoder_end(&t->decoder, &r->decoded);
	put_text(t, buf_span(&r->decoded));
	buf_clear(&r->text);
	(void)!mime_charset_end(&t->charset, &r->text);
	keep_html(t, buf_span(&r->text));
	give_folded(r, SEARCH_IN_BODY, buf_span(&r->text), true);
	give_html(t);
}

static enum err
give_text(struct reader *r, const struct mime_part *part)
{
	struct text t = { .r = r, .is_plain = part->charset <= MIME_CHARSET_WINDOWS_1252,
		.as_it_is = part->encoding != MIME_QUOTED_PRINTABLE &&
			part->encoding != MIME_BASE64,
		.is_html = part->media == MIME_MEDIA_HTML };
	uint64_t at = part->body_offset, left = part->body_size;
	struct span bytes;
	enum err err = OK;

	buf_clear(&r->html);
	mime_decoder_init(&t.decoder, part->encoding);
	if (mime_charset_open(&t.charset, part->charset) != OK)
		(void)!mime_charset_open(&t.charset, MIME_CHARSET_NONE);
	while (left > 0 && r->left > 0 && !r->enough) {
		err = bytes_at(r, at, left < r->left ? left : r->left, &bytes);
		if (err != OK)
			break;
		put_bytes(&t, bytes);
		at += bytes.len;
		left -= bytes.len;
		r->left -= bytes.len;
	}
	end_text(&t);
	mime_charset_close(&t.charset);
	return err;
}

static bool
is_text(const struct mime_part *part)
{
	return part->kind == MIME_LEAF &&
		(part->media == MIME_MEDIA_PLAIN || part->media == MIME_MEDIA_HTML ||
			part->media == MIME_MEDIA_TEXT);
}

/* What is damaged is passed over: the rest is worth looking at. */
static enum err
give_part(struct reader *r, const struct mime_part *part)
{
	enum err err = OK;

	if (part->depth > 0 && part->header_size > 0 && r->sink->where & SEARCH_IN_HEADER)
		err = give_part_header(r, part);
	if (err != ERR_IO && is_text(part) && r->sink->where & SEARCH_IN_BODY) {
		enum err text = give_text(r, part);

		if (text != OK)
			err = text;
	}
	return err;
}

static enum err
give_parts(struct reader *r, const struct mime_derived *derived)
{
	struct mime_walk at = { 0 };
	struct mime_part part;
	enum err err = OK;

	while (!r->enough && err != ERR_IO && mime_part_next(derived, &at, &part)) {
		enum err one = give_part(r, &part);

		if (one != OK)
			err = one == ERR_NOT_FOUND ? ERR_CORRUPT : one;
	}
	return err;
}

enum err
search_text_read(struct snapshot *snap, const struct content *content, const struct search_sink *sink)
{
	struct search_derived derived;
	struct reader r;
	enum err err;

	if (content->veiled)
		return ERR_DENIED;
	reader_init(&r, sink);
	r.snap = snap;
	r.content = content;
	if (sink->where & SEARCH_IN_HEADER) {
		give_header(&r, content->header);
		give_file_name(&r, content->header);
	}
	err = search_derived_open(snap, content, &derived);
	if (err != ERR_IO && !r.enough && derived.mime.part_count > 0) {
		enum err parts = give_parts(&r, &derived.mime);

		err = err == OK ? parts : err;
	}
	search_derived_close(&derived);
	reader_fini(&r);
	return err;
}
