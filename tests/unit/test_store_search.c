/*
 * test_store_search.c - the index of words: runs, merges, questions, damage, ends at any moment.
 */
#include "tests/unit/test_store.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/base/find.h"
#include "store/search_ask.h"
#include "store/search_build.h"
#include "store/search_merge.h"

#define MESSAGES 3000
#define MESSAGE_WORDS 12
#define TEXT_ROOM (MESSAGE_WORDS * 10)

/* A message is its words with blanks between; what the index is compared with. */
struct message_text {
	char header[TEXT_ROOM], body[TEXT_ROOM];
	bool gone, unsure;
};

struct site {
	char dir[64];
	struct search_options options;
	struct search_index *index;
	struct search_builder *builder;
	struct message_text *messages; /* by id, from 1 */
	uint64_t next_id;
	unsigned said; /* lines of the log */
	uint32_t seed;
};

static uint32_t
chance(struct site *s, uint32_t below)
{
	s->seed = s->seed * 1664525 + 1013904223;
	return (s->seed >> 8) % below;
}

static void
on_log(void *arg, enum store_severity severity, const char *text)
{
	struct site *s = arg;

	(void)severity;
	(void)text;
	s->said++;
}

static void
open_index(struct site *s)
{
	assert_int_equal(search_index_open(&s->options, &s->index), OK);
	s->builder = search_builder_new(s->index, SEARCH_CONTENTS);
}

static void
close_index(struct site *s)
{
	search_builder_free(&s->builder);
	search_index_close(&s->index);
}

static int
setup(void **state)
{
	struct site *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	snprintf(s->dir, sizeof(s->dir), "/tmp/postroom-test-search-XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	s->options = (struct search_options){ .path = s->dir, .max_readers = 16,
		.hash_key = { 1, 2 }, .on_log = on_log, .arg = s };
	s->messages = calloc(MESSAGES + 1, sizeof(*s->messages));
	assert_non_null(s->messages);
	s->next_id = 1;
	s->seed = 7;
	open_index(s);
	*state = s;
	return 0;
}

