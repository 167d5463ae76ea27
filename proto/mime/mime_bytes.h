/*
 * mime_bytes.h - numbers of the derived record, written and read. Varints of 7 bits a byte.
 */
#ifndef PROTO_MIME_MIME_BYTES_H
#define PROTO_MIME_MIME_BYTES_H

#include "proto/base/buf.h"
#include "proto/base/span.h"

#define MIME_VARINT_MAX 10 /* bytes */

/* All puts set out->overflow where it is full, so a chain is checked once. */
static inline void
mime_put_u8(struct buf *out, uint8_t value)
{
	(void)!buf_put_char(out, (char)value);
}

static inline void
mime_put_varint(struct buf *out, uint64_t value)
{
	while (value >= 0x80) {
		mime_put_u8(out, (uint8_t)(value | 0x80));
		value >>= 7;
	}
	mime_put_u8(out, (uint8_t)value);
}

static inline void
mime_put_zigzag(struct buf *out, int64_t value)
{
	mime_put_varint(out, ((uint64_t)value << 1) ^ (uint64_t)(value >> 63));
}

/* Input that runs out gives zeros and sets `bad`. */
struct mime_in {
	const char *at, *end;
	bool bad;
};

static inline uint8_t
mime_take_u8(struct mime_in *in)
{
	if (in->at < in->end)
		return (uint8_t)*in->at++;
	in->bad = true;
	return 0;
}

static inline uint64_t
mime_take_varint(struct mime_in *in)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t byte = mime_take_u8(in);

		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return value;
	}
	in->bad = true;
	return 0;
}

static inline int64_t
mime_take_zigzag(struct mime_in *in)
{
	uint64_t value = mime_take_varint(in);

	return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

static inline struct span
mime_take_bytes(struct mime_in *in, uint64_t size)
{
	struct span out = { in->at, (size_t)size };

	if (size > (size_t)(in->end - in->at)) {
		in->bad = true;
		return SPAN_NONE;
	}
	in->at += size;
	return out;
}

#endif
