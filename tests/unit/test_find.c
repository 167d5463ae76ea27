/*
 * test_find.c - bytes in bytes: every place, every length, beside a plain loop.
 */
#include "tests/unit/test_proto.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proto/base/ascii.h"
#include "proto/base/find.h"

static size_t
plain(struct span hay, struct span needle, bool folds)
{
	for (size_t at = 0; at + needle.len <= hay.len; at++) {
		size_t i = 0;

		while (i < needle.len && (folds ? ascii_lower(hay.ptr[at + i]) : hay.ptr[at + i]) == needle.ptr[i])
			i++;
		if (i == needle.len)
			return at;
	}
	return hay.len;
}

static void
test_find_is_plain(void **state)
{
	static char hay[300], needle[64];
	uint32_t seed = 3;

	(void)state;
	for (unsigned n = 0; n < 60000; n++) {
		size_t hay_len, needle_len;

		seed = seed * 1664525 + 1013904223;
		hay_len = (seed >> 8) % sizeof(hay);
		needle_len = (seed >> 20) % (n % 4 ? 5 : sizeof(needle));
		for (size_t i = 0; i < hay_len; i++) {
			seed = seed * 1664525 + 1013904223;
			hay[i] = "abAB\xc3"[(seed >> 16) % 5];
		}
		for (size_t i = 0; i < needle_len; i++) {
			seed = seed * 1664525 + 1013904223;
			needle[i] = "ab\xc3"[(seed >> 16) % 3];
		}
		if (n % 3 == 0 && needle_len < hay_len) /* one that is there */
			for (size_t i = 0; i < needle_len; i++)
				needle[i] = ascii_lower(hay[hay_len - needle_len + i]);
		struct span h = at_page_edge((struct span){ hay, hay_len });
		struct span w = { needle, needle_len };

		assert_int_equal(find_bytes(h, w), plain(h, w, false));
		assert_int_equal(find_lower(h, w), plain(h, w, true));
	}
}

static void
test_find_8bit(void **state)
{
	char text[70];

	(void)state;
	for (size_t len = 0; len < sizeof(text); len++) {
		memset(text, 'x', sizeof(text));
		assert_int_equal(find_8bit(at_page_edge((struct span){ text, len })), len);
		for (size_t at = 0; at < len; at++) {
			text[at] = (char)0x80;
			assert_int_equal(find_8bit(at_page_edge((struct span){ text, len })), at);
			text[at] = 'x';
		}
	}
}

/* H25: a needle that fits nearly everywhere. */
static void
test_find_worst_case_h25(void **state)
{
	enum { HAY = 8 << 20, NEEDLE = 1024 };
	char *hay = malloc(HAY), needle[NEEDLE];
	clock_t began;

	(void)state;
	assert_non_null(hay);
	memset(hay, 'A', HAY);
	memset(needle, 'a', NEEDLE);
	needle[NEEDLE / 2] = 'b';
	began = clock();
	assert_int_equal(find_lower((struct span){ hay, HAY }, (struct span){ needle, NEEDLE }), HAY);
	assert_int_equal(find_bytes((struct span){ hay, HAY }, (struct span){ needle, NEEDLE }), HAY);
	assert_true((clock() - began) / CLOCKS_PER_SEC < 5); /* at each place in turn it would be ten times that */
	free(hay);
}

int
test_find(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find_is_plain),
		cmocka_unit_test(test_find_8bit),
		cmocka_unit_test(test_find_worst_case_h25),
	};

	return cmocka_run_group_tests_name("find", tests, NULL, NULL);
}
