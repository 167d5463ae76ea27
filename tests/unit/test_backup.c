/*
 * test_backup.c - backup of an open store, restore, what must not come back as it was.
 */
#include "tests/unit/directory_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/backup.h"
#include "store/folders.h"
#include "store/messages.h"
#include "store/queued.h"
#include "store/users.h"

#define MESSAGES 40

static enum err
queue_one(struct txn *txn, void *arg)
{
	struct fixture_message *m = arg;
	struct queued_recipient r = {.address = SPAN("x@example.net"), .next_try_ms = FIXTURE_NOW};
	struct queued q = { .queue_id = 3, .size_bytes = 10 };
	enum err err = fixture_place(txn, m);

	q.content_id = m->content_id;
	return err == OK ? queued_add(txn, &q, &r, 1) : err;
}

struct scene {
	uint64_t anna, inbox;
	char backup[64];
};

static void
make_scene(struct fixture *f, struct scene *s)
{
	struct fixture_message queued = { .body_size = 500 };

	s->anna = fixture_user(f, "anna");
	s->inbox = fixture_inbox(f, s->anna);
	for (unsigned i = 0; i < MESSAGES; i++) {
		struct fixture_message m = { s->anna, s->inbox, 100 * i, i, 0, 0 };

		assert_int_equal(run(f, fixture_place, &m), OK);
	}
	assert_int_equal(run(f, queue_one, &queued), OK);
	fixture_folder(s->backup, "backup");
}

static void
count_progress(void *arg, uint64_t done, uint64_t total)
{
	(void)done;
	(void)total;
	++*(unsigned *)arg;
}

static enum err
back_up(struct fixture *f, const struct scene *s, bool cancel)
{
	unsigned calls = 0;
	struct backup_job job = { .store = f->store, .progress = count_progress, .arg = &calls };
	enum err err;

	atomic_init(&job.cancel, cancel);
	job.dir_fd = open(s->backup, O_RDONLY | O_DIRECTORY);
	assert_true(job.dir_fd >= 0);
	err = backup_run(&job);
	close(job.dir_fd);
	return err;
}

static size_t
files_in(const char *dir)
{
	struct dirent *entry;
	size_t count = 0;
	DIR *d = opendir(dir);

	assert_non_null(d);
	while ((entry = readdir(d)) != NULL)
		count += entry->d_name[0] != '.';
	closedir(d);
	return count;
}

static enum err
restore(const struct fixture *f, const struct scene *s, struct buf *aside)
{
	struct store_options options = fixture_options(f);

	return backup_restore(s->backup, &options, FIXTURE_NOW, aside);
}

static void
test_backup_h52_restores_whole(void **state)
{
	struct fixture *f = *state;
	struct folder before, after;
	struct queued_counts counts;
	struct entry old_entry, entry;
	struct user user;
	struct scene s;
	struct buf aside;
	unsigned lines;

	make_scene(f, &s);
	assert_int_equal(back_up(f, &s, false), OK);
	assert_int_equal(files_in(s.backup), 1);
	assert_int_equal(back_up(f, &s, false), ERR_EXISTS);
	fixture_user(f, "later"); /* not in the backup */
	assert_int_equal(folder_get(look(f), s.anna, s.inbox, &before), OK);
	assert_int_equal(entry_next(f->snap, s.inbox, 0, &old_entry), OK);
	buf_init(&aside, 500);
	assert_int_equal(restore(f, &s, &aside), ERR_BUSY); /* a server holds it */
	fixture_close(f);
	assert_int_equal(restore(f, &s, &aside), OK);
	assert_true(buf_span(&aside).len > 0);
	assert_int_equal(fixture_check(f, false, &lines), 0);
	fixture_open(f);
	assert_int_equal(user_find_by_name(look(f), SPAN("anna"), &user), OK);
	assert_int_equal(user_find_by_name(f->snap, SPAN("later"), &user), ERR_NOT_FOUND);
	assert_int_equal(folder_get(f->snap, s.anna, s.inbox, &after), OK);
	assert_int_equal(after.messages, MESSAGES);
	assert_int_not_equal(after.uidvalidity, before.uidvalidity); /* H27 */
	assert_int_equal(entry_next(f->snap, s.inbox, 0, &entry), OK);
	assert_int_equal(entry.copy_id, old_entry.copy_id); /* POP3 unique ids stay */
	assert_int_equal(queued_count(f->snap, &counts), OK);
	assert_int_equal(counts.held, 1);
	fixture_remove(s.backup);
	buf_fini(&aside);
}

