/*
 * test_net_shared.c - counts, delays and remembered logins on a clock of the test's own.
 */
#include "tests/unit/test_net.h"

#include <stdio.h>
#include <string.h>

#include "server/net/listener.h"
#include "server/services.h"
#include "server/shared.h"

static struct peer
peer_at(const char *text)
{
	struct listen_address a;
	struct peer p;

	assert_int_equal(listen_address_parse(span_of(text), &a), OK);
	peer_from_sockaddr(&p, &a.sockaddr);
	return p;
}

static const struct service *
service(const char *name)
{
	const struct service *found = service_find(span_of(name));

	assert_non_null(found);
	return found;
}

static void
test_shared_connection_limits_h32(void **state)
{
	struct connection_limits l = { .max_connections = 6, .max_per_ip = 3,
		.max_before_login = 2, .max_total = 8 };
	struct peer a = peer_at("192.0.2.1:1"), b = peer_at("192.0.2.2:1");
	const struct service *pop3 = service("pop3"), *pop3s = service("pop3s");
	struct shared *sh;

	(void)state;
	assert_int_equal(shared_open(&sh), OK);
	assert_int_equal(shared_connection_begin(sh, pop3, &a, &l), OK);
	assert_int_equal(shared_connection_begin(sh, pop3, &a, &l), OK);
	assert_int_equal(shared_connection_begin(sh, pop3, &a, &l), ERR_LIMIT); /* before login */
	shared_connection_logged_in(sh, pop3, &a);
	assert_int_equal(shared_connection_begin(sh, pop3, &a, &l), OK);
	shared_connection_logged_in(sh, pop3, &a);
	assert_int_equal(shared_connection_begin(sh, pop3, &a, &l), ERR_LIMIT); /* an address */
	assert_int_equal(shared_connection_begin(sh, pop3s, &a, &l), ERR_LIMIT); /* of any service */
	assert_int_equal(shared_connection_begin(sh, pop3, &b, &l), OK);
	l.max_connections = 4;
	assert_int_equal(shared_connection_begin(sh, pop3, &b, &l), ERR_LIMIT); /* the service */
	assert_int_equal(shared_connection_begin(sh, pop3s, &b, &l), OK);
	l.max_total = 5;
	assert_int_equal(shared_connections(sh, pop3->number), 4);
	shared_connection_end(sh, pop3, &a, true);
	shared_connection_end(sh, pop3, &a, true);
	shared_connection_end(sh, pop3, &a, false);
	shared_connection_end(sh, pop3, &b, false);
	shared_connection_end(sh, pop3s, &b, false);
	assert_int_equal(shared_connections(sh, pop3->number), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(shared_connection_begin(sh, pop3, &a, &l), OK);
	for (int i = 0; i < 2; i++)
		shared_connection_end(sh, pop3, &a, false);
	shared_close(&sh);
}

/* Nobody logs in on the MX side, so connections there do not count as not logged in yet. */
static void
test_shared_mx_is_free_of_the_limit_before_login_h32(void **state)
{
	struct connection_limits l = { .max_connections = 99, .max_per_ip = 9,
		.max_before_login = 2, .max_total = 99 };
	const struct service *mx = service("smtp"), *pop3 = service("pop3");
	struct peer a = peer_at("192.0.2.1:1");
	struct shared *sh;

	(void)state;
	assert_int_equal(shared_open(&sh), OK);
	for (int i = 0; i < 5; i++)
		assert_int_equal(shared_connection_begin(sh, mx, &a, &l), OK);
	for (int i = 0; i < 2; i++)
		assert_int_equal(shared_connection_begin(sh, pop3, &a, &l), OK);
	assert_int_equal(shared_connection_begin(sh, pop3, &a, &l), ERR_LIMIT);
	shared_connection_logged_in(sh, mx, &a); /* a user who sends by the MX port */
	assert_int_equal(shared_connection_begin(sh, pop3, &a, &l), ERR_LIMIT);
	for (int i = 0; i < 2; i++)
		assert_int_equal(shared_connection_begin(sh, mx, &a, &l), OK);
	assert_int_equal(shared_connection_begin(sh, mx, &a, &l), ERR_LIMIT);
	for (int i = 0; i < 7; i++)
		shared_connection_end(sh, mx, &a, i == 0);
	for (int i = 0; i < 2; i++)
		shared_connection_end(sh, pop3, &a, false);
	shared_close(&sh);
}

static void
test_shared_this_machine_has_no_limit_of_an_address_h32(void **state)
{
	static const char *const texts[] = { "127.0.0.1:1", "127.9.9.9:1", "[::1]:1" };
	struct connection_limits l = { .max_connections = 6, .max_per_ip = 1,
		.max_before_login = 1, .max_total = 5 };
	const struct service *pop3 = service("pop3"), *control = service("control");
	struct peer far = peer_at("[2001:db8::1]:1");

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct peer near = peer_at(texts[i]);
		struct shared *sh;

		assert_int_equal(shared_open(&sh), OK);
		for (int k = 0; k < 4; k++)
			assert_int_equal(shared_connection_begin(sh, pop3, &near, &l), OK);
		/* the control socket's are beside the total */
		assert_int_equal(shared_connection_begin(sh, control, &near, &l), OK);
		assert_int_equal(shared_connection_begin(sh, pop3, &far, &l), OK);
		assert_int_equal(shared_connection_begin(sh, pop3, &far, &l), ERR_LIMIT);
		assert_int_equal(shared_connection_begin(sh, pop3, &near, &l), ERR_LIMIT);
		shared_connection_end(sh, control, &near, true);
		shared_connection_end(sh, pop3, &far, false);
		for (int k = 0; k < 4; k++)
			shared_connection_end(sh, pop3, &near, false);
		shared_close(&sh);
	}
}

