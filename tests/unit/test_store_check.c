/*
 * test_store_check.c - what check finds, what repair mends, and damage anywhere in the file.
 */
#include "tests/unit/directory_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/counts.h"
#include "store/folders.h"
#include "store/messages.h"
#include "store/queued.h"
#include "store/rows.h"
#include "store/users.h"

#define MESSAGES 60

struct scene {
	uint64_t anna, inbox, content_id;
};

static enum err
queue_one(struct txn *txn, void *arg)
{
	struct scene *s = arg;
	struct fixture_message m = { .body_size = 5000, .seed = 3 };
	struct queued_recipient r = {.address = SPAN("x@example.net"), .next_try_ms = FIXTURE_NOW};
	struct queued q = { .queue_id = 3, .size_bytes = 10 };
	enum err err = fixture_place(txn, &m);

	q.content_id = s->content_id = m.content_id;
	return err == OK ? queued_add(txn, &q, &r, 1) : err;
}

static void
make_scene(struct fixture *f, struct scene *s)
{
	s->anna = fixture_user(f, "anna");
	s->inbox = fixture_inbox(f, s->anna);
	for (unsigned i = 0; i < MESSAGES; i++) {
		struct fixture_message m = { s->anna, s->inbox, 3000 + 200 * i, i, 0, 0 };

		assert_int_equal(run(f, fixture_place, &m), OK);
	}
	assert_int_equal(run(f, queue_one, s), OK);
}

static void
test_check_clean(void **state)
{
	struct fixture *f = *state;
	struct scene s;
	unsigned lines;

	make_scene(f, &s);
	fixture_close(f);
	assert_int_equal(fixture_check(f, false, &lines), 0);
	assert_int_equal(lines, 0);
}

/* ---- spoilt by hand, mended by repair ---- */

static enum err
spoil_name(struct txn *txn, void *arg)
{
	struct key key;

	(void)arg;
	key_name(&key, SPAN("anna"));
	return table_delete(txn, TABLE_names, &key);
}

static enum err
spoil_due(struct txn *txn, void *arg)
{
	struct key key;
	struct row row;
	enum err err;

	(void)arg;
	key_begin(&key);
	err = table_seek(txn_view(txn), TABLE_due, &key, &row);
	key_name(&key, row.key);
	return err == OK ? table_delete(txn, TABLE_due, &key) : err;
}

static enum err
spoil_counts(struct txn *txn, void *arg)
{
	struct counts counts;

	(void)arg;
	memset(&counts, 7, sizeof(counts));
	return counts_put(txn, &counts);
}

static enum err
spoil_folder(struct txn *txn, void *arg)
{
	struct scene *s = arg;
	struct folder folder;
	enum err err = folder_get(txn_view(txn), s->anna, s->inbox, &folder);

	folder.messages += 5;
	folder.bytes = 1;
	return err == OK ? folder_put(txn, &folder) : err;
}

static enum err
spoil_uidnext(struct txn *txn, void *arg)
{
	struct scene *s = arg;
	struct folder folder;
	enum err err = folder_get(txn_view(txn), s->anna, s->inbox, &folder);

	folder.uidnext = 2;
	return err == OK ? folder_put(txn, &folder) : err;
}

static enum err
spoil_owners(struct txn *txn, void *arg)
{
	return content_own(txn, ((struct scene *)arg)->content_id, 3);
}

static enum err
spoil_block(struct txn *txn, void *arg)
{
	struct scene *s = arg;
	struct key key;

	key_u64_u32(&key, s->inbox, 1);
	return table_put(txn, TABLE_entries, &key, SPAN("not a block"));
}

static enum err
spoil_login(struct txn *txn, void *arg)
{
	struct key key;

	(void)arg;
	key_u64(&key, 4242);
	return table_put(txn, TABLE_logins, &key, SPAN("not a record"));
}

static enum err
spoil_folder_row(struct txn *txn, void *arg)
{
	struct scene *s = arg;
	struct key key;

	key_u64_u64(&key, s->anna, s->inbox);
	return table_put(txn, TABLE_folders, &key, SPAN("not a folder"));
}

static enum err
spoil_arriving(struct txn *txn, void *arg)
{
	struct key key;

	(void)arg;
	key_u64(&key, 4242);
	return table_put(txn, TABLE_arriving, &key, SPAN("not a record"));
}

static enum err
spoil_trace_hour(struct txn *txn, void *arg)
{
	struct key key;

	(void)arg;
	key_begin(&key);
	key_put_u32(&key, 4242);
	return table_put(txn, TABLE_trace_hours, &key, SPAN("not a record"));
}

