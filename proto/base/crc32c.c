/*
 * crc32c.c - the checksum by instruction or by table, chosen by what the processor says.
 */
#include "proto/base/crc32c.h"

#include <string.h>

#if defined(__x86_64__)
#include <nmmintrin.h>
#elif defined(__aarch64__)
#include <arm_acle.h>
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

/*
 * The table is linear: the entry of a byte is the sum of the entries of its bits, which are the
 * polynomial 0x82f63b78 shifted on.
 */
#define ENTRY(i) \
	(((i) & 1 ? 0xf26b8303u : 0) ^ ((i) & 2 ? 0xe13b70f7u : 0) ^ ((i) & 4 ? 0xc79a971fu : 0) ^ \
		((i) & 8 ? 0x8ad958cfu : 0) ^ ((i) & 16 ? 0x105ec76fu : 0) ^ \
		((i) & 32 ? 0x20bd8edeu : 0) ^ ((i) & 64 ? 0x417b1dbcu : 0) ^ \
		((i) & 128 ? 0x82f63b78u : 0))
#define ENTRIES4(i) ENTRY(i), ENTRY((i) + 1), ENTRY((i) + 2), ENTRY((i) + 3)
#define ENTRIES16(i) ENTRIES4(i), ENTRIES4((i) + 4), ENTRIES4((i) + 8), ENTRIES4((i) + 12)
#define ENTRIES64(i) ENTRIES16(i), ENTRIES16((i) + 16), ENTRIES16((i) + 32), ENTRIES16((i) + 48)

static const uint32_t table[256] = { ENTRIES64(0), ENTRIES64(64), ENTRIES64(128), ENTRIES64(192) };

uint32_t
crc32c_by_table(uint32_t crc, struct span bytes)
{
	crc = ~crc;
	for (size_t i = 0; i < bytes.len; i++)
		crc = crc >> 8 ^ table[(crc ^ (unsigned char)bytes.ptr[i]) & 0xff];
	return ~crc;
}

#if defined(__x86_64__)
#define HARDWARE __attribute__((target("sse4.2")))
#define STEP_WORD(crc, word) ((uint32_t)_mm_crc32_u64((crc), (word)))
#define STEP_BYTE(crc, byte) _mm_crc32_u8((crc), (byte))

static bool
has_instruction(void)
{
	return __builtin_cpu_supports("sse4.2");
}
#elif defined(__aarch64__)
#define HARDWARE __attribute__((target("+crc")))
#define STEP_WORD(crc, word) __crc32cd((crc), (word))
#define STEP_BYTE(crc, byte) __crc32cb((crc), (byte))

static bool
has_instruction(void)
{
	return getauxval(AT_HWCAP) & HWCAP_CRC32;
}
#endif

#ifdef HARDWARE
HARDWARE static uint32_t
by_instruction(uint32_t crc, struct span bytes)
{
	const char *p = bytes.ptr;
	size_t left = bytes.len;
	uint64_t word;

	crc = ~crc;
	for (; left >= 8; left -= 8, p += 8) {
		memcpy(&word, p, 8);
		crc = STEP_WORD(crc, word);
	}
	for (; left > 0; left--, p++)
		crc = STEP_BYTE(crc, (unsigned char)*p);
	return ~crc;
}
#endif

uint32_t
crc32c(uint32_t crc, struct span bytes)
{
#ifdef HARDWARE
	if (has_instruction())
		return by_instruction(crc, bytes);
#endif
	return crc32c_by_table(crc, bytes);
}
