/*
 * test_net_stream.c - bytes in and out: memory, socketpair, split reads, slow and vanished peers.
 */
#include "tests/unit/test_net.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/net/stream.h"

/* An owner that answers each line with "<line>\n" and can be told to wait. */
struct echo {
	struct stream stream;
	struct loop *loop;
	int inputs, sent, end_calls;
	volatile int ended;
	enum stream_end end;
	bool wait_after_line, produce;
	size_t produced;
};

static void
echo_input(struct stream *s)
{
	struct echo *e = LIST_ITEM(s, struct echo, stream);

	e->inputs++;
	while (e->produce && !stream_is_full(s)) {
		char block[4096];

		memset(block, 'x', sizeof(block));
		stream_put(s, (struct span){ block, sizeof(block) });
		e->produced += sizeof(block);
	}
	for (;;) {
		struct span in = stream_peek(s);
		size_t end = span_find(in, '\n');

		if (end == in.len)
			return;
		stream_put(s, SPAN("<"));
		stream_put(s, span_range(in, 0, end));
		stream_put(s, SPAN(">\n"));
		stream_consume(s, end + 1);
		if (e->wait_after_line) {
			stream_pause(s);
			return;
		}
	}
}

static void
echo_end(struct stream *s, enum stream_end why)
{
	struct echo *e = LIST_ITEM(s, struct echo, stream);

	e->end = why;
	e->end_calls++;
	e->ended = 1;
}

static void
echo_sent(struct stream *s)
{
	LIST_ITEM(s, struct echo, stream)->sent++;
}

#define OUTPUT_PENDING ((size_t)256 * 1024)
#define STALLED_MS 300000

static const struct stream_limits limits = { .output_pending = OUTPUT_PENDING,
	.stalled_ms = STALLED_MS, .handshake_ms = 30000 };
static const struct stream_events events = {
	.on_input = echo_input, .on_end = echo_end, .on_sent = echo_sent,
};

static void
echo_open(struct echo *e, int *peer, bool fake)
{
	int pair[2];

	*e = (struct echo){ .inputs = 0 };
	assert_int_equal(fake ? loop_open_fake(&e->loop) : loop_open(&e->loop), OK);
	if (peer) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
					 pair),
			0);
		*peer = pair[1];
	}
	stream_init(&e->stream, e->loop, peer ? pair[0] : -1, &events, &limits);
	stream_start(&e->stream);
}

static void
echo_close(struct echo *e)
{
	stream_fini(&e->stream);
	loop_close(&e->loop);
}

static void
expect(struct echo *e, int peer, const char *want)
{
	char got[256];
	ssize_t n;

	loop_turn(e->loop, 50);
	n = read(peer, got, sizeof(got) - 1);
	if (n < 0)
		n = 0;
	got[n] = '\0';
	assert_string_equal(got, want);
}

static void
send_text(int peer, const char *text)
{
	assert_int_equal(write(peer, text, strlen(text)), strlen(text));
}

static void
test_stream_split_reads_h76(void **state)
{
	struct echo e;
	int peer;

	(void)state;
	echo_open(&e, &peer, false);
	send_text(peer, "ab");
	expect(&e, peer, "");
	send_text(peer, "c");
	expect(&e, peer, "");
	send_text(peer, "\nde\nf");
	expect(&e, peer, "<abc>\n<de>\n");
	assert_span(stream_peek(&e.stream), "f");
	send_text(peer, "\n");
	expect(&e, peer, "<f>\n");
	assert_null(e.stream.in.bytes); /* H34: idle, no buffer */
	assert_null(e.stream.out.bytes);
	close(peer);
	test_net_turn_until(e.loop, &e.ended);
	assert_int_equal(e.end, STREAM_EOF);
	assert_int_equal(e.end_calls, 1);
	echo_close(&e);
}

static void
test_stream_whole_and_by_bytes_in_memory(void **state)
{
	static const char text[] = "one\ntwo\n\nthree\n";

	(void)state;
	for (size_t piece = 1; piece <= sizeof(text) - 1; piece++) {
		struct echo e;
		struct span rest = SPAN(text);

		echo_open(&e, NULL, true);
		while (rest.len > 0) {
			size_t n = rest.len < piece ? rest.len : piece;

			stream_memory_feed(&e.stream, span_range(rest, 0, n));
			rest = span_from(rest, n);
		}
		loop_turn(e.loop, 0);
		assert_span(stream_memory_sent(&e.stream), "<one>\n<two>\n<>\n<three>\n");
		stream_memory_eof(&e.stream);
		assert_int_equal(e.end, STREAM_EOF);
		echo_close(&e);
	}
}

static void
test_stream_waits_and_resumes(void **state)
{
	struct echo e;
	int peer;

	(void)state;
	echo_open(&e, &peer, false);
	e.wait_after_line = true;
	send_text(peer, "a\nb\nc\n");
	expect(&e, peer, "<a>\n");
	send_text(peer, "d\n");
	expect(&e, peer, "");
	stream_resume(&e.stream);
	expect(&e, peer, "<b>\n");
	stream_resume(&e.stream);
	expect(&e, peer, "<c>\n");
	shutdown(peer, SHUT_WR);
	stream_resume(&e.stream);
	expect(&e, peer, "<d>\n"); /* came while it waited, before the peer's last byte */
	assert_int_equal(e.end_calls, 0);
	stream_resume(&e.stream);
	test_net_turn_until(e.loop, &e.ended);
	assert_int_equal(e.end, STREAM_EOF);
	close(peer);
	echo_close(&e);
}

