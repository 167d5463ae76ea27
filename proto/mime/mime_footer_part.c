/*
 * mime_footer_part.c - the bytes of one text with the footer in it.
 *
 * As a rule only the end of the text is read: from a place on where the transfer encoding begins anew, which is
 * any in 7bit and 8bit, behind a hard line end in quoted-printable, behind a whole group in base64. It is
 * decoded, extended, encoded again. Where the charset or the encoding has to change, all of the text is.
 */
#include <string.h>

#include "proto/mime/mime_charset.h"
#include "proto/mime/mime_decoder.h"
#include "proto/mime/mime_encoder.h"
#include "proto/mime/mime_footer_inside.h"

#define LINE_LONG 900      /* bytes of a line of the footer that want quoted-printable (RFC 5322, 2.1.1) */
#define PLAIN_TAIL 4096    /* bytes at the end of plain text in which its last line begins */
#define FRONT 8192         /* bytes of a text in which a text of OpenPGP would begin */
#define CHUNK 65536        /* bytes read at a time */
#define REPLACEMENT "\xef\xbf\xbd"

static const char *const encoding_text = "its transfer encoding is unknown";
static const char *const charset_text = "its charset is unknown";
static const char *const text_text = "its text is none in its own charset";
static const char *const large_text = "its text is too large to be encoded anew";
static const char *const base64_text = "its base64 is damaged";
static const char *const pgp_text = "it is signed or encrypted inside of its text";

/* What is done to one text. */
struct work {
	const struct mime_footer *f;
	const struct footer_spot *spot;
	struct span footer;
	enum mime_encoding from, to;
	bool converts;       /* to UTF-8 */
	uint64_t start;      /* of what is replaced, in the part's body */
	const char *why;
};

static bool
is_encoded(enum mime_encoding encoding)
{
	return encoding == MIME_QUOTED_PRINTABLE || encoding == MIME_BASE64;
}

/* Are the bytes of ASCII the same in it, wherever a text ends? */
static bool
holds_ascii(unsigned charset)
{
	static const struct span others[] = { { "utf-16", 6 }, { "utf-32", 6 }, { "utf-7", 5 },
		{ "iso-2022-kr", 11 } };
	struct span name = mime_charset_name(charset);

	for (size_t i = 0; i < COUNT(others); i++)
		if (span_starts_nocase(name, others[i]))
			return false;
	return true;
}

static bool
has_long_line(struct span text)
{
	struct span line;

	while (text.len > 0) {
		(void)span_cut(text, '\n', &line, &text);
		if (line.len > LINE_LONG)
			return true;
	}
	return false;
}

/* ---- what has to change ---- */

static void
decide(struct work *w)
{
	const struct mime_entity *e = &w->spot->entity;
	bool ascii = span_is_ascii(w->footer);
	bool is_named = mime_param_find(&e->params, SPAN("charset")).len > 0;

	w->from = w->to = w->spot->part.encoding;
	if (w->from == MIME_ENCODING_UNKNOWN)
		w->why = encoding_text;
	else if (is_named && e->charset == MIME_CHARSET_NONE)
		w->why = charset_text;
	else
		w->converts = !holds_ascii(e->charset) || (!ascii && e->charset != MIME_CHARSET_UTF8);
	if (!is_encoded(w->to) && (has_long_line(w->footer) || w->converts))
		w->to = MIME_QUOTED_PRINTABLE;
	if (w->to == MIME_7BIT && !ascii)
		w->to = MIME_QUOTED_PRINTABLE;
}

/* The type with charset=utf-8, its other parameters as they were (RFC 2045, 5.1). */
static struct span
utf8_type(struct arena *a, const struct mime_entity *e)
{
	struct span type = arena_printf(
		a, "%.*s/%.*s; charset=utf-8", SPAN_FMT(e->type), SPAN_FMT(e->subtype));

	for (size_t i = 0; i < e->params.count; i++) {
		const struct mime_param *p = &e->params.items[i];
		bool is_plain = span_ends_nocase(p->name, SPAN("*")); /* RFC 2231: no quotes */

		if (span_eq_nocase(p->name, SPAN("charset")) ||
			span_find(p->value, '"') + span_find(p->value, '\\') < 2 * p->value.len)
			continue;
		type = arena_printf(a, is_plain ? "%.*s; %.*s=%.*s" : "%.*s; %.*s=\"%.*s\"",
			SPAN_FMT(type), SPAN_FMT(p->name), SPAN_FMT(p->value));
	}
	return type;
}

/* ---- where the end of the text begins ---- */

static enum err
read_at(const struct work *w, uint64_t from, uint64_t size, struct span *out)
{
	return w->f->read(w->f->arg, w->spot->part.body_offset + from, size, out);
}

