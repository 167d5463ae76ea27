/*
 * test_store.c - runs the groups of store tests, and what they share.
 */
#include "tests/unit/test_store.h"

#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/bodies.h"

int
main(void)
{
	int failed = 0;

#define X(name) failed += test_store_##name();
	STORE_TESTS(X)
#undef X
	return failed ? 1 : 0;
}

/* ---- a store of its own ---- */

static uint64_t
fixture_now(void *arg)
{
	return ((struct fixture *)arg)->now_ms;
}

static void
fixture_log(void *arg, enum store_severity severity, const char *text)
{
	(void)text;
	if (severity == STORE_SAYS_ERROR)
		((struct fixture *)arg)->errors++;
}

static void
fixture_fatal(void *arg, const char *text)
{
	(void)text;
	((struct fixture *)arg)->fatal++;
}

static void
fixture_changes(void *arg, const uint64_t *ids, size_t count)
{
	struct fixture *f = arg;

	for (size_t i = 0; i < count && i < COUNT(f->changed); i++)
		f->changed[i] = ids[i];
	f->changed_count = count;
}

int
fixture_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	snprintf(f->dir, sizeof(f->dir), "/tmp/postroom-test-store-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->now_ms = UINT64_C(1700000000000);
	f->options = (struct store_options){
		.path = f->dir,
		.mode = STORE_SERVE,
		.now_ms = fixture_now,
		.on_log = fixture_log,
		.on_fatal = fixture_fatal,
		.on_changes = fixture_changes,
		.arg = f,
	};
	assert_int_equal(store_open(&f->options, &f->store, &f->why), OK);
	*state = f;
	return 0;
}

void
fixture_reopen(struct fixture *f)
{
	store_close(&f->store);
	assert_int_equal(store_open(&f->options, &f->store, &f->why), OK);
}

int
fixture_teardown(void **state)
{
	static const char *const files[] = { "data.mdb", "lock.mdb", "server.lock", "use.lock" };
	struct fixture *f = *state;
	char path[128];

	store_close(&f->store);
	for (size_t i = 0; i < COUNT(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", f->dir, files[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(f->dir), 0); /* nothing else was left behind */
	free(f);
	return 0;
}

struct now_job {
	struct store_job job;
	test_apply *apply;
	void *arg;
};

static enum step
now_apply(struct store_job *job, struct txn *txn)
{
	struct now_job *now = LIST_ITEM(job, struct now_job, job);

	return step_of(job, now->apply(txn, now->arg));
}

enum err
run_now(struct store *store, test_apply *apply, void *arg)
{
	struct now_job now = { .job = { .apply = now_apply }, .apply = apply, .arg = arg };

	return store_run_job_now(store, &now.job);
}

void
damage_row(struct fixture *f, const char *table, struct span key, size_t offset)
{
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;
	MDB_val k = { key.len, (void *)(uintptr_t)key.ptr }, v;
	char path[128];
	off_t at;
	unsigned char byte;
	int fd;

	store_close(&f->store);
	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_set_maxdbs(env, 64), 0);
	assert_int_equal(mdb_env_set_mapsize(env, UINT64_C(1) << 30), 0);
	assert_int_equal(mdb_env_open(env, f->dir, MDB_RDONLY, 0600), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn), 0);
	assert_int_equal(mdb_dbi_open(txn, table, 0, &dbi), 0);
	assert_int_equal(mdb_get(txn, dbi, &k, &v), 0);
	assert_true(offset < v.mv_size);
	MDB_envinfo info;
	assert_int_equal(mdb_env_info(env, &info), 0);
	snprintf(path, sizeof(path), "%s/data.mdb", f->dir);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	/* the map begins with the file: page 0 holds LMDB's magic at byte 16 */
	const char *base = (const char *)((uintptr_t)v.mv_data & ~(uintptr_t)4095);
	while (memcmp(base + 16, "\xde\xc0\xef\xbe", 4) != 0 || *(const uint64_t *)base != 0)
		base -= 4096;
	at = (const char *)v.mv_data - base + (off_t)offset;
	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 0x10;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	close(fd);
	mdb_txn_abort(txn);
	mdb_env_close(env);
	assert_int_equal(store_open(&f->options, &f->store, &f->why), OK);
}

/* ---- mail ---- */

struct inbox_arg {
	uint64_t user_id, folder_id;
};

static enum err
apply_inbox(struct txn *txn, void *arg)
{
	struct inbox_arg *a = arg;

	return folder_make(txn, a->user_id, SPAN("INBOX"), &a->folder_id);
}

uint64_t
make_inbox(struct fixture *f, uint64_t user_id)
{
	struct inbox_arg a = { user_id, 0 };

	assert_int_equal(run_now(f->store, apply_inbox, &a), OK);
	return a.folder_id;
}

enum err
put_mail(struct txn *txn, void *arg)
{
	struct test_mail *m = arg;
	enum err err;

	m->content = (struct content){ .owners = 1, .header = m->header, .body_size = m->body.len };
	m->place = (struct placement){
		.user_id = m->user_id,
		.folder_id = m->folder_id,
		.content = &m->content,
		.front = SPAN("Return-Path: <a@example.org>\r\n"),
		.flags = m->flags,
	};
	err = body_add(txn, (struct body_source){ &m->body, 1 }, &m->content.body_id);
	if (err == OK)
		err = content_add(txn, &m->content, false);
	return err == OK ? message_place(txn, &m->place) : err;
}