/* H27: what was given out after the backup is not given again. */
static void
test_backup_h27_ids_rise_beyond(void **state)
{
	struct fixture *f = *state;
	struct entry entry, last = { 0 };
	uint64_t after_backup;
	struct scene s;
	struct buf aside;
	struct fixture_message m;

	make_scene(f, &s);
	assert_int_equal(back_up(f, &s, false), OK);
	m = (struct fixture_message){ s.anna, s.inbox, 10, 1, 0, 0 };
	assert_int_equal(run(f, fixture_place, &m), OK);
	assert_int_equal(entry_find(look(f), s.inbox, m.uid, &entry), OK);
	after_backup = entry.copy_id;
	fixture_close(f);
	buf_init(&aside, 500);
	assert_int_equal(restore(f, &s, &aside), OK);
	fixture_open(f);
	assert_int_equal(run(f, fixture_place, &m), OK);
	assert_int_equal(entry_find(look(f), s.inbox, m.uid, &last), OK);
	assert_true(last.copy_id > after_backup);
	fixture_remove(s.backup);
	buf_fini(&aside);
}

static void
test_backup_given_up_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	struct scene s;

	make_scene(f, &s);
	assert_int_equal(back_up(f, &s, true), ERR_DENIED);
	assert_int_equal(files_in(s.backup), 0);
	assert_int_equal(back_up(f, &s, false), OK); /* and the next one is not hindered */
	fixture_remove(s.backup);
}

#define LARGE_BODY (2u << 20)

static void
place_large(struct fixture *f, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct fixture_message m = { .body_size = LARGE_BODY, .seed = i };

		assert_int_equal(run(f, fixture_place, &m), OK);
	}
}

/* Mail keeps coming while the backup holds its snapshot. */
static void
grow_store(void *arg, uint64_t done, uint64_t total)
{
	(void)done;
	(void)total;
	place_large(arg, 8);
}

static void
test_backup_h44_gives_up_when_the_store_grows(void **state)
{
	struct fixture *f = *state;
	struct backup_job job = { .progress = grow_store, .arg = f };
	struct scene s;

	make_scene(f, &s);
	place_large(f, 32);
	job.store = f->store;
	job.dir_fd = open(s.backup, O_RDONLY | O_DIRECTORY);
	assert_true(job.dir_fd >= 0);
	assert_int_equal(backup_run(&job), ERR_BUSY);
	assert_int_equal(files_in(s.backup), 0);
	job.progress = NULL; /* mail has calmed down */
	assert_int_equal(backup_run(&job), OK);
	close(job.dir_fd);
	fixture_remove(s.backup);
}

static void
test_backup_damaged_is_refused(void **state)
{
	struct fixture *f = *state;
	struct user user;
	struct scene s;
	struct buf aside;
	char path[128];
	int fd;

	make_scene(f, &s);
	buf_init(&aside, 500);
	fixture_close(f);
	assert_int_equal(restore(f, &s, &aside), ERR_NOT_FOUND);
	snprintf(path, sizeof(path), "%s/data.mdb", s.backup);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_int_equal(write(fd, "nonsense", 8), 8);
	close(fd);
	assert_int_equal(restore(f, &s, &aside), ERR_CORRUPT);
	assert_int_equal(buf_span(&aside).len, 0);
	fixture_open(f); /* the store is as it was */
	assert_int_equal(user_find_by_name(look(f), SPAN("anna"), &user), OK);
	fixture_remove(s.backup);
	buf_fini(&aside);
}

