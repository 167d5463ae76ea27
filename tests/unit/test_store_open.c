/*
 * test_store_open.c - what opens, and what is refused with one clear line.
 */
#include "tests/unit/test_store.h"

#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/bodies.h"
#include "store/entries.h"
#include "store/expunged.h"
#include "store/ids.h"
#include "store/users.h"

static void
path_of(const struct fixture *f, const char *name, char path[128])
{
	snprintf(path, 128, "%s/%s", f->dir, name);
}

/* The options of F in another mode; the answer, and the text in f->why. */
static enum err
open_other(struct fixture *f, enum store_mode mode)
{
	struct store_options options = f->options;
	struct store *other = NULL;
	enum err err;

	options.mode = mode;
	err = store_open(&options, &other, &f->why);
	if (err == OK)
		store_close(&other);
	return err;
}

static void
test_store_refuses_a_second_server_h46(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(open_other(f, STORE_SERVE), ERR_BUSY);
	assert_non_null(strstr(f->why.text, "in use by another postroomd, process "));
	assert_non_null(strstr(f->why.text, f->dir));
	assert_int_equal(open_other(f, STORE_EXCLUSIVE), ERR_BUSY);
	store_close(&f->store);
	assert_int_equal(open_other(f, STORE_CHECK), OK);
	assert_int_equal(open_other(f, STORE_EXCLUSIVE), OK);
	assert_int_equal(open_other(f, STORE_SERVE), OK);
}

/* Check reads beside a server: in a process of its own, as LMDB wants it. */
static void
test_store_check_beside_a_server_h45(void **state)
{
	struct fixture *f = *state;
	int status;
	pid_t child;

	store_close(&f->store);
	assert_int_equal(open_other(f, STORE_SERVE), OK);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct store *other;
		struct store_options options = f->options;

		usleep(50000); /* the parent opens meanwhile; either order must do */
		options.mode = STORE_CHECK;
		if (store_open(&options, &other, &f->why) != OK)
			_exit(1);
		store_close(&other);
		_exit(0);
	}
	assert_int_equal(store_open(&f->options, &f->store, &f->why), OK);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void
test_store_none_there(void **state)
{
	struct fixture *f = *state;
	char path[128];

	store_close(&f->store);
	path_of(f, "data.mdb", path);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(open_other(f, STORE_CHECK), ERR_NOT_FOUND);
	assert_int_equal(open_other(f, STORE_EXCLUSIVE), ERR_NOT_FOUND);
	assert_int_equal(open_other(f, STORE_SERVE), OK);
}

/* What a crash in the first start leaves is no store, and does not stop the next start (H50). */
static void
test_store_first_start_again_h50(void **state)
{
	struct fixture *f = *state;
	char path[128];
	int fd;

	store_close(&f->store);
	path_of(f, "data.mdb", path);
	assert_int_equal(unlink(path), 0);
	path_of(f, "making", path);
	assert_int_equal(mkdir(path, 0700), 0);
	path_of(f, "making/data.mdb", path);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "half", 4), 4);
	close(fd);
	assert_int_equal(open_other(f, STORE_SERVE), OK);
	assert_int_not_equal(access(path, F_OK), 0);
}

static void
test_store_foreign_file(void **state)
{
	static const struct span contents[] = { { "", 0 }, { "half", 4 },
		{ "SQLite format 3\0 and more than that follows", 40 } };
	struct fixture *f = *state;
	char path[128];

	store_close(&f->store);
	path_of(f, "data.mdb", path);
	for (size_t i = 0; i < COUNT(contents); i++) {
		int fd = open(path, O_WRONLY | O_TRUNC);
		char after[64];

		assert_true(fd >= 0);
		assert_int_equal(write(fd, contents[i].ptr, contents[i].len), contents[i].len);
		close(fd);
		assert_int_equal(open_other(f, STORE_SERVE), ERR_CORRUPT);
		assert_non_null(strstr(f->why.text, path));
		fd = open(path, O_RDONLY);
		assert_int_equal(read(fd, after, sizeof(after)), contents[i].len); /* untouched */
		close(fd);
	}
}

