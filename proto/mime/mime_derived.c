/*
 * mime_derived.c - reading the record: its head, its texts, its fields.
 */
#include "proto/mime/mime_derived.h"

#include <string.h>

#include "proto/base/ascii.h"
#include "proto/base/find.h"
#include "proto/base/utf8.h"
#include "proto/mail/header.h"
#include "proto/mail/mail_date.h"
#include "proto/mime/mime_bytes.h"
#include "proto/mime/mime_envelope.h"
#include "proto/mime/mime_pack.h"
#include "proto/mime/mime_record.h"

#define ADDRESS_TEXT_MAX 1024 /* bytes of an address that are looked at */

static void
take_field(struct mime_in *in, struct mime_derived *d)
{
	uint8_t what = mime_take_u8(in);
	uint64_t offset = mime_take_varint(in), size = mime_take_varint(in);
	struct mime_text text = { span_range(d->header, offset, offset + size), SPAN_NONE };

	if (what & MIME_FIELD_OWN) {
		text.text = mime_take_bytes(in, mime_take_varint(in));
		if (!text.text.ptr)
			in->bad = true;
	}
	what &= (uint8_t)~MIME_FIELD_OWN;
	if (what >= MIME_FIELDS || offset > d->header.len || size > d->header.len - offset)
		in->bad = true;
	else
		d->fields[what] = text;
}

static void
take_sent(struct mime_in *in, struct mime_derived *d)
{
	int64_t offset;

	d->has_sent = true;
	d->sent_s = mime_take_zigzag(in);
	offset = mime_take_zigzag(in);
	if (offset < -MAIL_DATE_OFFSET_MAX || offset > MAIL_DATE_OFFSET_MAX)
		in->bad = true;
	d->sent_offset_minutes = (int)offset;
}

/* The sizes of the four, then their bytes. */
static struct span
take_texts(struct mime_in *in, struct mime_derived *d)
{
	uint64_t envelope, structure, parts, fields;

	d->envelope_size = mime_take_varint(in);
	envelope = mime_take_varint(in);
	d->structure_size = mime_take_varint(in);
	structure = mime_take_varint(in);
	parts = mime_take_varint(in);
	fields = mime_take_varint(in);
	d->envelope = mime_take_bytes(in, envelope);
	d->structure = mime_take_bytes(in, structure);
	d->parts = mime_take_bytes(in, parts);
	return mime_take_bytes(in, fields);
}

enum err
mime_derived_open(struct span record, struct span header, struct mime_derived *out)
{
	struct mime_in in = { record.ptr, record.ptr + record.len, false };
	struct span fields;

	*out = (struct mime_derived){ .header = header };
	if (record.len == 0 || mime_take_u8(&in) != MIME_DERIVED_VERSION)
		return ERR_NOT_FOUND;
	if (mime_take_varint(&in) != header.len)
		return ERR_CORRUPT;
	out->part_count = mime_take_varint(&in);
	if (mime_take_u8(&in) & MIME_RECORD_SENT)
		take_sent(&in, out);
	fields = take_texts(&in, out);
	if (in.bad || out->part_count == 0 || out->part_count > MIME_PARTS_MAX)
		return ERR_CORRUPT;
	in = (struct mime_in){ fields.ptr, fields.ptr + fields.len, false };
	while (in.at < in.end && !in.bad)
		take_field(&in, out);
	return in.bad ? ERR_CORRUPT : OK;
}

enum err
mime_derived_put_envelope(const struct mime_derived *d, struct buf *out)
{
	return mime_unpack(d->header, d->envelope, d->envelope_size, out);
}

/* The last SIZE bytes of OUT without their marks, and for BODY without what stands between two. */
static void
drop_marks(struct buf *out, size_t size, bool also_between)
{
	char *begin = out->bytes + out->len - size, *to = begin;
	struct span rest = { begin, size }, piece;
	bool between = false;

	while (rest.len > 0) {
		(void)span_cut(rest, MIME_EXTENSION_MARK, &piece, &rest);
		if (!between || !also_between) {
			memmove(to, piece.ptr, piece.len);
			to += piece.len;
		}
		between = !between;
	}
	out->len = (size_t)(to - out->bytes);
}

static enum err
put_structure(const struct mime_derived *d, bool is_body, struct buf *out)
{
	enum err err = mime_unpack(d->header, d->structure, d->structure_size, out);

	if (err == OK)
		drop_marks(out, d->structure_size, is_body);
	return err;
}

enum err
mime_derived_put_bodystructure(const struct mime_derived *d, struct buf *out)
{
	return put_structure(d, false, out);
}

enum err
mime_derived_put_body(const struct mime_derived *d, struct buf *out)
{
	return put_structure(d, true, out);
}

enum err
mime_derived_put_text(const struct mime_derived *d, enum mime_field field, struct buf *out)
{
	const struct mime_text *text = &d->fields[field];
	size_t from;
	enum err err;

	if (text->text.ptr || !text->raw.ptr)
		return buf_put(out, text->text);
	from = buf_span(out).len;
	err = header_unfold(out, text->raw);
	if (err != OK)
		return err;
	for (char *at = out->bytes + out->start + from; at < out->bytes + out->len; at++)
		*at = ascii_lower(*at);
	return OK;
}

/* The same, RAW being ASCII: letter case does not count and line ends are passed over. */
static bool
raw_begins(struct span raw, struct span needle)
{
	size_t at = 0;

	for (size_t i = 0; i < needle.len; at++) {
		if (at == raw.len)
			return false;
		if (raw.ptr[at] == '\r' || raw.ptr[at] == '\n')
			continue;
		if (ascii_lower(raw.ptr[at]) != needle.ptr[i++])
			return false;
	}
	return true;
}

/* RAW is ASCII: most are one line, and quickly looked through. */
static bool
raw_holds(struct span raw, struct span needle)
{
	if (span_find_any(raw, SPAN("\r\n")) == raw.len)
		return find_lower(raw, needle) < raw.len;
	for (size_t i = 0; i < raw.len; i++)
		if (raw_begins(span_from(raw, i), needle))
			return true;
	return false;
}

/* An address is also found without the comments in it: <anna (at) @ example.org>. */
static bool
addresses_hold(struct span raw, struct span needle)
{
	char room[ADDRESS_TEXT_MAX];
	struct header_mailbox mailbox;

	if (span_find(raw, '(') == raw.len)
		return false;
	for (size_t i = 0; i < HEADER_ADDRESSES_MAX && header_next_mailbox(&raw, &mailbox); i++) {
		struct buf out = { .bytes = room, .size = sizeof(room), .max = sizeof(room) };

		if (span_find(mailbox.address, '(') == mailbox.address.len)
			continue;
		mime_put_address(mailbox.address, &out);
		if (find_lower(buf_span(&out), needle) < buf_span(&out).len)
			return true;
	}
	return false;
}

bool
mime_derived_holds(const struct mime_derived *d, enum mime_field field, struct span needle)
{
	const struct mime_text *text = &d->fields[field];

	if (!text->raw.ptr)
		return false;
	if (needle.len == 0)
		return true;
	if (text->text.ptr ? find_bytes(text->text, needle) < text->text.len
			   : raw_holds(text->raw, needle))
		return true;
	return field <= MIME_BCC && addresses_hold(text->raw, needle);
}
