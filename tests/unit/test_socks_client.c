/*
 * test_socks_client.c - what is said to SOCKS proxies byte for byte, and what their answers mean (NET-08).
 *
 * Each conversation is fed as a whole (as far as the machine wants bytes) and byte by byte, and cut off after
 * every byte: then it must still want more.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "proto/socks/socks_client.h"
#include "tests/harness/page_edge.h"
#include "tests/unit/test_proto.h"

#define LOCAL { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 7 }
#define SIX { 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 }
#define BOUND "\5\0\0\1\0\0\0\0\0\0"

static const struct {
	const char *name;
	struct socks_config config;
	struct span proxy, ours; /* what it says, what we say, all of it */
	enum socks_turn end;
	const char *why;
	size_t left; /* bytes of the proxy's that are not the machine's */
} rows[] = {
	{ "5 by address", { .version = 5, .ip = LOCAL, .port = 25 }, SPAN("\5\0" BOUND),
		SPAN("\5\1\0\5\1\0\1\300\0\2\7\0\31"), SOCKS_DONE, "", 0 },
	{ "5 by IPv6 address, bound to one", { .version = 5, .ip = SIX, .port = 587 },
		SPAN("\5\0\5\0\0\4" "0123456789abcdef" "\0\1"),
		SPAN("\5\1\0\5\1\0\4\40\1\15\270\0\0\0\0\0\0\0\0\0\0\0\1\2\113"), SOCKS_DONE, "", 0 },
	{ "5 by name, and the server speaks at once", { .version = 5, .name = SPAN("mx.test"), .port = 25 },
		SPAN("\5\0\5\0\0\3\4here\0\31" "220 hi"), SPAN("\5\1\0\5\1\0\3\7mx.test\0\31"), SOCKS_DONE, "", 6 },
	{ "5 with a login", { .version = 5, .ip = LOCAL, .port = 25, .username = SPAN("u"), .password = SPAN("pw") },
		SPAN("\5\2\1\0" BOUND), SPAN("\5\2\0\2\1\1u\2pw\5\1\0\1\300\0\2\7\0\31"), SOCKS_DONE, "", 0 },
	{ "5, a login that is not wanted", { .version = 5, .ip = LOCAL, .port = 25, .username = SPAN("u") },
		SPAN("\5\0" BOUND), SPAN("\5\2\0\2\5\1\0\1\300\0\2\7\0\31"), SOCKS_DONE, "", 0 },
	{ "5, a wrong password", { .version = 5, .ip = LOCAL, .port = 25, .username = SPAN("u"), .password = SPAN("x") },
		SPAN("\5\2\1\1"), SPAN("\5\2\0\2\1\1u\1x"), SOCKS_FAILED, "it refused the user name or the password", 0 },
	{ "5, a login is wanted", { .version = 5, .ip = LOCAL, .port = 25 }, SPAN("\5\377"), SPAN("\5\1\0"),
		SOCKS_FAILED, "it wants a user name (socks.username)", 0 },
	{ "5, a login that was not offered", { .version = 5, .ip = LOCAL, .port = 25 }, SPAN("\5\2"), SPAN("\5\1\0"),
		SOCKS_FAILED, "it wants another kind of login", 0 },
	{ "5, GSSAPI", { .version = 5, .ip = LOCAL, .port = 25, .username = SPAN("u") }, SPAN("\5\1"),
		SPAN("\5\2\0\2"), SOCKS_FAILED, "it wants another kind of login", 0 },
	{ "5, the host refused", { .version = 5, .ip = LOCAL, .port = 25 }, SPAN("\5\0\5\5\0\1\0\0\0\0\0\0"),
		SPAN("\5\1\0\5\1\0\1\300\0\2\7\0\31"), SOCKS_FAILED, "the host refused the connection", 5 },
	{ "5, its rules", { .version = 5, .ip = LOCAL, .port = 25 }, SPAN("\5\0\5\2\0\1\0"),
		SPAN("\5\1\0\5\1\0\1\300\0\2\7\0\31"), SOCKS_FAILED, "its rules do not allow it", 0 },
	{ "5, an unknown answer", { .version = 5, .ip = LOCAL, .port = 25 }, SPAN("\5\0\5\377\0\1\0"),
		SPAN("\5\1\0\5\1\0\1\300\0\2\7\0\31"), SOCKS_FAILED, "it gave an unknown answer", 0 },
	{ "5, an unknown address", { .version = 5, .ip = LOCAL, .port = 25 }, SPAN("\5\0\5\0\0\7\0"),
		SPAN("\5\1\0\5\1\0\1\300\0\2\7\0\31"), SOCKS_FAILED, "it gave an unknown kind of address", 0 },
	{ "5, a web server", { .version = 5, .ip = LOCAL, .port = 25 }, SPAN("HTTP/1.1"), SPAN("\5\1\0"),
		SOCKS_FAILED, "what answers does not speak SOCKS 5", 6 },
	{ "4 by address", { .version = 4, .ip = LOCAL, .port = 25, .username = SPAN("anna") },
		SPAN("\0\132\0\0\0\0\0\0" "220"), SPAN("\4\1\0\31\300\0\2\7anna\0"), SOCKS_DONE, "", 3 },
	{ "4a by name", { .version = 4, .name = SPAN("mx.test"), .port = 587 }, SPAN("\0\132\0\0\0\0\0\0"),
		SPAN("\4\1\2\113\0\0\0\1\0mx.test\0"), SOCKS_DONE, "", 0 },
	{ "4, refused", { .version = 4, .ip = LOCAL, .port = 25 }, SPAN("\0\133\0\0\0\0\0\0"),
		SPAN("\4\1\0\31\300\0\2\7\0"), SOCKS_FAILED, "it refused, or failed", 0 },
	{ "4, identd", { .version = 4, .ip = LOCAL, .port = 25 }, SPAN("\0\135\0\0\0\0\0\0"),
		SPAN("\4\1\0\31\300\0\2\7\0"), SOCKS_FAILED, "it refused: identd says another user name", 0 },
	{ "4, an unknown answer", { .version = 4, .ip = LOCAL, .port = 25 }, SPAN("\0\1\0\0\0\0\0\0"),
		SPAN("\4\1\0\31\300\0\2\7\0"), SOCKS_FAILED, "it gave an unknown answer", 0 },
	{ "4, a proxy of version 5", { .version = 4, .ip = LOCAL, .port = 25 }, SPAN("\5\377\0\0\0\0\0\0"),
		SPAN("\4\1\0\31\300\0\2\7\0"), SOCKS_FAILED, "what answers does not speak SOCKS 4", 0 },
};

