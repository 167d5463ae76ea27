/*
 * zip_put.c - see zip_put.h; numbers in a zip are little-endian.
 */
#include "server/archive/zip_put.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define VERSION_DEFLATE 20
#define VERSION_ZIP64 45
#define FLAG_DESCRIPTOR 8
#define METHOD_DEFLATE 8
#define RAW_DEFLATE (-15) /* window bits: without zlib's own header */
#define PACK_ROOM 65536
#define RECORD_ROOM 128
#define MODE_0600 (UINT32_C(0100600) << 16)
#define FINISH_STEP (256 * 1024) /* bytes of the directory that are put at once */

/* ---- records ---- */

struct record {
	unsigned char bytes[RECORD_ROOM + ZIP_NAME_MAX];
	size_t len;
};

static void
put(struct record *r, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		r->bytes[r->len++] = (unsigned char)(value >> 8 * i);
}

static void
put_name(struct record *r, const char *name)
{
	size_t len = strlen(name);

	memcpy(r->bytes + r->len, name, len);
	r->len += len;
}

static enum err
give(struct zip_put *z, const struct record *r, struct buf *out)
{
	z->written += r->len;
	return buf_put(out, (struct span){ (const char *)r->bytes, r->len });
}

static uint32_t
dos_time(int64_t time_s)
{
	time_t seconds = (time_t)time_s;
	struct tm t;

	if (!gmtime_r(&seconds, &t) || t.tm_year < 80)
		return UINT32_C(0x00210000); /* the first day there is */
	return (uint32_t)(t.tm_year - 80) << 25 | (uint32_t)(t.tm_mon + 1) << 21 |
		(uint32_t)t.tm_mday << 16 | (uint32_t)t.tm_hour << 11 | (uint32_t)t.tm_min << 5 |
		(uint32_t)t.tm_sec / 2;
}

/* ---- members ---- */

enum err
zip_init(struct zip_put *z)
{
	*z = (struct zip_put){ .count = 0 };
	buf_init(&z->directory, ZIP_DIRECTORY_MAX);
	if (deflateInit2(&z->deflate, Z_DEFAULT_COMPRESSION, Z_DEFLATED, RAW_DEFLATE, 8,
		    Z_DEFAULT_STRATEGY) != Z_OK)
		return ERR_IO;
	z->open = true;
	return OK;
}

bool
zip_is_full(const struct zip_put *z)
{
	return buf_span(&z->directory).len > ZIP_DIRECTORY_MAX - sizeof(struct record);
}

void
zip_fini(struct zip_put *z)
{
	if (z->open)
		(void)deflateEnd(&z->deflate);
	buf_fini(&z->directory);
	z->open = false;
}

enum err
zip_begin(struct zip_put *z, const char *name, int64_t time_s, struct buf *out)
{
	struct zip_member *m = &z->member;
	struct record r = { .len = 0 };

	if (zip_is_full(z))
		return ERR_LIMIT;
	*m = (struct zip_member){ .at = z->written, .time = dos_time(time_s),
		.crc = (uint32_t)crc32(0, NULL, 0) };
	snprintf(m->name, sizeof(m->name), "%s", name);
	put(&r, 0x04034b50, 4);
	put(&r, VERSION_DEFLATE, 2);
	put(&r, FLAG_DESCRIPTOR, 2);
	put(&r, METHOD_DEFLATE, 2);
	put(&r, m->time, 4);
	put(&r, 0, 4); /* crc and both sizes: in the descriptor */
	put(&r, 0, 4);
	put(&r, 0, 4);
	put(&r, strlen(m->name), 2);
	put(&r, 0, 2);
	put_name(&r, m->name);
	if (deflateReset(&z->deflate) != Z_OK)
		return ERR_IO;
	return give(z, &r, out);
}

/* What the packer has, until it wants more (or, at the end, has no more). */
static enum err
pack(struct zip_put *z, int flush, struct buf *out)
{
	struct zip_member *m = &z->member;
	int said = Z_OK;

	do {
		char *room = buf_reserve(out, PACK_ROOM);
		size_t got;

		if (!room)
			return ERR_LIMIT;
		z->deflate.next_out = (Bytef *)room;
		z->deflate.avail_out = PACK_ROOM;
		said = deflate(&z->deflate, flush);
		got = PACK_ROOM - z->deflate.avail_out;
		buf_added(out, got);
		m->packed += (uint32_t)got;
		z->written += got;
	} while (z->deflate.avail_out == 0 || (flush == Z_FINISH && said == Z_OK));
	return said == Z_STREAM_ERROR ? ERR_IO : OK;
}

