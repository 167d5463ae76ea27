/*
 * test_net_session.c - when a session ends, and what may still touch it then (H77).
 */
#include "tests/unit/test_net.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conf/conf_load.h"
#include "server/generation.h"
#include "server/metrics.h"
#include "server/net/loop.h"
#include "server/services.h"

enum moment { AT_OPEN, AT_INPUT, AT_DONE, AT_DEADLINE, AT_EOF, AT_SHUTDOWN, MOMENTS };

struct small {
	struct session base;
	enum moment moment;
};

static enum moment moment;
static int closes, inputs;
static struct small *last;

static void
small_open(struct session *s)
{
	last = (struct small *)s;
	stream_put(&s->stream, SPAN("hello\n"));
	if (moment == AT_OPEN)
		session_close(s, CLOSE_REFUSED);
	if (moment == AT_DEADLINE)
		session_set_deadline(s, 1000, CLOSE_IDLE);
}

static void
small_input(struct session *s)
{
	struct span in = stream_peek(&s->stream);

	inputs++;
	if (in.len == 0)
		return;
	stream_consume(&s->stream, in.len);
	if (moment == AT_INPUT) {
		session_close(s, CLOSE_QUIT);
		session_close(s, CLOSE_TROUBLE); /* the first reason stays */
	} else {
		session_hold(s); /* a job */
		session_wait(s);
	}
}

static void
small_close(struct session *s)
{
	assert_true(session_is_closing(s));
	closes++;
}

static const struct session_class small_class = {
	.name = "small", .size = sizeof(struct small), .open = small_open, .input = small_input,
	.close = small_close, .timeout_text = { "late\n", 5 }, .shutdown_text = { "bye\n", 4 },
};
static const struct service small_service = { .name = "small", .class = &small_class };

static void
run_moment(struct host *host)
{
	struct peer peer = { .is_unix = true };

	closes = inputs = 0;
	session_open(host, &small_service, -1, &peer);
	if (moment != AT_OPEN) {
		loop_turn(host->loop, 0);
		assert_true(span_eq(stream_memory_sent(&last->base.stream), SPAN("hello\n")));
	}
	if (moment == AT_DEADLINE)
		loop_fake_advance(host->loop, 1100);
	else if (moment == AT_EOF)
		stream_memory_eof(&last->base.stream);
	else if (moment != AT_OPEN)
		stream_memory_feed(&last->base.stream, SPAN("x"));
	if (moment == AT_SHUTDOWN || moment == AT_DONE) {
		assert_true(last->base.waits);
		session_close_all(host, NULL, CLOSE_SHUTDOWN);
		loop_turn(host->loop, 0);
		assert_int_equal(closes, 0); /* what is under way is answered first */
		if (moment == AT_DONE)
			session_close(&last->base, CLOSE_BROKEN);
		loop_turn(host->loop, 0);
		assert_int_equal(host->session_count, moment == AT_DONE ? 0 : 1);
		assert_false(list_is_empty(&host->sessions)); /* held: the memory is there */
		session_resume(&last->base);		      /* the job's done */
		session_release(&last->base);
	}
	loop_turn(host->loop, 0);
	loop_turn(host->loop, 0);
}

static struct generation *
generation_of(const char *text)
{
	struct conf_faults faults;
	struct conf *conf = NULL;

	conf_faults_init(&faults);
	assert_int_equal(conf_load(span_of(text), &conf, &faults), OK);
	conf_faults_fini(&faults);
	return generation_new(conf);
}

static void
host_open(struct host *host, struct metrics *metrics)
{
	*host = (struct host){ .metrics = metrics };
	host->generation = generation_of("hostname: mail.example.test\n");
	host->conf = generation_conf(host->generation);
	list_init(&host->sessions);
	chunk_pool_init(&host->pool, 4);
	assert_int_equal(loop_open_fake(&host->loop), OK);
	assert_int_equal(shared_open(&host->shared), OK);
}

static void
host_close(struct host *host)
{
	shared_close(&host->shared);
	loop_close(&host->loop);
	chunk_pool_fini(&host->pool);
	generation_release(&host->generation);
}

static void
test_session_closed_at_every_moment_is_freed_once_h77(void **state)
{
	struct metrics metrics = { .accepted = 0 };
	struct host host;

	(void)state;
	host_open(&host, &metrics);
	for (moment = AT_OPEN; moment < MOMENTS; moment++) {
		run_moment(&host);
		if (closes != 1 || !list_is_empty(&host.sessions) || host.session_count != 0 ||
			shared_session_count(host.shared) != 0)
			fail_msg("moment %d: closes %d", (int)moment, closes);
	}
	assert_int_equal(metrics.sessions, 0);
	host_close(&host);
}

