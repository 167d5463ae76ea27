/*
 * test_zip.c - files into a zip: read back, in pieces of any size, behind 4 GiB, more than the old form counts (ARC-02).
 */
#include "tests/harness/page_edge.h"
#include "tests/harness/zip_read.h"

#include <stdlib.h>

#include "server/archive/zip_put.h"

#define WHEN 1795356005 /* Sun, 22 Nov 2026 14:00:05 +0000 */
#define ROOM (64u << 20)

struct zipping {
	struct arena arena;
	struct zip_put zip;
	struct buf out;
};

static void
begin(struct zipping *z)
{
	arena_init(&z->arena, NULL);
	buf_init(&z->out, ROOM);
	assert_int_equal(zip_init(&z->zip), OK);
}

static void
put(struct zipping *z, const char *name, struct span text, size_t size)
{
	assert_int_equal(zip_begin(&z->zip, name, WHEN, &z->out), OK);
	for (size_t at = 0; at < text.len; at += size)
		assert_int_equal(zip_text(&z->zip, at_page_edge(span_range(text, at, at + size)), &z->out), OK);
	assert_int_equal(zip_end(&z->zip, &z->out), OK);
}

static void
finish(struct zipping *z)
{
	enum err err;

	do
		err = zip_finish(&z->zip, &z->out);
	while (err == ERR_BUSY);
	assert_int_equal(err, OK);
}

static void
end(struct zipping *z)
{
	zip_fini(&z->zip);
	buf_fini(&z->out);
	arena_reset(&z->arena);
}

static void
test_arc_02_members_read_back(void **state)
{
	static const size_t sizes[] = { 1, 7, 4096 };
	static char noise[20000];
	uint32_t seed = 1;

	(void)state;
	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = (char)((seed = seed * 1103515245u + 12345u) >> 16);
	for (size_t i = 0; i < COUNT(sizes); i++) {
		struct span texts[] = { SPAN("Subject: x\r\n\r\nhello\r\n"), SPAN(""), { noise, sizeof(noise) } };
		struct zipping z;
		struct zip_found *found;

		begin(&z);
		for (size_t n = 0; n < COUNT(texts); n++)
			put(&z, arena_printf(&z.arena, "%zu.eml%c", n, 0).ptr, texts[n], sizes[i]);
		finish(&z);
		assert_int_equal(z.zip.written, buf_span(&z.out).len);
		assert_int_equal(zip_read_count(buf_span(&z.out), 0), COUNT(texts));
		found = zip_read(&z.arena, buf_span(&z.out), 0);
		for (size_t n = 0; n < COUNT(texts); n++)
			check_row(n, span_eq(found[n].text, texts[n]) && found[n].name.ptr[0] == (char)('0' + n));
		end(&z);
	}
}

static void
test_arc_02_empty(void **state)
{
	struct zipping z;

	(void)state;
	begin(&z);
	finish(&z);
	assert_int_equal(zip_read_count(buf_span(&z.out), 0), 0);
	end(&z);
}

/* As if that many bytes stood in the file already: each side of 4 GiB, and a member on each. */
static void
test_arc_02_behind_4_gib(void **state)
{
	static const uint64_t before[] = { UINT32_MAX - 200, UINT32_MAX - 50, UINT32_MAX, (uint64_t)UINT32_MAX + 1,
		UINT64_C(5) << 30 };

	(void)state;
	for (size_t i = 0; i < COUNT(before); i++) {
		struct zipping z;
		struct zip_found *found;

		begin(&z);
		z.zip.written = before[i];
		put(&z, "1.eml", SPAN("one"), 3);
		put(&z, "2.eml", SPAN("two"), 3);
		finish(&z);
		found = zip_read(&z.arena, buf_span(&z.out), before[i]);
		check_span(i, found[0].text, SPAN("one"));
		check_span(i, found[1].text, SPAN("two"));
		end(&z);
	}
}

/* ZIP64 says how many there are, where the old form cannot count them. */
static void
test_arc_02_more_than_65535(void **state)
{
	static const unsigned counts[] = { UINT16_MAX - 1, UINT16_MAX, 66000 };

	(void)state;
	for (size_t i = 0; i < COUNT(counts); i++) {
		struct zipping z;
		struct zip_found *found;
		char name[ZIP_NAME_MAX];

		begin(&z);
		for (unsigned n = 0; n < counts[i]; n++) {
			snprintf(name, sizeof(name), "%u.eml", n);
			assert_int_equal(zip_begin(&z.zip, name, WHEN, &z.out), OK);
			assert_int_equal(zip_end(&z.zip, &z.out), OK);
		}
		finish(&z);
		assert_int_equal(zip_read_count(buf_span(&z.out), 0), counts[i]);
		found = zip_read(&z.arena, buf_span(&z.out), 0);
		snprintf(name, sizeof(name), "%u.eml", counts[i] - 1);
		check_span(i, found[counts[i] - 1].name, span_of(name));
		end(&z);
	}
}

/* A member that would not fit is refused before a byte of it is packed. */
static void
test_arc_02_member_over_4_gib(void **state)
{
	struct zipping z;

	(void)state;
	begin(&z);
	assert_int_equal(zip_begin(&z.zip, "1.eml", WHEN, &z.out), OK);
	z.zip.member.size = ZIP_MEMBER_MAX - 2; /* as if so much had come */
	assert_int_equal(zip_text(&z.zip, SPAN("abc"), &z.out), ERR_LIMIT);
	assert_int_equal(z.zip.member.packed, 0);
	assert_int_equal(zip_text(&z.zip, SPAN("ab"), &z.out), OK);
	end(&z);
}

/* Without room, it says so and nothing else happens. */
static void
test_arc_02_no_room(void **state)
{
	struct zipping z;

	(void)state;
	begin(&z);
	z.out.max = 10;
	assert_int_equal(zip_begin(&z.zip, "1.eml", WHEN, &z.out), ERR_LIMIT);
	end(&z);
	begin(&z);
	z.zip.directory.max = 10;
	assert_int_equal(zip_begin(&z.zip, "1.eml", WHEN, &z.out), OK);
	assert_int_equal(zip_end(&z.zip, &z.out), ERR_LIMIT);
	end(&z);
	begin(&z);
	assert_non_null(buf_reserve(&z.zip.directory, ZIP_DIRECTORY_MAX));
	buf_added(&z.zip.directory, ZIP_DIRECTORY_MAX - 100);
	assert_true(zip_is_full(&z.zip));
	assert_int_equal(zip_begin(&z.zip, "1.eml", WHEN, &z.out), ERR_LIMIT);
	assert_int_equal(buf_span(&z.out).len, 0);
	end(&z);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arc_02_members_read_back),
		cmocka_unit_test(test_arc_02_empty),
		cmocka_unit_test(test_arc_02_behind_4_gib),
		cmocka_unit_test(test_arc_02_more_than_65535),
		cmocka_unit_test(test_arc_02_member_over_4_gib),
		cmocka_unit_test(test_arc_02_no_room),
	};

	return cmocka_run_group_tests_name("zip", tests, NULL, NULL);
}