enum err
zip_text(struct zip_put *z, struct span text, struct buf *out)
{
	struct zip_member *m = &z->member;
	enum err err = text.len <= ZIP_MEMBER_MAX - m->size ? OK : ERR_LIMIT;

	while (text.len > 0 && err == OK) {
		size_t n = text.len < PACK_ROOM ? text.len : PACK_ROOM;

		m->crc = (uint32_t)crc32(m->crc, (const Bytef *)text.ptr, (uInt)n);
		m->size += (uint32_t)n;
		z->deflate.next_in = (Bytef *)(uintptr_t)text.ptr;
		z->deflate.avail_in = (uInt)n;
		err = pack(z, Z_NO_FLUSH, out);
		text = span_from(text, n);
	}
	return err;
}

/* What the directory will say of the member. */
static enum err
note(struct zip_put *z)
{
	const struct zip_member *m = &z->member;
	bool far = m->at >= UINT32_MAX;
	struct record r = { .len = 0 };

	put(&r, 0x02014b50, 4);
	put(&r, 3 << 8 | VERSION_DEFLATE, 2); /* made on Unix */
	put(&r, far ? VERSION_ZIP64 : VERSION_DEFLATE, 2);
	put(&r, FLAG_DESCRIPTOR, 2);
	put(&r, METHOD_DEFLATE, 2);
	put(&r, m->time, 4);
	put(&r, m->crc, 4);
	put(&r, m->packed, 4);
	put(&r, m->size, 4);
	put(&r, strlen(m->name), 2);
	put(&r, far ? 12 : 0, 2); /* extra field */
	put(&r, 0, 2);            /* comment */
	put(&r, 0, 2);            /* disk */
	put(&r, 0, 2);
	put(&r, MODE_0600, 4);
	put(&r, far ? UINT32_MAX : m->at, 4);
	put_name(&r, m->name);
	if (far) {
		put(&r, 1, 2); /* ZIP64: the offset */
		put(&r, 8, 2);
		put(&r, m->at, 8);
	}
	z->count++;
	return buf_put(&z->directory, (struct span){ (const char *)r.bytes, r.len });
}

enum err
zip_end(struct zip_put *z, struct buf *out)
{
	const struct zip_member *m = &z->member;
	struct record r = { .len = 0 };
	enum err err;

	z->deflate.avail_in = 0;
	err = pack(z, Z_FINISH, out);
	put(&r, 0x08074b50, 4);
	put(&r, m->crc, 4);
	put(&r, m->packed, 4);
	put(&r, m->size, 4);
	if (err == OK)
		err = give(z, &r, out);
	return err == OK ? note(z) : err;
}

/* ---- the end ---- */

static void
put_end64(struct record *r, const struct zip_put *z, uint64_t at, uint64_t size)
{
	put(r, 0x06064b50, 4);
	put(r, 44, 8); /* bytes that follow */
	put(r, 3 << 8 | VERSION_ZIP64, 2);
	put(r, VERSION_ZIP64, 2);
	put(r, 0, 4);
	put(r, 0, 4);
	put(r, z->count, 8);
	put(r, z->count, 8);
	put(r, size, 8);
	put(r, at, 8);
	put(r, 0x07064b50, 4); /* where that is */
	put(r, 0, 4);
	put(r, at + size, 8);
	put(r, 1, 4);
}

static uint64_t
at_most(uint64_t value, uint64_t max)
{
	return value < max ? value : max;
}

enum err
zip_finish(struct zip_put *z, struct buf *out)
{
	struct span piece = span_range(buf_span(&z->directory), 0, FINISH_STEP);
	uint64_t at = z->written - z->size;
	struct record r = { .len = 0 };

	if (piece.len > 0) {
		enum err err = buf_put(out, piece);

		z->written += piece.len;
		z->size += piece.len;
		buf_consume(&z->directory, piece.len);
		return err == OK ? ERR_BUSY : err;
	}
	if (at >= UINT32_MAX || z->count >= UINT16_MAX)
		put_end64(&r, z, at, z->size);
	put(&r, 0x06054b50, 4);
	put(&r, 0, 2);
	put(&r, 0, 2);
	put(&r, at_most(z->count, UINT16_MAX), 2);
	put(&r, at_most(z->count, UINT16_MAX), 2);
	put(&r, z->size, 4); /* at most ZIP_DIRECTORY_MAX */
	put(&r, at_most(at, UINT32_MAX), 4);
	put(&r, 0, 2);
	return give(z, &r, out);
}
