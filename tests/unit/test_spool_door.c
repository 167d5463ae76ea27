/*
 * test_spool_door.c - the door to a folder (FXF-02): our side writes SMTP, files are made, and no worker is held between two steps.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/queue/spool_door_inside.h"
#include "tests/harness/site.h"

#define CONF "hostname: mail.example.org\n"
#define DOORS 5
#define TEXT_BYTES (5 * SPOOL_DOOR_STEP / 2)

static struct site site;
static char root[] = "/tmp/postroom-door-XXXXXX";
static char in[64];

static int
door(void)
{
	const struct conf_route route = { .kind = ROUTE_SPOOL, .path = span_of(root) };
	int fd = spool_door_open(&site.host, &route);

	assert_true(fd >= 0);
	return fd;
}

/* The answer, one line. */
static void
expect(int fd, const char *begin)
{
	char line[400];
	ssize_t n = -1;

	for (int i = 0; i < 5000 && n < 0; i++) {
		n = recv(fd, line, sizeof(line) - 1, 0);
		if (n < 0)
			site_turn(&site, 5);
	}
	assert_true(n > 0);
	line[n] = '\0';
	assert_memory_equal(line, begin, strlen(begin));
}

static void
say(int fd, struct span text)
{
	while (text.len > 0) {
		ssize_t n = send(fd, text.ptr, text.len, MSG_NOSIGNAL);

		assert_true(n > 0 || errno == EAGAIN);
		text = span_from(text, n > 0 ? (size_t)n : 0);
		site_turn(&site, n > 0 ? 0 : 5);
	}
}

static void
say_line(int fd, const char *line, const char *answer)
{
	say(fd, span_of(line));
	expect(fd, answer);
}

/* ---- other long work ---- */

struct other {
	struct work work;
	bool done;
};

static void
other_run(struct work *work)
{
	(void)work;
}

static void
other_done(struct work *work, enum err result)
{
	assert_int_equal(result, OK);
	LIST_ITEM(work, struct other, work)->done = true;
}

/* Backups, exports: they get a worker while these doors are open. */
static void
expect_long_work(void)
{
	struct other other = { .work = { .loop = site.host.loop, .kind = WORK_LONG, .run = other_run, .done = other_done } };

	list_init(&other.work.link);
	assert_int_equal(workers_submit(site.host.workers, &other.work), OK);
	for (int i = 0; i < 2000 && !other.done; i++)
		site_turn(&site, 5);
	assert_true(other.done);
}

/* How many there are; the last one's path and size. */
static size_t
files_in(const char *ending, char path[200], struct stat *st)
{
	DIR *dir = opendir(in);
	struct dirent *entry;
	size_t count = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		if (entry->d_type != DT_REG || !span_ends_nocase(span_of(entry->d_name), span_of(ending)))
			continue;
		snprintf(path, 200, "%s/%.100s", in, entry->d_name);
		count += stat(path, st) == 0; /* a worker may take it away meanwhile */
	}
	closedir(dir);
	return count;
}

/* ---- tests ---- */

static void
test_open_doors_hold_no_worker_fxf_02(void **state)
{
	char path[200];
	struct stat st;
	int fds[DOORS];

	(void)state;
	for (size_t i = 0; i < DOORS; i++) {
		fds[i] = door();
		expect(fds[i], "220 ");
	}
	expect_long_work();
	for (size_t i = 0; i < DOORS; i++) {
		say_line(fds[i], "EHLO a\r\n", "250");
		say_line(fds[i], "MAIL FROM:<anna@example.org>\r\n", "250");
		say_line(fds[i], "RCPT TO:<bea@b.test>\r\n", "250");
		say_line(fds[i], "DATA\r\n", "354");
		say(fds[i], SPAN("Subject: half\r\n"));
	}
	expect_long_work(); /* in the middle of a message too */
	for (size_t i = 0; i < DOORS; i++)
		close(fds[i]);
	for (int i = 0; i < 2000 && files_in("", path, &st) > 0; i++)
		site_turn(&site, 5);
	assert_int_equal(files_in("", path, &st), 0);
}

