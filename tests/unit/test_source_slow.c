/*
 * test_source_slow.c - a POP3 server that is slow: a line of 64 kbit/s brings a large message, one that drips is given up
 * (H20). Its bytes come over a real socket, time passes as the test says.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/collect/source_net.h"
#include "tests/harness/site.h"

#define TURNS 20000
#define LARGE (50u << 20)
#define ISDN_BYTES 8000 /* a second */
#define LINE "a line of a large message, which is as long as this one is..\r\n"

static struct site site;
static int listener, peer;
static struct source *source;

/* What the holder has heard. */
static bool ready, listed, answered, over, refuses;
static struct source_problem problem;
static uint64_t came, sent; /* of the text */
static unsigned refusals;

/* ---- the holder ---- */

static void
on_ready(struct source *s, const struct source_offer *offer)
{
	(void)offer;
	ready = true;
	source_list(s);
}

static void
on_item(struct source *s, const struct source_item *item)
{
	(void)s;
	(void)item;
}

static void
on_listed(struct source *s, bool has_unique)
{
	(void)s;
	(void)has_unique;
	listed = true;
}

static bool
on_text(struct source *s, uint32_t number, struct span text)
{
	(void)s;
	(void)number;
	came += refuses ? 0 : text.len;
	refusals += refuses;
	return !refuses;
}

static void
on_answered(struct source *s, uint32_t number, enum source_order order, enum source_result result, struct span answer)
{
	(void)s;
	(void)number;
	(void)order;
	(void)answer;
	assert_int_equal(result, SOURCE_DONE);
	answered = true;
}

static void
on_news(struct source *s)
{
	(void)s;
}

static void
on_over(struct source *s, const struct source_problem *p)
{
	(void)s;
	problem = *p;
	over = true;
}

static const struct source_events events = { on_ready, on_item, on_listed, on_text, on_answered, on_news, on_over };

/* ---- the server ---- */

static void
say(struct span text)
{
	while (text.len > 0) {
		ssize_t n = send(peer, text.ptr, text.len, MSG_NOSIGNAL);

		assert_true(n > 0 || errno == EAGAIN);
		text = span_from(text, n > 0 ? (size_t)n : 0);
		site_turn(&site, n > 0 ? 0 : 5);
	}
}

static const char *
answer_of(const char *command)
{
	static const struct {
		const char *command, *answer;
	} answers[] = { { "USER", "+OK\r\n" }, { "PASS", "+OK\r\n" }, { "STAT", "+OK 1 100\r\n" },
		{ "LIST", "+OK\r\n1 100\r\n.\r\n" }, { "UIDL", "+OK\r\n1 a\r\n.\r\n" }, { "RETR", "+OK\r\n" } };

	for (size_t i = 0; i < COUNT(answers); i++)
		if (strncmp(command, answers[i].command, 4) == 0)
			return answers[i].answer;
	return "-ERR\r\n";
}

/* Commands are answered until LAST was. */
static void
serve(const char *last)
{
	char in[2000] = "", *line, *end;
	size_t len = 0;

	for (int i = 0; i < TURNS; i++) {
		ssize_t n = recv(peer, in + len, sizeof(in) - 1 - len, 0);

		len += n > 0 ? (size_t)n : 0;
		in[len] = '\0';
		for (line = in; (end = strstr(line, "\r\n")); line = end + 2) {
			say(span_of(answer_of(line)));
			if (strncmp(line, last, 4) == 0)
				return;
		}
		memmove(in, line, len -= (size_t)(line - in));
		site_turn(&site, 5);
	}
	fail_msg("%s was not asked", last);
}

/* Until the message is on its way. */
static void
begin_message(void)
{
	for (int i = 0; i < TURNS && (peer = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) < 0; i++)
		site_turn(&site, 5);
	assert_true(peer >= 0);
	say(SPAN("+OK hello\r\n"));
	serve("UIDL");
	for (int i = 0; i < TURNS && !listed; i++)
		site_turn(&site, 5);
	assert_true(ready && listed);
	source_order(source, SOURCE_FETCH, 1);
	serve("RETR");
}

/* BYTES of the message, in whole lines. */
static void
send_lines(size_t bytes)
{
	static char text[64 * 1024];
	size_t room = sizeof(text) / strlen(LINE) * strlen(LINE);

	bytes = bytes / strlen(LINE) * strlen(LINE);
	for (size_t at = 0; at < room; at += strlen(LINE))
		memcpy(text + at, LINE, strlen(LINE));
	for (size_t take = 0; bytes > 0; bytes -= take) {
		take = bytes < room ? bytes : room;
		say((struct span){ text, take });
		sent += take;
	}
}

static void
turn_until_taken(void)
{
	for (int i = 0; i < TURNS && came < sent && !over; i++)
		site_turn(&site, 5);
	assert_true(came == sent || over);
}

