/*
 * record.h - values of the store: a checksum, a version, then fields one after the other.
 *
 *	crc32c u32 | version u8 | fields
 *
 * The checksum covers the table's name, the key, the version and the fields, so that a stale or
 * misplaced page shows (H49). A reader decodes every older version; a newer one is ERR_CORRUPT. New
 * fields go to the end with a new version, or behind a `record_left()` that asks if they are there.
 *
 * Numbers are little-endian; varint has 7 bits a byte, at most 10 bytes; a span has its varint
 * length in front. Both directions are bounded: an output that overflows says so at its end, an
 * input that runs out gives zeros and says ERR_CORRUPT at its end, so fields need no check each.
 */
#ifndef STORE_RECORD_H
#define STORE_RECORD_H

#include "store/key.h"
#include "store/schema.h"

#define RECORD_HEAD 5 /* bytes in front of the fields */

struct record_out {
	char *bytes;
	size_t len;
	size_t max;
	bool overflow;
};

/* Write into ROOM of MAX bytes, which must be RECORD_HEAD at least. VERSION is 1 or more. */
void record_begin(struct record_out *out, char *room, size_t max, uint8_t version);
void record_put_u8(struct record_out *out, uint8_t value);
void record_put_u16(struct record_out *out, uint16_t value);
void record_put_u32(struct record_out *out, uint32_t value);
void record_put_u64(struct record_out *out, uint64_t value);
void record_put_varint(struct record_out *out, uint64_t value);
void record_put_span(struct record_out *out, struct span bytes); /* its length, then the bytes */
void record_put_raw(struct record_out *out, struct span bytes);  /* the bytes alone */
/* Fill in the checksum; *value is the whole record in ROOM. ERR_LIMIT: it did not fit. */
MUST_CHECK enum err record_seal(struct record_out *out, enum store_table table,
	const struct key *key, struct span *value);

struct record_in {
	const char *at;
	const char *end;
	uint8_t version;
	bool bad;
};

/* Check VALUE and stand at its first field. ERR_CORRUPT: checksum, or newer than NEWEST. */
MUST_CHECK enum err record_open(struct record_in *in, enum store_table table, struct span key,
	struct span value, uint8_t newest);
uint8_t record_take_u8(struct record_in *in);
uint16_t record_take_u16(struct record_in *in);
uint32_t record_take_u32(struct record_in *in);
uint64_t record_take_u64(struct record_in *in);
uint64_t record_take_varint(struct record_in *in);
struct span record_take_span(struct record_in *in); /* points into the value */
struct span record_take_rest(struct record_in *in);
static inline size_t
record_left(const struct record_in *in)
{
	return (size_t)(in->end - in->at);
}
/*
 * After the last field. ERR_CORRUPT: a field ran over the end, or bytes are left that none named.
 */
MUST_CHECK enum err record_end(const struct record_in *in);

/* The name of a table: "users"; static text. */
const char *store_table_name(enum store_table table);

#endif
