/*
 * test_conf_history.c - edits of a real file: clash, history, undo.
 */
#include "tests/unit/test_conf.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/conf_file.h"
#include "conf/conf_history.h"

static char folder[64], path[96];

static int
make_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/test-conf-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/p.yaml", folder);
	return 0;
}

static int
remove_folder(void **state)
{
	char name[160];

	(void)state;
	for (unsigned n = 1; n < 150; n++) {
		snprintf(name, sizeof(name), "%s.history/%08u.yaml", path, n);
		unlink(name);
		snprintf(name, sizeof(name), "%s.history/%08u.note", path, n);
		unlink(name);
	}
	snprintf(name, sizeof(name), "%s.history", path);
	rmdir(name);
	unlink(path);
	return rmdir(folder); /* fails where something was left behind */
}

static void
write_file(const char *text, mode_t mode)
{
	assert_int_equal(conf_file_replace(path, span_of(text), NULL), OK);
	assert_int_equal(chmod(path, mode), 0);
}

static void
must_read(const char *want)
{
	struct arena a;
	struct span text;
	struct stat st;

	arena_init(&a, NULL);
	assert_int_equal(conf_file_read(path, &a, &text, &st), OK);
	if (!span_eq(text, span_of(want)))
		fail_msg("is: %.*s", SPAN_FMT(text));
	arena_reset(&a);
}

static enum err
save(const char *last_read, const char *key, const char *value)
{
	static struct conf_faults faults;
	struct conf_change change = { .key = span_of(key),
		.value = span_of(value),
		.remove = value == NULL };
	struct conf_note note = { 1234567, SPAN("anna"), SPAN("config set\nloops") };
	struct buf out;
	enum err err;

	conf_faults_init(&faults);
	buf_init(&out, CONF_FILE_MAX);
	err = conf_edit_save(path, span_of(last_read), &change, 1, &note, &out, &faults);
	buf_fini(&out);
	conf_faults_fini(&faults);
	return err;
}

static enum err
undo(uint32_t number, const char *last_read)
{
	static struct conf_faults faults;
	struct conf_note note = { 99, SPAN("bo"), SPAN("undo") };
	struct buf out;
	enum err err;

	conf_faults_init(&faults);
	buf_init(&out, CONF_FILE_MAX);
	err = conf_history_undo(path, number, span_of(last_read), &note, &out, &faults);
	buf_fini(&out);
	conf_faults_fini(&faults);
	return err;
}

static void
test_save_and_clash_cfg02(void **state)
{
	struct stat st;

	(void)state;
	write_file("loops: 1 # a\n", 0640);
	assert_int_equal(save("loops: 1 # a\n", "loops", "2"), OK);
	must_read("loops: 2 # a\n");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	/* Somebody else added a key: the edit is made on the new text. */
	write_file("loops: 2 # a\nhostname: x # by hand\n", 0640);
	assert_int_equal(save("loops: 2 # a\n", "loops", "3"), OK);
	must_read("loops: 3 # a\nhostname: x # by hand\n");
	/* Somebody else changed the same key. */
	write_file("loops: 7\n", 0640);
	assert_int_equal(save("loops: 3 # a\nhostname: x # by hand\n", "loops", "4"), ERR_BUSY);
	must_read("loops: 7\n");
	/* By hand it was broken: refused, and left as it is. */
	write_file("loops: [\n", 0640);
	assert_int_equal(save("loops: 7\n", "hostname", "y"), ERR_SYNTAX);
	must_read("loops: [\n");
	/* A bad value changes nothing. */
	write_file("loops: 7\n", 0640);
	assert_int_equal(save("loops: 7\n", "loops", "700"), ERR_SYNTAX);
	must_read("loops: 7\n");
	assert_int_equal(save("loops: 7\n", "loop", "7"), ERR_NOT_FOUND);
	unlink(path);
	assert_int_equal(save("loops: 7\n", "loops", "7"), ERR_NOT_FOUND);
}

/* What the server did not take leaves neither a file nor a change behind. */
static void
test_history_takes_a_change_back(void **state)
{
	struct conf_past *past;
	struct arena a;
	size_t before, count;

	(void)state;
	arena_init(&a, NULL);
	write_file("loops: 1 # a\n", 0640);
	assert_int_equal(conf_history_list(path, &a, &past, &before), OK);
	assert_int_equal(save("loops: 1 # a\n", "loops", "2"), OK);
	assert_int_equal(conf_history_list(path, &a, &past, &count), OK);
	assert_int_equal(count, before + 1);
	assert_int_equal(conf_history_take_back(path, past[0].number), OK);
	must_read("loops: 1 # a\n");
	assert_int_equal(conf_history_take_back(path, past[0].number), ERR_NOT_FOUND);
	assert_int_equal(conf_history_list(path, &a, &past, &count), OK);
	assert_int_equal(count, before);
	arena_reset(&a);
	unlink(path);
}

