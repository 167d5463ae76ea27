/*
 * test_net_tls_client.c - our TLS client calls our TLS server: who is believed, and why not.
 */
#include "tests/unit/test_net.h"

#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "server/net/stream.h"
#include "server/net/tls.h"
#include "server/net/work.h"
#include "tests/harness/page_edge.h"

struct end {
	struct stream stream;
	bool secure, over;
	enum stream_end why;
};

static void
on_input(struct stream *s)
{
	(void)s;
}

static void
on_secure(struct stream *s)
{
	LIST_ITEM(s, struct end, stream)->secure = true;
}

static void
on_end(struct stream *s, enum stream_end why)
{
	struct end *end = LIST_ITEM(s, struct end, stream);

	end->why = why;
	end->over = true;
}

static const struct stream_events events = { .on_input = on_input, .on_secure = on_secure,
	.on_end = on_end, .on_sent = stream_shutdown, .on_returned = on_input };
static const struct stream_limits limits = { .output_pending = 65536, .stalled_ms = 30000,
	.handshake_ms = 30000 };

struct pair {
	struct loop *loop;
	struct workers *workers;
	struct end server, client;
};

static void
turn_until_settled(struct pair *p)
{
	for (int i = 0; i < 1000; i++) {
		loop_turn(p->loop, 10);
		if ((p->client.over || (p->client.secure && p->server.secure)) &&
			!stream_is_lent(&p->client.stream) && !stream_is_lent(&p->server.stream))
			return;
	}
	fail_msg("no handshake");
}

struct row {
	const char *certificate_for, *called;
	int64_t made_s; /* 0: now */
	bool verify, vouched, good;
	const char *distrust;
};

static void
check(size_t i, const struct row *row)
{
	struct pair p = { .loop = NULL };
	struct tls_server *server = NULL;
	struct tls_client *client;
	struct buf cert, key;
	const char *why = "";
	char text[200];
	size_t roots;
	int fds[2];

	buf_init(&cert, 8192);
	buf_init(&key, 8192);
	assert_int_equal(tls_self_signed(span_of(row->certificate_for),
		row->made_s ? row->made_s : (int64_t)time(NULL) - 3600, &cert, &key), OK);
	assert_int_equal(tls_server_open(buf_span(&cert), buf_span(&key), &server, &why), OK);
	client = tls_client_open(row->vouched ? buf_span(&cert) : SPAN(""), &roots);
	check_row(i, roots == row->vouched);
	assert_int_equal(loop_open(&p.loop), OK);
	assert_int_equal(workers_open(2, &p.workers), OK);
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
	stream_init(&p.server.stream, p.loop, fds[0], &events, &limits);
	stream_init(&p.client.stream, p.loop, fds[1], &events, &limits);
	assert_int_equal(stream_start_tls(&p.server.stream, server, p.workers), OK);
	assert_int_equal(stream_connect_tls(&p.client.stream, client, span_of(row->called),
		row->verify, p.workers), OK);
	stream_start(&p.server.stream);
	stream_start(&p.client.stream);
	turn_until_settled(&p);
	check_row(i, p.client.secure == row->good);
	check_row(i, row->good || p.client.why == STREAM_TLS_FAILED);
	stream_tls_distrust(&p.client.stream, text, sizeof(text));
	if (strcmp(text, row->distrust) != 0)
		fail_msg("row %zu: %s", i, text);
	stream_fini(&p.client.stream);
	stream_fini(&p.server.stream);
	tls_client_release(&client);
	tls_server_release(&server);
	workers_close(&p.workers);
	loop_close(&p.loop);
	buf_fini(&cert);
	buf_wipe(&key);
}

static void
h68_a_client_believes_the_right_server_only(void **state)
{
	static const struct row rows[] = {
		{ "mx.test", "mx.test", 0, true, true, true, "" },
		{ "mx.test", "MX.test", 0, true, true, true, "" },
		{ "mx.test", "other.test", 0, true, true, false,
			"the certificate is for another name" },
		{ "mx.test", "other.test", 0, false, true, true,
			"the certificate is for another name" },
		{ "mx.test", "mx.test", 0, true, false, false,
			"nobody we know vouches for the certificate" },
		{ "mx.test", "mx.test", 0, false, false, true,
			"nobody we know vouches for the certificate" },
		{ "mx.test", "mx.test", 1000000000, true, true, false, "the certificate has expired" },
		{ "mx.test", "127.0.0.1", 0, true, true, false,
			"a server named by its address cannot be verified" },
		{ "mx.test", "127.0.0.1", 0, false, true, true,
			"a server named by its address cannot be verified" },
		{ "mx.test", "", 0, false, true, false, "no certificate was seen" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		check(i, &rows[i]);
}

int
test_net_tls_client(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(h68_a_client_believes_the_right_server_only),
	};

	return cmocka_run_group_tests_name("tls_client", tests, NULL, NULL);
}
