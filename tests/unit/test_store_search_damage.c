/*
 * test_store_search_damage.c - the index of words is damaged (H49), or its writer ends at any moment.
 */
#include "tests/unit/index_site.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/search_ask.h"

/* ---- damage (H49) ---- */

static int
open_data(struct index_site *s)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/data.mdb", s->dir);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

/* Turn a byte over behind OFFSET in the first page from there on that is one of a row. */
static void
damage(struct index_site *s, off_t offset)
{
	int fd = open_data(s);
	unsigned char byte;

	assert_int_equal(pread(fd, &byte, 1, offset), 1);
	byte ^= 0x55;
	assert_int_equal(pwrite(fd, &byte, 1, offset), 1);
	close(fd);
}

static void
test_damaged_row(void **state)
{
	struct index_site *s = *state;
	struct search_question q = { .space = SEARCH_CONTENTS, .pieces = { SPAN("ab") }, .count = 1,
		.where = SEARCH_IN_BODY };
	struct search_answer answer;
	struct stat st;
	bool found = false;
	int fd;

	index_site_add_run(s, 2000);
	fd = open_data(s);
	assert_int_equal(fstat(fd, &st), 0);
	close(fd);
	for (off_t page = 3; page < st.st_size / 4096 && !found; page++) {
		damage(s, page * 4096 + 2000);
		enum err err = search_ask(s->index, &q, &answer);

		found = err == ERR_CORRUPT;
		if (!found) {
			search_answer_free(&answer);
			damage(s, page * 4096 + 2000); /* and back */
		}
	}
	assert_true(found);
	assert_true(search_index_is_damaged(s->index));
	assert_int_equal(s->said, 1);
	assert_int_equal(search_index_remake(s->index), OK);
	assert_false(search_index_is_damaged(s->index));
	assert_int_equal(search_cursor(s->index, SEARCH_CONTENTS), 1);
	search_build_drop(s->builder);
	s->next_id = 1;
	index_site_add_run(s, 100);
	index_site_check(s, 10);
}

static void
test_damaged_file(void **state)
{
	static const off_t sizes[] = { 0, 100, 4096, 8192, 5 * 4096 };
	struct index_site *s = *state;

	for (size_t i = 0; i < COUNT(sizes); i++) {
		int fd;

		index_site_add_run(s, 200);
		index_site_close(s);
		fd = open_data(s);
		assert_int_equal(ftruncate(fd, sizes[i]), 0);
		close(fd);
		index_site_open(s); /* made anew */
		assert_int_equal(search_cursor(s->index, SEARCH_CONTENTS), 1);
		s->next_id = 1;
	}
	index_site_close(s);
	damage(s, 16);
	damage(s, 4096 + 16); /* both heads: no file of LMDB any more */
	index_site_open(s);
	index_site_add_run(s, 20);
	index_site_check(s, 3);
}

/* Who opens it again and again and never comes to a commit has a reason: it is thrown away. */
static void
test_starts_in_vain(void **state)
{
	struct index_site *s = *state;

	index_site_add_run(s, 20);
	for (unsigned i = 0; i < SEARCH_STARTS_MAX + 1; i++) {
		char path[128];
		int fd;

		assert_int_equal(search_cursor(s->index, SEARCH_CONTENTS), 21);
		index_site_close(s);
		snprintf(path, sizeof(path), "%s/unproven", s->dir);
		fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		for (unsigned n = 0; n < i; n++)
			assert_int_equal(write(fd, "x", 1), 1);
		close(fd);
		index_site_open(s);
		if (i == SEARCH_STARTS_MAX)
			break;
	}
	assert_int_equal(search_cursor(s->index, SEARCH_CONTENTS), 1);
	s->next_id = 1;
}

/* ---- kill -9 at any moment ---- */

/* The child writes and merges without end, the same messages whenever it begins at the same place. */
static void
run_child(struct index_site *s)
{
	struct search_merge_ask ask = index_site_merge(s);
	bool merged;

	for (;;) {
		uint64_t from = search_cursor(s->index, SEARCH_CONTENTS);

		if (from + 20 > INDEX_SITE_MESSAGES)
			_exit(0);
		for (uint64_t id = from; id < from + 20; id++) {
			s->seed = (uint32_t)id * 2654435761u;
			s->next_id = id;
			index_site_add(s);
		}
		if (search_build_write(s->builder, from + 20) != OK ||
			search_merge(s->index, SEARCH_CONTENTS, 6, &ask, &merged) != OK)
			_exit(1);
	}
}

/* Something was written before a kill: a slow machine needs more of them. */
static bool
has_come_far(struct index_site *s)
{
	bool far;

	index_site_open(s);
	far = search_cursor(s->index, SEARCH_CONTENTS) > 20;
	search_index_proven(s->index);
	index_site_close(s);
	return far;
}

static void
test_killed(void **state)
{
	struct index_site *s = *state;

	search_index_proven(s->index);
	index_site_close(s);
	for (unsigned kills = 0; kills < 25 || (kills < 250 && !has_come_far(s)); kills++) {
		pid_t child = fork();
		int status;

		assert_true(child >= 0);
		if (child == 0) {
			index_site_open(s);
			search_index_proven(s->index);
			run_child(s);
		}
		usleep(3000 + kills * 1500);
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
	}
	index_site_open(s);
	assert_int_equal(s->said, 0);
	for (uint64_t id = 1; id < search_cursor(s->index, SEARCH_CONTENTS); id++) {
		s->seed = (uint32_t)id * 2654435761u;
		s->next_id = id;
		index_site_add(s); /* what the child had; the builder's is dropped */
		if (search_build_is_full(s->builder))
			search_build_drop(s->builder);
	}
	search_build_drop(s->builder);
	s->next_id = search_cursor(s->index, SEARCH_CONTENTS);
	assert_true(s->next_id > 20);
	index_site_check(s, 30);
}

int
test_store_search_damage(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_damaged_row, index_site_setup, index_site_teardown),
		cmocka_unit_test_setup_teardown(test_damaged_file, index_site_setup, index_site_teardown),
		cmocka_unit_test_setup_teardown(test_starts_in_vain, index_site_setup, index_site_teardown),
		cmocka_unit_test_setup_teardown(test_killed, index_site_setup, index_site_teardown),
	};

	return cmocka_run_group_tests_name("store_search_damage", tests, NULL, NULL);
}