/* A failure where nothing locks; how many in a row. */
static unsigned
fail_once(struct shared *sh, const struct peer *peer, const char *user, int64_t now_ms)
{
	static const struct lockout none;

	return shared_login_failed(sh, peer, span_of(user), &none, now_ms).in_a_row;
}

static void
test_shared_delay_grows_and_is_forgotten_h57(void **state)
{
	static const int64_t want_s[] = { 1, 2, 4, 8, 16, 32, 60, 60 };
	struct peer a = peer_at("192.0.2.1:1"), b = peer_at("192.0.2.2:1");
	struct shared *sh;
	int64_t now = 1000000;

	(void)state;
	assert_int_equal(shared_open(&sh), OK);
	assert_int_equal(shared_login_delay_ms(sh, &a, SPAN("anna"), now), 0);
	for (size_t i = 0; i < COUNT(want_s); i++) {
		assert_int_equal(fail_once(sh, &a, "Anna", now), i + 1);
		assert_int_equal(shared_login_delay_ms(sh, &a, SPAN("anna"), now),
			want_s[i] * 1000);
		assert_int_equal(shared_login_delay_ms(sh, &a, SPAN("anna"), now + 400),
			want_s[i] * 1000 - 400);
		now += want_s[i] * 1000;
		assert_int_equal(shared_login_delay_ms(sh, &a, SPAN("anna"), now), 0);
	}
	/* the user is free from elsewhere */
	fail_once(sh, &a, "anna", now);
	assert_int_equal(shared_login_delay_ms(sh, &b, SPAN("anna"), now), 0);
	shared_login_forgive(sh, SPAN("ANNA"));
	assert_true(shared_login_delay_ms(sh, &a, SPAN("anna"), now) <= 2000); /* the address's */
	now += SHARED_DELAY_FORGET_MS + 1;
	assert_int_equal(fail_once(sh, &a, "anna", now), 1);
	shared_login_good(sh, &a, SPAN("anna"), now);
	assert_int_equal(fail_once(sh, &a, "anna", now), 1);
	shared_sweep(sh, now + SHARED_DELAY_FORGET_MS + 1);
	assert_int_equal(shared_login_delay_ms(sh, &a, SPAN("anna"), now), 0);
	shared_close(&sh);
}

static void
test_shared_one_address_many_users_is_slowed_h57(void **state)
{
	struct peer a = peer_at("192.0.2.1:1");
	struct shared *sh;
	char user[16];

	(void)state;
	assert_int_equal(shared_open(&sh), OK);
	for (int i = 0; i < 1000; i++) {
		snprintf(user, sizeof(user), "u%d", i);
		fail_once(sh, &a, user, 5000);
	}
	assert_int_equal(shared_login_delay_ms(sh, &a, SPAN("never-tried"), 5000),
		SHARED_DELAY_MAX_MS);
	/* a flood of addresses stays bounded; the newest are kept */
	for (int i = 0; i < SHARED_ATTEMPTS_MAX; i++) {
		struct peer p = a;

		p.ip[13] = (uint8_t)(i >> 16);
		p.ip[14] = (uint8_t)(i >> 8);
		p.ip[15] = (uint8_t)i;
		fail_once(sh, &p, "x", 6000);
	}
	assert_int_equal(shared_login_delay_ms(sh, &a, SPAN("u999"), 6000), 0);
	shared_close(&sh);
}

static void
test_shared_remembers_good_logins_h63(void **state)
{
	struct shared *sh;
	int64_t now = 1000, until = now + 600000;

	(void)state;
	assert_int_equal(shared_open(&sh), OK);
	assert_false(shared_login_is_remembered(sh, 7, 1, SPAN("secret"), now));
	shared_login_remember(sh, 7, 1, SPAN("secret"), until);
	assert_true(shared_login_is_remembered(sh, 7, 1, SPAN("secret"), now));
	assert_false(shared_login_is_remembered(sh, 7, 1, SPAN("secreT"), now));
	assert_false(shared_login_is_remembered(sh, 7, 1, SPAN("secret "), now));
	assert_false(shared_login_is_remembered(sh, 7, 2, SPAN("secret"), now)); /* changed */
	assert_false(shared_login_is_remembered(sh, 8, 1, SPAN("secret"), now));
	assert_true(shared_login_is_remembered(sh, 7, 1, SPAN("secret"),
		until - 1));
	assert_false(shared_login_is_remembered(sh, 7, 1, SPAN("secret"), until));
	shared_login_drop(sh, 7);
	assert_false(shared_login_is_remembered(sh, 7, 1, SPAN("secret"), now));
	shared_close(&sh);
}

