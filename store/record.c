/*
 * record.c - fields in and out of checked values.
 */
#include "store/record.h"

#include <endian.h>

#include "proto/base/crc32c.h"

static const char *const table_names[] = {
#define X(name, key, value) #name,
	STORE_TABLES(X)
#undef X
};

const char *
store_table_name(enum store_table table)
{
	return (size_t)table < COUNT(table_names) ? table_names[table] : "?";
}

static uint32_t
record_crc(enum store_table table, struct span key, struct span fields)
{
	uint32_t crc = crc32c(0, span_of(store_table_name(table)));

	return crc32c(crc32c(crc, key), fields);
}

static void
put(struct record_out *out, const void *bytes, size_t len)
{
	if (len > out->max - out->len) {
		out->overflow = true;
		return;
	}
	if (len)
		memcpy(out->bytes + out->len, bytes, len);
	out->len += len;
}

void
record_begin(struct record_out *out, char *room, size_t max, uint8_t version)
{
	ENSURE(max >= RECORD_HEAD && version > 0);
	*out = (struct record_out){ .bytes = room, .len = RECORD_HEAD - 1, .max = max };
	record_put_u8(out, version);
}

void
record_put_u8(struct record_out *out, uint8_t value)
{
	put(out, &value, sizeof(value));
}

void
record_put_u16(struct record_out *out, uint16_t value)
{
	value = htole16(value);
	put(out, &value, sizeof(value));
}

void
record_put_u32(struct record_out *out, uint32_t value)
{
	value = htole32(value);
	put(out, &value, sizeof(value));
}

void
record_put_u64(struct record_out *out, uint64_t value)
{
	value = htole64(value);
	put(out, &value, sizeof(value));
}

void
record_put_varint(struct record_out *out, uint64_t value)
{
	unsigned char bytes[10];
	size_t len = 0;

	for (; value >= 0x80; value >>= 7)
		bytes[len++] = (unsigned char)(value | 0x80);
	bytes[len++] = (unsigned char)value;
	put(out, bytes, len);
}

void
record_put_raw(struct record_out *out, struct span bytes)
{
	put(out, bytes.ptr, bytes.len);
}

void
record_put_span(struct record_out *out, struct span bytes)
{
	record_put_varint(out, bytes.len);
	record_put_raw(out, bytes);
}

enum err
record_seal(struct record_out *out, enum store_table table, const struct key *key,
	struct span *value)
{
	const size_t skip = sizeof(uint32_t);
	uint32_t crc;

	if (out->overflow)
		return ERR_LIMIT;
	*value = (struct span){ out->bytes, out->len };
	crc = htole32(record_crc(table, key_span(key), span_from(*value, skip)));
	memcpy(out->bytes, &crc, sizeof(crc));
	return OK;
}

enum err
record_open(struct record_in *in, enum store_table table, struct span key, struct span value,
	uint8_t newest)
{
	uint32_t crc;

	*in = (struct record_in){ .bad = true };
	if (value.len < RECORD_HEAD)
		return ERR_CORRUPT;
	memcpy(&crc, value.ptr, sizeof(crc));
	if (le32toh(crc) != record_crc(table, key, span_from(value, sizeof(crc))))
		return ERR_CORRUPT;
	in->version = (uint8_t)value.ptr[RECORD_HEAD - 1];
	if (in->version == 0 || in->version > newest)
		return ERR_CORRUPT;
	in->at = value.ptr + RECORD_HEAD;
	in->end = value.ptr + value.len;
	in->bad = false;
	return OK;
}

static void
take(struct record_in *in, void *out, size_t len)
{
	if (len > record_left(in)) {
		in->bad = true;
		in->at = in->end;
		memset(out, 0, len);
		return;
	}
	memcpy(out, in->at, len);
	in->at += len;
}

uint8_t
record_take_u8(struct record_in *in)
{
	uint8_t value;

	take(in, &value, sizeof(value));
	return value;
}

uint16_t
record_take_u16(struct record_in *in)
{
	uint16_t value;

	take(in, &value, sizeof(value));
	return le16toh(value);
}

uint32_t
record_take_u32(struct record_in *in)
{
	uint32_t value;

	take(in, &value, sizeof(value));
	return le32toh(value);
}

uint64_t
record_take_u64(struct record_in *in)
{
	uint64_t value;

	take(in, &value, sizeof(value));
	return le64toh(value);
}

uint64_t
record_take_varint(struct record_in *in)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t byte = record_take_u8(in);

		if (shift == 63 && byte > 1)
			break; /* more than 64 bits */
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return in->bad ? 0 : value;
	}
	in->bad = true;
	in->at = in->end;
	return 0;
}

struct span
record_take_rest(struct record_in *in)
{
	struct span rest = { in->at, record_left(in) };

	in->at = in->end;
	return rest;
}

struct span
record_take_span(struct record_in *in)
{
	uint64_t len = record_take_varint(in);
	struct span bytes = { in->at, (size_t)len };

	if (in->bad || len > record_left(in)) {
		in->bad = true;
		in->at = in->end;
		return SPAN_NONE;
	}
	in->at += len;
	return bytes;
}

enum err
record_end(const struct record_in *in)
{
	return in->bad || in->at != in->end ? ERR_CORRUPT : OK;
}
