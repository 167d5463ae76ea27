/*
 * test_net_tls.c - TLS inside a stream, spoken to by openssl s_client over a socketpair of pipes.
 */
#include "tests/unit/test_net.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/net/listener.h"
#include "server/net/stream.h"
#include "server/net/tls.h"
#include "server/net/work.h"

#define NOW_S 1767225600 /* 2026-01-01 */

struct place {
	struct loop *loop;
	struct workers *workers;
	struct tls_server *tls;
	struct listener listener;
	struct stream stream;
	bool open, greet_plain;
	int secure_calls, lines;
	volatile int ended;
	enum stream_end end;
};

static void
on_input(struct stream *s)
{
	struct place *p = LIST_ITEM(s, struct place, stream);

	for (;;) {
		struct span in = stream_peek(s);
		size_t end = span_find(in, '\n');

		if (end == in.len)
			return;
		p->lines++;
		if (span_starts(in, SPAN("QUIT"))) {
			stream_put(s, SPAN("BYE\n"));
			stream_tell_sent(s);
		} else {
			stream_put(s, SPAN("<"));
			stream_put(s, span_trim(span_range(in, 0, end)));
			stream_put(s, SPAN(">\n"));
		}
		stream_consume(s, end + 1);
	}
}

static void
on_secure(struct stream *s)
{
	LIST_ITEM(s, struct place, stream)->secure_calls++;
	stream_put(s, SPAN("HELLO\n"));
}

static void
on_end(struct stream *s, enum stream_end why)
{
	struct place *p = LIST_ITEM(s, struct place, stream);

	p->end = why;
	p->ended = !stream_is_lent(s);
}

static void
on_returned(struct stream *s)
{
	LIST_ITEM(s, struct place, stream)->ended = 1;
}

static const struct stream_events events = {
	.on_input = on_input, .on_secure = on_secure, .on_end = on_end,
	.on_sent = stream_shutdown, .on_returned = on_returned,
};

static struct tls_server *
make_server(struct span name)
{
	struct tls_server *tls = NULL;
	struct buf cert, key;
	const char *why = "";

	buf_init(&cert, 8192);
	buf_init(&key, 8192);
	assert_int_equal(tls_self_signed(name, NOW_S, &cert, &key), OK);
	assert_int_equal(tls_server_open(buf_span(&cert), buf_span(&key), &tls, &why), OK);
	assert_in_range(tls_server_expires(tls), NOW_S + 9 * 31536000LL, NOW_S + 11 * 31536000LL);
	buf_fini(&cert);
	buf_wipe(&key);
	return tls;
}

static const struct stream_limits limits = { .output_pending = 256 * 1024,
	.stalled_ms = 300000, .handshake_ms = 30000 };

static void
on_accept(struct listener *l, int fd, const struct peer *peer)
{
	struct place *p = LIST_ITEM(l, struct place, listener);

	(void)peer;
	stream_init(&p->stream, p->loop, fd, &events, &limits);
	assert_int_equal(stream_start_tls(&p->stream, p->tls, p->workers), OK);
	stream_start(&p->stream);
	p->open = true;
}

static void
place_open(struct place *p, char port[16])
{
	struct sockaddr_storage a;
	socklen_t size = sizeof(a);
	struct peer where;
	int fd;

	*p = (struct place){ .open = false };
	assert_int_equal(loop_open(&p->loop), OK);
	assert_int_equal(workers_open(2, &p->workers), OK);
	p->tls = make_server(SPAN("mail.example.test"));
	assert_int_equal(listen_address_parse(SPAN("127.0.0.1:0"), &p->listener.address), OK);
	assert_int_equal(listen_address_bind(&p->listener.address, &fd), OK);
	listener_init(&p->listener, p->loop, fd);
	p->listener.on_accept = on_accept;
	listener_start(&p->listener);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &size), 0);
	peer_from_sockaddr(&where, &a);
	snprintf(port, 16, "%u", where.port);
}

static void
place_close(struct place *p)
{
	if (p->open)
		stream_fini(&p->stream);
	listener_stop(&p->listener);
	workers_close(&p->workers);
	tls_server_release(&p->tls);
	loop_close(&p->loop);
}

/* Run `openssl s_client ARGS` with INPUT; what it printed into OUT. */
static void
client(struct place *p, const char *port, const char *args, const char *input, char *out, size_t size)
{
	char command[512];
	size_t got = 0;
	ssize_t n;
	FILE *pipe;
	int fd;

	snprintf(command, sizeof(command),
		"(printf '%s'; sleep 0.4) | timeout 60 openssl s_client -connect 127.0.0.1:%s %s 2>&1",
		input, port, args);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	fd = fileno(pipe);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	for (int turn = 0; turn < 6000; turn++) {
		loop_turn(p->loop, 10);
		n = read(fd, out + got, size - 1 - got);
		if (n == 0)
			break;
		if (n > 0)
			got += (size_t)n;
	}
	out[got] = '\0';
	pclose(pipe);
	for (int turn = 0; turn < 100 && p->open && !p->ended; turn++)
		loop_turn(p->loop, 10);
}