static void
test_history_lists_and_undoes(void **state)
{
	struct conf_past *past;
	struct stat st;
	struct arena a;
	struct span text;
	char name[160];
	size_t count;

	(void)state;
	arena_init(&a, NULL);
	assert_int_equal(conf_history_list(path, &a, &past, &count), OK);
	assert_int_equal(count, 0);
	write_file("loops: 1\n", 0600);
	assert_int_equal(undo(0, "loops: 1\n"), ERR_NOT_FOUND);
	assert_int_equal(save("loops: 1\n", "loops", "2"), OK);
	assert_int_equal(save("loops: 2\n", "loops", "3"), OK);
	assert_int_equal(conf_history_list(path, &a, &past, &count), OK);
	assert_int_equal(count, 2);
	assert_int_equal(past[0].number, 2);
	assert_int_equal(past[0].note.time_ms, 1234567);
	assert_true(span_eq(past[0].note.who, SPAN("anna")));
	assert_true(span_eq(past[0].note.what, SPAN("config set?loops")));
	assert_int_equal(conf_history_text(path, 1, &a, &text), OK);
	assert_true(span_eq(text, SPAN("loops: 1\n")));
	assert_int_equal(conf_history_text(path, 9, &a, &text), ERR_NOT_FOUND);
	snprintf(name, sizeof(name), "%s.history", path);
	assert_int_equal(stat(name, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);

	assert_int_equal(undo(0, "loops: 1\n"), ERR_BUSY); /* not what is there */
	assert_int_equal(undo(0, "loops: 3\n"), OK);
	must_read("loops: 2\n");
	assert_int_equal(undo(0, "loops: 2\n"), OK); /* the undo is a change like another */
	must_read("loops: 3\n");
	assert_int_equal(undo(1, "loops: 3\n"), OK);
	must_read("loops: 1\n");
	assert_int_equal(conf_history_list(path, &a, &past, &count), OK);
	assert_int_equal(count, 5);
	assert_true(span_eq(past[0].note.who, SPAN("bo")));
	arena_reset(&a);
}

static void
test_history_keeps_so_many_and_numbers_go_on(void **state)
{
	struct conf_note note = { 1, SPAN("a"), SPAN("b") };
	struct conf_past *past;
	struct arena a;
	uint32_t number;
	size_t count;

	(void)state;
	arena_init(&a, NULL);
	for (unsigned i = 1; i <= CONF_HISTORY_KEEP + 5; i++) {
		assert_int_equal(conf_history_add(path, SPAN("loops: 1\n"), &note, &number), OK);
		assert_int_equal(number, i);
	}
	assert_int_equal(conf_history_list(path, &a, &past, &count), OK);
	assert_int_equal(count, CONF_HISTORY_KEEP);
	assert_int_equal(past[count - 1].number, 6);
	arena_reset(&a);
}

static void
test_save_where_the_folder_refuses(void **state)
{
	char name[160];

	(void)state;
	write_file("loops: 1\n", 0600);
	snprintf(name, sizeof(name), "%s.history", path);
	assert_int_equal(symlink("/nonexistent/x", name), 0);
	assert_int_equal(save("loops: 1\n", "loops", "2") != OK, true);
	must_read("loops: 1\n"); /* no history, no change */
	unlink(name);
}

static enum err
save_text(const char *was, const char *text)
{
	static struct conf_faults faults;
	struct conf_note note = { 5, SPAN("anna"), SPAN("config edit") };
	enum err err;

	conf_faults_init(&faults);
	err = conf_text_save(path, span_of(was), span_of(text), &note, &faults);
	conf_faults_fini(&faults);
	return err;
}

/* A whole text: in the place of what was read and of nothing else; refused, it changes nothing. */
static void
test_text_save_cfg02(void **state)
{
	struct stat st;

	(void)state;
	write_file("loops: 1 # a\n", 0640);
	assert_int_equal(save_text("loops: 2\n", "loops: 3\n"), ERR_BUSY);
	assert_int_equal(save_text("loops: 1 # a\n", "loops: many\n"), ERR_SYNTAX);
	must_read("loops: 1 # a\n");
	assert_int_equal(save_text("loops: 1 # a\n", "# b\nloops: 3\n"), OK);
	must_read("# b\nloops: 3\n");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(undo(0, "# b\nloops: 3\n"), OK);
	must_read("loops: 1 # a\n");
}

int
test_conf_history(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_save_and_clash_cfg02, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(
			test_text_save_cfg02, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(
			test_history_lists_and_undoes, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(
			test_history_takes_a_change_back, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(
			test_history_keeps_so_many_and_numbers_go_on, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(
			test_save_where_the_folder_refuses, make_folder, remove_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
