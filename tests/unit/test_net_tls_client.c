/*
 * test_net_tls_client.c - our TLS client calls our TLS server: who is believed, and why not.
 */
#include "tests/unit/test_net.h"

#include <mbedtls/ecp.h>
#include <mbedtls/oid.h>
#include <mbedtls/pk.h>
#include <mbedtls/x509_crt.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "server/net/random.h"
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
	for (int i = 0; i < 6000; i++) {
		loop_turn(p->loop, 10);
		if ((p->client.over || (p->client.secure && p->server.secure)) &&
			!stream_is_lent(&p->client.stream) && !stream_is_lent(&p->server.stream))
			return;
	}
	fail_msg("no handshake");
}

struct row {
	const char *certificate_for, *called;
	struct span alt_names; /* DER, of a certificate whose common name is certificate_for; empty: one of ours */
	int64_t made_s;	       /* 0: now */
	bool verify, vouched, good;
	const char *distrust;
};

static int
cert_random(void *arg, unsigned char *out, size_t size)
{
	(void)arg;
	random_fill(out, size);
	return 0;
}

/* A certificate that tls_self_signed() would not make: any subjectAltName that can be written. */
static void
make_certificate(const char *common, struct span alt_names, struct buf *cert_out, struct buf *key_out)
{
	unsigned char text[4096];
	mbedtls_x509write_cert cert;
	mbedtls_pk_context key;
	char name[100];

	snprintf(name, sizeof(name), "CN=%s", common);
	mbedtls_x509write_crt_init(&cert);
	mbedtls_pk_init(&key);
	assert_int_equal(mbedtls_pk_setup(&key, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY)), 0);
	assert_int_equal(mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(key), cert_random, NULL), 0);
	mbedtls_x509write_crt_set_md_alg(&cert, MBEDTLS_MD_SHA256);
	mbedtls_x509write_crt_set_subject_key(&cert, &key);
	mbedtls_x509write_crt_set_issuer_key(&cert, &key);
	assert_int_equal(mbedtls_x509write_crt_set_subject_name(&cert, name), 0);
	assert_int_equal(mbedtls_x509write_crt_set_issuer_name(&cert, name), 0);
	assert_int_equal(mbedtls_x509write_crt_set_validity(&cert, "20200101000000", "20991231000000"), 0);
	assert_int_equal(mbedtls_x509write_crt_set_extension(&cert, MBEDTLS_OID_SUBJECT_ALT_NAME,
				 MBEDTLS_OID_SIZE(MBEDTLS_OID_SUBJECT_ALT_NAME), 0,
				 (const unsigned char *)alt_names.ptr, alt_names.len),
		0);
	assert_int_equal(mbedtls_x509write_crt_pem(&cert, text, sizeof(text), cert_random, NULL), 0);
	assert_int_equal(buf_put(cert_out, span_of((const char *)text)), OK);
	assert_int_equal(mbedtls_pk_write_key_pem(&key, text, sizeof(text)), 0);
	assert_int_equal(buf_put(key_out, span_of((const char *)text)), OK);
	mbedtls_pk_free(&key);
	mbedtls_x509write_crt_free(&cert);
}

static void
make_row(const struct row *row, struct buf *cert, struct buf *key)
{
	int64_t made_s = row->made_s ? row->made_s : (int64_t)time(NULL) - 3600;

	if (row->alt_names.len > 0)
		make_certificate(row->certificate_for, row->alt_names, cert, key);
	else
		assert_int_equal(tls_self_signed(span_of(row->certificate_for), made_s, cert, key), OK);
}

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
	make_row(row, &cert, &key);
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

#define OURS { NULL, 0 } /* made by tls_self_signed() */
#define OTHER_NAME "the certificate is for another name"
#define OTHER_ADDRESS "the certificate is not for this address"
#define NOBODY "nobody we know vouches for the certificate"