static void
test_check_h49_repair_rebuilds_what_is_derived(void **state)
{
	static const struct {
		const char *what;
		fixture_fn *spoil;
		bool mends, renews;
	} rows[] = {
		{ "name", spoil_name, true, false },
		{ "due", spoil_due, true, false },
		{ "counts", spoil_counts, true, false },
		{ "folder", spoil_folder, true, false },
		{ "uidnext", spoil_uidnext, true, true },
		{ "owners", spoil_owners, true, false },
		{ "login", spoil_login, true, false },
		{ "block", spoil_block, true, true }, /* its messages get new uids */
		{ "folder row", spoil_folder_row, true, true },
		{ "arriving", spoil_arriving, true, false },
		{ "trace hour", spoil_trace_hour, true, false },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct folder before, after;
		struct fixture *f;
		struct scene s;
		unsigned lines;

		assert_int_equal(fixture_setup(state), 0);
		f = *state;
		make_scene(f, &s);
		assert_int_equal(folder_get(look(f), s.anna, s.inbox, &before), OK);
		assert_int_equal(run(f, rows[i].spoil, &s), OK);
		fixture_close(f);
		if (fixture_check(f, false, &lines) != 1 || lines == 0)
			fail_msg("%s: not found", rows[i].what);
		if ((fixture_check(f, true, &lines) == 0) != rows[i].mends)
			fail_msg("%s: repair", rows[i].what);
		if ((fixture_check(f, false, &lines) == 0) != rows[i].mends)
			fail_msg("%s: after repair", rows[i].what);
		fixture_open(f);
		assert_int_equal(folder_get(look(f), s.anna, s.inbox, &after), OK);
		if ((before.uidvalidity != after.uidvalidity) != rows[i].renews) /* H27 */
			fail_msg("%s: uidvalidity", rows[i].what);
		assert_int_equal(after.messages, MESSAGES);
		fixture_teardown(state);
	}
}

static enum err
lose_folder_row(struct txn *txn, void *arg)
{
	struct scene *s = arg;
	struct key key;

	key_u64_u64(&key, s->anna, s->inbox);
	return table_delete(txn, TABLE_folders, &key);
}

/* Whose they were nothing tells any more: that is said, and repair must not bury them. */
static void
test_check_h49_entries_without_a_folder(void **state)
{
	struct fixture *f = *state;
	uint64_t copies, graves;
	struct entry entry;
	struct scene s;
	unsigned lines;

	make_scene(f, &s);
	assert_int_equal(entry_next(look(f), s.inbox, 0, &entry), OK);
	assert_int_equal(run(f, lose_folder_row, &s), OK);
	fixture_close(f);
	assert_int_equal(fixture_check(f, false, &lines), 1);
	assert_int_equal(lines, 3); /* the user has no INBOX, its name leads nowhere, and the entries */
	assert_int_equal(fixture_check(f, true, &lines), 1);
	fixture_open(f);
	assert_int_equal(table_count(look(f), TABLE_copies, &copies), OK);
	assert_int_equal(copies, MESSAGES);
	assert_int_equal(table_count(f->snap, TABLE_graves, &graves), OK);
	assert_int_equal(graves, 0);
}

/* ---- damage in the file ---- */

static char *
read_file(const char *dir, size_t *size)
{
	char path[128], *bytes;
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "%s/data.mdb", dir);
	fd = open(path, O_RDONLY);
	assert_true(fd >= 0 && fstat(fd, &st) == 0);
	*size = (size_t)st.st_size;
	bytes = malloc(*size);
	assert_int_equal(read(fd, bytes, *size), *size);
	close(fd);
	return bytes;
}

static void
write_file(const char *dir, const char *bytes, size_t size)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/data.mdb", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), size);
	close(fd);
}

/* Check in a child: 0 clean, 1 findings or a signal inside LMDB; a hang is a failure. */
static int
check_in_child(const struct fixture *f)
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		struct fixture copy = *f;
		unsigned lines;

		for (int signal_no = 1; signal_no < 32; signal_no++)
			signal(signal_no, SIG_DFL); /* cmocka would go on in the child */
		close(1);
		close(2);
		alarm(20);
		_exit(fixture_check(&copy, false, &lines));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFSIGNALED(status)) {
		assert_int_not_equal(WTERMSIG(status), SIGALRM);
		return 1;
	}
	return WEXITSTATUS(status) != 0;
}

#define ROUNDS 300
#define PAGE 4096
#define BODY_RUN "bipwdkryfmtahovcjqxelszgnu" /* occurs in every body, whatever its seed */

/*
 * Places where bytes of a body lie, one for each page: in pages of the kind that holds one large
 * value (P_OVERFLOW), since others are copied with each commit and old copies remain.
 */