static size_t
read_all(int peer)
{
	static char block[65536];
	size_t total = 0;
	ssize_t n;

	while ((n = read(peer, block, sizeof(block))) > 0)
		total += (size_t)n;
	return total;
}

static void
test_stream_slow_reader_stops_input_h35(void **state)
{
	struct echo e;
	size_t got = 0;
	int peer, inputs;

	(void)state;
	echo_open(&e, &peer, false);
	e.produce = true;
	send_text(peer, "go\n");
	loop_turn(e.loop, 50);
	assert_true(stream_is_full(&e.stream));
	assert_true(stream_unsent(&e.stream) <= OUTPUT_PENDING + 8192);
	inputs = e.inputs;
	send_text(peer, "more\n");
	for (int i = 0; i < 5; i++)
		loop_turn(e.loop, 0);
	assert_int_equal(e.inputs, inputs); /* not offered while full */
	e.produce = false;
	for (int i = 0; i < 200 && stream_unsent(&e.stream) > 0; i++) {
		got += read_all(peer);
		loop_turn(e.loop, 10);
	}
	got += read_all(peer);
	assert_true(e.inputs > inputs);
	assert_int_equal(got, e.produced + strlen("<go>\n<more>\n"));
	close(peer);
	echo_close(&e);
}

static void
test_stream_no_progress_closes_h35(void **state)
{
	struct echo e;
	int peer;

	(void)state;
	echo_open(&e, &peer, true);
	e.produce = true;
	send_text(peer, "go\n");
	loop_turn(e.loop, 50);
	loop_turn(e.loop, 0);
	assert_true(stream_is_full(&e.stream));
	loop_fake_advance(e.loop, STALLED_MS - 1000);
	assert_int_equal(e.end, STREAM_OPEN);
	loop_fake_advance(e.loop, 2000);
	assert_int_equal(e.end, STREAM_STUCK);
	close(peer);
	echo_close(&e);
}

static void
test_stream_peer_vanishes(void **state)
{
	struct echo e;
	struct linger hard = { 1, 0 };
	int peer;

	(void)state;
	echo_open(&e, &peer, false);
	e.produce = true;
	send_text(peer, "go\n");
	loop_turn(e.loop, 50);
	setsockopt(peer, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	close(peer);
	test_net_turn_until(e.loop, &e.ended);
	assert_int_equal(e.end, STREAM_RESET); /* and no SIGPIPE */
	echo_close(&e);
}

static void
test_stream_last_words_reach_a_peer_that_still_sends(void **state)
{
	struct echo e;
	char got[64] = "";
	int peer;

	(void)state;
	echo_open(&e, &peer, false);
	stream_put(&e.stream, SPAN("554 no\r\n"));
	stream_tell_sent(&e.stream);
	loop_turn(e.loop, 0);
	assert_int_equal(e.sent, 1);
	stream_shutdown(&e.stream);
	send_text(peer, "still talking\n");
	loop_turn(e.loop, 50);
	assert_int_equal(e.inputs, 0); /* dropped */
	assert_int_equal(read(peer, got, sizeof(got)), 8);
	assert_string_equal(got, "554 no\r\n");
	assert_int_equal(e.end_calls, 0);
	close(peer);
	test_net_turn_until(e.loop, &e.ended);
	echo_close(&e);
}

static void
test_stream_starttls_refuses_buffered_input_h03(void **state)
{
	struct echo e;

	(void)state;
	echo_open(&e, NULL, true);
	stream_memory_feed(&e.stream, SPAN("injected"));
	assert_int_equal(stream_start_tls(&e.stream, NULL, NULL), ERR_SYNTAX);
	assert_false(stream_is_secure(&e.stream));
	echo_close(&e);
}

static void
test_stream_takes_descriptors(void **state)
{
	struct echo e;
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int) * 6)] = { 0 };
	struct iovec part = { "x\n", 2 };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	int peer, fds[6], fd;

	(void)state;
	echo_open(&e, &peer, false);
	for (int i = 0; i < 6; i++)
		fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(c), fds, sizeof(fds));
	assert_int_equal(sendmsg(peer, &m, 0), 2);
	loop_turn(e.loop, 50);
	for (int i = 0; i < STREAM_FDS_MAX; i++) {
		fd = stream_take_fd(&e.stream);
		assert_true(fd >= 0);
		assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
		close(fd);
	}
	assert_int_equal(stream_take_fd(&e.stream), -1); /* more were closed at once */
	for (int i = 0; i < 6; i++)
		close(fds[i]);
	close(peer);
	echo_close(&e);
}

int
test_net_stream(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stream_split_reads_h76),
		cmocka_unit_test(test_stream_whole_and_by_bytes_in_memory),
		cmocka_unit_test(test_stream_waits_and_resumes),
		cmocka_unit_test(test_stream_slow_reader_stops_input_h35),
		cmocka_unit_test(test_stream_no_progress_closes_h35),
		cmocka_unit_test(test_stream_peer_vanishes),
		cmocka_unit_test(test_stream_last_words_reach_a_peer_that_still_sends),
		cmocka_unit_test(test_stream_starttls_refuses_buffered_input_h03),
		cmocka_unit_test(test_stream_takes_descriptors),
	};

	return cmocka_run_group_tests_name("stream", tests, NULL, NULL);
}
