/*
 * script_message.c - text parts decoded one after the other.
 */
#include "server/script/script_message.h"

#include "proto/mail/header.h"
#include "proto/mime/encoded_word.h"
#include "proto/mime/html_text.h"
#include "proto/mime/mime_charset.h"
#include "proto/mime/mime_decoder.h"

#define DECODED_MAX (2 * SCRIPT_BODY_MAX)

static bool
is_text(const struct mime_part *part)
{
	return part->kind == MIME_LEAF && !part->is_attachment &&
		(part->media == MIME_MEDIA_PLAIN || part->media == MIME_MEDIA_HTML ||
			part->media == MIME_MEDIA_TEXT);
}

/* What of PART was given; its place counts from the header's first byte. */
static struct span
bytes_of(const struct script_input *in, const struct mime_part *part)
{
	struct span body = buf_span(&in->body);
	uint64_t from = part->body_offset - in->header.len;

	if (part->body_offset < in->header.len || from > body.len)
		return SPAN_NONE;
	body = span_from(body, (size_t)from);
	return part->body_size < body.len ? span_range(body, 0, (size_t)part->body_size) : body;
}

/* What there is no room for is left out, here and below. */
static void
decode(const struct mime_part *part, struct span bytes, struct buf *out)
{
	struct mime_decoder decoder;

	mime_decoder_init(&decoder, part->encoding);
	if (mime_decoder_put(&decoder, bytes, out) == OK)
		(void)!mime_decoder_end(&decoder, out);
}

static void
to_utf8(const struct mime_part *part, struct span bytes, struct buf *out)
{
	struct mime_charset charset;

	if (mime_charset_open(&charset, part->charset) != OK &&
		mime_charset_open(&charset, MIME_CHARSET_WINDOWS_1252) != OK)
		return;
	if (mime_charset_put(&charset, bytes, out) == OK)
		(void)!mime_charset_end(&charset, out);
	mime_charset_close(&charset);
}

static void
put_part(struct script_message *m, const struct script_input *in, const struct mime_part *part)
{
	struct buf bytes, text;

	buf_init(&bytes, DECODED_MAX);
	buf_init(&text, 2 * DECODED_MAX);
	decode(part, bytes_of(in, part), &bytes);
	to_utf8(part, buf_span(&bytes), &text);
	if (buf_span(&m->text).len > 0)
		(void)!buf_put_char(&m->text, '\n');
	if (part->media == MIME_MEDIA_HTML)
		(void)!html_text_put(&m->text, buf_span(&text));
	else
		(void)!buf_put(&m->text, span_range(buf_span(&text), 0,
						 m->text.max - buf_span(&m->text).len));
	buf_fini(&bytes);
	buf_fini(&text);
}

void
script_message_read(struct script_message *m, const struct script_input *in)
{
	struct mime_walk at = { .at = 0 };
	struct mime_derived derived;
	struct mime_part part;

	buf_init(&m->text, SCRIPT_BODY_TEXT_MAX);
	if (!in->site || mime_derived_open(in->record, in->header, &derived) != OK)
		return;
	while (mime_part_next(&derived, &at, &part))
		if (is_text(&part))
			put_part(m, in, &part);
}

void
script_message_fini(struct script_message *m)
{
	buf_fini(&m->text);
}

void
script_value_put(struct buf *out, struct span value)
{
	if (encoded_word_is_needed(value))
		(void)!encoded_word_decode(out, value);
	else
		(void)!header_unfold(out, value);
}
