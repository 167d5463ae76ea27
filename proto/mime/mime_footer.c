/*
 * mime_footer.c - which texts of a message get the footer, and the headers of those that are encoded anew.
 */
#include "proto/mime/mime_footer_inside.h"

#include "proto/mail/header.h"

static const char *const sealed_text = "it is signed or encrypted";
static const char *const no_text = "it has no text of its own";
static const char *const many_text = "it has too many parts";
static const char *const head_text = "a part of it has too large a header";

/* ---- which texts ---- */

/* A multipart that is being walked. */
struct frame {
	bool is_alternative;
	bool has_text; /* a text was found in it */
};

struct search {
	const struct mime_footer *f;
	struct frame frames[MIME_DEPTH_MAX + 1];
	struct footer_spot *spots;
	size_t count;
	uint64_t left_us; /* what the texts may cost together */
	bool passes;      /* what is deeper than */
	unsigned passed;  /* this is passed over */
	const char *why;  /* nothing is done */
};

/* RFC 1847, RFC 8551, RFC 3156. */
static bool
is_seal(const struct mime_entity *e)
{
	static const struct span sealed[] = { { "signed", 6 }, { "encrypted", 9 } };
	static const struct span wrapped[] = { { "pkcs7-mime", 10 }, { "x-pkcs7-mime", 12 },
		{ "pgp-encrypted", 13 } };
	bool is_multipart = span_eq_nocase(e->type, SPAN("multipart"));

	for (size_t i = 0; is_multipart && i < COUNT(sealed); i++)
		if (span_eq_nocase(e->subtype, sealed[i]))
			return true;
	for (size_t i = 0; span_eq_nocase(e->type, SPAN("application")) && i < COUNT(wrapped); i++)
		if (span_eq_nocase(e->subtype, wrapped[i]))
			return true;
	return false;
}

static void
pass_over(struct search *s, const struct mime_part *part)
{
	s->passes = true;
	s->passed = part->depth;
}

static void
found_text(struct search *s, const struct mime_part *part, struct span head,
	const struct mime_entity *e)
{
	if (s->count == MIME_FOOTER_SPOTS_MAX)
		return;
	s->spots[s->count++] = (struct footer_spot){ *part, head, *e, &s->left_us };
	for (unsigned i = 0; i < part->depth && i <= MIME_DEPTH_MAX; i++)
		s->frames[i].has_text = true;
}

static void
look_at(struct search *s, const struct mime_part *part, struct span head)
{
	struct mime_entity e;

	mime_entity_read(s->f->arena, head, false, &e);
	if (is_seal(&e)) {
		s->why = sealed_text;
	} else if (part->kind == MIME_MULTIPART) {
		s->frames[part->depth] = (struct frame){ span_eq_nocase(
			e.subtype, SPAN("alternative")), false };
		if (span_eq_nocase(e.subtype, SPAN("report"))) /* RFC 6522: for programs */
			pass_over(s, part);
	} else if (part->kind == MIME_MESSAGE) { /* somebody else's, also where it is all there is */
		pass_over(s, part);
	} else if (part->kind == MIME_LEAF && !part->is_attachment &&
		(part->media == MIME_MEDIA_PLAIN || part->media == MIME_MEDIA_HTML)) {
		found_text(s, part, head, &e);
	}
}

/* Is it behind the text of its multipart? */
static bool
is_behind(const struct search *s, const struct mime_part *part)
{
	const struct frame *above = part->depth > 0 ? &s->frames[part->depth - 1] : NULL;

	return above && above->has_text && !above->is_alternative;
}

static enum err
read_head(const struct mime_footer *f, const struct mime_part *part, struct span *out)
{
	if (part->no == 0) {
		*out = f->derived->header;
		return OK;
	}
	*out = SPAN_NONE;
	return part->header_size <= MIME_FOOTER_HEAD_MAX
		? f->read(f->arg, part->header_offset, part->header_size, out)
		: OK;
}

static enum err
search(struct search *s)
{
	struct mime_walk walk = { 0 };
	struct mime_part part;
	unsigned seen = 0;

	while (!s->why && mime_part_next(s->f->derived, &walk, &part)) {
		struct span head;
		enum err err;

		if (s->passes && part.depth > s->passed)
			continue;
		s->passes = false;
		if (++seen > MIME_FOOTER_PARTS_MAX) {
			s->why = many_text;
			break;
		}
		if (is_behind(s, &part) || part.depth > MIME_DEPTH_MAX) {
			pass_over(s, &part);
			continue;
		}
		if ((err = read_head(s->f, &part, &head)) != OK)
			return err;
		if (head.len < part.header_size && part.no > 0)
			s->why = head_text;
		else
			look_at(s, &part, head);
	}
	if (!s->why && s->count == 0)
		s->why = no_text;
	return OK;
}

