/*
 * test_store_room.c - a full store: mail waits, deletes go on, and room comes back without a
 * restart.
 */
#include "tests/unit/test_store.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/bodies.h"
#include "store/graves.h"

#define LIMIT (UINT64_C(4) << 20)

struct mail_job {
	struct store_job job;
	struct test_mail mail;
};

static enum step
mail_apply(struct store_job *job, struct txn *txn)
{
	return step_of(job, put_mail(txn, &LIST_ITEM(job, struct mail_job, job)->mail));
}

static enum err
incoming(struct fixture *f, uint64_t folder_id, struct span body)
{
	struct mail_job m = { .job = { .apply = mail_apply, .incoming = true },
		.mail = { .user_id = 1, .folder_id = folder_id, .header = SPAN("A: b\r\n\r\n") } };

	m.mail.body = body;
	return store_run_job_now(f->store, &m.job);
}

struct expunge_arg {
	struct folder folder;
	uint32_t uids[1000];
	size_t count, gone;
};

static enum err
apply_expunge(struct txn *txn, void *arg)
{
	struct expunge_arg *a = arg;

	return message_expunge(
		txn, &a->folder, (struct uid_list){ a->uids, a->count }, 0, &a->gone);
}

/* Fill to the limit, be refused, delete, and receive again: five rounds in one process (H43). */
static void
test_room_fill_and_delete_h43(void **state)
{
	static char bytes[20000];
	struct fixture *f = *state;
	struct expunge_arg a = { .count = 0 };
	uint64_t folder_id = make_inbox(f, 1);
	uint32_t uid = 1;

	memset(bytes, 'x', sizeof(bytes));
	store_set_limits(f->store, LIMIT, 0);
	for (int round = 0; round < 5; round++) {
		struct graves_job graves;
		struct store_stats stats;
		unsigned stored = 0;
		enum err err = OK;

		while (stored < 1000 &&
			(err = incoming(f, folder_id, (struct span){ bytes, sizeof(bytes) })) ==
				OK) {
			stored++;
			store_set_limits(f->store, LIMIT, 0); /* looks at once, not each 100 ms */
		}
		assert_int_equal(err, ERR_FULL);
		assert_in_range(stored, 20, LIMIT / sizeof(bytes));
		assert_true(store_is_full(f->store));
		a.folder = (struct folder){ .user_id = 1, .folder_id = folder_id };
		for (a.count = 0; a.count < stored; a.count++)
			a.uids[a.count] = uid++;
		assert_int_equal(run_now(f->store, apply_expunge, &a), OK);
		assert_int_equal(a.gone, stored);
		graves_job_init(&graves);
		assert_int_equal(store_run_job_now(f->store, &graves.job), OK);
		make_inbox(f, 2 + (uint64_t)round); /* one more commit: then pages may be reused */
		store_set_limits(f->store, LIMIT, 0);
		assert_false(store_is_full(f->store));
		assert_int_equal(store_stats(f->store, &stats), OK);
		assert_true(stats.jobs_refused > 0);
		assert_in_range(stats.file_size, 1, LIMIT + LIMIT / 4);
	}
	assert_int_equal(f->fatal, 0);
}

/* The disk has less than 1.5 x message_size left: the same (a limit no disk has stands for it). */
static void
test_room_disk_low_h43(void **state)
{
	struct fixture *f = *state;
	uint64_t folder_id = make_inbox(f, 1);

	assert_int_equal(incoming(f, folder_id, SPAN("x")), OK);
	store_set_limits(f->store, 0, UINT64_C(1) << 60);
	assert_true(store_is_full(f->store));
	assert_int_equal(incoming(f, folder_id, SPAN("x")), ERR_FULL);
	make_inbox(f, 2); /* what is not incoming goes on */
	store_set_limits(f->store, 0, 0);
	assert_int_equal(incoming(f, folder_id, SPAN("x")), OK);
}

/* The map itself is full: the commit fails as "full", nothing of it is there, the store goes on. */
static void
test_room_map_full_h43(void **state)
{
	static char bytes[100000];
	struct fixture *f = *state;
	uint64_t folder_id;
	struct snapshot *snap;
	struct folder folder;
	unsigned stored = 0;
	enum err err;

	store_close(&f->store);
	f->options.map_size = UINT64_C(2) << 20;
	assert_int_equal(store_open(&f->options, &f->store, &f->why), OK);
	folder_id = make_inbox(f, 1);
	while ((err = incoming(f, folder_id, (struct span){ bytes, sizeof(bytes) })) == OK)
		stored++;
	assert_int_equal(err, ERR_FULL);
	assert_int_equal(snapshot_open(f->store, &snap), OK);
	assert_int_equal(folder_get(snap, 1, folder_id, &folder), OK);
	assert_int_equal(folder.messages, stored);
	snapshot_close(&snap);
	assert_int_equal(f->fatal, 0);
	make_inbox(f, 2);
}

/*
 * The disk refuses for another reason than being full (here: a limit on file size): all jobs of the
 * group fail, the process is told to stop, nothing more is taken. In a child, for the limit's sake.
 */
static int
fail_hard(struct fixture *f, uint64_t folder_id)
{
	static char bytes[100000];
	struct rlimit limit = { 1 << 20, 1 << 20 };
	enum err err = OK;

	signal(SIGXFSZ, SIG_IGN);
	if (store_open(&f->options, &f->store, &f->why) != OK ||
		setrlimit(RLIMIT_FSIZE, &limit) != 0)
		return 1;
	for (int i = 0; i < 20 && err == OK; i++)
		err = incoming(f, folder_id, (struct span){ bytes, sizeof(bytes) });
	if (err != ERR_IO || f->fatal != 1 || !store_is_dead(f->store) || store_is_full(f->store))
		return 2;
	if (incoming(f, folder_id, SPAN("x")) != ERR_IO || f->fatal != 1)
		return 3;
	store_close(&f->store);
	return 0;
}

static void
test_commit_error_is_fatal_h42(void **state)
{
	struct fixture *f = *state;
	uint64_t folder_id = make_inbox(f, 1);
	struct snapshot *snap;
	struct folder folder;
	int status;
	pid_t child;

	assert_int_equal(incoming(f, folder_id, SPAN("acknowledged")), OK);
	store_close(&f->store);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(fail_hard(f, folder_id));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(store_open(&f->options, &f->store, &f->why), OK); /* a clean process */
	assert_int_equal(snapshot_open(f->store, &snap), OK);
	assert_int_equal(folder_get(snap, 1, folder_id, &folder), OK);
	assert_true(folder.messages >= 1);
	snapshot_close(&snap);
	assert_int_equal(incoming(f, folder_id, SPAN("x")), OK);
}

static void
test_room_keeps_a_reserve_h43(void **state)
{
	struct fixture *f = *state;
	struct store_stats stats;

	assert_int_equal(store_stats(f->store, &stats), OK);
	if (stats.disk_free > 16 * STORE_RESERVE_SIZE)
		assert_true(stats.reserved >= STORE_RESERVE_SIZE);
	assert_true(stats.map_size >= STORE_MAP_SIZE_MIN);
	assert_true(stats.file_size < UINT64_C(1) << 20);
}

#define T(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
test_store_room(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_room_fill_and_delete_h43),
		T(test_room_disk_low_h43),
		T(test_room_map_full_h43),
		T(test_commit_error_is_fatal_h42),
		T(test_room_keeps_a_reserve_h43),
	};

	return cmocka_run_group_tests_name("store room", tests, NULL, NULL);
}