static int
teardown(void **state)
{
	static const char *const names[] = { "data.mdb", "lock.mdb", "unproven" };
	struct site *s = *state;
	char path[128];

	close_index(s);
	for (size_t i = 0; i < COUNT(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", s->dir, names[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(s->dir), 0);
	free(s->messages);
	free(s);
	return 0;
}

/* ---- messages of random words ---- */

/* Words of few letters, so that needles are found often and in the middle of words. */
static void
make_words(struct site *s, char *text, unsigned where)
{
	size_t len = 0, count = chance(s, MESSAGE_WORDS);

	for (size_t w = 0; w < count; w++) {
		size_t from = len, letters = 1 + chance(s, 8);

		for (size_t i = 0; i < letters; i++)
			text[len++] = (char)('a' + chance(s, 6));
		search_build_word(s->builder, (struct span){ text + from, len - from }, where);
		text[len++] = ' ';
	}
	text[len] = '\0';
}

static void
add_message(struct site *s)
{
	struct message_text *m = &s->messages[s->next_id];

	m->gone = false;
	m->unsure = chance(s, 40) == 0;
	search_build_message(s->builder, s->next_id++, m->unsure);
	make_words(s, m->header, SEARCH_IN_HEADER);
	make_words(s, m->body, SEARCH_IN_BODY);
}

static void
add_run(struct site *s, size_t count)
{
	while (count-- > 0 && s->next_id <= MESSAGES)
		add_message(s);
	assert_int_equal(search_build_write(s->builder, s->next_id), OK);
	assert_int_equal(search_cursor(s->index, SEARCH_CONTENTS), s->next_id);
}

/* ---- asking, beside looking through all ---- */

static bool
has(const struct message_text *m, const struct search_question *q, size_t piece)
{
	struct span header = span_of(m->header), body = span_of(m->body);

	return (q->where & SEARCH_IN_HEADER && find_bytes(header, q->pieces[piece]) < header.len) ||
		(q->where & SEARCH_IN_BODY && find_bytes(body, q->pieces[piece]) < body.len);
}

static bool
holds(const uint64_t *ids, size_t count, uint64_t id)
{
	for (size_t i = 0; i < count; i++)
		if (ids[i] == id)
			return true;
	return false;
}

static void
check_answer(struct site *s, const struct search_question *q)
{
	struct search_answer answer;

	assert_int_equal(search_ask(s->index, q, &answer), OK);
	assert_int_equal(answer.cursor, s->next_id);
	for (size_t i = 1; i < answer.count; i++)
		assert_true(answer.ids[i - 1] < answer.ids[i]);
	for (uint64_t id = 1; id < s->next_id; id++) {
		const struct message_text *m = &s->messages[id];
		bool want = true;

		if (m->gone)
			continue; /* until a merge it may be found still */
		for (size_t i = 0; i < q->count; i++)
			want &= has(m, q, i);
		assert_int_equal(holds(answer.unsure, answer.unsure_count, id), m->unsure);
		if (!m->unsure)
			assert_int_equal(holds(answer.ids, answer.count, id), want);
	}
	search_answer_free(&answer);
}

static void
check_random(struct site *s, unsigned questions)
{
	while (questions-- > 0) {
		char text[SEARCH_PIECES_MAX][8];
		struct search_question q = { .space = SEARCH_CONTENTS,
			.count = 1 + chance(s, SEARCH_PIECES_MAX), .where = 1 + chance(s, 3) };

		for (size_t i = 0; i < q.count; i++) {
			size_t len = 1 + chance(s, 6);

			for (size_t c = 0; c < len; c++)
				text[i][c] = (char)('a' + chance(s, 6));
			q.pieces[i] = (struct span){ text[i], len };
		}
		check_answer(s, &q);
	}
}

static void
test_property(void **state)
{
	struct site *s = *state;

	check_random(s, 3); /* an empty one */
	for (unsigned run = 0; run < 6; run++) {
		add_run(s, 20 + chance(s, 300));
		check_random(s, 20);
	}
	close_index(s);
	open_index(s);
	assert_int_equal(search_cursor(s->index, SEARCH_CONTENTS), s->next_id);
	check_random(s, 30);
	assert_int_equal(s->said, 0);
}

/* ---- merges ---- */

static enum err
alive(void *arg, enum search_space space, const uint64_t *ids, size_t count, bool *out)
{
	struct site *s = arg;

	assert_int_equal(space, SEARCH_CONTENTS);
	for (size_t i = 0; i < count; i++)
		out[i] = !s->messages[ids[i]].gone;
	return OK;
}

static bool
go_on(void *arg)
{
	(void)arg;
	return true;
}

static bool
give_up(void *arg)
{
	(void)arg;
	return false;
}

static struct search_merge_ask
merge_ask(struct site *s)
{
	return (struct search_merge_ask){ alive, go_on, s };
}

static uint64_t
rows_of(struct site *s)
{
	struct search_stats stats;

	search_stats(s->index, &stats);
	return stats.runs;
}

static void
test_merge(void **state)
{
	struct site *s = *state;
	struct search_merge_ask ask = merge_ask(s);
	struct search_stats stats;
	bool merged;

	for (unsigned run = 0; run < SEARCH_RUNS; run++)
		add_run(s, run % 4 ? 10 : 150);
	assert_int_equal(search_merge(s->index, SEARCH_CONTENTS, SEARCH_RUNS, &ask, &merged), OK);
	assert_false(merged); /* not more than there may be */
	add_run(s, 10);
	for (uint64_t id = 1; id < s->next_id; id += 3)
		s->messages[id].gone = true;
	check_random(s, 5);
	assert_int_equal(search_merge(s->index, SEARCH_CONTENTS, SEARCH_RUNS, &ask, &merged), OK);
	assert_true(merged);
	assert_true(rows_of(s) <= SEARCH_RUNS);
	check_random(s, 20);

	assert_int_equal(search_merge(s->index, SEARCH_CONTENTS, 1, &ask, &merged), OK);
	search_stats(s->index, &stats);
	assert_int_equal(stats.runs, 1);
	assert_int_equal(stats.messages, (s->next_id - 1) - (s->next_id + 1) / 3); /* the gone are gone */
	check_random(s, 30);
	close_index(s);
	open_index(s);
	check_random(s, 10);
}

static void
test_merge_given_up(void **state)
{
	struct site *s = *state;
	struct search_merge_ask ask = merge_ask(s);
	struct search_stats before, after;
	bool merged;

	for (unsigned run = 0; run < 5; run++)
		add_run(s, 100);
	search_stats(s->index, &before);
	ask.go_on = give_up;
	assert_int_equal(search_merge(s->index, SEARCH_CONTENTS, 1, &ask, &merged), ERR_BUSY);
	search_stats(s->index, &after);
	assert_int_equal(after.runs, before.runs);
	check_random(s, 10);
}

static void
test_all_gone(void **state)
{
	struct site *s = *state;
	struct search_merge_ask ask = merge_ask(s);
	bool merged;

	add_run(s, 50);
	add_run(s, 50);
	for (uint64_t id = 1; id < s->next_id; id++)
		s->messages[id].gone = true;
	assert_int_equal(search_merge(s->index, SEARCH_CONTENTS, 1, &ask, &merged), OK);
	assert_int_equal(rows_of(s), 0);
	check_random(s, 5);
}

/* ---- many, large, long ---- */

/* A word that stands in so many messages that its postings take several rows; ids far apart. */
static void
test_large(void **state)
{
	struct site *s = *state;
	struct search_question q = { .space = SEARCH_CONTENTS, .pieces = { SPAN("ommo") }, .count = 1,
		.where = SEARCH_IN_BODY };
	struct search_answer answer;
	char word[SEARCH_WORD_MAX + 1];

	for (unsigned run = 0; run < 3; run++) {
		for (uint64_t i = 0; i < SEARCH_RUN_MESSAGES; i++) {
			uint64_t id = (run * SEARCH_RUN_MESSAGES + i + 1) * 1000003;

			assert_false(search_build_is_full(s->builder));
			search_build_message(s->builder, id, false);
			search_build_word(s->builder, SPAN("common"), SEARCH_IN_BODY);
			search_build_word(s->builder, SPAN("common"), SEARCH_IN_HEADER);
			memset(word, 'x', sizeof(word));
			snprintf(word, sizeof(word), "w%llu", (unsigned long long)id);
			search_build_word(s->builder,
				(struct span){ word, i % 7 ? strlen(word) : SEARCH_WORD_MAX },
				SEARCH_IN_HEADER);
		}
		assert_true(search_build_is_full(s->builder));
		assert_int_equal(search_build_write(s->builder, (run + 1) * UINT64_C(5000015001)), OK);
	}
	assert_int_equal(search_ask(s->index, &q, &answer), OK);
	assert_int_equal(answer.count, 3 * SEARCH_RUN_MESSAGES);
	assert_int_equal(answer.ids[0], 1000003);
	search_answer_free(&answer);
	q.pieces[0] = SPAN("w5000015");
	assert_int_equal(search_ask(s->index, &q, &answer), OK);
	assert_int_equal(answer.count, 0); /* in headers only */
	q.where = SEARCH_IN_HEADER | SEARCH_IN_BODY;
	assert_int_equal(search_ask(s->index, &q, &answer), OK);
	assert_true(answer.count >= 1 && answer.ids[0] == 5 * 1000003);
	search_answer_free(&answer);
}

/* More words than a message may add: it is unsure from then on. */
static void
test_too_many_words(void **state)
{
	struct site *s = *state;
	struct search_question q = { .space = SEARCH_CONTENTS, .pieces = { SPAN("nowhere") },
		.count = 1, .where = SEARCH_IN_BODY };
	struct search_answer answer;
	char word[16];

	search_build_message(s->builder, 1, false);
	for (unsigned i = 0; i <= SEARCH_MESSAGE_WORDS; i++) {
		snprintf(word, sizeof(word), "word%u", i);
		search_build_word(s->builder, span_of(word), SEARCH_IN_BODY);
	}
	assert_int_equal(search_build_write(s->builder, 2), OK);
	assert_int_equal(search_ask(s->index, &q, &answer), OK);
	assert_int_equal(answer.unsure_count, 1);
	assert_int_equal(answer.count, 0);
	search_answer_free(&answer);
}

static void
test_stop(void **state)
{
	struct site *s = *state;
	atomic_bool stop = true;
	struct search_question q = { .space = SEARCH_CONTENTS, .pieces = { SPAN("a") }, .count = 1,
		.where = SEARCH_IN_BODY, .stop = &stop };
	struct search_answer answer;

	add_run(s, 10);
	assert_int_equal(search_ask(s->index, &q, &answer), ERR_BUSY);
	assert_null(answer.ids);
}

/* ---- damage (H49) ---- */

static int
open_data(struct site *s)
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
damage(struct site *s, off_t offset)
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
	struct site *s = *state;
	struct search_question q = { .space = SEARCH_CONTENTS, .pieces = { SPAN("ab") }, .count = 1,
		.where = SEARCH_IN_BODY };
	struct search_answer answer;
	struct stat st;
	bool found = false;
	int fd;

	add_run(s, 2000);
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
	add_run(s, 100);
	check_random(s, 10);
}

static void
test_damaged_file(void **state)
{
	static const off_t sizes[] = { 0, 100, 4096, 8192, 5 * 4096 };
	struct site *s = *state;

	for (size_t i = 0; i < COUNT(sizes); i++) {
		int fd;

		add_run(s, 200);
		close_index(s);
		fd = open_data(s);
		assert_int_equal(ftruncate(fd, sizes[i]), 0);
		close(fd);
		open_index(s); /* made anew */
		assert_int_equal(search_cursor(s->index, SEARCH_CONTENTS), 1);
		s->next_id = 1;
	}
	close_index(s);
	damage(s, 16);
	damage(s, 4096 + 16); /* both heads: no file of LMDB any more */
	open_index(s);
	add_run(s, 20);
	check_random(s, 3);
}

/* Who opens it again and again and never comes to a commit has a reason: it is thrown away. */
static void
test_starts_in_vain(void **state)
{
	struct site *s = *state;

	add_run(s, 20);
	for (unsigned i = 0; i < SEARCH_STARTS_MAX + 1; i++) {
		char path[128];
		int fd;

		assert_int_equal(search_cursor(s->index, SEARCH_CONTENTS), 21);
		close_index(s);
		snprintf(path, sizeof(path), "%s/unproven", s->dir);
		fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		for (unsigned n = 0; n < i; n++)
			assert_int_equal(write(fd, "x", 1), 1);
		close(fd);
		open_index(s);
		if (i == SEARCH_STARTS_MAX)
			break;
	}
	assert_int_equal(search_cursor(s->index, SEARCH_CONTENTS), 1);
	s->next_id = 1;
}

/* ---- kill -9 at any moment ---- */

/* The child writes and merges without end, the same messages whenever it begins at the same place. */
static void
run_child(struct site *s)
{
	struct search_merge_ask ask = merge_ask(s);
	bool merged;

	for (;;) {
		uint64_t from = search_cursor(s->index, SEARCH_CONTENTS);

		if (from + 20 > MESSAGES)
			_exit(0);
		for (uint64_t id = from; id < from + 20; id++) {
			s->seed = (uint32_t)id * 2654435761u;
			s->next_id = id;
			add_message(s);
		}
		if (search_build_write(s->builder, from + 20) != OK ||
			search_merge(s->index, SEARCH_CONTENTS, 6, &ask, &merged) != OK)
			_exit(1);
	}
}

/* Something was written before a kill: a slow machine needs more of them. */
static bool
has_come_far(struct site *s)
{
	bool far;

	open_index(s);
	far = search_cursor(s->index, SEARCH_CONTENTS) > 20;
	search_index_proven(s->index);
	close_index(s);
	return far;
}

static void
test_killed(void **state)
{
	struct site *s = *state;

	search_index_proven(s->index);
	close_index(s);
	for (unsigned kills = 0; kills < 25 || (kills < 250 && !has_come_far(s)); kills++) {
		pid_t child = fork();
		int status;

		assert_true(child >= 0);
		if (child == 0) {
			open_index(s);
			search_index_proven(s->index);
			run_child(s);
		}
		usleep(3000 + kills * 1500);
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
	}
	open_index(s);
	assert_int_equal(s->said, 0);
	for (uint64_t id = 1; id < search_cursor(s->index, SEARCH_CONTENTS); id++) {
		s->seed = (uint32_t)id * 2654435761u;
		s->next_id = id;
		add_message(s); /* what the child had; the builder's is dropped */
		if (search_build_is_full(s->builder))
			search_build_drop(s->builder);
	}
	search_build_drop(s->builder);
	s->next_id = search_cursor(s->index, SEARCH_CONTENTS);
	assert_true(s->next_id > 20);
	check_random(s, 30);
}

int
test_store_search(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_property, setup, teardown),
		cmocka_unit_test_setup_teardown(test_merge, setup, teardown),
		cmocka_unit_test_setup_teardown(test_merge_given_up, setup, teardown),
		cmocka_unit_test_setup_teardown(test_all_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_large, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_many_words, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stop, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damaged_row, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damaged_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_starts_in_vain, setup, teardown),
		cmocka_unit_test_setup_teardown(test_killed, setup, teardown),
	};

	return cmocka_run_group_tests_name("store: search", tests, NULL, NULL);
}
