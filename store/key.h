/*
 * key.h - keys of the store: big-endian numbers and bytes, one after the other.
 *
 * Building never fails: what is put in has a limit that the caller checked; over KEY_MAX is our own
 * mistake (ENSURE). Reading takes numbers from the front of a span and says ERR_CORRUPT where it is
 * too short.
 */
#ifndef STORE_KEY_H
#define STORE_KEY_H

#include <stdint.h>
#include <string.h>

#include "proto/base/span.h"

#define KEY_MAX 511 /* bytes, LMDB's own limit */

struct key {
	size_t len;
	char bytes[KEY_MAX];
};

static inline void
key_begin(struct key *key)
{
	key->len = 0;
}

static inline struct span
key_span(const struct key *key)
{
	return (struct span){ key->bytes, key->len };
}

void key_put_u8(struct key *key, uint8_t value);
void key_put_u32(struct key *key, uint32_t value);
void key_put_u64(struct key *key, uint64_t value);
void key_put_bytes(struct key *key, struct span bytes);
/* A 0 byte, so that "a" + "bc" and "ab" + "c" differ and shorter names sort first. */
void key_put_name(struct key *key, struct span name);

/* The keys that most tables have, in one call. */
void key_u64(struct key *key, uint64_t a);
void key_u64_u32(struct key *key, uint64_t a, uint32_t b);
void key_u64_u64(struct key *key, uint64_t a, uint64_t b);
void key_name(struct key *key, struct span name); /* the bytes alone, no 0 behind */

/*
 * 64 bits of a name that may be long; equal names have equal hashes, so compare the name as well.
 */
uint64_t key_hash(struct span name);

/* Take from the front of *KEY. ERR_CORRUPT: too short; *KEY is then empty. */
MUST_CHECK enum err key_take_u8(struct span *key, uint8_t *out);
MUST_CHECK enum err key_take_u32(struct span *key, uint32_t *out);
MUST_CHECK enum err key_take_u64(struct span *key, uint64_t *out);

#endif
