/*
 * span.c - comparing, finding and cutting views of bytes.
 */
#include "proto/base/span.h"

#include <string.h>

#include "proto/base/ascii.h"

struct span
span_of(const char *text)
{
	return (struct span){ text, text ? strlen(text) : 0 };
}

struct span
span_range(struct span s, size_t from, size_t to)
{
	if (to > s.len)
		to = s.len;
	if (from > to)
		from = to;
	return (struct span){ s.ptr ? s.ptr + from : NULL, to - from };
}

struct span
span_from(struct span s, size_t from)
{
	return span_range(s, from, s.len);
}

static inline struct span
trim_by(struct span s, bool (*is_in)(char))
{
	while (s.len > 0 && is_in(s.ptr[0]))
		s = span_from(s, 1);
	while (s.len > 0 && is_in(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

static bool
is_fold(char c)
{
	return ascii_is_blank(c) || c == '\r' || c == '\n';
}

struct span
span_trim(struct span s)
{
	return trim_by(s, ascii_is_blank);
}

struct span
span_trim_folds(struct span s)
{
	return trim_by(s, is_fold);
}

bool
span_eq(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static bool
same_nocase(const char *a, const char *b, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (ascii_lower(a[i]) != ascii_lower(b[i]))
			return false;
	return true;
}

bool
span_eq_nocase(struct span a, struct span b)
{
	return a.len == b.len && same_nocase(a.ptr, b.ptr, a.len);
}

bool
span_starts(struct span s, struct span prefix)
{
	return s.len >= prefix.len && span_eq(span_range(s, 0, prefix.len), prefix);
}

bool
span_starts_nocase(struct span s, struct span prefix)
{
	return s.len >= prefix.len && same_nocase(s.ptr, prefix.ptr, prefix.len);
}

uint64_t
span_hash_nocase(struct span s)
{
	uint64_t hash = 14695981039346656037u;

	for (size_t i = 0; i < s.len; i++)
		hash = (hash ^ (unsigned char)ascii_lower(s.ptr[i])) * 1099511628211u;
	return hash ^ (hash >> 32);
}

bool
span_ends_nocase(struct span s, struct span suffix)
{
	return s.len >= suffix.len &&
		same_nocase(s.ptr + (s.len - suffix.len), suffix.ptr, suffix.len);
}

static int
cmp_len(size_t a, size_t b)
{
	return a < b ? -1 : a > b;
}

int
span_cmp(struct span a, struct span b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int order = len ? memcmp(a.ptr, b.ptr, len) : 0;

	return order ? order : cmp_len(a.len, b.len);
}

int
span_cmp_nocase(struct span a, struct span b)
{
	for (size_t i = 0; i < a.len && i < b.len; i++) {
		unsigned char x = (unsigned char)ascii_lower(a.ptr[i]);
		unsigned char y = (unsigned char)ascii_lower(b.ptr[i]);

		if (x != y)
			return x < y ? -1 : 1;
	}
	return cmp_len(a.len, b.len);
}

size_t
span_find(struct span s, char c)
{
	const char *hit = s.len ? memchr(s.ptr, c, s.len) : NULL;

	return hit ? (size_t)(hit - s.ptr) : s.len;
}

size_t
span_find_last(struct span s, char c)
{
	const char *hit = s.len ? memrchr(s.ptr, c, s.len) : NULL;

	return hit ? (size_t)(hit - s.ptr) : s.len;
}

size_t
span_find_any(struct span s, struct span set)
{
	for (size_t i = 0; i < s.len; i++)
		if (memchr(set.ptr, s.ptr[i], set.len))
			return i;
	return s.len;
}

size_t
span_find_span(struct span s, struct span needle)
{
	const char *hit;

	if (needle.len == 0)
		return 0;
	hit = s.len ? memmem(s.ptr, s.len, needle.ptr, needle.len) : NULL;
	return hit ? (size_t)(hit - s.ptr) : s.len;
}

size_t
span_find_span_nocase(struct span s, struct span needle)
{
	for (size_t i = 0; i + needle.len <= s.len; i++)
		if (same_nocase(s.ptr + i, needle.ptr, needle.len))
			return i;
	return s.len;
}

bool
span_cut(struct span s, char c, struct span *head, struct span *tail)
{
	size_t at = span_find(s, c);
	bool found = at < s.len;

	*head = span_range(s, 0, at);
	*tail = span_from(s, found ? at + 1 : s.len);
	return found;
}

bool
span_is_ascii(struct span s)
{
	uint64_t seen = 0, word;
	size_t i = 0;

	for (; i + sizeof(word) <= s.len; i += sizeof(word)) {
		memcpy(&word, s.ptr + i, sizeof(word));
		seen |= word;
	}
	for (; i < s.len; i++)
		seen |= (unsigned char)s.ptr[i];
	return !(seen & UINT64_C(0x8080808080808080));
}

bool
span_has_control(struct span s, struct span allowed)
{
	for (size_t i = 0; i < s.len; i++)
		if (ascii_is_control(s.ptr[i]) && span_find(allowed, s.ptr[i]) == allowed.len)
			return true;
	return false;
}

size_t
span_copy_clean(struct span s, char *to, size_t room)
{
	size_t len = s.len < room ? s.len : room;

	for (size_t i = 0; i < len; i++)
		to[i] = ascii_is_control(s.ptr[i]) ? '?' : s.ptr[i];
	return len;
}

enum err
span_u64(struct span s, uint64_t max, uint64_t *out)
{
	uint64_t value = 0;

	if (s.len == 0)
		return ERR_SYNTAX;
	for (size_t i = 0; i < s.len; i++) {
		if (!ascii_is_digit(s.ptr[i]))
			return ERR_SYNTAX;
		if (__builtin_mul_overflow(value, 10, &value) ||
			__builtin_add_overflow(value, (uint64_t)(s.ptr[i] - '0'), &value) ||
			value > max)
			return ERR_LIMIT;
	}
	*out = value;
	return OK;
}

bool
span_next_line(struct span *rest, struct span *line)
{
	if (rest->len == 0)
		return false;
	(void)span_cut(*rest, '\n', line, rest);
	if (line->len > 0 && line->ptr[line->len - 1] == '\r')
		line->len--;
	return true;
}

bool
span_match_wildcard(struct span pattern, struct span text)
{
	size_t p = 0, t = 0, star = SIZE_MAX, resume = 0;

	while (t < text.len) {
		if (p < pattern.len && pattern.ptr[p] == '*') {
			star = p++;
			resume = t;
		} else if (p < pattern.len &&
			(pattern.ptr[p] == '?' ||
				ascii_lower(pattern.ptr[p]) == ascii_lower(text.ptr[t]))) {
			p++;
			t++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			t = ++resume;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.ptr[p] == '*')
		p++;
	return p == pattern.len;
}