#define PAGE_FLAGS_AT 10
#define PAGE_OVERFLOW 4
static size_t
body_places(const char *bytes, size_t size, size_t *places, size_t max)
{
	size_t count = 0;

	for (size_t page = 2; page < size / PAGE && count < max; page++) {
		const char *at = memmem(
			bytes + page * PAGE, PAGE, BODY_RUN, sizeof(BODY_RUN) - 1);

		if (at != NULL && bytes[page * PAGE + PAGE_FLAGS_AT] == PAGE_OVERFLOW)
			places[count++] = (size_t)(at - bytes) + 5;
	}
	return count;
}

static void
test_check_h49_random_damage(void **state)
{
	struct fixture *f = *state;
	size_t size, places[512], count;
	unsigned seed = 99, missed = 0;
	char *good, *bad;
	struct scene s;

	make_scene(f, &s);
	fixture_close(f);
	good = read_file(f->dir, &size);
	bad = malloc(size);
	count = body_places(good, size, places, COUNT(places));
	assert_true(count > 50);
	for (int i = 0; i < ROUNDS; i++) {
		bool in_body = i % 3 == 0;
		size_t at = in_body ? places[(size_t)rand_r(&seed) % count]
				    : (size_t)rand_r(&seed) % (size - 64);

		memcpy(bad, good, size);
		for (size_t k = 0; k < (in_body ? 1 : 64); k++)
			bad[at + k] ^= (char)(1 + rand_r(&seed) % 255);
		write_file(f->dir, bad, size);
		if (check_in_child(f) == 0 && in_body)
			missed++;
	}
	assert_int_equal(missed, 0); /* all damage to message bytes is reported */
	write_file(f->dir, good, size);
	assert_int_equal(check_in_child(f), 0);
	free(good);
	free(bad);
}

#define COMMIT_ID_AT 144 /* of a meta page: see check_meta.c */

static void
test_check_h48_torn_meta_page(void **state)
{
	struct fixture *f = *state;
	struct fixture_message m = { .user_id = fixture_user(f, "anna") };
	struct folder before, after;
	struct entry lost, given;
	uint64_t ids[2];
	struct user user;
	unsigned lines;
	size_t size;
	char *bytes;
	int newer;

	m.folder_id = fixture_inbox(f, m.user_id);
	assert_int_equal(run(f, fixture_place, &m), OK);
	assert_int_equal(entry_find(look(f), m.folder_id, m.uid, &lost), OK);
	assert_int_equal(folder_get(f->snap, m.user_id, m.folder_id, &before), OK);
	fixture_close(f);
	bytes = read_file(f->dir, &size);
	for (size_t i = 0; i < 2; i++)
		memcpy(&ids[i], bytes + i * PAGE + COMMIT_ID_AT, sizeof(ids[i]));
	newer = ids[1] > ids[0];
	ids[newer] += 2; /* not what its seal says */
	memcpy(bytes + newer * PAGE + COMMIT_ID_AT, &ids[newer], sizeof(ids[newer]));
	write_file(f->dir, bytes, size);
	free(bytes);
	assert_int_equal(fixture_check(f, false, &lines), 1);
	assert_int_equal(fixture_check(f, true, &lines), 0);
	fixture_open(f);
	assert_int_equal(user_find_by_name(look(f), SPAN("anna"), &user), OK);
	/* the message that was lost may be known outside: its numbers are not given again (H27) */
	assert_int_equal(entry_find(f->snap, m.folder_id, m.uid, &given), ERR_NOT_FOUND);
	assert_int_equal(folder_get(f->snap, m.user_id, m.folder_id, &after), OK);
	assert_true(after.uidvalidity > before.uidvalidity);
	assert_int_equal(run(f, fixture_place, &m), OK);
	assert_int_equal(entry_find(look(f), m.folder_id, m.uid, &given), OK);
	assert_true(given.copy_id > lost.copy_id);
}

static void
test_check_no_store(void **state)
{
	struct fixture f = { .dir = "/tmp/postroom-directory-none" };
	unsigned lines;

	(void)state;
	assert_int_equal(fixture_check(&f, false, &lines), 1);
	assert_int_equal(lines, 1);
	fixture_remove(f.dir);
}

int
test_store_check(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		T(test_check_clean),
		cmocka_unit_test(test_check_h49_repair_rebuilds_what_is_derived),
		T(test_check_h49_entries_without_a_folder),
		T(test_check_h49_random_damage),
		T(test_check_h48_torn_meta_page),
		cmocka_unit_test(test_check_no_store),
	};
#undef T
	return cmocka_run_group_tests_name("check", tests, NULL, NULL);
}