#define PIECE_AT 24 /* of its page: the page's header, then the piece's; small bodies lie elsewhere */

/* Change one byte of a body that has a page of its own, so that no copy of it is out of use. */
static void
damage_a_body(struct fixture *f, const struct scene *s)
{
	struct fixture_message m = { s->anna, s->inbox, 3000, 11, 0, 0 };
	char path[128], begin[64], *bytes;
	struct stat st;
	size_t at;
	int fd;

	assert_int_equal(run(f, fixture_place, &m), OK);
	fixture_close(f);
	for (size_t i = 0; i < sizeof(begin); i++)
		begin[i] = (char)('a' + (i * 7 + m.seed) % 26);
	snprintf(path, sizeof(path), "%s/data.mdb", f->dir);
	fd = open(path, O_RDWR);
	assert_int_equal(fstat(fd, &st), 0);
	bytes = malloc((size_t)st.st_size);
	assert_int_equal(read(fd, bytes, (size_t)st.st_size), st.st_size);
	for (at = PIECE_AT; at + sizeof(begin) < (size_t)st.st_size; at += 4096)
		if (memcmp(bytes + at, begin, sizeof(begin)) == 0)
			break;
	free(bytes);
	assert_true(at < (size_t)st.st_size);
	assert_int_equal(pwrite(fd, "#", 1, (off_t)at), 1);
	close(fd);
	fixture_open(f);
}

/* One damaged message keeps nobody from having a backup of all others. */
static void
test_backup_h49_h52_of_a_damaged_store_is_kept(void **state)
{
	struct fixture *f = *state;
	struct backup_job job = { .store = NULL };
	struct user user;
	struct scene s;
	struct buf aside;

	make_scene(f, &s);
	damage_a_body(f, &s);
	job.store = f->store;
	job.dir_fd = open(s.backup, O_RDONLY | O_DIRECTORY);
	assert_int_equal(backup_run(&job), OK);
	close(job.dir_fd);
	assert_true(job.findings > 0);
	assert_true(job.first_finding[0] != '\0');
	fixture_close(f);
	buf_init(&aside, 500);
	assert_int_equal(restore(f, &s, &aside), OK);
	fixture_open(f);
	assert_int_equal(user_find_by_name(look(f), SPAN("anna"), &user), OK);
	fixture_remove(s.backup);
	buf_fini(&aside);
}

/* On a machine that has no store yet. */
static void
test_restore_into_an_empty_place(void **state)
{
	struct fixture *f = *state, fresh;
	struct user user;
	struct scene s;
	struct buf aside;

	make_scene(f, &s);
	assert_int_equal(back_up(f, &s, false), OK);
	fresh = (struct fixture){ .store = NULL };
	fixture_folder(fresh.dir, "restored");
	assert_int_equal(rmdir(fresh.dir), 0);
	buf_init(&aside, 500);
	assert_int_equal(restore(&fresh, &s, &aside), OK);
	assert_int_equal(buf_span(&aside).len, 0);
	fixture_open(&fresh);
	assert_int_equal(user_find_by_name(look(&fresh), SPAN("anna"), &user), OK);
	fixture_close(&fresh);
	fixture_remove(fresh.dir);
	fixture_remove(s.backup);
	buf_fini(&aside);
}

int
test_backup(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		T(test_backup_h52_restores_whole),
		T(test_backup_h27_ids_rise_beyond),
		T(test_backup_given_up_leaves_nothing),
		T(test_backup_h44_gives_up_when_the_store_grows),
		T(test_backup_damaged_is_refused),
		T(test_backup_h49_h52_of_a_damaged_store_is_kept),
		T(test_restore_into_an_empty_place),
	};
#undef T
	return cmocka_run_group_tests_name("backup", tests, NULL, NULL);
}
