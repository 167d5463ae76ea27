/*
 * test_sasl.c - PLAIN, LOGIN, CRAM-MD5 and SCRAM: whole, cut, repeated and malformed (H67).
 */
#include "proto/base/base64.h"
#include "proto/sasl/sasl.h"
#include "proto/sasl/sasl_client.h"
#include "proto/sasl/scram.h"
#include "tests/unit/test_proto.h"

#define TEXT(text) {(text), sizeof(text) - 1}
#define HOST SPAN("postoffice.reston.mci.net")

struct talk {
	struct sasl sasl;
	struct sasl_login login;
	struct span challenge;
	enum err why;
};

static void
begin(struct talk *t, enum sasl_mechanism mechanism, const char *nonce)
{
	struct sasl_nonce n = {.len = strlen(nonce)};

	memcpy(n.text, nonce, n.len);
	*t = (struct talk){.why = OK};
	sasl_init(&t->sasl, mechanism, &n);
}

static enum sasl_turn
say(struct talk *t, struct span response)
{
	return sasl_take(&t->sasl, response, HOST, &t->challenge, &t->login, &t->why);
}

/* The same, not yet base64. */
static enum sasl_turn
say_plain(struct talk *t, struct span text)
{
	static struct buf b;

	buf_fini(&b);
	buf_init(&b, 65536);
	assert_int_equal(base64_put(&b, text), OK);
	return say(t, b.bytes ? at_page_edge(buf_span(&b)) : SPAN(""));
}

static void
test_sasl_h67_plain_two_nuls(void **state)
{
	static const struct {
		struct span message;
		enum err want;
	} rows[] = {
#define ROW(text, want) {{(text), sizeof(text) - 1}, (want)}
		ROW("\0anna\0secret", OK),
		ROW("bo\0anna\0two words", OK),
		ROW("anna\0secret", ERR_SYNTAX),
		ROW("\0anna\0sec\0ret", ERR_SYNTAX),
		ROW("\0anna\0secret\0", ERR_SYNTAX),
		ROW("\0\0secret", ERR_SYNTAX),
		ROW("\0anna\0", ERR_SYNTAX),
		ROW("\0anna", ERR_SYNTAX),
		ROW("", ERR_SYNTAX),
		ROW("\0anna\0\xff", ERR_SYNTAX),
#undef ROW
	};
	struct sasl_login login;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		check_row(
			i, sasl_plain_parse(at_page_edge(rows[i].message), &login) == rows[i].want);
}

static void
test_sasl_plain_limits(void **state)
{
	struct sasl_login login;
	char message[600];

	(void)state;
	for (size_t extra = 0; extra <= 2; extra++) {
		size_t len = SASL_PASSWORD_MAX - 1 + extra;

		memset(message, 'x', sizeof(message));
		memcpy(message, "\0a", 3);
		assert_int_equal(
			sasl_plain_parse(at_page_edge((struct span){message, 3 + len}), &login),
			extra > 1 ? ERR_LIMIT : OK);
	}
}

static void
test_sasl_login_two_steps(void **state)
{
	struct talk t;

	(void)state;
	begin(&t, sasl_find(SPAN("login")), "");
	assert_int_equal(say(&t, SPAN_NONE), SASL_TURN_CHALLENGE);
	check_span(0, t.challenge, SPAN("VXNlcm5hbWU6"));
	assert_int_equal(say(&t, SPAN("YW5uYQ==")), SASL_TURN_CHALLENGE);
	check_span(1, t.challenge, SPAN("UGFzc3dvcmQ6"));
	assert_int_equal(say(&t, SPAN("c2VjcmV0")), SASL_TURN_LOGIN);
	check_span(2, t.login.name, SPAN("anna"));
	check_span(3, t.login.password, SPAN("secret"));
	sasl_fini(&t.sasl);
	assert_null(t.sasl.secret.bytes); /* H66 */
}