/* Behind the first hard line end of the last SIZE bytes; the whole text where there is none. */
static enum err
find_line(struct work *w, uint64_t size)
{
	uint64_t all = w->spot->part.body_size, from = all > size ? all - size : 0;
	struct span tail;
	enum err err = OK;

	w->start = 0;
	if (from == 0)
		return OK;
	err = read_at(w, from, all - from, &tail);
	for (size_t i = 2; err == OK && i < tail.len; i++) {
		size_t end = i - (tail.ptr[i - 1] == '\r'); /* of the line before the LF at I */

		if (tail.ptr[i] == '\n' && tail.ptr[end - 1] != '=') {
			w->start = from + i + 1;
			return OK;
		}
	}
	return err;
}

static bool
is_base64(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
		c == '+' || c == '/';
}

/* May BYTES of it be done, at so much a KiB? */
static bool
afford(struct work *w, uint64_t bytes, unsigned us_per_kib)
{
	uint64_t us = bytes * us_per_kib / 1024;

	if (us > *w->spot->left_us) {
		w->why = large_text;
		return false;
	}
	*w->spot->left_us -= us;
	return true;
}

/* Groups of base64 counted over the text: the last line that begins one, SIZE bytes before the end at least. */
struct groups {
	uint64_t characters;
	bool padded, is_damaged;
};

static void
count_chunk(struct groups *g, struct work *w, struct span chunk, uint64_t at)
{
	uint64_t last = w->spot->part.body_size;
	uint64_t latest = last > MIME_FOOTER_TAIL ? last - MIME_FOOTER_TAIL : 0;

	for (size_t i = 0; i < chunk.len; i++) {
		char c = chunk.ptr[i];

		g->is_damaged |= g->padded && is_base64(c);
		g->padded |= c == '=';
		g->characters += c == '=' || is_base64(c);
		if (c == '\n' && g->characters % 4 == 0 && at + i < latest && !g->padded)
			w->start = at + i + 1;
	}
}

static enum err
find_group(struct work *w)
{
	uint64_t all = w->spot->part.body_size;
	struct groups g = { 0 };
	enum err err = OK;

	w->start = 0;
	if (!afford(w, all, MIME_FOOTER_COUNT_US))
		return OK;
	for (uint64_t at = 0; at < all && err == OK; at += CHUNK) {
		uint64_t size = all - at < CHUNK ? all - at : CHUNK;
		struct span chunk;

		err = read_at(w, at, size, &chunk);
		if (err == OK)
			count_chunk(&g, w, chunk, at);
	}
	if (g.is_damaged || g.characters % 4 != 0)
		w->why = base64_text;
	return err;
}

static enum err
find_start(struct work *w)
{
	uint64_t all = w->spot->part.body_size;
	uint64_t tail = footer_is_html(w->spot) ? MIME_FOOTER_TAIL : PLAIN_TAIL;
	enum err err = OK;

	w->start = 0;
	if (w->from == MIME_BASE64)
		err = find_group(w);
	if (w->converts || w->from != w->to)
		w->start = 0;
	else if (w->from == MIME_QUOTED_PRINTABLE)
		err = find_line(w, tail);
	else if (w->from != MIME_BASE64)
		w->start = all > tail ? all - tail : 0;
	if (!w->why && err == OK)
		(void)afford(w, all - w->start, w->converts ? MIME_FOOTER_CONVERT_US : MIME_FOOTER_ENCODE_US);
	return err;
}

/* ---- the bytes ---- */

/* IN without its transfer encoding. */
static enum err
decode(const struct work *w, struct span in, struct buf *out)
{
	struct mime_decoder decoder;
	enum err err;

	mime_decoder_init(&decoder, w->from);
	err = mime_decoder_put(&decoder, in, out);
	return err == OK ? mime_decoder_end(&decoder, out) : err;
}

/* *text in UTF-8 in OUT. ERR_NOT_FOUND: what it says it is it is not, or there is no such charset here. */
static enum err
convert(const struct work *w, struct span *text, struct buf *out)
{
	struct mime_charset charset;
	enum err err = mime_charset_open(&charset, w->spot->entity.charset);

	if (err != OK)
		return ERR_NOT_FOUND;
	err = mime_charset_put(&charset, *text, out);
	if (err == OK)
		err = mime_charset_end(&charset, out);
	mime_charset_close(&charset);
	*text = buf_span(out);
	if (err == OK && span_find_span(*text, SPAN(REPLACEMENT)) < text->len)
		err = ERR_NOT_FOUND;
	return err;
}