/* Feed what PROXY says, AT_ONCE bytes at most; the end, or SOCKS_MORE. */
static enum socks_turn
feed(struct socks_client *m, struct span *proxy, size_t at_once, struct buf *out)
{
	enum socks_turn turn = SOCKS_MORE;

	while (turn == SOCKS_MORE && proxy->len > 0) {
		size_t n = socks_client_wants(m);

		assert_true(n > 0);
		n = n < at_once ? n : at_once;
		n = n < proxy->len ? n : proxy->len;
		turn = socks_client_next(m, at_page_edge(span_range(*proxy, 0, n)), out);
		*proxy = span_from(*proxy, n);
	}
	return turn;
}

static void
test_socks_conversations_net_08(void **state)
{
	static const size_t reads[] = { SOCKS_REPLY_MAX, 1 };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		for (size_t r = 0; r < COUNT(reads); r++) {
			struct span proxy = rows[i].proxy;
			struct socks_client m;
			struct buf out;

			buf_init(&out, SOCKS_SENT_MAX);
			assert_int_equal(socks_client_init(&m, &rows[i].config, &out), OK);
			if (feed(&m, &proxy, reads[r], &out) != rows[i].end ||
				strcmp(m.why, rows[i].why) != 0 || proxy.len != rows[i].left ||
				!span_eq(buf_span(&out), rows[i].ours))
				fail_msg("%s: \"%s\", %zu left", rows[i].name, m.why, proxy.len);
			assert_int_equal(socks_client_wants(&m), 0);
			buf_fini(&out);
		}
	}
}

static void
test_socks_cut_at_every_byte_wants_more(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		for (size_t cut = 0; cut < rows[i].proxy.len - rows[i].left; cut++) {
			struct span proxy = span_range(rows[i].proxy, 0, cut);
			struct socks_client m;
			struct buf out;

			buf_init(&out, SOCKS_SENT_MAX);
			assert_int_equal(socks_client_init(&m, &rows[i].config, &out), OK);
			if (feed(&m, &proxy, 1, &out) != SOCKS_MORE)
				fail_msg("%s, cut at %zu", rows[i].name, cut);
			buf_fini(&out);
		}
	}
}

static void
test_socks_what_cannot_be_asked(void **state)
{
	static char longer[SOCKS_NAME_MAX + 1];
	const struct span too_long = { longer, sizeof(longer) };
	const struct socks_config configs[] = {
		{ .version = 4, .ip = SIX, .port = 25 },
		{ .version = 5, .name = too_long, .port = 25 },
		{ .version = 5, .ip = LOCAL, .username = too_long },
		{ .version = 5, .ip = LOCAL, .username = SPAN("u"), .password = too_long },
	};
	struct socks_client m;
	struct buf out;

	(void)state;
	memset(longer, 'x', sizeof(longer));
	buf_init(&out, SOCKS_SENT_MAX);
	for (size_t i = 0; i < COUNT(configs); i++) {
		assert_int_equal(socks_client_init(&m, &configs[i], &out), ERR_LIMIT);
		assert_true(strlen(m.why) > 0);
	}
	assert_int_equal(buf_span(&out).len, 0);
	buf_fini(&out);
}

int
test_socks_client(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_socks_conversations_net_08),
		cmocka_unit_test(test_socks_cut_at_every_byte_wants_more),
		cmocka_unit_test(test_socks_what_cannot_be_asked),
	};

	return cmocka_run_group_tests_name("socks", tests, NULL, NULL);
}
