/*
 * test_joins.c - bodies made of ranges of others: read like any, owned and freed, checked, mended, backed up.
 */
#include "tests/unit/directory_fixture.h"

#include <fcntl.h>
#include <unistd.h>

#include "store/backup.h"
#include "store/bodies.h"
#include "store/body_joins.h"
#include "store/folders.h"
#include "store/graves.h"
#include "store/messages.h"
#include "store/queued.h"

#define D BODY_PIECE_DATA
#define HOUR_MS UINT64_C(3600000)

struct made {
	struct span bytes[3]; /* of its members */
	struct body_slice slices[40];
	size_t member_count, slice_count;
	bool queue; /* a content of it waits in the queue, as 9 */
	uint64_t members[3], body_id, content_id;
	bool base_is_shared;
	uint64_t base; /* member 0 where that is there already */
};

static char *
noise(size_t size, uint32_t x)
{
	char *bytes = malloc(size + 1);

	assert_non_null(bytes);
	for (size_t i = 0; i < size; i++, x = x * 1664525 + 1013904223)
		bytes[i] = (char)(x >> 24);
	return bytes;
}

static uint64_t
size_of(const struct made *m)
{
	uint64_t size = 0;

	for (size_t i = 0; i < m->slice_count; i++)
		size += m->slices[i].size;
	return size;
}

static enum err
queue_it(struct txn *txn, struct made *m)
{
	struct content content = { .header = SPAN("Subject: joined\r\n\r\n"), .body_id = m->body_id,
		.body_size = size_of(m), .owners = 1 };
	struct queued_recipient r = { .address = SPAN("x@example.net"), .next_try_ms = FIXTURE_NOW };
	struct queued q = { .queue_id = 9, .size_bytes = 10 };
	enum err err = content_add(txn, &content, false);

	m->content_id = q.content_id = content.content_id;
	return err == OK ? queued_add(txn, &q, &r, 1) : err;
}

static enum err
make_join(struct txn *txn, void *arg)
{
	struct made *m = arg;
	struct body_member members[3];
	struct body_join join = { members, m->member_count, m->slices, m->slice_count };
	enum err err = OK;

	for (size_t i = 0; i < m->member_count && err == OK; i++) {
		m->members[i] = i == 0 ? m->base : 0;
		if (m->members[i] == 0)
			err = body_add(txn, (struct body_source){ &m->bytes[i], 1 }, &m->members[i]);
		members[i] = (struct body_member){ m->members[i], i == 0 && m->base_is_shared };
	}
	if (err == OK)
		err = body_join_add(txn, &join, &m->body_id);
	return err == OK && m->queue ? queue_it(txn, m) : err;
}

static char *
flat(const struct made *m)
{
	char *bytes = malloc(size_of(m) + 1);
	size_t at = 0;

	assert_non_null(bytes);
	for (size_t i = 0; i < m->slice_count; i++) {
		const struct body_slice *s = &m->slices[i];

		memcpy(bytes + at, m->bytes[s->member].ptr + s->from, s->size);
		at += s->size;
	}
	return bytes;
}

static void
assert_reads_as(struct snapshot *snap, uint64_t body_id, const char *want, uint64_t len)
{
	struct span piece;
	uint64_t size, at = 0;

	assert_int_equal(body_size(snap, body_id, &size), OK);
	assert_int_equal(size, len);
	while (body_read(snap, body_id, at, &piece) == OK) {
		assert_true(piece.len > 0 && at + piece.len <= len);
		assert_memory_equal(piece.ptr, want + at, piece.len);
		at += piece.len;
	}
	assert_int_equal(at, len);
	assert_int_equal(body_read(snap, body_id, len, &piece), ERR_NOT_FOUND);
	for (at = 0; at < len; at += 997) { /* from anywhere */
		assert_int_equal(body_read(snap, body_id, at, &piece), OK);
		assert_memory_equal(piece.ptr, want + at, piece.len);
		(void)body_is_cold(snap, body_id, at);
	}
}

