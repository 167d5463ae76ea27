/*
 * zip_read.c - see zip_read.h; every field that a writer sets is looked at, each wrong one ends the program.
 */
#include "tests/harness/zip_read.h"

#include <zlib.h>

#define END_SIZE 22
#define LOCATOR_SIZE 20
#define END64_SIZE 56
#define ENTRY_SIZE 46
#define LOCAL_SIZE 30
#define DESCRIPTOR_SIZE 16

struct directory {
	uint64_t count, at, size;
	bool is_64;
};

static uint64_t
number(struct span text, uint64_t at, unsigned bytes)
{
	uint64_t value = 0;

	ENSURE(at <= text.len && bytes <= text.len - at);
	for (unsigned i = bytes; i-- > 0;)
		value = value << 8 | (unsigned char)text.ptr[at + i];
	return value;
}

/* What the old record says must agree, or be all ones and said by the new. */
static struct directory
find(struct span text, uint64_t before)
{
	uint64_t end = text.len - END_SIZE, end64 = end - LOCATOR_SIZE - END64_SIZE;
	struct directory d, old;

	ENSURE(text.len >= END_SIZE && number(text, end, 4) == 0x06054b50 && number(text, end + 20, 2) == 0);
	old = (struct directory){ number(text, end + 10, 2), number(text, end + 16, 4), number(text, end + 12, 4), false };
	d = old;
	ENSURE(number(text, end + 8, 2) == old.count);
	if (text.len >= END_SIZE + LOCATOR_SIZE + END64_SIZE && number(text, end - LOCATOR_SIZE, 4) == 0x07064b50) {
		ENSURE(number(text, end64, 4) == 0x06064b50 && number(text, end64 + 4, 8) == END64_SIZE - 12);
		ENSURE(number(text, end - LOCATOR_SIZE + 8, 8) == before + end64);
		d = (struct directory){ number(text, end64 + 32, 8), number(text, end64 + 48, 8), number(text, end64 + 40, 8), true };
		ENSURE(number(text, end64 + 24, 8) == d.count);
		ENSURE(old.count == (d.count < UINT16_MAX ? d.count : UINT16_MAX));
		ENSURE(old.at == (d.at < UINT32_MAX ? d.at : UINT32_MAX) && old.size == d.size);
		end = end64;
	}
	ENSURE(d.is_64 || (d.count < UINT16_MAX && d.at < UINT32_MAX));
	ENSURE(d.at >= before && d.at - before + d.size == end);
	return d;
}

static struct span
unpack(struct arena *a, struct span packed, uint64_t size)
{
	char *to = arena_alloc(a, size + 1);
	z_stream z = { 0 };

	ENSURE(inflateInit2(&z, -15) == Z_OK);
	z.next_in = (Bytef *)(uintptr_t)packed.ptr;
	z.avail_in = (uInt)packed.len;
	z.next_out = (Bytef *)to;
	z.avail_out = (uInt)size + 1;
	ENSURE(inflate(&z, Z_FINISH) == Z_STREAM_END && z.total_out == size && z.avail_in == 0);
	ENSURE(inflateEnd(&z) == Z_OK);
	return (struct span){ to, size };
}

/* The member that the entry at AT names; *next is behind the entry, *end behind the member. */
static struct zip_found
member(struct arena *a, struct span text, uint64_t before, uint64_t at, uint64_t *next, uint64_t *end)
{
	uint64_t crc = number(text, at + 16, 4), packed = number(text, at + 20, 4), size = number(text, at + 24, 4);
	uint64_t name_len = number(text, at + 28, 2), extra = number(text, at + 30, 2), local = number(text, at + 42, 4);
	struct zip_found found = { .name = span_range(text, at + ENTRY_SIZE, at + ENTRY_SIZE + name_len) };

	ENSURE(number(text, at, 4) == 0x02014b50 && number(text, at + 10, 2) == 8);
	if (local == UINT32_MAX) {
		ENSURE(extra == 12 && number(text, at + 6, 2) == 45 && number(text, at + ENTRY_SIZE + name_len, 2) == 1);
		local = number(text, at + ENTRY_SIZE + name_len + 4, 8);
		ENSURE(local >= UINT32_MAX);
	} else {
		ENSURE(extra == 0 && number(text, at + 6, 2) == 20);
	}
	*next = at + ENTRY_SIZE + name_len + extra;
	ENSURE(local >= before);
	local -= before;
	ENSURE(number(text, local, 4) == 0x04034b50 && number(text, local + 26, 2) == name_len);
	ENSURE(span_eq(span_range(text, local + LOCAL_SIZE, local + LOCAL_SIZE + name_len), found.name));
	local += LOCAL_SIZE + name_len;
	found.text = unpack(a, span_range(text, local, local + packed), size);
	ENSURE(crc32(0, (const Bytef *)found.text.ptr, (uInt)size) == crc);
	local += packed;
	ENSURE(number(text, local, 4) == 0x08074b50 && number(text, local + 4, 4) == crc);
	ENSURE(number(text, local + 8, 4) == packed && number(text, local + 12, 4) == size);
	*end = local + DESCRIPTOR_SIZE;
	return found;
}

uint64_t
zip_read_count(struct span text, uint64_t before)
{
	return find(text, before).count;
}

struct zip_found *
zip_read(struct arena *a, struct span text, uint64_t before)
{
	struct directory d = find(text, before);
	struct zip_found *found = ARENA_ARRAY(a, struct zip_found, d.count + 1);
	uint64_t at = d.at - before, end = 0;

	for (uint64_t i = 0; i < d.count; i++)
		found[i] = member(a, text, before, at, &at, &end);
	ENSURE(at == d.at - before + d.size && end == d.at - before); /* nothing between them that nobody names */
	return found;
}
