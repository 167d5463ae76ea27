/*
 * mime_pack.c - a small LZ over words, header and text, which are taken as lying one behind the other.
 */
#include "proto/mime/mime_pack.h"

#include <string.h>

#include "proto/mime/mime_bytes.h"

#define COPY_MIN 4

/* What the structure of mail is full of. */
static const char words[] =
	" NIL NIL) \"filename\" \"attachment\" (\"filename\" \"inline\" (\"application\" \"octet-stream\" "
	"(\"name\" \"pdf\" \"image\" \"jpeg\" \"png\" \"base64\" \"message\" \"rfc822\" \"multipart\" "
	"\"delivery-status\" \"related\" \"signed\" \"report\" \"mixed\" \"alternative\" "
	"(\"boundary\" \"iso-8859-1\" \"quoted-printable\" (\"text\" \"html\" (\"charset\" \"us-ascii\") "
	"NIL NIL \"8bit\" (\"text\" \"plain\" (\"charset\" \"utf-8\") NIL NIL \"7bit\" NIL NIL NIL NIL)"
	" ((NIL NIL \")) NIL NIL NIL NIL ";

#define WORDS_SIZE (sizeof(words) - 1)

static uint32_t
read_u32(const char *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static unsigned
slot_of(uint32_t bytes)
{
	return (bytes * 2654435761u) >> 21; /* 2048 slots */
}

void
mime_packer_begin(struct mime_packer *p, struct span header)
{
	p->header = header;
	for (size_t i = 0; i + COPY_MIN <= WORDS_SIZE; i++)
		p->slots[slot_of(read_u32(words + i))] = (uint32_t)i + 1;
}

void
mime_packer_add(struct mime_packer *p, struct span field)
{
	size_t begin = WORDS_SIZE + (size_t)(field.ptr - p->header.ptr);

	for (size_t i = 0; i + COPY_MIN <= field.len; i++)
		p->slots[slot_of(read_u32(field.ptr + i))] = (uint32_t)(begin + i) + 1;
}

/* The bytes from PLACE on, as far as they lie together. */
static struct span
bytes_at(const struct mime_packer *p, struct span text, size_t place)
{
	if (place < WORDS_SIZE)
		return (struct span){ words + place, WORDS_SIZE - place };
	place -= WORDS_SIZE;
	if (place < p->header.len)
		return span_from(p->header, place);
	return span_from(text, place - p->header.len);
}

static size_t
same_bytes(struct span a, struct span b)
{
	size_t max = a.len < b.len ? a.len : b.len, i = 0;

	while (i < max && a.ptr[i] == b.ptr[i])
		i++;
	return i;
}

static void
put_length(struct buf *out, size_t length)
{
	if (length >= 15)
		mime_put_varint(out, length - 15);
}

static void
put_step(struct buf *out, struct span run, size_t copy, size_t back)
{
	size_t more = copy >= COPY_MIN ? copy - COPY_MIN : 0;

	mime_put_u8(out, (uint8_t)((run.len < 15 ? run.len : 15) << 4 | (more < 15 ? more : 15)));
	put_length(out, run.len);
	(void)!buf_put(out, run);
	if (copy == 0)
		return;
	put_length(out, more);
	mime_put_varint(out, back);
}

enum err
mime_pack(struct mime_packer *p, struct span text, struct buf *out)
{
	size_t base = WORDS_SIZE + p->header.len, at = 0, run = 0;

	while (at + COPY_MIN <= text.len) {
		struct span here = span_from(text, at);
		uint32_t *slot = &p->slots[slot_of(read_u32(here.ptr))];
		size_t place = *slot, same = 0;

		*slot = (uint32_t)(base + at) + 1;
		if (place > 0 && place <= base + at)
			same = same_bytes(bytes_at(p, text, place - 1), here);
		if (same < COPY_MIN) {
			at++;
			continue;
		}
		put_step(out, span_range(text, run, at), same, base + at - (place - 1));
		at += same;
		run = at;
	}
	if (run < text.len)
		put_step(out, span_from(text, run), 0, 0);
	return out->overflow ? ERR_LIMIT : OK;
}

/* COPY bytes from BACK bytes before the end; they may run into what they make. */
static bool
copy_back(struct span header, struct buf *out, size_t done, size_t copy, size_t back)
{
	size_t end = WORDS_SIZE + header.len + done, place = end - back;
	struct span from = { NULL, 0 };
	char *to;

	if (back == 0 || back > end)
		return false;
	if (place < WORDS_SIZE)
		from = (struct span){ words + place, WORDS_SIZE - place };
	else if (place < WORDS_SIZE + header.len)
		from = span_from(header, place - WORDS_SIZE);
	if (from.ptr && from.len < copy)
		return false;
	to = buf_reserve(out, copy);
	if (!to)
		return false;
	if (from.ptr)
		memcpy(to, from.ptr, copy);
	else
		for (size_t i = 0; i < copy; i++)
			to[i] = *(to + i - back);
	buf_added(out, copy);
	return true;
}

enum err
mime_unpack(struct span header, struct span packed, size_t size, struct buf *out)
{
	struct mime_in in = { packed.ptr, packed.ptr + packed.len, false };
	size_t done = 0;

	if (!buf_reserve(out, size))
		return ERR_LIMIT;
	while (done < size) {
		uint8_t step = mime_take_u8(&in);
		size_t run = step >> 4, copy = step & 15;

		if (run == 15)
			run += mime_take_varint(&in);
		if (in.bad || run > size - done || buf_put(out, mime_take_bytes(&in, run)) != OK)
			return ERR_CORRUPT;
		done += run;
		if (done == size)
			break;
		if (copy == 15)
			copy += mime_take_varint(&in);
		copy += COPY_MIN;
		if (in.bad || copy > size - done ||
			!copy_back(header, out, done, copy, mime_take_varint(&in)))
			return ERR_CORRUPT;
		done += copy;
	}
	return in.bad ? ERR_CORRUPT : OK;
}