/* Any ranges of any bodies read as if they had been copied together. */
static void
test_joins_read_as_flat_bodies(void **state)
{
	static const size_t sizes[] = { 3 * D + 17, 100, 2 * D };
	struct fixture *f = *state;
	char *bytes[3];
	uint32_t x = 7;

	for (size_t i = 0; i < 3; i++)
		bytes[i] = noise(sizes[i], (uint32_t)i + 1);
	for (unsigned round = 0; round < 40; round++) {
		struct made m = { .member_count = 3, .slice_count = 1 + round % 40 };
		char *want;

		for (size_t i = 0; i < 3; i++)
			m.bytes[i] = (struct span){ bytes[i], sizes[i] };
		for (size_t i = 0; i < m.slice_count; i++) {
			x = x * 1664525 + 1013904223;
			m.slices[i].member = (x >> 16) % 3;
			m.slices[i].from = (x >> 8) % sizes[m.slices[i].member];
			m.slices[i].size = (x >> 4) % (sizes[m.slices[i].member] - m.slices[i].from);
		}
		assert_int_equal(run(f, make_join, &m), OK);
		want = flat(&m);
		assert_reads_as(look(f), m.body_id, want, size_of(&m));
		free(want);
	}
	for (size_t i = 0; i < 3; i++)
		free(bytes[i]);
}

static enum err
make_bad(struct txn *txn, void *arg)
{
	uint64_t *joined = arg, body_id;
	struct body_member member = { *joined, true };
	struct body_slice slice = { 0, 0, 1 };

	return body_join_add(txn, &(struct body_join){ &member, 1, &slice, 1 }, &body_id);
}

/* A join of a join is not made, nor is one of too many. */
static void
test_joins_have_depth_one(void **state)
{
	struct fixture *f = *state;
	struct made m = { .bytes = { SPAN("hello") }, .member_count = 1, .slice_count = 1,
		.slices = { { 0, 1, 3 } } };
	struct body_join many = { NULL, BODY_JOIN_MEMBERS_MAX + 1, NULL, 0 };
	uint64_t id;

	assert_int_equal(run(f, make_join, &m), OK);
	assert_true(body_is_join(m.body_id));
	assert_int_equal(run(f, make_bad, &m.body_id), ERR_LIMIT);
	assert_int_equal(body_join_add(NULL, &many, &id), ERR_LIMIT);
	many = (struct body_join){ NULL, 0, NULL, BODY_JOIN_SLICES_MAX + 1 };
	assert_int_equal(body_join_add(NULL, &many, &id), ERR_LIMIT);
}

/* ---- owners ---- */

struct scene {
	uint64_t anna, inbox;
	struct fixture_message base;
	struct made m;
	char *base_bytes, *added, *want;
};

/* A message in anna's INBOX, and a copy of it with something in front, in between and behind in the queue. */
static void
make_scene(struct fixture *f, struct scene *s, size_t base_size, size_t added_size)
{
	struct content content;

	s->anna = fixture_user(f, "anna");
	s->inbox = fixture_inbox(f, s->anna);
	s->base = (struct fixture_message){ s->anna, s->inbox, base_size, 5, 0, 0 };
	assert_int_equal(run(f, fixture_place, &s->base), OK);
	assert_int_equal(content_get(look(f), s->base.content_id, &content), OK);
	s->base_bytes = malloc(base_size);
	assert_non_null(s->base_bytes);
	for (size_t i = 0; i < base_size; i++)
		s->base_bytes[i] = (char)('a' + (i * 7 + 5) % 26);
	s->added = noise(added_size, 3);
	s->m = (struct made){ .bytes = { { s->base_bytes, base_size }, { s->added, added_size } },
		.member_count = 2, .slice_count = 5, .queue = true, .base = content.body_id,
		.base_is_shared = true,
		.slices = { { 1, 0, 10 }, { 0, 0, base_size / 2 }, { 1, 10, 20 },
			{ 0, base_size / 2, base_size - base_size / 2 }, { 1, 30, added_size - 30 } } };
	assert_int_equal(run(f, make_join, &s->m), OK);
	s->want = flat(&s->m);
}

static void
scene_free(struct scene *s)
{
	free(s->base_bytes);
	free(s->added);
	free(s->want);
}

