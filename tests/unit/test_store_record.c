/*
 * test_store_record.c - keys sort by meaning; records come back as they went in, or say that they
 * do not.
 */
#include "tests/harness/page_edge.h"
#include "tests/unit/test_store.h"

#include "store/record.h"

#define VERSION 2

static struct span
build(char *room, size_t max, const struct key *key)
{
	struct record_out out;
	struct span value = SPAN_NONE;

	record_begin(&out, room, max, VERSION);
	record_put_u8(&out, 0xfe);
	record_put_u16(&out, 0xfedc);
	record_put_u32(&out, 0xfedcba98);
	record_put_u64(&out, UINT64_C(0xfedcba9876543210));
	record_put_varint(&out, 0);
	record_put_varint(&out, 127);
	record_put_varint(&out, 128);
	record_put_varint(&out, UINT64_MAX);
	record_put_span(&out, SPAN("anna"));
	record_put_raw(&out, SPAN("rest"));
	if (record_seal(&out, TABLE_users, key, &value) != OK)
		return SPAN_NONE;
	return value;
}

static void
test_record_comes_back(void **state)
{
	char room[128];
	struct key key;
	struct record_in in;
	struct span value;

	(void)state;
	key_u64(&key, 7);
	value = at_page_edge(build(room, sizeof(room), &key));
	assert_int_equal(record_open(&in, TABLE_users, key_span(&key), value, VERSION), OK);
	assert_int_equal(in.version, VERSION);
	assert_int_equal(record_take_u8(&in), 0xfe);
	assert_int_equal(record_take_u16(&in), 0xfedc);
	assert_int_equal(record_take_u32(&in), 0xfedcba98);
	assert_true(record_take_u64(&in) == UINT64_C(0xfedcba9876543210));
	assert_int_equal(record_take_varint(&in), 0);
	assert_int_equal(record_take_varint(&in), 127);
	assert_int_equal(record_take_varint(&in), 128);
	assert_true(record_take_varint(&in) == UINT64_MAX);
	assert_true(span_eq(record_take_span(&in), SPAN("anna")));
	assert_int_equal(record_end(&in), ERR_CORRUPT); /* "rest" is left */
	assert_true(span_eq(record_take_rest(&in), SPAN("rest")));
	assert_int_equal(record_end(&in), OK);
	assert_int_equal(record_take_u8(&in), 0); /* beyond the end: zero, and it shows */
	assert_int_equal(record_end(&in), ERR_CORRUPT);
}

/* Every bit of the value, another key, another table, a newer version: all show (H49, H51). */
static void
test_record_damage_shows_h49(void **state)
{
	char room[128];
	struct key key, other;
	struct record_in in;
	struct span value;

	(void)state;
	key_u64(&key, 7);
	key_u64(&other, 8);
	value = build(room, sizeof(room), &key);
	for (size_t bit = 0; bit < value.len * 8; bit++) {
		room[bit / 8] ^= (char)(1 << bit % 8);
		assert_int_equal(
			record_open(&in, TABLE_users, key_span(&key), value, VERSION), ERR_CORRUPT);
		room[bit / 8] ^= (char)(1 << bit % 8);
	}
	for (size_t len = 0; len < value.len; len++) {
		struct span cut = at_page_edge(span_range(value, 0, len));

		assert_int_equal(
			record_open(&in, TABLE_users, key_span(&key), cut, VERSION), ERR_CORRUPT);
	}
	assert_int_equal(
		record_open(&in, TABLE_users, key_span(&other), value, VERSION), ERR_CORRUPT);
	assert_int_equal(
		record_open(&in, TABLE_groups, key_span(&key), value, VERSION), ERR_CORRUPT);
	assert_int_equal(
		record_open(&in, TABLE_users, key_span(&key), value, VERSION - 1), ERR_CORRUPT);
}

static void
test_record_limits(void **state)
{
	char room[128];
	struct key key;
	size_t need;

	(void)state;
	key_u64(&key, 7);
	need = build(room, sizeof(room), &key).len;
	assert_int_equal(build(room, need, &key).len, need);
	for (size_t max = RECORD_HEAD; max < need; max++)
		assert_null(build(room, max, &key).ptr);
}

/* Fields whose lengths lie: nothing is read beyond the record. */
static void
test_record_hostile_fields(void **state)
{
	static const struct {
		struct span fields;
		bool varint_good;
	} rows[] = {
		{ SPAN(""), false },
		{ SPAN("\x80"), false },
		{ SPAN("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), true },
		{ SPAN("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), false },
		{ SPAN("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), false },
		{ SPAN("\x05"
		       "anna"),
			true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct span at = at_page_edge(rows[i].fields);
		struct record_in in = { .at = at.ptr, .end = at.ptr + at.len };

		(void)record_take_varint(&in);
		assert_int_equal(!in.bad, rows[i].varint_good);
		in = (struct record_in){ .at = at.ptr, .end = at.ptr + at.len };
		assert_null(record_take_span(&in).ptr); /* none of these lengths is true */
		assert_true(in.bad);
	}
}

static void
test_key_sorts_by_meaning(void **state)
{
	static const uint64_t numbers[] = { 0, 1, 255, 256, 65535, 65536, UINT32_MAX,
		UINT64_C(1) << 32, UINT64_MAX };
	struct key a, b;

	(void)state;
	for (size_t i = 1; i < COUNT(numbers); i++) {
		key_u64_u32(&a, numbers[i - 1], UINT32_MAX);
		key_u64_u32(&b, numbers[i], 0);
		assert_true(span_cmp(key_span(&a), key_span(&b)) < 0);
	}
	key_begin(&a);
	key_put_name(&a, SPAN("a"));
	key_put_name(&a, SPAN("bc"));
	key_begin(&b);
	key_put_name(&b, SPAN("ab"));
	key_put_name(&b, SPAN("c"));
	assert_false(span_eq(key_span(&a), key_span(&b)));
}

static void
test_key_take(void **state)
{
	struct key key;
	struct span at;
	uint64_t a;
	uint32_t b;
	uint8_t c;

	(void)state;
	key_u64_u32(&key, 5, 6);
	at = at_page_edge(key_span(&key));
	assert_int_equal(key_take_u64(&at, &a), OK);
	assert_int_equal(key_take_u32(&at, &b), OK);
	assert_int_equal(a, 5);
	assert_int_equal(b, 6);
	assert_int_equal(key_take_u8(&at, &c), ERR_CORRUPT);
	at = at_page_edge(span_range(key_span(&key), 0, 7));
	assert_int_equal(key_take_u64(&at, &a), ERR_CORRUPT);
	assert_int_equal(a, 0);
}

int
test_store_record(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_record_comes_back),
		cmocka_unit_test(test_record_damage_shows_h49),
		cmocka_unit_test(test_record_limits),
		cmocka_unit_test(test_record_hostile_fields),
		cmocka_unit_test(test_key_sorts_by_meaning),
		cmocka_unit_test(test_key_take),
	};

	return cmocka_run_group_tests_name("store record", tests, NULL, NULL);
}
