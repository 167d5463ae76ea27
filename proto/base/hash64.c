/*
 * hash64.c - SipHash-2-4 (Aumasson and Bernstein, 2012).
 */
#include "proto/base/hash64.h"

struct sip {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t
rotate(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

static inline void
sip_round(struct sip *s)
{
	s->v0 += s->v1;
	s->v1 = rotate(s->v1, 13) ^ s->v0;
	s->v0 = rotate(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = rotate(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = rotate(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = rotate(s->v1, 17) ^ s->v2;
	s->v2 = rotate(s->v2, 32);
}

static inline void
sip_word(struct sip *s, uint64_t word)
{
	s->v3 ^= word;
	sip_round(s);
	sip_round(s);
	s->v0 ^= word;
}

static uint64_t
little_endian(const char *p, size_t len)
{
	uint64_t word = 0;

	for (size_t i = 0; i < len; i++)
		word |= (uint64_t)(unsigned char)p[i] << (8 * i);
	return word;
}

uint64_t
hash64(struct hash64_key key, struct span bytes)
{
	struct sip s = {
		key.k0 ^ 0x736f6d6570736575,
		key.k1 ^ 0x646f72616e646f6d,
		key.k0 ^ 0x6c7967656e657261,
		key.k1 ^ 0x7465646279746573,
	};
	size_t whole = bytes.len & ~(size_t)7;

	for (size_t i = 0; i < whole; i += 8)
		sip_word(&s, little_endian(bytes.ptr + i, 8));
	sip_word(&s, (uint64_t)bytes.len << 56 |
		(whole < bytes.len ? little_endian(bytes.ptr + whole, bytes.len - whole) : 0));
	s.v2 ^= 0xff;
	for (int i = 0; i < 4; i++)
		sip_round(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
