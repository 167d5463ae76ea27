/*
 * test_store_bodies.c - bodies in pieces of one page: small, large, in several jobs, damaged,
 * swept.
 */
#include "tests/unit/test_store.h"

#include <stdlib.h>

#include "store/bodies.h"
#include "store/graves.h"

#define D BODY_PIECE_DATA

struct body_arg {
	struct span parts[3];
	uint64_t body_id;
	uint64_t at;
};

static enum err
apply_add(struct txn *txn, void *arg)
{
	struct body_arg *a = arg;

	return body_add(txn, (struct body_source){ a->parts, COUNT(a->parts) }, &a->body_id);
}

static enum err
apply_begin(struct txn *txn, void *arg)
{
	return body_begin(txn, &((struct body_arg *)arg)->body_id);
}

static enum err
apply_write(struct txn *txn, void *arg)
{
	struct body_arg *a = arg;

	return body_write(
		txn, a->body_id, a->at, (struct body_source){ a->parts, COUNT(a->parts) });
}

static enum err
apply_abandon(struct txn *txn, void *arg)
{
	return body_abandon(txn, ((struct body_arg *)arg)->body_id);
}

/* Bytes that differ at every place. */
static char *
noise(size_t size)
{
	char *bytes = malloc(size + 1);
	uint32_t x = 1;

	assert_non_null(bytes);
	for (size_t i = 0; i < size; i++, x = x * 1664525 + 1013904223)
		bytes[i] = (char)(x >> 24);
	return bytes;
}

static void
check_body(struct fixture *f, uint64_t body_id, struct span want)
{
	struct snapshot *snap;
	struct span piece;
	uint64_t size, at = 0;

	assert_int_equal(snapshot_open(f->store, &snap), OK);
	assert_int_equal(body_size(snap, body_id, &size), OK);
	assert_int_equal(size, want.len);
	while (body_read(snap, body_id, at, &piece) == OK) {
		assert_true(span_eq(piece, span_range(want, at, at + piece.len)));
		at += piece.len;
	}
	assert_int_equal(at, want.len);
	snapshot_close(&snap);
}

static void
test_body_sizes_and_cuts(void **state)
{
	static const size_t sizes[] = { 0, 1, 100, D - 1, D, D + 1, 2 * D, 2 * D + 1, 70000 };
	struct fixture *f = *state;
	char *bytes = noise(70000);

	for (size_t i = 0; i < COUNT(sizes); i++) {
		struct span whole = { bytes, sizes[i] };
		struct body_arg a = { .parts = { span_range(whole, 0, 7),
					      span_range(whole, 7, D + 3), span_from(whole, D + 3) } };

		assert_int_equal(run_now(f->store, apply_add, &a), OK);
		assert_int_equal(a.body_id == 0, sizes[i] == 0);
		fixture_reopen(f);
		check_body(f, a.body_id, whole);
	}
	free(bytes);
}

/* From the middle of a piece: what a slow reader asks for in its next turn. */
static void
test_body_read_from_any_offset(void **state)
{
	struct fixture *f = *state;
	char *bytes = noise(3 * D);
	struct body_arg a = { .parts = { { bytes, 3 * D } } };
	struct snapshot *snap;
	struct span piece;

	assert_int_equal(run_now(f->store, apply_add, &a), OK);
	assert_int_equal(snapshot_open(f->store, &snap), OK);
	for (uint64_t at = 0; at < 3 * D; at += 1019) {
		assert_int_equal(body_read(snap, a.body_id, at, &piece), OK);
		assert_int_equal(piece.len, D - at % D);
		assert_memory_equal(piece.ptr, bytes + at, piece.len);
	}
	assert_int_equal(body_read(snap, a.body_id, 3 * D, &piece), ERR_NOT_FOUND);
	assert_int_equal(body_read(snap, a.body_id, UINT64_MAX, &piece), ERR_NOT_FOUND);
	assert_int_equal(body_read(snap, a.body_id + 1, 0, &piece), ERR_NOT_FOUND);
	snapshot_close(&snap);
	free(bytes);
}

/* All pieces but the last fill a page: 4,080 bytes as LMDB sees them (H47). */
static void
test_body_piece_is_a_page_h47(void **state)
{
	struct fixture *f = *state;
	char *bytes = noise(2 * D + 5);
	struct body_arg a = { .parts = { { bytes, 2 * D + 5 } } };
	static const size_t want[] = { 4080, 4080, 8 + 5 };
	struct snapshot *snap;
	struct row row;
	struct key key;

	assert_int_equal(run_now(f->store, apply_add, &a), OK);
	assert_int_equal(snapshot_open(f->store, &snap), OK);
	key_begin(&key);
	assert_int_equal(table_seek(snap, TABLE_bodies, &key, &row), OK);
	for (size_t i = 0; i < COUNT(want); i++) {
		assert_int_equal(row.value.len, want[i]);
		assert_int_equal(row.value.ptr[5] | row.value.ptr[6] | row.value.ptr[7], 0);
		assert_int_equal(table_next(snap, TABLE_bodies, &row),
			i + 1 < COUNT(want) ? OK : ERR_NOT_FOUND);
	}
	snapshot_close(&snap);
	free(bytes);
}

