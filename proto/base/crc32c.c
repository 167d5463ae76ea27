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
#define ENTRIES4(E, i) E(i), E((i) + 1), E((i) + 2), E((i) + 3)
#define ENTRIES16(E, i) \
	ENTRIES4(E, i), ENTRIES4(E, (i) + 4), ENTRIES4(E, (i) + 8), ENTRIES4(E, (i) + 12)
#define ENTRIES64(E, i) \
	ENTRIES16(E, i), ENTRIES16(E, (i) + 16), ENTRIES16(E, (i) + 32), ENTRIES16(E, (i) + 48)
#define ENTRIES(E) { ENTRIES64(E, 0), ENTRIES64(E, 64), ENTRIES64(E, 128), ENTRIES64(E, 192) }

static const uint32_t table[256] = ENTRIES(ENTRY);

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
/*
 * The instruction takes a word a cycle but says its sum after three: so three lanes are summed side
 * by side, and a sum is moved over the LANE bytes of the next. That is linear too: the numbers are what
 * each bit of a sum becomes behind LANE zero bytes.
 */
#define LANE 256 /* bytes */
#define MOVED0(i) \
	(((i) & 1 ? 0xdcb17aa4u : 0) ^ ((i) & 2 ? 0xbc8e83b9u : 0) ^ ((i) & 4 ? 0x7cf17183u : 0) ^ \
		((i) & 8 ? 0xf9e2e306u : 0) ^ ((i) & 16 ? 0xf629b0fdu : 0) ^ ((i) & 32 ? 0xe9bf170bu : 0) ^ \
		((i) & 64 ? 0xd69258e7u : 0) ^ ((i) & 128 ? 0xa8c8c73fu : 0))
#define MOVED1(i) \
	(((i) & 1 ? 0x547df88fu : 0) ^ ((i) & 2 ? 0xa8fbf11eu : 0) ^ ((i) & 4 ? 0x541b94cdu : 0) ^ \
		((i) & 8 ? 0xa837299au : 0) ^ ((i) & 16 ? 0x558225c5u : 0) ^ ((i) & 32 ? 0xab044b8au : 0) ^ \
		((i) & 64 ? 0x53e4e1e5u : 0) ^ ((i) & 128 ? 0xa7c9c3cau : 0))
#define MOVED2(i) \
	(((i) & 1 ? 0x4a7ff165u : 0) ^ ((i) & 2 ? 0x94ffe2cau : 0) ^ ((i) & 4 ? 0x2c13b365u : 0) ^ \
		((i) & 8 ? 0x582766cau : 0) ^ ((i) & 16 ? 0xb04ecd94u : 0) ^ ((i) & 32 ? 0x6571edd9u : 0) ^ \
		((i) & 64 ? 0xcae3dbb2u : 0) ^ ((i) & 128 ? 0x902bc195u : 0))
#define MOVED3(i) \
	(((i) & 1 ? 0x25bbf5dbu : 0) ^ ((i) & 2 ? 0x4b77ebb6u : 0) ^ ((i) & 4 ? 0x96efd76cu : 0) ^ \
		((i) & 8 ? 0x2833d829u : 0) ^ ((i) & 16 ? 0x5067b052u : 0) ^ ((i) & 32 ? 0xa0cf60a4u : 0) ^ \
		((i) & 64 ? 0x4472b7b9u : 0) ^ ((i) & 128 ? 0x88e56f72u : 0))

static const uint32_t moved[4][256] = { ENTRIES(MOVED0), ENTRIES(MOVED1), ENTRIES(MOVED2),
	ENTRIES(MOVED3) };

static inline uint32_t
move_over_lane(uint32_t crc)
{
	return moved[0][crc & 0xff] ^ moved[1][crc >> 8 & 0xff] ^ moved[2][crc >> 16 & 0xff] ^
	       moved[3][crc >> 24];
}

static inline uint64_t
word_at(const char *p)
{
	uint64_t word;

	memcpy(&word, p, 8);
	return word;
}

HARDWARE static uint32_t
three_lanes(uint32_t crc, const char *p)
{
	uint32_t second = 0, third = 0;

	for (size_t i = 0; i < LANE; i += 8) {
		crc = STEP_WORD(crc, word_at(p + i));
		second = STEP_WORD(second, word_at(p + LANE + i));
		third = STEP_WORD(third, word_at(p + 2 * LANE + i));
	}
	return move_over_lane(move_over_lane(crc) ^ second) ^ third;
}

HARDWARE static uint32_t
by_instruction(uint32_t crc, struct span bytes)
{
	const char *p = bytes.ptr;
	size_t left = bytes.len;

	crc = ~crc;
	for (; left >= 3 * LANE; left -= 3 * LANE, p += 3 * LANE)
		crc = three_lanes(crc, p);
	for (; left >= 8; left -= 8, p += 8)
		crc = STEP_WORD(crc, word_at(p));
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