static void
test_sasl_bad_responses(void **state)
{
	static const struct {
		struct span response;
		enum err why;
	} rows[] = {
		{{"*", 1}, ERR_DENIED},
		{{"=", 1}, ERR_SYNTAX},
		{{"", 0}, ERR_SYNTAX},
		{{"AGE", 3}, ERR_SYNTAX},
		{{"AGFubmEAc2VjcmV0=", 17}, ERR_SYNTAX},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct talk t;

		begin(&t, SASL_PLAIN, "");
		check_row(i, say(&t, at_page_edge(rows[i].response)) == SASL_TURN_BAD);
		check_row(i, t.why == rows[i].why);
		sasl_fini(&t.sasl);
	}
	assert_int_equal(sasl_find(SPAN("SCRAM-SHA-256-PLUS")), SASL_NONE);
}

/* ---- CRAM-MD5 ---- */

/* The example of RFC 2195, 2. */
static void
test_sasl_smt_04_cram_md5_as_the_rfc(void **state)
{
	struct talk t;

	(void)state;
	begin(&t, sasl_find(SPAN("CRAM-MD5")), "1896.697170952");
	assert_int_equal(say(&t, SPAN_NONE), SASL_TURN_CHALLENGE);
	check_span(0, t.challenge, SPAN("PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+"));
	assert_int_equal(
		say(&t, SPAN("dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw")), SASL_TURN_LOGIN);
	check_span(1, t.login.name, SPAN("tim"));
	check_span(2, t.login.asked, SPAN("<1896.697170952@postoffice.reston.mci.net>"));
	check_span(3, t.login.proof,
		SPAN("\xb9\x13\xa6\x02\xc7\xed\xa7\xa4\x95\xb4\xe6\xe7\x33\x4d\x38\x90"));
	sasl_fini(&t.sasl);
}

static void
test_sasl_h67_cram_md5_malformed(void **state)
{
	static const struct span rows[] = {
		TEXT("tim b913a602c7eda7a495b4e6e7334d389"),
		TEXT("tim b913a602c7eda7a495b4e6e7334d38900"),
		TEXT("tim g913a602c7eda7a495b4e6e7334d3890"),
		TEXT(" b913a602c7eda7a495b4e6e7334d3890"),
		TEXT("b913a602c7eda7a495b4e6e7334d3890"),
		TEXT("t\xffm b913a602c7eda7a495b4e6e7334d3890"),
		TEXT(""),
	};

	struct talk t;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		begin(&t, SASL_CRAM_MD5, "1.2");
		check_row(i, say(&t, SPAN_NONE) == SASL_TURN_CHALLENGE);
		check_row(i, say_plain(&t, rows[i]) == SASL_TURN_BAD && t.why == ERR_SYNTAX);
		sasl_fini(&t.sasl);
	}
	begin(&t, SASL_CRAM_MD5, "1.2"); /* RFC 4954, 4: the server speaks first */
	assert_int_equal(say_plain(&t, SPAN("tim b913a602c7eda7a495b4e6e7334d3890")), SASL_TURN_BAD);
	sasl_fini(&t.sasl);
}

/* ---- SCRAM-SHA-256 ---- */

#define CLIENT "rOprNGfwEbeRWgbNEkqO"
#define OURS "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
#define SALT SPAN("\x5b\x6d\x99\x68\x9d\x12\x35\x8e\xec\xa0\x4b\x14\x12\x36\xfa\x81")
#define PROOF "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="

/* The first message was taken, and the keys were given. */
static void
begin_scram(struct talk *t, struct span first)
{
	begin(t, SASL_SCRAM_SHA_256, OURS);
	assert_int_equal(say_plain(t, first), SASL_TURN_KEYS);
	t->challenge = sasl_give_keys(&t->sasl, SALT, 4096);
}

