/*
 * test_net_log.c - lines, cleaning, masking, files, floods and a full disk.
 */
#include "tests/unit/test_net.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/base/buf.h"
#include "server/log.h"
#include "tests/harness/page_edge.h"

static char dir[64];

static void
path_of(char out[128], const char *name)
{
	snprintf(out, 128, "%s/%s", dir, name);
}

static size_t
read_log(const char *name, char *out, size_t size)
{
	char path[128];
	size_t n;
	FILE *f;

	path_of(path, name);
	f = fopen(path, "r");
	if (!f)
		return 0;
	n = fread(out, 1, size - 1, f);
	out[n] = '\0';
	fclose(f);
	return n;
}

static struct log_writer *
open_writer(enum log_level level, int64_t max_size)
{
	struct log_options o = { .level = level, .dir = dir, .max_size = max_size, .keep = 1 };
	struct log_writer *w;

	snprintf(dir, sizeof(dir), "/tmp/postroom-log-XXXXXX");
	assert_non_null(mkdtemp(dir));
	assert_int_equal(log_writer_open(&o, &w), OK);
	return w;
}

static void
remove_dir(void)
{
	static const char *const names[] = { "main.log", "security.log", "error.log",
		"dlrules.log", "main.log.old",
		"security.log.old", "error.log.old", "dlrules.log.old" };
	char path[128];

	for (size_t i = 0; i < COUNT(names); i++) {
		path_of(path, names[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(dir), 0);
}

static void
test_log_line_and_files_log02_log05(void **state)
{
	struct log_writer *w = open_writer(LEVEL_INFO, 0);
	struct log *log = log_ring(w);
	char text[4096];

	(void)state;
	log_put(log, &(struct log_line){ .level = LEVEL_INFO, .area = "smtp", .session = "s17",
			     .message = SPAN("m4711"), .text = "accepted",
			     .fields = { { "from", SPAN("a b\"c\\d") }, { "size", .number = -5 },
				     { "empty", SPAN("") }, { "plain", SPAN("x@y.test") } } });
	log_put(log, &(struct log_line){ .level = LEVEL_DEBUG, .area = "smtp", .text = "hidden" });
	log_put(log, &(struct log_line){ .level = LEVEL_WARNING, .area = "security",
			     .text = "login failed" });
	log_put(log, &(struct log_line){ .level = LEVEL_ERROR, .area = "store", .text = "broke" });
	log_writer_sync(w);
	assert_true(read_log("main.log", text, sizeof(text)) > 0);
	assert_non_null(strstr(text, " info smtp s17 m4711 accepted from=\"a b\\\"c\\\\d\" "
				     "size=-5 plain=x@y.test\n"));
	assert_null(strstr(text, "hidden"));
	assert_int_equal(text[10], 'T');
	assert_int_equal(text[23 + 3], ':'); /* the offset's */
	read_log("security.log", text, sizeof(text));
	assert_non_null(strstr(text, " warning security - - login failed\n"));
	assert_null(strstr(text, "accepted"));
	read_log("error.log", text, sizeof(text));
	assert_non_null(strstr(text, " error store - - broke\n"));
	log_writer_close(&w);
	remove_dir();
}

static void
test_log_clean_rows_h70(void **state)
{
	static const struct {
		struct span in, want;
	} rows[] = {
		{ SPAN("plain text"), SPAN("plain text") },
		{ SPAN("gr\xc3\xbc\xc3\x9f"), SPAN("gr\xc3\xbc\xc3\x9f") },
		{ SPAN("a\x1b[2Jb"), SPAN("a?[2Jb") },
		{ SPAN("a\r\nb\tc\0d"), SPAN("a??b?c?d") },
		{ SPAN("\x7f\xc2\x85\xc2\x9b"), SPAN("???") },		/* DEL, C1 */
		{ SPAN("\xe2\x80\xae" "x\xe2\x81\xa6"), SPAN("?x?") },	/* bidi */
		{ SPAN("\xe2\x80\x8b\xef\xbb\xbf"), SPAN("??") },		/* zero-width */
		{ SPAN("\xf3\xa0\x81\x81"), SPAN("?") },			/* tag */
		{ SPAN("\xe2\x80\xa8"), SPAN("?") },			/* line separator */
		{ SPAN("\xff\xfe"), SPAN("??") },				/* no UTF-8 */
		{ SPAN("\xc0\xaf"), SPAN("??") },				/* overlong */
		{ SPAN("\xed\xa0\x80"), SPAN("?") },			/* surrogate */
		{ SPAN("\xe2\x82"), SPAN("??") },				/* cut */
		{ SPAN("\xee\x80\x80"), SPAN("?") },			/* private use */
		{ SPAN("a\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81"),
			SPAN("a\xcc\x81\xcc\x81\xcc\x81\xcc\x81") },	/* combining, cut at 4 */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf out;

		buf_init(&out, 1000);
		assert_int_equal(log_clean(&out, at_page_edge(rows[i].in)), OK);
		if (!span_eq(buf_span(&out), rows[i].want))
			fail_msg("row %zu: %.*s", i, SPAN_FMT(buf_span(&out)));
		buf_fini(&out);
	}
}

static void
test_log_mask_rows_h66(void **state)
{
	static const struct {
		struct span in, shown;
		bool masked;
	} rows[] = {
		{ SPAN("PASS secret"), SPAN("PASS"), true },
		{ SPAN("pass sec ret"), SPAN("pass"), true },
		{ SPAN("PASS"), SPAN("PASS"), false },
		{ SPAN("USER anna"), SPAN("USER anna"), false },
		{ SPAN("AUTH PLAIN AGFubmEAc2VjcmV0"), SPAN("AUTH PLAIN"), true },
		{ SPAN("AUTH LOGIN"), SPAN("AUTH LOGIN"), false },
		{ SPAN("APOP anna c4c9334bac560ecc979e58001b3e22fb"), SPAN("APOP anna"), true },
		{ SPAN("a1 LOGIN anna secret"), SPAN("a1 LOGIN"), true },
		{ SPAN("a1 AUTHENTICATE PLAIN AGFu"), SPAN("a1 AUTHENTICATE PLAIN"), true },
		{ SPAN("MAIL FROM:<a@b.test>"), SPAN("MAIL FROM:<a@b.test>"), false },
		{ SPAN(""), SPAN(""), false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		bool masked;
		struct span shown = log_mask(at_page_edge(rows[i].in), &masked);

		if (!span_eq(shown, rows[i].shown) || masked != rows[i].masked)
			fail_msg("row %zu: %.*s", i, SPAN_FMT(shown));
	}
}

static void
fill_log(struct log_writer *w, struct log *log, int lines)
{
	for (int i = 0; i < lines; i++) {
		log_put(log, &(struct log_line){ .level = LEVEL_INFO, .area = "x",
				     .text = "a line of some length to fill the file",
				     .fields = { { "n", .number = i } } });
		if (i % 50 == 0)
			log_writer_sync(w);
	}
	log_writer_sync(w);
}

static void
test_log_rotates_at_its_size_log01(void **state)
{
	struct log_writer *w = open_writer(LEVEL_INFO, 20000);
	struct log *log = log_ring(w);
	char path[128];
	struct stat st;

	(void)state;
	fill_log(w, log, 1000);
	path_of(path, "main.log");
	assert_int_equal(stat(path, &st), 0);
	assert_in_range(st.st_size, 1, 20000);
	path_of(path, "main.log.old");
	assert_int_equal(stat(path, &st), 0);
	assert_in_range(st.st_size, 10000, 20000);
	assert_int_equal(log_writer_dropped(w), 0);
	log_writer_close(&w);
	remove_dir();
}

static bool
is_there(const char *name)
{
	char path[128];

	path_of(path, name);
	return access(path, F_OK) == 0;
}

static void
test_log_keeps_as_many_files_as_it_is_told_log01(void **state)
{
	struct log_writer *w = open_writer(LEVEL_INFO, 20000);
	struct log_options o = { .level = LEVEL_INFO, .dir = dir, .max_size = 20000, .keep = 3 };
	struct log *log = log_ring(w);
	static const char *const kept[] = { "main.log.old", "main.log.old.2", "main.log.old.3" };
	char *text = malloc(40000);

	(void)state;
	assert_int_equal(log_writer_change(w, &o), OK);
	fill_log(w, log, 2000);
	for (size_t i = 0; i < COUNT(kept); i++) {
		assert_in_range(read_log(kept[i], text, 40000), 10000, 20000);
		assert_int_equal(text[strlen(text) - 1], '\n');
	}
	assert_false(is_there("main.log.old.4"));
	/* oldest first, nothing in between is lost */
	read_log("main.log.old", text, 40000);
	assert_non_null(strstr(text, " n=1"));
	free(text);
	o.keep = 1; /* a reload: those beyond go with the next one put aside */
	assert_int_equal(log_writer_change(w, &o), OK);
	fill_log(w, log, 1000);
	assert_true(is_there("main.log.old"));
	assert_false(is_there("main.log.old.2"));
	assert_false(is_there("main.log.old.3"));
	assert_int_equal(log_writer_dropped(w), 0);
	log_writer_close(&w);
	remove_dir();
}

static void
test_log_stays_where_it_is_when_the_new_folder_is_bad(void **state)
{
	struct log_writer *w = open_writer(LEVEL_INFO, 0);
	struct log_options o = { .level = LEVEL_INFO, .dir = "/dev/null/log" };
	struct log *log = log_ring(w);
	char text[4096];

	(void)state;
	assert_int_equal(log_writer_change(w, &o), ERR_IO);
	log_put(log, &(struct log_line){ .level = LEVEL_INFO, .area = "x", .text = "still here" });
	log_writer_sync(w);
	read_log("main.log", text, sizeof(text));
	assert_non_null(strstr(text, " still here\n"));
	log_writer_close(&w);
	remove_dir();
}

static void
test_log_long_line_is_cut_h71(void **state)
{
	struct log_writer *w = open_writer(LEVEL_INFO, 0);
	struct log *log = log_ring(w);
	char *big = malloc(200000), *text = malloc(200000);
	size_t n;

	(void)state;
	memset(big, 'x', 200000);
	log_put(log, &(struct log_line){ .level = LEVEL_INFO, .area = "x", .text = "big",
			     .fields = { { "v", { big, 200000 } }, { "w", SPAN("lost") } } });
	log_put(log, &(struct log_line){ .level = LEVEL_INFO, .area = "x", .text = "next" });
	log_writer_sync(w);
	n = read_log("main.log", text, 200000);
	assert_in_range(n, 50, LOG_LINE_MAX + 200);
	assert_non_null(strstr(text, " ...\n"));
	assert_non_null(strstr(text, " next\n"));
	free(big);
	free(text);
	log_writer_close(&w);
	remove_dir();
}

static void
test_log_identical_lines_are_counted_h71(void **state)
{
	struct log_writer *w = open_writer(LEVEL_INFO, 0);
	struct log *log = log_ring(w);
	char *text = malloc(2000000);
	size_t lines = 0;

	(void)state;
	for (int i = 0; i < 10000; i++)
		log_put(log, &(struct log_line){ .level = LEVEL_INFO, .area = "x",
				     .text = "the same" });
	log_writer_sync(w);
	read_log("main.log", text, 2000000);
	for (char *at = text; (at = strchr(at, '\n')); at++)
		lines++;
	assert_in_range(lines, 2, 200);
	assert_non_null(strstr(text, "repeated times="));
	free(text);
	log_writer_close(&w);
	remove_dir();
}

static void
test_log_full_disk_drops_and_counts_h71(void **state)
{
	struct log_writer *w = open_writer(LEVEL_INFO, 0);
	struct log_options full = { .level = LEVEL_INFO, .dir = dir };
	struct log *log = log_ring(w);
	char path[128], text[4096];

	(void)state;
	/* /dev/full answers each write with ENOSPC; a link is refused, so it stands in by name */
	path_of(path, "main.log");
	assert_int_equal(unlink(path), 0);
	if (mknod(path, S_IFCHR | 0600, (1 << 8) | 7) != 0 ||
		log_writer_change(w, &full) != OK) {
		unlink(path);
		log_writer_close(&w);
		remove_dir();
		skip();
	}
	for (int i = 0; i < 100; i++)
		log_put(log, &(struct log_line){ .level = LEVEL_ERROR, .area = "x", .text = "lost",
				     .fields = { { "n", .number = i } } });
	log_writer_sync(w);
	assert_in_range(log_writer_dropped(w), 100, 200);
	read_log("error.log", text, sizeof(text));
	assert_non_null(strstr(text, " lost n=0\n")); /* the other file goes on */
	log_writer_close(&w);
	remove_dir();
}

struct seen {
	int lines;
	char last[256];
};

static void
on_line(void *arg, struct span line, uint64_t dropped)
{
	struct seen *seen = arg;

	(void)dropped;
	seen->lines++;
	snprintf(seen->last, sizeof(seen->last), "%.*s", SPAN_FMT(line));
}

/* Whoever logs never waits for the log's thread, which never waits long for a reader of stderr. */
static void
test_log_stderr_that_nobody_reads_h71(void **state)
{
	struct log_options o = { .level = LEVEL_INFO, .to_stderr = true };
	int kept = dup(STDERR_FILENO), pipes[2];
	struct log_writer *w;
	struct log *log;
	uint64_t dropped;

	(void)state;
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	assert_int_equal(dup2(pipes[1], STDERR_FILENO), STDERR_FILENO);
	alarm(20); /* as it was, this stood still */
	assert_int_equal(log_writer_open(&o, &w), OK);
	log = log_ring(w);
	for (int i = 0; i < 40000; i++)
		log_put(log, &(struct log_line){ .level = LEVEL_INFO, .area = "test",
				     .text = "a line of some length, so that the ring is full soon",
				     .fields = { { "number", .number = i } } });
	log_writer_sync(w);
	dropped = log_writer_dropped(w);
	log_writer_close(&w);
	alarm(0);
	dup2(kept, STDERR_FILENO);
	close(kept);
	close(pipes[0]);
	close(pipes[1]);
	assert_true(dropped > 0);
}

static void
test_log_subscriber_and_tail_by_filter_log14(void **state)
{
	struct log_writer *w = open_writer(LEVEL_DEBUG, 0);
	struct log *log = log_ring(w), *other = log_ring(w);
	struct log_filter filter = { .level = LEVEL_INFO, .area = "smtp", .session = "s2" };
	struct seen seen = { .lines = 0 };
	struct log_subscriber *sub = log_subscribe(w, &filter, on_line, &seen);
	struct buf out;

	(void)state;
	for (int i = 0; i < 10; i++) {
		log_put(i % 2 ? log : other,
			&(struct log_line){ .level = LEVEL_INFO, .area = i < 8 ? "smtp" : "pop3",
				.session = i % 4 ? "s2" : "s3", .text = "line",
				.fields = { { "n", .number = i } } });
	}
	log_writer_sync(w);
	assert_int_equal(seen.lines, 6); /* 1 2 3 5 6 7 */
	assert_non_null(strstr(seen.last, " info smtp s2 - line n=7"));
	log_unsubscribe(w, &sub);
	log_put(log, &(struct log_line){ .level = LEVEL_INFO, .area = "smtp", .session = "s2",
			     .text = "unseen" });
	log_writer_sync(w);
	assert_int_equal(seen.lines, 6);
	buf_init(&out, 100000);
	assert_int_equal(log_tail(w, "main", &filter, 3, &out), OK);
	assert_true(span_find_span(buf_span(&out), SPAN(" n=6\n")) < buf_span(&out).len);
	assert_true(span_ends_nocase(buf_span(&out), SPAN(" unseen\n")));
	assert_true(span_find_span(buf_span(&out), SPAN(" n=5\n")) == buf_span(&out).len);
	assert_int_equal(log_tail(w, "../x", &filter, 3, &out), ERR_NOT_FOUND);
	buf_fini(&out);
	log_writer_close(&w);
	remove_dir();
}

int
test_net_log(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_log_line_and_files_log02_log05),
		cmocka_unit_test(test_log_clean_rows_h70),
		cmocka_unit_test(test_log_mask_rows_h66),
		cmocka_unit_test(test_log_rotates_at_its_size_log01),
		cmocka_unit_test(test_log_keeps_as_many_files_as_it_is_told_log01),
		cmocka_unit_test(test_log_stays_where_it_is_when_the_new_folder_is_bad),
		cmocka_unit_test(test_log_long_line_is_cut_h71),
		cmocka_unit_test(test_log_identical_lines_are_counted_h71),
		cmocka_unit_test(test_log_full_disk_drops_and_counts_h71),
		cmocka_unit_test(test_log_stderr_that_nobody_reads_h71),
		cmocka_unit_test(test_log_subscriber_and_tail_by_filter_log14),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