/* A login that is delayed for a minute does not hold up a stop; a commit does. */
static void
test_session_that_waits_for_a_login_ends_at_once(void **state)
{
	struct metrics metrics = { .accepted = 0 };
	struct peer peer = { .is_unix = true };
	struct host host;

	(void)state;
	host_open(&host, &metrics);
	moment = AT_SHUTDOWN;
	closes = 0;
	session_open(&host, &small_service, -1, &peer);
	stream_memory_feed(&last->base.stream, SPAN("x"));
	session_wait_is_idle(&last->base);
	session_close_all(&host, NULL, CLOSE_SHUTDOWN);
	assert_true(session_is_closing(&last->base));
	loop_turn(host.loop, 0);
	assert_int_equal(closes, 1);
	assert_int_equal(host.session_count, 0);
	session_release(&last->base);
	loop_turn(host.loop, 0);
	assert_true(list_is_empty(&host.sessions));
	host_close(&host);
}

static void
test_session_takes_limits_of_a_new_generation_h35(void **state)
{
	struct metrics metrics = { .accepted = 0 };
	struct peer peer = { .is_unix = true };
	struct host host;

	(void)state;
	host_open(&host, &metrics);
	moment = AT_EOF;
	session_open(&host, &small_service, -1, &peer);
	assert_int_equal(last->base.stream.limits.output_pending, 256 * 1024);
	assert_int_equal(last->base.stream.limits.stalled_ms, 300000);
	assert_int_equal(last->base.stream.limits.handshake_ms, 30000);
	generation_release(&host.generation);
	host.generation = generation_of("limits: { output_pending: 16KB }\n"
					"timeouts: { stalled: 7s, handshake: 3s }\n");
	host.conf = generation_conf(host.generation);
	assert_true(session_take_conf(&last->base));
	assert_int_equal(last->base.stream.limits.output_pending, 16 * 1024);
	assert_int_equal(last->base.stream.limits.stalled_ms, 7000);
	assert_int_equal(last->base.stream.limits.handshake_ms, 3000);
	stream_memory_eof(&last->base.stream);
	loop_turn(host.loop, 0);
	loop_turn(host.loop, 0);
	assert_true(list_is_empty(&host.sessions));
	host_close(&host);
}

/* STARTTLS makes a session forget who it was (H3); a second login is not one less before login. */
static void
test_session_counts_its_login_once_h32(void **state)
{
	static const struct service login_first = { .name = "small", .class = &small_class,
		.login_first = true };
	const struct connection_limits limits = { 10, 10, 2, 10 };
	struct metrics metrics = { .accepted = 0 };
	struct peer peer = { .is_ipv4 = true, .ip = { [10] = 0xff, 0xff, 192, 0, 2, 1 } };
	struct host host;
	int pair[2];

	(void)state;
	host_open(&host, &metrics);
	moment = AT_INPUT;
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
	for (int i = 0; i < 2; i++) /* another one, not logged in, and ours */
		assert_int_equal(
			shared_connection_begin(host.shared, &login_first, &peer, &limits), OK);
	host.session_count++;
	session_open(&host, &login_first, pair[0], &peer);
	session_set_user(&last->base, 7, SPAN("anna"));
	session_set_user(&last->base, 0, SPAN_NONE);
	session_set_user(&last->base, 7, SPAN("anna"));
	assert_int_equal(shared_connection_begin(host.shared, &login_first, &peer, &limits), OK);
	assert_int_equal(shared_connection_begin(host.shared, &login_first, &peer, &limits),
		ERR_LIMIT); /* two are before login */
	session_set_user(&last->base, 0, SPAN_NONE);
	session_close(&last->base, CLOSE_QUIT);
	loop_turn(host.loop, 0);
	loop_turn(host.loop, 0);
	assert_true(list_is_empty(&host.sessions));
	assert_int_equal(shared_connection_begin(host.shared, &login_first, &peer, &limits),
		ERR_LIMIT); /* still two */
	for (int i = 0; i < 2; i++)
		shared_connection_end(host.shared, &login_first, &peer, false);
	close(pair[1]);
	host_close(&host);
}

int
test_net_session(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_session_closed_at_every_moment_is_freed_once_h77),
		cmocka_unit_test(test_session_that_waits_for_a_login_ends_at_once),
		cmocka_unit_test(test_session_takes_limits_of_a_new_generation_h35),
		cmocka_unit_test(test_session_counts_its_login_once_h32),
	};

	return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