/* Change a row of `meta` behind the store's back. */
static void
put_meta(struct fixture *f, const char *name, const void *value, size_t len)
{
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;
	MDB_val k = { strlen(name), (void *)(uintptr_t)name };
	MDB_val v = { len, (void *)(uintptr_t)value };

	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_set_maxdbs(env, 64), 0);
	assert_int_equal(mdb_env_set_mapsize(env, UINT64_C(1) << 30), 0);
	assert_int_equal(mdb_env_open(env, f->dir, 0, 0600), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_dbi_open(txn, "meta", 0, &dbi), 0);
	assert_int_equal(mdb_put(txn, dbi, &k, &v, 0), 0);
	if (strcmp(name, "seal") != 0) { /* else keep it right, so that it is not what is refused */
		uint64_t id = mdb_txn_id(txn);
		MDB_val sk = { 4, (void *)(uintptr_t) "seal" }, sv = { sizeof(id), &id };

		assert_int_equal(mdb_put(txn, dbi, &sk, &sv, 0), 0);
	}
	assert_int_equal(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
}

static enum err
apply_row(struct txn *txn, void *arg)
{
	struct key key;

	(void)arg;
	key_u64(&key, 1);
	return table_put(txn, TABLE_changes, &key, SPAN("now"));
}

static void
test_store_torn_commit_h48(void **state)
{
	struct fixture *f = *state;
	uint64_t wrong = 1000;

	store_close(&f->store);
	put_meta(f, "seal", &wrong, sizeof(wrong));
	assert_int_equal(open_other(f, STORE_SERVE), ERR_CORRUPT);
	assert_non_null(strstr(f->why.text, "torn"));
	assert_int_equal(open_other(f, STORE_CHECK), ERR_CORRUPT);
	assert_true(f->why.torn);
}

static void
test_store_newer_schema_h51(void **state)
{
	struct fixture *f = *state;
	char room[64];
	struct record_out out;
	struct span value;
	struct key key;

	store_close(&f->store);
	key_name(&key, SPAN("schema"));
	record_begin(&out, room, sizeof(room), 1);
	record_put_span(&out, SPAN("postroom store"));
	record_put_u32(&out, STORE_SCHEMA_VERSION + 1);
	assert_int_equal(record_seal(&out, TABLE_meta, &key, &value), OK);
	put_meta(f, "schema", value.ptr, value.len);
	assert_int_equal(open_other(f, STORE_SERVE), ERR_CORRUPT);
	assert_non_null(strstr(f->why.text, "has version 2, this program knows version 1"));
	record_begin(&out, room, sizeof(room), 1);
	record_put_span(&out, SPAN("another store"));
	assert_int_equal(record_seal(&out, TABLE_meta, &key, &value), OK);
	put_meta(f, "schema", value.ptr, value.len);
	assert_int_equal(open_other(f, STORE_SERVE), ERR_CORRUPT);
	assert_non_null(strstr(f->why.text, "not a store of Postroom"));
}

static void
test_store_modes_h53(void **state)
{
	static const char *const names[] = { ".", "data.mdb", "lock.mdb", "server.lock",
		"use.lock" };
	struct fixture *f = *state;
	struct stat st;
	char path[128];

	store_close(&f->store);
	assert_int_equal(chmod(f->dir, 0755), 0);
	assert_int_equal(store_open(&f->options, &f->store, &f->why), OK);
	for (size_t i = 0; i < COUNT(names); i++) {
		path_of(f, names[i], path);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 077, 0);
	}
}

static void
test_store_network_fs_h53(void **state)
{
	static const struct {
		uint64_t magic;
		const char *name;
	} rows[] = {
		{ 0x6969, "nfs" },
		{ 0xff534d42, "cifs" },
		{ (uint64_t)(int32_t)0xff534d42, "cifs" }, /* as a signed f_type gives it */
		{ 0x65735546, "fuse" },
		{ 0xef53, NULL }, /* ext4 */
		{ 0x58465342, NULL }, /* xfs */
		{ 0x9123683e, NULL }, /* btrfs */
		{ 0x01021994, NULL }, /* tmpfs */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *name = store_network_fs(rows[i].magic);

		assert_int_equal(name == NULL, rows[i].name == NULL);
		if (name)
			assert_string_equal(name, rows[i].name);
	}
}

/* The system gives only so much address space: half, and half again, said in the figures (H43). */
static int
open_in_200_gib(struct fixture *f)
{
	struct rlimit limit = { UINT64_C(200) << 30, UINT64_C(200) << 30 };
	struct store_stats stats;

	if (setrlimit(RLIMIT_AS, &limit) != 0 ||
		store_open(&f->options, &f->store, &f->why) != OK ||
		store_stats(f->store, &stats) != OK)
		return 1;
	store_close(&f->store);
	return stats.map_size == UINT64_C(128) << 30 ? 0 : 2;
}

