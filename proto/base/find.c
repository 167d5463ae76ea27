/*
 * find.c - first and last byte of the needle compared at sixteen places at once, the rest where both fit.
 *
 * A long needle could be made to fit nearly everywhere: those go another way, whose time is linear (H25).
 */
#include "proto/base/find.h"

#include <string.h>

#include "proto/base/ascii.h"

#define WIDE 16
#define LONG_NEEDLE 32 /* bytes; longer ones are found in a time that does not depend on them */
#define WINDOW 4096    /* bytes at a time in small letters, and a needle more */
#define LONG_MAX 2048  /* a longer needle is looked for at each place in turn */

typedef unsigned char wide __attribute__((vector_size(WIDE)));
typedef uint64_t halves __attribute__((vector_size(WIDE)));

static inline wide
wide_load(const char *at)
{
	wide v;

	memcpy(&v, at, sizeof(v));
	return v;
}

static inline wide
wide_of(char c)
{
	return (wide){ 0 } + (unsigned char)c;
}

/* The capitals of V as small letters. */
static inline wide
wide_lower(wide v)
{
	wide capital = (wide)((v >= wide_of('A')) & (v <= wide_of('Z')));

	return v | (capital & wide_of(0x20));
}

static inline bool
wide_any(wide v)
{
	halves h = (halves)v;

	return (h[0] | h[1]) != 0;
}

static inline char
lower(char c, bool folds)
{
	return folds ? ascii_lower(c) : c;
}

static bool
same(const char *hay, struct span needle, bool folds)
{
	if (!folds)
		return memcmp(hay, needle.ptr, needle.len) == 0;
	for (size_t i = 0; i < needle.len; i++)
		if (ascii_lower(hay[i]) != needle.ptr[i])
			return false;
	return true;
}

/* The first place in FROM..TO where NEEDLE begins, one by one; TO where none. */
static size_t
find_slowly(struct span hay, struct span needle, size_t from, size_t to, bool folds)
{
	for (; from < to; from++)
		if (lower(hay.ptr[from], folds) == needle.ptr[0] &&
			same(hay.ptr + from, needle, folds))
			return from;
	return to;
}

/* Two-way search of the C library over copies in small letters. */
static size_t
find_long(struct span hay, struct span needle, bool folds)
{
	char window[WINDOW + LONG_MAX];
	const char *found;

	if (!folds) {
		found = memmem(hay.ptr, hay.len, needle.ptr, needle.len);
		return found ? (size_t)(found - hay.ptr) : hay.len;
	}
	for (size_t at = 0; at + needle.len <= hay.len; at += WINDOW) {
		struct span part = span_range(hay, at, at + WINDOW + needle.len - 1);

		for (size_t i = 0; i < part.len; i++)
			window[i] = ascii_lower(part.ptr[i]);
		found = memmem(window, part.len, needle.ptr, needle.len);
		if (found)
			return at + (size_t)(found - window);
	}
	return hay.len;
}

static inline size_t
find(struct span hay, struct span needle, bool folds)
{
	size_t at = 0, places, last = needle.len - 1;
	wide first_byte, last_byte;

	if (needle.len == 0)
		return 0;
	if (needle.len > hay.len)
		return hay.len;
	if (needle.len > LONG_NEEDLE && (!folds || needle.len <= LONG_MAX))
		return find_long(hay, needle, folds);
	places = hay.len - last;
	first_byte = wide_of(needle.ptr[0]);
	last_byte = wide_of(needle.ptr[last]);
	for (; at + WIDE <= places; at += WIDE) {
		wide a = wide_load(hay.ptr + at), b = wide_load(hay.ptr + at + last);
		size_t found;

		if (folds) {
			a = wide_lower(a);
			b = wide_lower(b);
		}
		if (!wide_any((wide)((a == first_byte) & (b == last_byte))))
			continue;
		found = find_slowly(hay, needle, at, at + WIDE, folds);
		if (found < at + WIDE)
			return found;
	}
	at = find_slowly(hay, needle, at, places, folds);
	return at < places ? at : hay.len;
}

size_t
find_bytes(struct span hay, struct span needle)
{
	return find(hay, needle, false);
}

size_t
find_lower(struct span hay, struct span needle)
{
	return find(hay, needle, true);
}

size_t
find_8bit(struct span text)
{
	size_t at = 0;

	while (at + WIDE <= text.len && !wide_any(wide_load(text.ptr + at) & wide_of((char)0x80)))
		at += WIDE;
	while (at < text.len && !ascii_is_8bit(text.ptr[at]))
		at++;
	return at;
}