/* The example of RFC 7677, 3. */
static void
test_sasl_h63_scram_as_the_rfc(void **state)
{
	struct talk t;
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	begin_scram(&t, SPAN("n,,n=user,r=" CLIENT));
	check_span(0, t.login.name, SPAN("user"));
	assert_int_equal(base64_decode(t.challenge, &b), OK);
	check_span(1, buf_span(&b), SPAN("r=" CLIENT OURS ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"));
	assert_int_equal(
		say_plain(&t, SPAN("c=biws,r=" CLIENT OURS ",p=" PROOF)), SASL_TURN_LOGIN);
	check_span(2, t.login.name, SPAN("user"));
	check_span(3, t.login.asked,
		SPAN("n=user,r=" CLIENT ",r=" CLIENT OURS
		     ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=" CLIENT OURS));
	assert_int_equal(t.login.proof.len, 32);
	t.challenge = sasl_give_signature(&t.sasl, SPAN("01234567890123456789012345678901"));
	buf_clear(&b);
	assert_int_equal(base64_decode(t.challenge, &b), OK);
	check_span(4, buf_span(&b), SPAN("v=MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="));
	assert_int_equal(say(&t, SPAN("")), SASL_TURN_CONFIRMED);
	check_span(5, t.login.name, SPAN("user"));
	sasl_fini(&t.sasl);
	buf_fini(&b);
}

static void
test_sasl_h67_scram_first_messages(void **state)
{
	static const struct {
		struct span message;
		enum sasl_turn want;
	} rows[] = {
		{TEXT("n,,n=anna,r=x"), SASL_TURN_KEYS},
		{TEXT("y,,n=anna,r=x"), SASL_TURN_KEYS}, /* it believes that we cannot: right */
		{TEXT("p=tls-unique,,n=anna,r=x"), SASL_TURN_BAD},
		{TEXT("p,,n=anna,r=x"), SASL_TURN_BAD},
		{TEXT("x,,n=anna,r=x"), SASL_TURN_BAD},
		{TEXT(",,n=anna,r=x"), SASL_TURN_BAD},
		{TEXT("n,n=anna,r=x"), SASL_TURN_BAD},
		{TEXT("n,a=anna,n=anna,r=x"), SASL_TURN_KEYS},
		{TEXT("n,a=bert,n=anna,r=x"), SASL_TURN_BAD},
		{TEXT("n,b=anna,n=anna,r=x"), SASL_TURN_BAD},
		{TEXT("n,,n=a=2Cb=3Dc,r=x"), SASL_TURN_KEYS},
		{TEXT("n,,n=a=2cb,r=x"), SASL_TURN_BAD},
		{TEXT("n,,n=a=,r=x"), SASL_TURN_BAD},
		{TEXT("n,,n=,r=x"), SASL_TURN_BAD},
		{TEXT("n,,n=anna,r="), SASL_TURN_BAD},
		{TEXT("n,,n=anna,r=x y"), SASL_TURN_BAD},
		{TEXT("n,,n=anna"), SASL_TURN_BAD},
		{TEXT("n,,r=x,n=anna"), SASL_TURN_BAD},
		{TEXT("n,,m=must,n=anna,r=x"), SASL_TURN_BAD},
		{TEXT("n,,n=anna,r=x,t=more,u=and=more"), SASL_TURN_KEYS},
		{TEXT("n,,n=anna,r=x,"), SASL_TURN_BAD},
		{TEXT("n,,n=anna,r=x,more"), SASL_TURN_BAD},
		{TEXT("n,,n=anna,r=x,1=more"), SASL_TURN_BAD},
		{TEXT("n,,n=anna,r=x,m=must"), SASL_TURN_BAD},
		{TEXT("n,,n=an\0na,r=x"), SASL_TURN_BAD},
		{TEXT("n,,n=\xff,r=x"), SASL_TURN_BAD},
		{TEXT(""), SASL_TURN_BAD},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct talk t;

		begin(&t, SASL_SCRAM_SHA_256, OURS);
		check_row(i, say_plain(&t, rows[i].message) == rows[i].want);
		sasl_fini(&t.sasl);
	}
}

static void
test_sasl_h67_scram_final_messages(void **state)
{
	static const struct {
		struct span message;
		enum sasl_turn want;
	} rows[] = {
		{TEXT("c=biws,r=" CLIENT OURS ",p=" PROOF), SASL_TURN_LOGIN},
		{TEXT("c=biws,r=" CLIENT OURS ",t=more,p=" PROOF), SASL_TURN_LOGIN},
		/* the nonce whole: neither cut, nor longer, nor only one part of it */
		{TEXT("c=biws,r=" CLIENT "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k,p=" PROOF), SASL_TURN_BAD},
		{TEXT("c=biws,r=" CLIENT OURS "x,p=" PROOF), SASL_TURN_BAD},
		{TEXT("c=biws,r=" CLIENT ",p=" PROOF), SASL_TURN_BAD},
		{TEXT("c=biws,r=" OURS ",p=" PROOF), SASL_TURN_BAD},
		/* another header than the one that came: "y,," and bytes of a channel */
		{TEXT("c=eSws,r=" CLIENT OURS ",p=" PROOF), SASL_TURN_BAD},
		{TEXT("c=biwsAA==,r=" CLIENT OURS ",p=" PROOF), SASL_TURN_BAD},
		{TEXT("c=,r=" CLIENT OURS ",p=" PROOF), SASL_TURN_BAD},
		{TEXT("r=" CLIENT OURS ",p=" PROOF), SASL_TURN_BAD},
		{TEXT("r=" CLIENT OURS ",c=biws,p=" PROOF), SASL_TURN_BAD},
		{TEXT("c=biws,r=" CLIENT OURS), SASL_TURN_BAD},
		{TEXT("c=biws,r=" CLIENT OURS ",p="), SASL_TURN_BAD},
		{TEXT("c=biws,r=" CLIENT OURS ",p=AAAA"), SASL_TURN_BAD},
		{TEXT("c=biws,r=" CLIENT OURS ",p=" PROOF ",t=more"), SASL_TURN_BAD},
		{TEXT("c=biws,r=" CLIENT OURS ",m=must,p=" PROOF), SASL_TURN_BAD},
		{TEXT("c=biws,r=" CLIENT OURS ",more,p=" PROOF), SASL_TURN_BAD},
		{TEXT("n,,n=user,r=" CLIENT), SASL_TURN_BAD}, /* the first one again */
		{TEXT(""), SASL_TURN_BAD},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct talk t;

		begin_scram(&t, SPAN("n,,n=user,r=" CLIENT));
		check_row(i, say_plain(&t, rows[i].message) == rows[i].want);
		sasl_fini(&t.sasl);
	}
}

/* Behind our signature nothing may follow, and nothing is too long to be refused. */
static void
test_sasl_h67_scram_ends_and_limits(void **state)
{
	char long_first[1400] = "n,,n=user,r=";
	struct talk t;

	(void)state;
	begin_scram(&t, SPAN("n,,n=user,r=" CLIENT));
	assert_int_equal(
		say_plain(&t, SPAN("c=biws,r=" CLIENT OURS ",p=" PROOF)), SASL_TURN_LOGIN);
	sasl_give_signature(&t.sasl, SPAN("x"));
	assert_int_equal(say_plain(&t, SPAN("v=ok")), SASL_TURN_BAD);
	sasl_fini(&t.sasl);
	for (size_t len = 268; len <= 269; len++) { /* a nonce of 256 bytes, and of one more */
		memset(long_first + 12, 'x', len - 12);
		begin(&t, SASL_SCRAM_SHA_256, OURS);
		assert_int_equal(say_plain(&t, (struct span){long_first, len}),
			len == 268 ? SASL_TURN_KEYS : SASL_TURN_BAD);
		if (len == 268)
			assert_true(sasl_give_keys(&t.sasl, SALT, 4096).len < 500);
		else
			assert_int_equal(t.why, ERR_LIMIT);
		sasl_fini(&t.sasl);
	}
}

static void
test_sasl_names(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	assert_int_equal(sasl_put_names(SASL_SEND_PASSWORD | SASL_ALSO_IN_CLEAR, &b), OK);
	check_span(0, buf_span(&b), SPAN("CRAM-MD5 PLAIN LOGIN"));
	buf_clear(&b);
	assert_int_equal(sasl_put_names(SASL_BIT(SASL_APOP), &b), OK);
	assert_int_equal(buf_span(&b).len, 0);
	buf_fini(&b);
}

/* H66, TRB-02: what a server repeats of a login is not shown, however short the secret is. */
static void
test_client_hides_secrets_of_any_length_h66_trb_02(void **state)
{
	static const struct {
		const char *secret, *said, *shown;
	} rows[] = {
		{ "secret-word", "-ERR unknown: PASS secret-word", "-ERR unknown: PASS ***" },
		{ "secret-word", "-ERR secret-wordsecret-word, really", "-ERR ******, really" },
		{ "word", "-ERR passwords are long", "-ERR pass***s are long" },
		{ "abc", "-ERR unknown: PASS abc", "-ERR unknown: PASS ***" },
		{ "abc", "-ERR <abc> is wrong", "-ERR <***" },
		{ "abc", "-ERR abcd xabc ab", "-ERR abcd xabc ab" },
		{ "a", "-ERR PASS a", "-ERR PASS ***" },
		{ "a", "-ERR it was not a good password", "-ERR it was not ***" },
		{ "a", "-ERR [AUTH] bad", "-ERR [AUTH] bad" },
		{ "#", "-ERR x#y", "-ERR x***" },
		{ "1#", "-ERR 21#1", "-ERR 21#1" },
		{ "ab", "ab", "***" },
		{ "", "-ERR PASS", "-ERR PASS" },
		/* base64 of NUL box NUL abc */
		{ "abc", "-ERR AGJveABhYmM=", "-ERR ***" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct sasl_account account = { .name = SPAN("box"), .password = at_page_edge(span_of(rows[i].secret)) };
		struct sasl_client c;
		struct span response;
		const char *why;
		char shown[100];
		size_t len;

		sasl_client_init(&c, SASL_CLIENT_PLAIN, &account, NULL);
		check_row(i, sasl_client_next(&c, SPAN_NONE, &response, &why) == SASL_CLIENT_RESPONSE);
		len = sasl_client_copy_said(&c, at_page_edge(span_of(rows[i].said)), shown, sizeof(shown));
		if (!span_eq((struct span){ shown, len }, span_of(rows[i].shown)))
			fail_msg("row %zu: %.*s", i, (int)len, shown);
		sasl_client_fini(&c);
	}
}

int
test_sasl(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sasl_h67_plain_two_nuls),
		cmocka_unit_test(test_sasl_plain_limits),
		cmocka_unit_test(test_sasl_login_two_steps),
		cmocka_unit_test(test_sasl_bad_responses),
		cmocka_unit_test(test_sasl_smt_04_cram_md5_as_the_rfc),
		cmocka_unit_test(test_sasl_h67_cram_md5_malformed),
		cmocka_unit_test(test_sasl_h63_scram_as_the_rfc),
		cmocka_unit_test(test_sasl_h67_scram_first_messages),
		cmocka_unit_test(test_sasl_h67_scram_final_messages),
		cmocka_unit_test(test_sasl_h67_scram_ends_and_limits),
		cmocka_unit_test(test_sasl_names),
		cmocka_unit_test(test_client_hides_secrets_of_any_length_h66_trb_02),
	};

	return cmocka_run_group_tests_name("sasl", tests, NULL, NULL);
}