static void
bring(size_t bytes)
{
	send_lines(bytes);
	turn_until_taken();
}

/* The same, while nobody takes it. */
static void
bring_in_vain(size_t bytes)
{
	unsigned before = refusals;

	refuses = true;
	send_lines(bytes);
	for (int i = 0; i < TURNS && refusals == before; i++)
		site_turn(&site, 5);
	assert_true(refusals > before);
}

static void
take_again(void)
{
	refuses = false;
	source_resume(source);
	turn_until_taken();
}

static void
pass(int64_t seconds)
{
	loop_fake_advance(site.host.loop, seconds * 1000);
	site_turn(&site, 0);
}

static int
begin(void **state)
{
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(name);
	char conf[400];

	(void)state;
	listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&name, size), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&name, &size), 0);
	snprintf(conf, sizeof(conf), "hostname: mail.example.org\ncollecting: { collectors: [ { name: isp, kind: pop3, "
		"server: 127.0.0.1, port: %u, tls: none, username: box, password: secret-word } ] }\n", ntohs(name.sin_port));
	site_open(&site, conf);
	ready = listed = answered = over = refuses = false;
	came = sent = 0;
	source = source_new(&site.host, site.host.generation, conf_collector(site.host.conf, SPAN("isp")), &events, NULL);
	source_start(source);
	begin_message();
	return 0;
}

static int
end(void **state)
{
	(void)state;
	source_free(&source);
	for (int i = 0; i < 20; i++)
		site_turn(&site, 0);
	site_close(&site);
	close(peer);
	close(listener);
	return 0;
}

static void
turn_until_over(void)
{
	for (int i = 0; i < TURNS && !over; i++)
		site_turn(&site, 5);
	assert_true(over);
}

/* ---- tests ---- */

/* 50 MB over 64 kbit/s: nearly two hours. */
static void
test_an_honest_slow_line_h20(void **state)
{
	(void)state;
	while (came < LARGE) {
		bring(10 * ISDN_BYTES);
		pass(10);
		assert_false(over);
	}
	say(SPAN(".\r\n"));
	for (int i = 0; i < TURNS && !answered; i++)
		site_turn(&site, 5);
	assert_true(answered);
}

/* 30 collections at once on that line are no reason to give one of them up. */
static void
test_a_part_of_a_slow_line_h20(void **state)
{
	(void)state;
	for (int i = 0; i < 500; i++) {
		bring(60 * (ISDN_BYTES / 30));
		pass(60);
		assert_false(over);
	}
}

static void
expect_given_up(int64_t after_s)
{
	turn_until_over();
	assert_int_equal(problem.fault, SOURCE_LOST);
	assert_non_null(strstr(problem.why, "too slow"));
	assert_true(after_s >= SOURCE_RATE_MS / 1000 && after_s <= 2 * SOURCE_RATE_MS / 1000);
}

/* A little more than a `timeout` wants, and days for one message. */
static void
test_a_server_that_drips_h20(void **state)
{
	int64_t after_s = 0;

	(void)state;
	for (; !over && after_s < 100000; after_s += 100) {
		bring(SOURCE_PROGRESS_BYTES / 2);
		pass(100);
	}
	expect_given_up(after_s);
}

/* What is our doing is not the server's: nobody takes the text for a day. */
static void
test_time_stands_while_nobody_takes_it_h20(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++) {
		bring_in_vain(10000);
		pass(86400);
		assert_false(over);
		take_again();
		bring(10 * ISDN_BYTES);
		pass(10);
		assert_false(over);
	}
}

/* And who drips is not saved by it. */
static void
test_a_drip_that_is_not_taken_at_once_h20(void **state)
{
	int64_t after_s = 0;

	(void)state;
	for (; !over && after_s < 100000; after_s += 100) {
		bring_in_vain(SOURCE_PROGRESS_BYTES / 2);
		take_again();
		pass(100);
	}
	expect_given_up(after_s);
}

/* Nothing at all is not waited for so long. */
static void
test_a_server_that_says_nothing_h20(void **state)
{
	(void)state;
	pass(301);
	turn_until_over();
	assert_int_equal(problem.fault, SOURCE_LOST);
	assert_non_null(strstr(problem.why, "no answer in time"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_an_honest_slow_line_h20, begin, end),
		cmocka_unit_test_setup_teardown(test_a_part_of_a_slow_line_h20, begin, end),
		cmocka_unit_test_setup_teardown(test_a_server_that_drips_h20, begin, end),
		cmocka_unit_test_setup_teardown(test_time_stands_while_nobody_takes_it_h20, begin, end),
		cmocka_unit_test_setup_teardown(test_a_drip_that_is_not_taken_at_once_h20, begin, end),
		cmocka_unit_test_setup_teardown(test_a_server_that_says_nothing_h20, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