static void
test_tls_two_commands_in_one_record_h62(void **state)
{
	struct place p;
	static char out[16384];
	char port[16];

	(void)state;
	place_open(&p, port);
	client(&p, port, "-quiet", "one\\ntwo\\nQUIT\\n", out, sizeof(out));
	assert_non_null(strstr(out, "HELLO\n<one>\n<two>\nBYE\n"));
	assert_int_equal(p.lines, 3);
	assert_int_equal(p.secure_calls, 1);
	assert_string_equal(stream_tls_version(&p.stream), "TLSv1.2");
	place_close(&p);
}

static void
test_tls_prefers_x25519_and_chacha20_h68(void **state)
{
	struct place p;
	static char out[16384];
	char port[16];

	(void)state;
	place_open(&p, port);
	client(&p, port, "", "QUIT\\n", out, sizeof(out));
	assert_non_null(strstr(out, "X25519"));
	assert_non_null(strstr(out, "ECDHE-ECDSA-CHACHA20-POLY1305"));
	assert_non_null(strstr(out, "CN = mail.example.test"));
	assert_non_null(strstr(out, "TLS session ticket"));
	place_close(&p);
}

static void
test_tls_refuses_old_and_weak_h68(void **state)
{
	static const char *const rows[] = {
		"-tls1 -cipher ALL:@SECLEVEL=0",
		"-tls1_1 -cipher ALL:@SECLEVEL=0",
		"-tls1_2 -cipher ECDHE-ECDSA-AES128-SHA256:@SECLEVEL=0",
		"-tls1_2 -cipher AES128-GCM-SHA256:@SECLEVEL=0",
		"-tls1_2 -curves P-384",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct place p;
		static char out[16384];
		char port[16];

		place_open(&p, port);
		client(&p, port, rows[i], "QUIT\\n", out, sizeof(out));
		if (p.secure_calls != 0 || p.lines != 0 || !p.ended)
			fail_msg("row %zu: %s", i, rows[i]);
		assert_int_equal(p.end, STREAM_TLS_FAILED);
		place_close(&p);
	}
}

static void
test_tls_renegotiation_refused_h68(void **state)
{
	struct place p;
	static char out[16384];
	char port[16];

	(void)state;
	place_open(&p, port);
	client(&p, port, "-tls1_2", "R\\nafter\\n", out, sizeof(out));
	assert_null(strstr(out, "<after>")); /* openssl gives up when it is refused */
	assert_int_equal(p.secure_calls, 1);
	place_close(&p);
}

static void
test_tls_not_tls_at_all(void **state)
{
	struct place p;
	char port[16];
	struct sockaddr_storage a;
	socklen_t size = sizeof(a);
	int fd;

	(void)state;
	place_open(&p, port);
	assert_int_equal(getsockname(p.listener.io.fd, (struct sockaddr *)&a, &size), 0);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, size), 0);
	assert_int_equal(write(fd, "EHLO me\r\n", 9), 9);
	test_net_turn_until(p.loop, &p.ended);
	assert_int_equal(p.end, STREAM_TLS_FAILED);
	close(fd);
	place_close(&p);
}

static void
test_tls_certificate_and_key_rows(void **state)
{
	struct buf cert_a, key_a, cert_b, key_b;
	struct tls_server *tls = NULL;
	const char *why = NULL;

	(void)state;
	buf_init(&cert_a, 8192);
	buf_init(&key_a, 8192);
	buf_init(&cert_b, 8192);
	buf_init(&key_b, 8192);
	assert_int_equal(tls_self_signed(SPAN("a.test"), NOW_S, &cert_a, &key_a), OK);
	assert_int_equal(tls_self_signed(SPAN("b.test"), NOW_S, &cert_b, &key_b), OK);
	assert_int_equal(tls_self_signed(SPAN("a, O=x"), NOW_S, &cert_b, &key_b), ERR_SYNTAX);
	assert_int_equal(tls_self_signed(SPAN(""), NOW_S, &cert_b, &key_b), ERR_SYNTAX);
	assert_int_equal(tls_server_open(buf_span(&cert_a), buf_span(&key_b), &tls, &why),
		ERR_SYNTAX);
	assert_string_equal(why, "the key is not the certificate's");
	assert_int_equal(tls_server_open(SPAN("x"), buf_span(&key_b), &tls, &why), ERR_SYNTAX);
	assert_int_equal(tls_server_open(SPAN(""), SPAN(""), &tls, &why), ERR_SYNTAX);
	assert_int_equal(tls_server_open(buf_span(&cert_a), SPAN("x"), &tls, &why), ERR_SYNTAX);
	assert_null(tls);
	buf_fini(&cert_a);
	buf_fini(&key_a);
	buf_fini(&cert_b);
	buf_fini(&key_b);
}

int
test_net_tls(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tls_two_commands_in_one_record_h62),
		cmocka_unit_test(test_tls_prefers_x25519_and_chacha20_h68),
		cmocka_unit_test(test_tls_refuses_old_and_weak_h68),
		cmocka_unit_test(test_tls_renegotiation_refused_h68),
		cmocka_unit_test(test_tls_not_tls_at_all),
		cmocka_unit_test(test_tls_certificate_and_key_rows),
	};

	return cmocka_run_group_tests_name("tls", tests, NULL, NULL);
}
