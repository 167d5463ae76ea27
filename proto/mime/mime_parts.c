/*
 * mime_parts.c - the part table of a derived record: walking it, finding "1.2.3".
 *
 * The table is in the order of the message and every part says how deep it is, so one walk answers
 * everything, with no memory of its own.
 */
#include "proto/mime/mime_bytes.h"
#include "proto/mime/mime_derived.h"
#include "proto/mime/mime_record.h"

static void
take_part(struct mime_in *in, struct mime_walk *at, struct mime_part *part)
{
	uint8_t bits = mime_take_u8(in), media = mime_take_u8(in);

	*part = (struct mime_part){ .no = (unsigned)at->no };
	part->kind = bits & MIME_PART_KIND;
	part->encoding = (bits & MIME_PART_ENCODING) >> MIME_PART_ENCODING_SHIFT;
	part->is_inner = bits & MIME_PART_INNER;
	part->is_attachment = bits & MIME_PART_ATTACHMENT;
	part->media = media;
	part->depth = (unsigned)mime_take_varint(in);
	part->charset = mime_take_u8(in);
	part->header_offset = at->end + mime_take_varint(in);
	part->header_size = mime_take_varint(in);
	part->body_offset = part->header_offset + part->header_size;
	part->body_size = mime_take_varint(in);
	if (part->kind != MIME_MULTIPART)
		part->lines = mime_take_varint(in);
	at->end = part->body_offset + (part->kind == MIME_LEAF ? part->body_size : 0);
	at->no++;
}

bool
mime_part_next(const struct mime_derived *d, struct mime_walk *at, struct mime_part *out)
{
	struct mime_in in = { d->parts.ptr + at->at, d->parts.ptr + d->parts.len, false };

	if (at->no >= d->part_count)
		return false;
	take_part(&in, at, out);
	at->at = (size_t)(in.at - d->parts.ptr);
	return !in.bad && (int)out->kind <= MIME_MESSAGE;
}

/* AT stands behind PARENT: its child number WANTED, from 1. */
static enum err
find_child(const struct mime_derived *d, struct mime_walk *at, const struct mime_part *parent,
	uint32_t wanted, struct mime_part *out)
{
	unsigned depth = parent->depth + 1; /* out may be parent */

	while (mime_part_next(d, at, out) && out->depth >= depth)
		if (out->depth == depth && --wanted == 0)
			return OK;
	return ERR_NOT_FOUND;
}

enum err
mime_part_find(const struct mime_derived *d, const uint32_t *numbers, size_t count,
	struct mime_part *out)
{
	struct mime_walk at = { 0 };
	bool is_leaf = false; /* and a number has named it */
	enum err err = OK;

	if (!mime_part_next(d, &at, out))
		return ERR_NOT_FOUND;
	for (size_t i = 0; i < count && err == OK; i++) {
		if (numbers[i] == 0 || is_leaf)
			return ERR_NOT_FOUND;
		if (i > 0 && out->kind == MIME_MESSAGE)
			err = find_child(d, &at, out, 1, out);
		if (err == OK && out->kind == MIME_MULTIPART)
			err = find_child(d, &at, out, numbers[i], out);
		else if (numbers[i] != 1)
			return ERR_NOT_FOUND;
		is_leaf = out->kind == MIME_LEAF;
	}
	return err;
}

enum err
mime_part_inner(const struct mime_derived *d, const struct mime_part *part, struct mime_part *out)
{
	struct mime_walk at = { 0 };
	unsigned no = part->kind == MIME_MESSAGE ? part->no + 1 : part->no;

	if (part->kind != MIME_MESSAGE && part->no != 0)
		return ERR_NOT_FOUND;
	while (mime_part_next(d, &at, out))
		if (out->no == no)
			return OK;
	return ERR_NOT_FOUND;
}

/*
 * Counting down to PART: numbers[depth] is how many siblings of that depth have been. A part with no
 * number of its own (the inner of a message that is a multipart) leaves a 0.
 */
enum err
mime_part_put_number(const struct mime_derived *d, const struct mime_part *part, struct buf *out)
{
	uint32_t numbers[MIME_DEPTH_MAX + 2] = { 0 };
	struct mime_walk at = { 0 };
	struct mime_part each;
	bool first = true;

	while (mime_part_next(d, &at, &each) && each.depth <= MIME_DEPTH_MAX + 1) {
		bool has_own = !(each.is_inner || each.no == 0);

		if (has_own)
			numbers[each.depth]++;
		else
			numbers[each.depth] = each.kind != MIME_MULTIPART;
		if (each.no == part->no)
			break;
		if (each.depth < MIME_DEPTH_MAX + 1)
			numbers[each.depth + 1] = 0;
	}
	if (part->depth >= COUNT(numbers) || numbers[part->depth] == 0)
		return OK;
	for (size_t i = 0; i <= part->depth; i++) {
		if (numbers[i] == 0)
			continue;
		if (buf_printf(out, "%s%u", first ? "" : ".", numbers[i]) != OK)
			return ERR_LIMIT;
		first = false;
	}
	return OK;
}