static void
test_store_map_falls_back_h43(void **state)
{
	struct fixture *f = *state;
	int status;
	pid_t child;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	skip(); /* their shadow memory needs more address space than that */
#endif
	store_close(&f->store);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(open_in_200_gib(f));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* A snapshot sees its moment; another opened later sees what came since. */
static void
test_snapshot_sees_its_moment(void **state)
{
	struct fixture *f = *state;
	struct snapshot *old, *young;
	struct span value;
	struct key key;

	key_u64(&key, 1);
	assert_int_equal(snapshot_open(f->store, &old), OK);
	assert_int_equal(run_now(f->store, apply_row, NULL), OK);
	assert_int_equal(table_get(old, TABLE_changes, &key, &value), ERR_NOT_FOUND);
	assert_int_equal(snapshot_open(f->store, &young), OK);
	assert_int_equal(table_get(young, TABLE_changes, &key, &value), OK);
	assert_true(snapshot_id(young) > snapshot_id(old));
	snapshot_close(&old);
	assert_int_equal(snapshot_open(f->store, &old), OK); /* the pooled one, renewed */
	assert_int_equal(table_get(old, TABLE_changes, &key, &value), OK);
	snapshot_close(&old);
	snapshot_close(&young);
}

static void
test_snapshot_slots_end(void **state)
{
	struct fixture *f = *state;
	struct snapshot *snaps[8] = { NULL };
	size_t opened = 0;

	char path[128];

	store_close(&f->store);
	path_of(f, "lock.mdb", path);
	assert_int_equal(unlink(path), 0); /* it has the slots of before */
	f->options.max_readers = 4;
	assert_int_equal(store_open(&f->options, &f->store, &f->why), OK);
	while (opened < COUNT(snaps) && snapshot_open(f->store, &snaps[opened]) == OK)
		opened++;
	assert_in_range(opened, 1, 4);
	assert_int_equal(snapshot_open(f->store, &snaps[7]), ERR_BUSY);
	snapshot_close(&snaps[0]);
	assert_int_equal(snapshot_open(f->store, &snaps[0]), OK);
	for (size_t i = 0; i < opened; i++)
		snapshot_close(&snaps[i]);
}

/* LMDB gives no more snapshots once the disk failed under it: who reads all the same is told so. */
static void
test_reads_without_a_snapshot_h42(void **state)
{
	struct folder folder;
	struct user user;
	struct content content;
	struct entry_block block;
	struct expunged gone = { .modseq = 1 };
	struct key key;
	struct record_in in;
	struct row row;
	struct span value;
	uint64_t number;
	unsigned from;

	(void)state;
	key_u64(&key, 1);
	assert_int_equal(table_get(NULL, TABLE_users, &key, &value), ERR_IO);
	assert_int_equal(table_get_record(NULL, TABLE_users, &key, 1, &in), ERR_IO);
	assert_int_equal(table_seek(NULL, TABLE_users, &key, &row), ERR_IO);
	assert_int_equal(table_seek_before(NULL, TABLE_users, &key, &row), ERR_IO);
	assert_int_equal(table_next(NULL, TABLE_users, &row), ERR_IO);
	assert_int_equal(table_prev(NULL, TABLE_users, &row), ERR_IO);
	assert_int_equal(table_count(NULL, TABLE_users, &number), ERR_IO);
	assert_false(table_is_absent(NULL, TABLE_users));
	assert_int_equal(user_find_by_name(NULL, SPAN("anna"), &user), ERR_IO);
	assert_int_equal(folder_find(NULL, 1, SPAN("INBOX"), &folder), ERR_IO);
	assert_int_equal(folder_next(NULL, 1, 0, &folder), ERR_IO);
	assert_int_equal(entry_block_next(NULL, 1, 0, &block, &from), ERR_IO);
	assert_int_equal(expunged_next(NULL, 1, &gone), ERR_IO);
	assert_int_equal(content_get(NULL, 1, &content), ERR_IO);
	assert_int_equal(body_size(NULL, 1, &number), ERR_IO);
	assert_int_equal(body_read(NULL, 1, 0, &value), ERR_IO);
	assert_false(body_is_cold(NULL, 1, 0));
}

#define T(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
test_store_open(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_store_refuses_a_second_server_h46),
		T(test_store_check_beside_a_server_h45),
		T(test_store_none_there),
		T(test_store_first_start_again_h50),
		T(test_store_foreign_file),
		T(test_store_torn_commit_h48),
		T(test_store_newer_schema_h51),
		T(test_store_modes_h53),
		cmocka_unit_test(test_store_network_fs_h53),
		T(test_store_map_falls_back_h43),
		T(test_snapshot_sees_its_moment),
		T(test_snapshot_slots_end),
		cmocka_unit_test(test_reads_without_a_snapshot_h42),
	};

	return cmocka_run_group_tests_name("store open", tests, NULL, NULL);
}
