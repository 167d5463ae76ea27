/*
 * buf.c - a growing run of bytes with a limit.
 */
#include "proto/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUF_FIRST_SIZE 256 /* bytes */

void
buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){ .max = max };
}

static void
give_back(struct buf *b)
{
	if (b->bytes && b->wipes)
		explicit_bzero(b->bytes, b->size);
	free(b->bytes);
}

void
buf_fini(struct buf *b)
{
	give_back(b);
	*b = (struct buf){ .max = b->max, .wipes = b->wipes };
}

void
buf_wipe(struct buf *b)
{
	b->wipes = true;
	buf_fini(b);
}

void
buf_consume(struct buf *b, size_t used)
{
	ENSURE(used <= b->len - b->start);
	b->start += used;
	if (b->start == b->len)
		buf_fini(b);
}

void
buf_clear(struct buf *b)
{
	b->start = b->len = 0;
	b->overflow = false;
}

static void
move_to_front(struct buf *b)
{
	if (b->start == 0)
		return;
	memmove(b->bytes, b->bytes + b->start, b->len - b->start);
	b->len -= b->start;
	b->start = 0;
}

/* The bytes that are held, in a block of SIZE. */
static void
move_to_block(struct buf *b, size_t size)
{
	char *grown = b->wipes ? malloc(size) : realloc(b->bytes, size);

	ENSURE(grown); /* out of memory ends the process, see arena.h */
	if (b->wipes) {
		if (b->len > 0)
			memcpy(grown, b->bytes, b->len);
		give_back(b);
	}
	b->bytes = grown;
	b->size = size;
}

static size_t
grown_size(const struct buf *b, size_t need)
{
	size_t size = b->size ? b->size : BUF_FIRST_SIZE;

	while (size < need)
		size *= 2;
	return size < b->max ? size : b->max;
}

char *
buf_reserve(struct buf *b, size_t size)
{
	size_t held = b->len - b->start;

	if (held > b->max || size > b->max - held) { /* the limit may have fallen meanwhile */
		b->overflow = true;
		return NULL;
	}
	if (size <= b->size - b->len)
		return b->bytes + b->len;
	move_to_front(b);
	if (size > b->size - b->len)
		move_to_block(b, grown_size(b, held + size));
	return b->bytes + b->len;
}

void
buf_added(struct buf *b, size_t size)
{
	ENSURE(size <= b->size - b->len);
	b->len += size;
}

enum err
buf_put(struct buf *b, struct span bytes)
{
	char *room;

	if (bytes.len == 0)
		return OK;
	room = buf_reserve(b, bytes.len);
	if (!room)
		return ERR_LIMIT;
	memcpy(room, bytes.ptr, bytes.len);
	b->len += bytes.len;
	return OK;
}

enum err
buf_put_char(struct buf *b, char c)
{
	return buf_put(b, (struct span){ &c, 1 });
}

enum err
buf_put_u64(struct buf *b, uint64_t value)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	return buf_put(b, (struct span){ digits + at, sizeof(digits) - at });
}

enum err
buf_printf(struct buf *b, const char *format, ...)
{
	va_list args;
	int len;
	char *room;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0)
		return ERR_SYNTAX;
	room = buf_reserve(b, (size_t)len + 1); /* vsnprintf writes a 0 that is not kept */
	if (!room)
		return ERR_LIMIT;
	va_start(args, format);
	vsnprintf(room, (size_t)len + 1, format, args);
	va_end(args);
	b->len += (size_t)len;
	return OK;
}
