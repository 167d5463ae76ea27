/*
 * hash64.h - a keyed 64-bit hash (SipHash-2-4) for tables whose keys a stranger can choose.
 *
 * With a random key nobody outside can make keys collide. It is no password hash and no checksum.
 */
#ifndef PROTO_BASE_HASH64_H
#define PROTO_BASE_HASH64_H

#include "proto/base/span.h"

struct hash64_key {
	uint64_t k0, k1; /* the 16 key bytes, each half read as little-endian */
};

uint64_t hash64(struct hash64_key key, struct span bytes);

#endif