/* More than one step's bytes, in pieces that end anywhere. */
static void
test_a_message_of_several_steps(void **state)
{
	char path[200], *text = malloc(TEXT_BYTES);
	struct stat st;
	int fd = door();

	(void)state;
	assert_non_null(text);
	memset(text, 'x', TEXT_BYTES);
	for (size_t i = 80; i < TEXT_BYTES; i += 80)
		memcpy(text + i - 2, "\r\n", 2);
	memcpy(text + TEXT_BYTES - 2, "\r\n", 2);
	expect(fd, "220 ");
	say_line(fd, "EHLO a\r\n", "250");
	say_line(fd, "MAIL FROM:<anna@example.org>\r\n", "250");
	say_line(fd, "RCPT TO:<bea@b.test>\r\n", "250");
	say_line(fd, "DATA\r\n", "354");
	for (size_t at = 0; at < TEXT_BYTES; at += 77777)
		say(fd, span_range((struct span){ text, TEXT_BYTES }, at, at + 77777));
	say_line(fd, ".\r\n", "250");
	assert_int_equal(files_in(".eml", path, &st), 1);
	assert_int_equal(st.st_size, TEXT_BYTES + strlen("X-Envelope-From: <anna@example.org>\r\nX-Envelope-To: <bea@b.test>\r\n"));
	unlink(path);
	say_line(fd, "QUIT\r\n", "221");
	close(fd);
	free(text);
}

/* Our side has left, or says nothing for SPOOL_DOOR_WAIT_S: nothing stays of a file that is not whole. */
static void
test_nothing_stays_of_half_a_message(void **state)
{
	char path[200];
	struct stat st;

	(void)state;
	for (int leaves = 0; leaves < 2; leaves++) {
		int fd = door();

		expect(fd, "220 ");
		say_line(fd, "MAIL FROM:<>\r\n", "250");
		say_line(fd, "RCPT TO:<bea@b.test>\r\n", "250");
		say_line(fd, "DATA\r\n", "354");
		assert_int_equal(files_in(".tmp", path, &st), 1);
		if (leaves)
			close(fd);
		for (int i = 0; i < 2000 && files_in("", path, &st) > 0; i++) {
			if (!leaves) /* time runs from the end of a step on */
				loop_fake_advance(site.host.loop, SPOOL_DOOR_WAIT_S * 1000 + LOOP_TICK_MS);
			site_turn(&site, 5);
		}
		assert_int_equal(files_in("", path, &st), 0);
		if (!leaves)
			close(fd);
	}
}

/* A site that ends under a delivery: nothing leaks, and what is half written goes. */
static void
test_the_end_of_the_server_under_a_message(void **state)
{
	char path[200];
	struct stat st;
	int fd = door();

	(void)state;
	expect(fd, "220 ");
	say_line(fd, "MAIL FROM:<>\r\n", "250");
	say_line(fd, "RCPT TO:<bea@b.test>\r\n", "250");
	say_line(fd, "DATA\r\n", "354");
	say(fd, SPAN("Subject: half\r\n"));
	site_close(&site);
	assert_int_equal(files_in("", path, &st), 0);
	close(fd);
	site_open(&site, CONF);
}

static int
open_all(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(root));
	snprintf(in, sizeof(in), "%s/in", root);
	assert_int_equal(mkdir(in, 0700), 0);
	site_open(&site, CONF);
	return 0;
}

static int
close_all(void **state)
{
	(void)state;
	site_close(&site);
	rmdir(in);
	return rmdir(root);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open_doors_hold_no_worker_fxf_02),
		cmocka_unit_test(test_a_message_of_several_steps),
		cmocka_unit_test(test_nothing_stays_of_half_a_message),
		cmocka_unit_test(test_the_end_of_the_server_under_a_message),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