static void
test_shared_pop3_lock(void **state)
{
	struct shared *sh;

	(void)state;
	assert_int_equal(shared_open(&sh), OK);
	assert_int_equal(shared_pop3_lock(sh, 5), OK);
	assert_int_equal(shared_pop3_lock(sh, 5), ERR_BUSY);
	assert_int_equal(shared_pop3_lock(sh, 5 + 4096), OK); /* the same bucket */
	shared_pop3_unlock(sh, 5);
	assert_int_equal(shared_pop3_lock(sh, 5), OK);
	shared_pop3_unlock(sh, 99); /* not held: nothing */
	shared_close(&sh);
}

/* RFC 3501, 2.3.2: each uid is told first to one session, and the mark is written when the last has ended. */
static void
test_shared_recent_mark(void **state)
{
	struct shared *sh;

	(void)state;
	assert_int_equal(shared_open(&sh), OK);
	shared_recent_begin(sh, 5, 3);
	shared_recent_begin(sh, 5 + 4096, 1); /* the same bucket */
	assert_int_equal(shared_recent_from(sh, 5, 3, 8, false), 3); /* EXAMINE takes nothing */
	assert_int_equal(shared_recent_from(sh, 5, 3, 8, true), 3);
	assert_int_equal(shared_recent_from(sh, 5, 3, 8, true), 8);
	shared_recent_begin(sh, 5, 3);
	assert_int_equal(shared_recent_from(sh, 5, 8, 10, true), 8);
	assert_int_equal(shared_recent_from(sh, 5, 3, 9, true), 10); /* an older snapshot takes none back */
	assert_int_equal(shared_recent_end(sh, 5, 0), 0);
	assert_int_equal(shared_recent_end(sh, 5, 0), 10);
	assert_int_equal(shared_recent_from(sh, 5, 3, 10, false), 10); /* while it is written */
	shared_recent_begin(sh, 5, 3);
	assert_int_equal(shared_recent_from(sh, 5, 10, 12, true), 10);
	assert_int_equal(shared_recent_end(sh, 5, 10), 0); /* somebody has it open again */
	assert_int_equal(shared_recent_end(sh, 5, 0), 12);
	assert_int_equal(shared_recent_end(sh, 5, 12), 0);
	assert_int_equal(shared_recent_from(sh, 5, 3, 12, false), 3); /* nothing is known here any more */
	assert_int_equal(shared_recent_end(sh, 5 + 4096, 0), 0);
	shared_close(&sh);
}

static void
test_shared_register_of_sessions(void **state)
{
	struct shared_session a = { .loop = 1 }, b = { .loop = 2 }, got[4], one;
	struct shared *sh;

	(void)state;
	assert_int_equal(shared_open(&sh), OK);
	shared_session_add(sh, &a);
	shared_session_add(sh, &b);
	assert_int_equal(a.id, 1);
	shared_session_set_user(sh, &b, 9,
		SPAN("a-name-that-is-longer-than-the-register-keeps-of-it-which-is-sixty-three"));
	shared_session_set_doing(sh, &b, "DATA");
	assert_int_equal(shared_session_list(sh, 0, got, 4), 2);
	assert_int_equal(shared_session_list(sh, 1, got, 4), 1);
	assert_int_equal(got[0].loop, 2);
	assert_int_equal(strlen(got[0].user), SHARED_USER_SIZE - 1);
	assert_string_equal(got[0].doing, "DATA");
	assert_int_equal(shared_session_find(sh, 1, &one), OK);
	shared_session_remove(sh, &a);
	assert_int_equal(shared_session_find(sh, 1, &one), ERR_NOT_FOUND);
	assert_int_equal(shared_session_count(sh), 1);
	shared_session_remove(sh, &b);
	shared_close(&sh);
}

int
test_net_shared(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shared_connection_limits_h32),
		cmocka_unit_test(test_shared_mx_is_free_of_the_limit_before_login_h32),
		cmocka_unit_test(test_shared_this_machine_has_no_limit_of_an_address_h32),
		cmocka_unit_test(test_shared_delay_grows_and_is_forgotten_h57),
		cmocka_unit_test(test_shared_one_address_many_users_is_slowed_h57),
		cmocka_unit_test(test_shared_remembers_good_logins_h63),
		cmocka_unit_test(test_shared_pop3_lock),
		cmocka_unit_test(test_shared_recent_mark),
		cmocka_unit_test(test_shared_register_of_sessions),
	};

	return cmocka_run_group_tests_name("shared", tests, NULL, NULL);
}