static void
assert_clean(struct fixture *f)
{
	unsigned lines;

	fixture_close(f);
	assert_int_equal(fixture_check(f, false, &lines), 0);
	assert_int_equal(lines, 0);
	fixture_open(f);
}

static uint64_t
rows(struct fixture *f, enum store_table table)
{
	uint64_t count;

	assert_int_equal(table_count(look(f), table, &count), OK);
	return count;
}

static enum err
purge(struct txn *txn, void *arg)
{
	(void)arg;
	return queued_purge(txn, 9);
}

static enum err
expunge(struct txn *txn, void *arg)
{
	struct scene *s = arg;
	struct uid_list list = { &s->base.uid, 1 };
	struct folder folder;
	size_t count;
	enum err err = folder_get(txn_view(txn), s->anna, s->inbox, &folder);

	return err == OK ? message_expunge(txn, &folder, list, 0, &count) : err;
}

static enum err
open_graves(struct txn *txn, void *arg)
{
	return graves_free_some(txn, arg);
}

/* One slice at a time, as if the server were killed behind each: the store is sound every time. */
static void
free_all(struct fixture *f)
{
	bool more = true;

	for (unsigned i = 0; i < 20; i++) {
		f->later_ms += HOUR_MS + 1;
		more = true;
		while (more) {
			assert_int_equal(run(f, open_graves, &more), OK);
			assert_clean(f);
		}
	}
}

/* The copy leaves first: only what it added goes, whichever slice a crash falls behind. */
static void
test_joins_give_up_their_members(void **state)
{
	struct fixture *f = *state;
	struct scene s;

	make_scene(f, &s, 5 * D + 3, 600 * D);
	assert_clean(f);
	assert_int_equal(rows(f, TABLE_bodies), 606);
	assert_reads_as(look(f), s.m.body_id, s.want, size_of(&s.m));
	assert_int_equal(run(f, purge, NULL), OK);
	free_all(f);
	assert_int_equal(rows(f, TABLE_body_joins), 0);
	assert_int_equal(rows(f, TABLE_body_shares), 0);
	assert_int_equal(rows(f, TABLE_bodies), 6);
	assert_reads_as(look(f), s.m.base, s.base_bytes, 5 * D + 3);
	assert_int_equal(run(f, expunge, &s), OK);
	free_all(f);
	assert_int_equal(rows(f, TABLE_bodies), 0);
	assert_int_equal(rows(f, TABLE_graves), 0);
	scene_free(&s);
}

#define MANY (GRAVE_SLICE_ROWS - 6)

static enum err
bury_many(struct txn *txn, void *arg)
{
	struct made *m = arg;
	enum err err = OK;

	for (unsigned i = 0; i < MANY && err == OK; i++) {
		err = make_join(txn, m);
		if (err == OK)
			err = grave_add(txn, 0, GRAVE_BODY, m->body_id);
	}
	return err;
}

/* A slice is as short where it gives up joins: their members are rows that it writes too. */
static void
test_joins_fill_a_slice(void **state)
{
	struct fixture *f = *state;
	struct made m = { .bytes = { SPAN("a"), SPAN("b"), SPAN("c") }, .member_count = 3, .slice_count = 1,
		.slices = { { 0, 0, 1 } } };
	bool more;

	assert_int_equal(run(f, bury_many, &m), OK);
	f->later_ms += HOUR_MS + 1;
	assert_int_equal(run(f, open_graves, &more), OK);
	assert_true(more);
	assert_int_equal(rows(f, TABLE_body_joins), MANY - GRAVE_SLICE_ROWS / 4);
	free_all(f);
	assert_int_equal(rows(f, TABLE_body_joins), 0);
	assert_int_equal(rows(f, TABLE_bodies), 0);
}