/* A byte of any part of a piece is wrong: that piece says so, the one before it is still good. */
static void
test_body_damage_shows_h49(void **state)
{
	struct fixture *f = *state;
	static const size_t offsets[] = { 0, 4, 5, 7, 8, 2000, 4079 };
	char *bytes = noise(2 * D);
	struct body_arg a = { .parts = { { bytes, 2 * D } } };
	struct snapshot *snap;
	struct span piece;
	struct key key;

	for (size_t i = 0; i < COUNT(offsets); i++) {
		assert_int_equal(run_now(f->store, apply_add, &a), OK);
		key_u64_u32(&key, a.body_id, 1);
		damage_row(f, "bodies", key_span(&key), offsets[i]);
		assert_int_equal(snapshot_open(f->store, &snap), OK);
		assert_int_equal(body_read(snap, a.body_id, 0, &piece), OK);
		assert_int_equal(body_read(snap, a.body_id, D, &piece), ERR_CORRUPT);
		snapshot_close(&snap);
	}
	free(bytes);
}

/* A large one in several jobs, one of them run twice (as after a failure in its group). */
static void
test_body_in_several_jobs(void **state)
{
	struct fixture *f = *state;
	const size_t size = 5 * D + 17;
	char *bytes = noise(size);
	struct span whole = { bytes, size };
	struct body_arg a = { .at = 0 }, other = { .parts = { SPAN("between") } };

	assert_int_equal(run_now(f->store, apply_begin, &a), OK);
	a.parts[0] = span_range(whole, 0, 3 * D);
	assert_int_equal(run_now(f->store, apply_write, &a), OK);
	assert_int_equal(run_now(f->store, apply_add, &other), OK); /* ids go on meanwhile */
	assert_int_equal(run_now(f->store, apply_write, &a), OK);
	a.at = 3 * D;
	a.parts[0] = span_from(whole, a.at);
	assert_int_equal(run_now(f->store, apply_write, &a), OK);
	fixture_reopen(f);
	check_body(f, a.body_id, whole);
	check_body(f, other.body_id, SPAN("between"));
	free(bytes);
}

static uint64_t
count_rows(struct fixture *f, enum store_table table)
{
	struct snapshot *snap;
	uint64_t rows;

	assert_int_equal(snapshot_open(f->store, &snap), OK);
	assert_int_equal(table_count(snap, table, &rows), OK);
	snapshot_close(&snap);
	return rows;
}

static void
run_graves(struct fixture *f)
{
	struct graves_job job;

	graves_job_init(&job);
	assert_int_equal(store_run_job_now(f->store, &job.job), OK);
}

/* Q1: what never got an owner is there for a day, also over a restart, and is swept then. */
static void
test_body_without_owner_is_swept(void **state)
{
	struct fixture *f = *state;
	const size_t size = 600 * D; /* more than one slice */
	char *bytes = noise(size);
	struct body_arg a = { .parts = { { bytes, size } } }, b = a;

	assert_int_equal(run_now(f->store, apply_begin, &a), OK);
	assert_int_equal(run_now(f->store, apply_write, &a), OK);
	assert_int_equal(run_now(f->store, apply_begin, &b), OK);
	assert_int_equal(run_now(f->store, apply_abandon, &b), OK); /* before its first piece */
	fixture_reopen(f);
	f->now_ms += ARRIVING_MAX_MS - 1;
	run_graves(f);
	assert_int_equal(count_rows(f, TABLE_bodies), 600);
	f->now_ms += 1;
	run_graves(f);
	assert_int_equal(count_rows(f, TABLE_bodies), 0);
	assert_int_equal(count_rows(f, TABLE_arriving), 0);
	assert_int_equal(count_rows(f, TABLE_graves), 0);
	free(bytes);
}

#define T(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
test_store_bodies(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_body_sizes_and_cuts),
		T(test_body_read_from_any_offset),
		T(test_body_piece_is_a_page_h47),
		T(test_body_damage_shows_h49),
		T(test_body_in_several_jobs),
		T(test_body_without_owner_is_swept),
	};

	return cmocka_run_group_tests_name("store bodies", tests, NULL, NULL);
}