/* The last place of NEEDLE, in any letters; text.len: none. */
static size_t
find_last(struct span text, struct span needle)
{
	size_t found = text.len;

	for (size_t at = 0; at < text.len;) {
		size_t next = at + span_find_span_nocase(span_from(text, at), needle);

		if (next >= text.len)
			break;
		found = next;
		at = next + 1;
	}
	return found;
}

static size_t
place_in(const struct work *w, struct span text)
{
	size_t at = text.len;

	if (footer_is_html(w->spot))
		at = find_last(text, SPAN("</body"));
	if (footer_is_html(w->spot) && at == text.len)
		at = find_last(text, SPAN("</html"));
	return at;
}

/* TEXT with the footer, which begins and ends a line; a text whose last line has no end keeps having none. */
static enum err
put_extended(const struct work *w, struct span text, struct buf *out)
{
	size_t at = place_in(w, text);
	struct span before = span_range(text, 0, at), footer = w->footer;
	bool begins = before.len == 0 || span_ends_nocase(before, SPAN("\n"));
	enum err err;

	if (at == text.len && !begins && footer.len >= 2)
		footer.len -= 2;
	err = buf_put(out, before);
	if (err == OK && !begins)
		err = buf_put(out, SPAN("\r\n"));
	if (err == OK)
		err = buf_put(out, footer);
	return err == OK ? buf_put(out, span_from(text, at)) : err;
}

static enum err
encode(const struct work *w, struct span text, struct buf *out)
{
	struct mime_encoder encoder;
	enum err err;

	if (!is_encoded(w->to))
		return buf_put(out, text);
	mime_encoder_init(&encoder, w->to);
	err = mime_encoder_put(&encoder, text, out);
	return err == OK ? mime_encoder_end(&encoder, out) : err;
}

/* OLD, the end of the text as it lies there, as it shall be. */
static enum err
replace(struct work *w, struct span old, struct span *out)
{
	size_t max = 4 * old.len + w->footer.len + 4096;
	struct buf decoded, converted, extended, encoded;
	struct span text;
	enum err err;

	buf_init(&decoded, old.len + MIME_DECODER_HELD);
	buf_init(&converted, max);
	buf_init(&extended, max);
	buf_init(&encoded, MIME_ENCODER_GROWS * max + MIME_ENCODER_MORE);
	err = decode(w, old, &decoded);
	text = buf_span(&decoded);
	if (err == OK && w->converts)
		err = convert(w, &text, &converted);
	if (err == OK)
		err = put_extended(w, text, &extended);
	if (err == OK)
		err = encode(w, buf_span(&extended), &encoded);
	if (err == OK)
		*out = arena_copy(w->f->arena, buf_span(&encoded));
	else
		w->why = err == ERR_NOT_FOUND ? text_text : large_text;
	buf_fini(&decoded);
	buf_fini(&converted);
	buf_fini(&extended);
	buf_fini(&encoded);
	return OK;
}

/* RFC 4880, 6.2 and 7: a text that is signed as it stands, or holds nothing else. */
static enum err
look_for_pgp(struct work *w)
{
	uint64_t size = w->spot->part.body_size < FRONT ? w->spot->part.body_size : FRONT;
	struct span front;
	struct buf text;
	enum err err = read_at(w, 0, size, &front);

	if (err != OK)
		return err;
	buf_init(&text, FRONT + MIME_DECODER_HELD);
	if (decode(w, front, &text) == OK &&
		span_find_span(buf_span(&text), SPAN("-----BEGIN PGP ")) < buf_span(&text).len)
		w->why = pgp_text;
	buf_fini(&text);
	return OK;
}

enum err
footer_part(const struct mime_footer *f, const struct footer_spot *spot,
	struct mime_footer_edit *out, struct span values[2], const char **why)
{
	struct work w = { .f = f, .spot = spot, .footer = footer_is_html(spot) ? f->html : f->plain };
	struct span old = SPAN_NONE;
	enum err err = OK;

	decide(&w);
	if (!w.why)
		err = look_for_pgp(&w);
	if (!w.why && err == OK)
		err = find_start(&w);
	if (!w.why && err == OK)
		err = read_at(&w, w.start, spot->part.body_size - w.start, &old);
	if (!w.why && err == OK)
		err = replace(&w, old, &out->text);
	out->at = spot->part.body_offset + w.start - f->derived->header.len;
	out->size = spot->part.body_size - w.start;
	if (w.converts)
		values[0] = utf8_type(f->arena, &spot->entity);
	if (w.to != w.from)
		values[1] = w.to == MIME_BASE64 ? SPAN("base64") : SPAN("quoted-printable");
	*why = w.why;
	return err;
}