/* The message leaves first: the copy has its body still. */
static void
test_joins_keep_their_members(void **state)
{
	struct fixture *f = *state;
	struct scene s;

	make_scene(f, &s, 300 * D, 100);
	assert_int_equal(run(f, expunge, &s), OK);
	free_all(f);
	assert_int_equal(rows(f, TABLE_copies), 0);
	assert_reads_as(look(f), s.m.body_id, s.want, size_of(&s.m));
	body_pin(f->store, s.m.body_id); /* a delivery reads it while its entry goes */
	assert_int_equal(run(f, purge, NULL), OK);
	for (unsigned i = 0; i < 5; i++) {
		bool more;

		f->later_ms += HOUR_MS + 1;
		assert_int_equal(run(f, open_graves, &more), OK);
	}
	assert_reads_as(look(f), s.m.body_id, s.want, size_of(&s.m));
	body_unpin(f->store, s.m.body_id);
	free_all(f);
	assert_int_equal(rows(f, TABLE_bodies), 0);
	assert_int_equal(rows(f, TABLE_body_joins), 0);
	assert_int_equal(rows(f, TABLE_body_shares), 0);
	scene_free(&s);
}

/* ---- check, backup ---- */

static enum err
share_wrongly(struct txn *txn, void *arg)
{
	struct scene *s = arg;
	bool was_last;
	enum err err = body_share(txn, s->m.members[1]);

	return err == OK ? body_unshare(txn, s->m.base, &was_last) : err;
}

static enum err
lose_owner(struct txn *txn, void *arg)
{
	struct made m = ((struct scene *)arg)->m;

	m.queue = false; /* nobody will own it */
	return make_join(txn, &m);
}

static enum err
spoil_row(struct txn *txn, void *arg)
{
	struct key key;

	key_u64(&key, ((struct scene *)arg)->m.body_id);
	return table_put(txn, TABLE_body_joins, &key, SPAN("damaged"));
}

static void
assert_repaired(struct fixture *f)
{
	unsigned lines;

	fixture_close(f);
	assert_int_equal(fixture_check(f, false, &lines), 1);
	assert_true(lines > 0);
	assert_int_equal(fixture_check(f, true, &lines), 0);
	fixture_open(f);
	assert_clean(f);
}

static void
test_joins_check_and_repair(void **state)
{
	struct fixture *f = *state;
	struct scene s;
	unsigned lines;

	make_scene(f, &s, 2 * D, 100);
	assert_int_equal(run(f, share_wrongly, &s), OK);
	assert_repaired(f);
	assert_int_equal(run(f, lose_owner, &s), OK);
	assert_repaired(f);
	free_all(f);
	assert_int_equal(rows(f, TABLE_body_joins), 1);
	assert_reads_as(look(f), s.m.body_id, s.want, size_of(&s.m));
	assert_int_equal(run(f, spoil_row, &s), OK);
	fixture_close(f);
	assert_int_equal(fixture_check(f, true, &lines), 1); /* it stays damaged, and its members stay too */
	fixture_open(f);
	assert_int_equal(rows(f, TABLE_bodies), 3);
	assert_reads_as(look(f), s.m.base, s.base_bytes, 2 * D);
	scene_free(&s);
}

static void
test_joins_in_a_backup(void **state)
{
	struct fixture *f = *state;
	struct store_options options;
	struct backup_job job = { .store = f->store };
	char dir[64];
	struct buf aside;
	struct scene s;

	make_scene(f, &s, 2 * D, 100);
	fixture_folder(dir, "backup");
	job.store = f->store;
	job.dir_fd = open(dir, O_RDONLY | O_DIRECTORY);
	assert_int_equal(backup_run(&job), OK);
	assert_int_equal(job.findings, 0);
	close(job.dir_fd);
	assert_int_equal(run(f, purge, NULL), OK);
	free_all(f);
	fixture_close(f);
	options = fixture_options(f);
	buf_init(&aside, 500);
	assert_int_equal(backup_restore(dir, &options, FIXTURE_NOW, &aside), OK);
	buf_fini(&aside);
	fixture_open(f);
	assert_clean(f);
	assert_reads_as(look(f), s.m.body_id, s.want, size_of(&s.m));
	fixture_remove(dir);
	scene_free(&s);
}

#define T(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
test_joins(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_joins_read_as_flat_bodies),
		T(test_joins_have_depth_one),
		T(test_joins_give_up_their_members),
		T(test_joins_fill_a_slice),
		T(test_joins_keep_their_members),
		T(test_joins_check_and_repair),
		T(test_joins_in_a_backup),
	};

	return cmocka_run_group_tests_name("body joins", tests, NULL, NULL);
}
