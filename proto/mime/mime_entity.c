/*
 * mime_entity.c - a header to what it says of the body.
 */
#include "proto/mime/mime_entity.h"

#include "proto/mail/header.h"
#include "proto/mime/mime_charset.h"

#define BOUNDARY_MAX 70 /* RFC 2046, 5.1.1; H8 */

void
mime_entity_fields(struct span header, struct mime_entity *out)
{
	static const struct {
		const char *name;
		size_t len;
	} rows[ENTITY_FIELDS] = {
#define ROW(number, text) [number] = { text, sizeof(text) - 1 }
		ROW(ENTITY_DATE, "Date"),
		ROW(ENTITY_SUBJECT, "Subject"),
		ROW(ENTITY_FROM, "From"),
		ROW(ENTITY_SENDER, "Sender"),
		ROW(ENTITY_REPLY_TO, "Reply-To"),
		ROW(ENTITY_TO, "To"),
		ROW(ENTITY_CC, "Cc"),
		ROW(ENTITY_BCC, "Bcc"),
		ROW(ENTITY_IN_REPLY_TO, "In-Reply-To"),
		ROW(ENTITY_MESSAGE_ID, "Message-ID"),
		ROW(ENTITY_REFERENCES, "References"),
		ROW(ENTITY_TYPE, "Content-Type"),
		ROW(ENTITY_ENCODING, "Content-Transfer-Encoding"),
		ROW(ENTITY_ID, "Content-ID"),
		ROW(ENTITY_DESCRIPTION, "Content-Description"),
		ROW(ENTITY_DISPOSITION, "Content-Disposition"),
		ROW(ENTITY_LANGUAGE, "Content-Language"),
		ROW(ENTITY_LOCATION, "Content-Location"),
		ROW(ENTITY_MD5, "Content-MD5"),
#undef ROW
	};
	struct header_field field;

	*out = (struct mime_entity){ .kind = MIME_LEAF };
	while (header_next(&header, &field))
		for (size_t i = 0; i < ENTITY_FIELDS; i++)
			if (field.name.len == rows[i].len && !out->fields[i].ptr &&
				span_eq_nocase(field.name,
					(struct span){ rows[i].name, rows[i].len })) {
				out->fields[i] = span_range(field.value, 0, HEADER_FIELD_SIZE_MAX);
				break;
			}
}

static void
set_plain(struct mime_entity *e)
{
	e->type = SPAN("text");
	e->subtype = SPAN("plain");
	e->params = (struct mime_params){ NULL, 0 };
	e->kind = MIME_LEAF;
}

void
mime_entity_close(struct mime_entity *e)
{
	e->type = SPAN("application");
	e->subtype = SPAN("octet-stream");
	e->kind = MIME_LEAF;
	e->media = MIME_MEDIA_APPLICATION;
}

static void
read_encoding(struct arena *a, struct mime_entity *e)
{
	static const struct {
		const char *name;
		enum mime_encoding encoding;
	} rows[] = {
		{ "7bit", MIME_7BIT },
		{ "8bit", MIME_8BIT },
		{ "binary", MIME_BINARY },
		{ "quoted-printable", MIME_QUOTED_PRINTABLE },
		{ "base64", MIME_BASE64 },
	};
	struct span rest = e->fields[ENTITY_ENCODING];

	e->encoding = mime_take_word(a, &rest);
	if (e->encoding.len == 0) {
		e->encoding = SPAN("7bit");
		return;
	}
	e->encoding_no = MIME_ENCODING_UNKNOWN;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (span_eq_nocase(e->encoding, span_of(rows[i].name)))
			e->encoding_no = rows[i].encoding;
}

static void
read_type(struct arena *a, bool is_digested, struct mime_entity *e)
{
	struct span rest = e->fields[ENTITY_TYPE];

	if (!rest.ptr && is_digested) {
		e->type = SPAN("message");
		e->subtype = SPAN("rfc822");
	} else if (!mime_take_type(a, &rest, &e->type, &e->subtype)) {
		set_plain(e);
	} else {
		e->params = mime_take_params(a, rest);
	}
}

/* A boundary in pieces (RFC 2231, 3) is one, too. */
static void
read_boundary(struct arena *a, struct mime_entity *e)
{
	e->boundary = mime_param_text(a, &e->params, SPAN("boundary"));
	while (e->boundary.len > 0 && e->boundary.ptr[e->boundary.len - 1] == ' ')
		e->boundary.len--; /* RFC 2046, 5.1.1 */
	if (e->boundary.len > 0 && e->boundary.len <= BOUNDARY_MAX) {
		e->boundary = arena_copy(a, e->boundary);
		e->kind = MIME_MULTIPART;
		e->is_digest = span_eq_nocase(e->subtype, SPAN("digest"));
	} else {
		set_plain(e);
	}
}

/* RFC 2046, 5.2.1: a message is not encoded; where it is all the same it stays an attachment. */
static void
read_message(struct mime_entity *e)
{
	if (e->encoding_no == MIME_QUOTED_PRINTABLE || e->encoding_no == MIME_BASE64)
		mime_entity_close(e);
	else
		e->kind = MIME_MESSAGE;
}

static enum mime_media
media_of(const struct mime_entity *e)
{
	static const struct {
		const char *type;
		enum mime_media media;
	} rows[] = {
		{ "text", MIME_MEDIA_TEXT },
		{ "image", MIME_MEDIA_IMAGE },
		{ "audio", MIME_MEDIA_AUDIO },
		{ "video", MIME_MEDIA_VIDEO },
		{ "application", MIME_MEDIA_APPLICATION },
	};

	if (span_eq_nocase(e->type, SPAN("text"))) {
		if (span_eq_nocase(e->subtype, SPAN("plain")))
			return MIME_MEDIA_PLAIN;
		if (span_eq_nocase(e->subtype, SPAN("html")))
			return MIME_MEDIA_HTML;
	}
	for (size_t i = 0; i < COUNT(rows); i++)
		if (span_eq_nocase(e->type, span_of(rows[i].type)))
			return rows[i].media;
	return MIME_MEDIA_OTHER;
}

static void
read_disposition(struct arena *a, struct mime_entity *e)
{
	struct span rest = e->fields[ENTITY_DISPOSITION];

	if (rest.len > 0) {
		e->disposition = mime_take_word(a, &rest);
		e->disposition_params = mime_take_params(a, rest);
		if (e->disposition.len == 0)
			e->disposition = SPAN_NONE;
	}
	e->is_attachment = span_eq_nocase(e->disposition, SPAN("attachment")) ||
		mime_param_text(a, &e->disposition_params, SPAN("filename")).ptr ||
		mime_param_text(a, &e->params, SPAN("name")).ptr;
}

void
mime_entity_read(struct arena *a, struct span header, bool is_digested, struct mime_entity *out)
{
	mime_entity_fields(header, out);
	read_encoding(a, out);
	read_type(a, is_digested, out);
	if (span_eq_nocase(out->type, SPAN("multipart")))
		read_boundary(a, out);
	else if (span_eq_nocase(out->type, SPAN("message")) &&
		(span_eq_nocase(out->subtype, SPAN("rfc822")) ||
			span_eq_nocase(out->subtype, SPAN("global"))))
		read_message(out);
	out->media = out->kind == MIME_LEAF ? media_of(out) : MIME_MEDIA_OTHER;
	out->charset = mime_charset_find(mime_param_find(&out->params, SPAN("charset")));
	read_disposition(a, out);
}