static void
h68_a_client_believes_the_right_server_only(void **state)
{
	static const struct row rows[] = {
		{ "mx.test", "mx.test", OURS, 0, true, true, true, "" },
		{ "mx.test", "MX.test", OURS, 0, true, true, true, "" },
		{ "mx.test", "other.test", OURS, 0, true, true, false, OTHER_NAME },
		{ "mx.test", "other.test", OURS, 0, false, true, true, OTHER_NAME },
		{ "mx.test", "mx.test", OURS, 0, true, false, false, NOBODY },
		{ "mx.test", "mx.test", OURS, 0, false, false, true, NOBODY },
		{ "mx.test", "mx.test", OURS, 1000000000, true, true, false, "the certificate has expired" },
		{ "mx.test", "127.0.0.1", OURS, 0, true, true, false, OTHER_ADDRESS },
		{ "mx.test", "127.0.0.1", OURS, 0, false, true, true, OTHER_ADDRESS },
		{ "mx.test", "", OURS, 0, false, true, false, "no certificate was seen" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		check(i, &rows[i]);
}

/* RFC 5280, 4.2.1.6; RFC 9110, 4.3.5: an iPAddress of the certificate, and nothing else. */
static void
h68_a_server_that_is_named_by_its_address_is_verified_by_it(void **state)
{
	static const struct span ip4 = SPAN("\x30\x06\x87\x04\xc0\x00\x02\x01"); /* 192.0.2.1 */
	static const struct span ip6 = SPAN("\x30\x12\x87\x10\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01");
	static const struct span both = SPAN("\x30\x11\x82\x09"
					     "mail.test\x87\x04\xc0\x00\x02\x01");
	static const struct span spelled = SPAN("\x30\x0b\x82\x09"
						"192.0.2.1");
	static const struct span uri = SPAN("\x30\x0b\x86\x09"
					    "192.0.2.1");
	static const struct span named = SPAN("\x30\x0b\x82\x09"
					      "mail.test");
	static const struct span network = SPAN("\x30\x0a\x87\x08\xc0\x00\x02\x01\xff\xff\xff\xff");
	static const struct span mapped = SPAN("\x30\x12\x87\x10\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\x00\x02\x01");
	const struct row rows[] = {
		{ "mail.test", "192.0.2.1", ip4, 0, true, true, true, "" },
		{ "mail.test", "[192.0.2.1]", ip4, 0, true, true, true, "" },
		{ "mail.test", "192.0.2.2", ip4, 0, true, true, false, OTHER_ADDRESS },
		{ "mail.test", "192.0.2.2", ip4, 0, false, true, true, OTHER_ADDRESS },
		{ "mail.test", "192.0.2.1", ip4, 0, true, false, false, NOBODY },
		{ "mail.test", "2001:db8::1", ip6, 0, true, true, true, "" },
		{ "mail.test", "[2001:DB8:0:0::1]", ip6, 0, true, true, true, "" },
		{ "mail.test", "2001:db8::2", ip6, 0, true, true, false, OTHER_ADDRESS },
		{ "mail.test", "192.0.2.1", ip6, 0, true, true, false, OTHER_ADDRESS },
		{ "mail.test", "2001:db8::1", ip4, 0, true, true, false, OTHER_ADDRESS },
		{ "mail.test", "192.0.2.1", both, 0, true, true, true, "" },
		{ "mail.test", "mail.test", both, 0, true, true, true, "" },
		{ "mail.test", "192.0.2.1", mapped, 0, true, true, true, "" },
		{ "192.0.2.1", "192.0.2.1", named, 0, true, true, false, OTHER_ADDRESS },   /* in the CN alone */
		{ "192.0.2.1", "192.0.2.1", spelled, 0, true, true, false, OTHER_ADDRESS }, /* as a dNSName */
		{ "192.0.2.1", "192.0.2.1", uri, 0, true, true, false, OTHER_ADDRESS },
		{ "192.0.2.1", "192.0.2.1", network, 0, true, true, false, OTHER_ADDRESS }, /* of a name constraint */
		{ "192.0.2.1", "192.0.2.1", OURS, 0, true, true, false, OTHER_ADDRESS },
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
		cmocka_unit_test(h68_a_server_that_is_named_by_its_address_is_verified_by_it),
	};

	return cmocka_run_group_tests_name("tls_client", tests, NULL, NULL);
}
