/*
 * test_session.c - SMTP and POP3 sessions that end while something of theirs is out (H77).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#include "server/services.h"
#include "store/traces.h"
#include "tests/harness/site.h"

#define CONF                                                                                       \
	"hostname: mail.example.org\n"                                                             \
	"domains: { default: example.org, local: [example.org] }\n"                                \
	"auth: { hash_memory: 8MB, hash_passes: 1 }\n"                                             \
	"services: { smtp: { listen: [\"127.0.0.1:25\"] }, pop3: { listen: [\"127.0.0.1:110\"] } }\n"
#define TURNS_MAX 6000 /* x 10 ms of real time */

static struct session *
open_session(struct site *site, const char *service)
{
	const struct peer peer = { .is_ipv4 = true, .ip = { [10] = 0xff, 0xff, 127, 0, 0, 1 },
		.text = "127.0.0.1" };
	struct session *s = session_open(&site->host, service_find(span_of(service)), -1, &peer);

	loop_turn(site->host.loop, 0);
	return s;
}

static void
say(struct session *s, const char *text)
{
	stream_memory_feed(&s->stream, span_of(text));
}

/* Turns until the last answer of S begins with START. */
static void
expect(struct site *site, struct session *s, const char *start)
{
	for (int i = 0; i < TURNS_MAX; i++) {
		struct span sent = stream_memory_sent(&s->stream);
		size_t end = sent.len > 2 ? span_find_last(span_range(sent, 0, sent.len - 2), '\n') : 0;

		if (end + 2 < sent.len)
			sent = span_from(sent, end + 1);
		if (span_starts(sent, span_of(start)))
			return;
		loop_turn(site->host.loop, 10);
	}
	fail_msg("no %s", start);
}

static void
log_in(struct site *site, struct session *s)
{
	expect(site, s, "+OK");
	say(s, "USER anna\r\nPASS secret\r\n");
}

/* The login is over in the very turn in which the session closes: nobody may cancel it afterwards. */
static void
test_session_closes_as_its_login_ends_h77(void **state)
{
	struct site site;
	struct session *s;

	(void)state;
	site_open(&site, CONF);
	site_add_user(&site, "anna", "secret");
	s = open_session(&site, "pop3");
	log_in(&site, s);
	expect(&site, s, "+OK 0 messages"); /* from now on it is remembered, and needs no worker */
	say(s, "QUIT\r\n");
	while (!list_is_empty(&site.host.sessions))
		loop_turn(site.host.loop, 10);
	for (int i = 0; i < 3; i++) {
		s = open_session(&site, "pop3");
		log_in(&site, s);
		session_close(s, CLOSE_BROKEN);
		loop_turn(site.host.loop, 0);
		loop_turn(site.host.loop, 0);
		assert_true(list_is_empty(&site.host.sessions));
	}
	assert_int_equal(shared_pop3_lock(site.host.shared, 1), OK); /* none kept the mailbox */
	site_close(&site);
}

static void
test_session_of_a_cancelled_login_counts_the_guess_h57(void **state)
{
	struct site site;
	struct session *s;
	struct peer peer;

	(void)state;
	site_open(&site, CONF);
	site_add_user(&site, "anna", "secret");
	s = open_session(&site, "pop3");
	peer = s->peer;
	expect(&site, s, "+OK");
	say(s, "USER anna\r\nPASS guess\r\n");
	loop_turn(site.host.loop, 0); /* the hash is at a worker now */
	session_close(s, CLOSE_BROKEN);
	for (int i = 0; i < TURNS_MAX && !list_is_empty(&site.host.sessions); i++)
		loop_turn(site.host.loop, 10);
	for (int i = 0; i < 10; i++)
		loop_turn(site.host.loop, 10);
	assert_true(shared_login_delay_ms(site.host.shared, &peer, SPAN("anna"),
			    loop_now_ms(site.host.loop)) > 0);
	site_close(&site);
}

/* ---- a commit that is out ---- */

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static enum step
wait_at_gate(struct store_job *job, struct txn *txn)
{
	(void)job;
	(void)txn;
	pthread_mutex_lock(&gate);
	pthread_mutex_unlock(&gate);
	return STEP_DONE;
}

static volatile int passed;

static void
on_passed(struct store_job *job, enum err result)
{
	(void)job;
	assert_int_equal(result, OK);
	passed = 1;
}

static void
read_session(struct site *site, char name[SESSION_NAME_SIZE])
{
	struct trace_query query = { .before_no = 0 };
	struct snapshot *snap;
	struct trace t;

	assert_int_equal(snapshot_open(site->host.store, &snap), OK);
	assert_int_equal(trace_search(snap, &query, &t), OK);
	snprintf(name, SESSION_NAME_SIZE, "%.*s", SPAN_FMT(t.session));
	snapshot_close(&snap);
}

/* The writer works on when the session has long been freed; what it writes is not the session's. */
static void
test_session_is_gone_before_its_message_is_written_h77(void **state)
{
	static const char *const lines[][2] = {
		{ "", "220" },
		{ "EHLO client.test\r\n", "250 " },
		{ "MAIL FROM:<bo@example.net>\r\n", "250 2.1.0" },
		{ "RCPT TO:<anna@example.org>\r\n", "250 2.1.5" },
		{ "DATA\r\n", "354" },
	};
	struct store_job job = { .apply = wait_at_gate, .done = on_passed };
	char name[SESSION_NAME_SIZE] = "", want[SESSION_NAME_SIZE];
	struct site site;
	struct session *s;
	size_t size;
	char *over;

	(void)state;
	site_open(&site, CONF);
	site_add_user(&site, "anna", NULL);
	s = open_session(&site, "smtp");
	memcpy(want, s->name, sizeof(want));
	size = s->class->size;
	for (size_t i = 0; i < COUNT(lines); i++) {
		say(s, lines[i][0]);
		expect(&site, s, lines[i][1]);
	}
	pthread_mutex_lock(&gate);
	job.inbox = site.host.inbox;
	assert_int_equal(store_submit(site.host.store, &job), OK);
	say(s, "Subject: hi\r\n\r\nhello\r\n.\r\n");
	loop_turn(site.host.loop, 0);
	assert_true(s->waits);
	session_close(s, CLOSE_BROKEN);
	loop_turn(site.host.loop, 0);
	loop_turn(site.host.loop, 0);
	assert_true(list_is_empty(&site.host.sessions));
	assert_true(site.metrics.memory_in_flight > 0);
	over = malloc(size); /* most likely where it was */
	memset(over, 'X', size);
	pthread_mutex_unlock(&gate);
	for (int i = 0; i < TURNS_MAX && site_folder_count(&site, "anna", "INBOX") == 0; i++)
		loop_turn(site.host.loop, 10);
	assert_int_equal(passed, 1);
	for (int i = 0; i < TURNS_MAX && site.metrics.memory_in_flight > 0; i++)
		loop_turn(site.host.loop, 10);
	assert_int_equal(site.metrics.memory_in_flight, 0);
	read_session(&site, name);
	assert_string_equal(name, want);
	free(over);
	site_close(&site);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_session_closes_as_its_login_ends_h77),
		cmocka_unit_test(test_session_of_a_cancelled_login_counts_the_guess_h57),
		cmocka_unit_test(test_session_is_gone_before_its_message_is_written_h77),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