/* ---- headers ---- */

/* What says of the bytes of a body how many they are, or their sum (RFC 1864). */
static const struct span measures[] = { { "Content-MD5", 11 }, { "Content-Length", 14 } };

static bool
is_measured(struct span header)
{
	return header_find(header, measures[0]).ptr || header_find(header, measures[1]).ptr;
}

enum err
mime_footer_put_header(struct span header, struct span type, struct span encoding, struct buf *out)
{
	struct span names[2 + COUNT(measures)];
	size_t count = 0;
	bool has_end = span_ends_nocase(header, SPAN("\r\n"));
	bool is_message = header_find(header, SPAN("MIME-Version")).ptr ||
		header_find(header, SPAN("From")).ptr;
	enum err err;

	for (size_t i = 0; i < COUNT(measures); i++)
		names[count++] = measures[i];
	if (type.len > 0)
		names[count++] = SPAN("Content-Type");
	if (encoding.len > 0)
		names[count++] = SPAN("Content-Transfer-Encoding");
	if (has_end)
		header.len -= 2;
	if ((err = header_put_without(out, header, names, count)) != OK)
		return err;
	if (is_message && !header_find(header, SPAN("MIME-Version")).ptr)
		err = header_put(out, SPAN("MIME-Version"), SPAN("1.0"));
	if (err == OK && type.len > 0)
		err = header_put(out, SPAN("Content-Type"), type);
	if (err == OK && encoding.len > 0)
		err = header_put(out, SPAN("Content-Transfer-Encoding"), encoding);
	return err == OK ? buf_put(out, SPAN("\r\n")) : err;
}

/* The header of a part, or that of the message, gets these values. False: it does not take them. */
static bool
change_header(const struct mime_footer *f, const struct footer_spot *spot,
	const struct span values[2], struct mime_footer_result *out)
{
	struct mime_footer_edit *edit = &out->edits[out->count];
	struct buf head;
	bool fits;

	if (values[0].len + values[1].len == 0 && (spot->part.no == 0 || !is_measured(spot->head)))
		return true;
	if (spot->part.no == 0) {
		out->type = values[0];
		out->encoding = values[1];
		return true;
	}
	buf_init(&head, spot->head.len + 8192);
	fits = mime_footer_put_header(spot->head, values[0], values[1], &head) == OK;
	edit->at = spot->part.header_offset - f->derived->header.len;
	edit->size = spot->part.header_size;
	edit->text = arena_copy(f->arena, buf_span(&head));
	out->count += fits;
	buf_fini(&head);
	return fits;
}

/* ---- all of it ---- */

static enum err
sign(const struct mime_footer *f, const struct footer_spot *spot, struct mime_footer_result *out)
{
	struct span values[2] = { SPAN_NONE, SPAN_NONE };
	struct mime_footer_edit edit = { 0 };
	const char *why = NULL;
	enum err err = footer_part(f, spot, &edit, values, &why);

	if (err == OK && !why && !change_header(f, spot, values, out))
		why = head_text;
	if (why && !out->why)
		out->why = why;
	if (err != OK || why)
		return err;
	out->edits[out->count++] = edit;
	if (footer_is_html(spot))
		out->html++;
	else
		out->plain++;
	return OK;
}

enum err
mime_footer_make(const struct mime_footer *f, struct mime_footer_result *out)
{
	struct search s = { .f = f, .left_us = MIME_FOOTER_MAX_US };
	enum err err;

	*out = (struct mime_footer_result){ 0 };
	s.spots = ARENA_ARRAY(f->arena, struct footer_spot, MIME_FOOTER_SPOTS_MAX);
	err = search(&s);
	out->why = s.why;
	for (size_t i = 0; i < s.count && err == OK && !s.why; i++)
		if ((footer_is_html(&s.spots[i]) ? f->html : f->plain).len > 0)
			err = sign(f, &s.spots[i], out);
	out->is_measured = out->count > 0 && is_measured(f->derived->header);
	return err;
}
