/*
 * test_net_locks.c - what locks, for whom, and how it ends (SEC-02 to SEC-04, H57), on a clock of the
 * test's own.
 */
#include "tests/unit/test_net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/net/listener.h"
#include "server/shared.h"

#define MINUTE_MS INT64_C(60000)

static const struct lockout of_source = { .attempts = 5, .lock_ms = 10 * MINUTE_MS };
static const struct lockout of_user = { .attempts = 5, .lock_ms = 10 * MINUTE_MS, .of_user = true };
static const struct lockout exempt = { .attempts = 5, .lock_ms = 10 * MINUTE_MS, .exempt = true };
static const struct lockout user_exempt = { .attempts = 5, .lock_ms = 10 * MINUTE_MS,
	.of_user = true, .exempt = true };

static struct peer
peer_at(const char *text)
{
	struct listen_address a;
	struct peer p;

	assert_int_equal(listen_address_parse(span_of(text), &a), OK);
	peer_from_sockaddr(&p, &a.sockaddr);
	return p;
}

struct fixture {
	struct shared *sh;
	struct peer a, b, six, seven;
	int64_t now;
};

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(shared_open(&f->sh), OK);
	f->a = peer_at("192.0.2.1:1");
	f->b = peer_at("192.0.2.2:1");
	f->six = peer_at("[2001:db8:0:1::5]:1");
	f->seven = peer_at("[2001:db8:0:1::7]:1");
	f->now = 1000000;
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	shared_close(&f->sh);
	free(f);
	return 0;
}

/* TIMES failures; true where the last one locked, and no other did. */
static bool
guess(struct fixture *f, const struct peer *peer, const char *user, const struct lockout *l,
	unsigned times)
{
	struct login_failure failure = { 0 };

	for (unsigned i = 0; i < times; i++) {
		assert_false(failure.locks);
		failure = shared_login_failed(f->sh, peer, span_of(user), l, f->now);
	}
	return failure.locks;
}

static bool
locked(struct fixture *f, const struct peer *peer, const char *user, const struct lockout *l)
{
	return shared_login_is_locked(f->sh, peer, span_of(user), l, f->now);
}

static void
test_lock_after_attempts_until_time_has_passed_sec_02_sec_03(void **state)
{
	struct fixture *f = *state;

	assert_false(guess(f, &f->a, "anna", &of_source, 4));
	assert_false(locked(f, &f->a, "anna", &of_source));
	assert_true(guess(f, &f->a, "Anna", &of_source, 1));
	assert_true(locked(f, &f->a, "ANNA", &of_source));
	f->now += 10 * MINUTE_MS - 1;
	assert_false(guess(f, &f->a, "anna", &of_source, 20)); /* a lock is not made longer */
	assert_true(locked(f, &f->a, "anna", &of_source));
	f->now += 1;
	assert_false(locked(f, &f->a, "anna", &of_source));
	assert_false(guess(f, &f->a, "anna", &of_source, 4)); /* counted from the start */
	assert_true(guess(f, &f->a, "anna", &of_source, 1));
}

/* A name can be empty (SASL that asks to act for another): no row of the address's. */
static void
test_lock_without_a_name_is_not_the_address_h57(void **state)
{
	struct fixture *f = *state;
	struct shared_block *rows;

	assert_true(guess(f, &f->a, "", &of_source, 5));
	assert_true(locked(f, &f->a, "", &of_source));
	assert_int_equal(shared_block_list(f->sh, f->now, &rows), 2);
	assert_string_equal(rows[0].why, "slowed");
	assert_string_equal(rows[0].user, "*");
	assert_int_equal(rows[0].failures, 5); /* each was counted once */
	free(rows);
}

static void
test_lock_a_success_resets_the_count_sec_02(void **state)
{
	const struct lockout *both[] = { &of_source, &of_user };

	for (size_t i = 0; i < COUNT(both); i++) {
		struct fixture *f = *state;
		const char *user = i ? "carl" : "bert";

		assert_false(guess(f, &f->a, user, both[i], 4));
		shared_login_good(f->sh, &f->a, span_of(user), f->now);
		assert_false(guess(f, &f->a, user, both[i], 4));
		assert_true(guess(f, &f->a, user, both[i], 1));
		shared_login_good(f->sh, &f->a, span_of(user), f->now); /* by an exempt way: it stays */
		assert_true(locked(f, &f->a, user, both[i]));
	}
}

static void
test_lock_is_no_weapon_1000_guesses_h57(void **state)
{
	struct fixture *f = *state;

	assert_true(guess(f, &f->a, "anna", &of_source, 5));
	for (int i = 0; i < 1000; i++)
		(void)shared_login_failed(f->sh, &f->a, SPAN("anna"), &of_source, f->now);
	assert_false(locked(f, &f->b, "anna", &of_source));
	assert_int_equal(shared_login_begin(f->sh, &f->b, SPAN("anna"), f->now), 0);
	assert_false(locked(f, &f->a, "bert", &of_source));
	assert_int_equal(shared_login_begin(f->sh, &f->a, SPAN("bert"), f->now), SHARED_DELAY_MAX_MS);
}

static void
test_lock_of_user_holds_from_everywhere_sec_02(void **state)
{
	struct fixture *f = *state;

	assert_false(guess(f, &f->a, "anna", &of_user, 3));
	assert_true(guess(f, &f->b, "anna", &of_user, 2));
	assert_true(locked(f, &f->a, "anna", &of_user));
	assert_true(locked(f, &f->six, "anna", &of_user));
	assert_false(locked(f, &f->six, "bert", &of_user));
	assert_false(locked(f, &f->a, "anna", &user_exempt)); /* SEC-04: this machine */
}

/* A place where he logged in, or this machine: no lock is made; of a whole user it counts for others. */
static void
test_lock_leaves_known_places_alone_h57_sec_04(void **state)
{
	struct fixture *f = *state;

	assert_false(guess(f, &f->a, "anna", &exempt, 50));
	assert_int_equal(shared_user_locked_until(f->sh, SPAN("anna"), f->now), 0);
	assert_true(guess(f, &f->a, "bert", &user_exempt, 5));
	assert_false(locked(f, &f->a, "bert", &user_exempt));
	assert_true(locked(f, &f->b, "bert", &of_user));
}

static void
test_lock_counts_ipv6_by_the_64_h57(void **state)
{
	struct fixture *f = *state;

	assert_true(guess(f, &f->six, "anna", &of_source, 5));
	assert_true(locked(f, &f->seven, "anna", &of_source));
}

static void
test_lock_ends_by_forgive_and_restart_sec_03(void **state)
{
	struct fixture *f = *state;

	assert_true(guess(f, &f->a, "anna", &of_source, 5));
	assert_true(guess(f, &f->b, "anna", &of_source, 5));
	assert_int_equal(shared_user_locked_until(f->sh, SPAN("anna"), f->now),
		f->now + 10 * MINUTE_MS);
	shared_login_forgive(f->sh, SPAN("anna"));
	assert_false(locked(f, &f->a, "anna", &of_source));
	assert_int_equal(shared_user_locked_until(f->sh, SPAN("anna"), f->now), 0);
	assert_true(guess(f, &f->a, "anna", &of_user, 5));
	shared_close(&f->sh);
	assert_int_equal(shared_open(&f->sh), OK);
	assert_false(locked(f, &f->a, "anna", &of_user));
}

static void
test_lock_0_attempts_lock_nobody_sec_02(void **state)
{
	struct fixture *f = *state;
	struct lockout never = { .lock_ms = MINUTE_MS };

	assert_false(guess(f, &f->a, "anna", &never, 100));
	assert_true(guess(f, &f->a, "bert", &of_source, 5));
	assert_false(locked(f, &f->a, "bert", &never)); /* switched off: at once */
}

static void
test_lock_outlives_the_sweep_h57(void **state)
{
	struct fixture *f = *state;
	struct lockout day = { .attempts = 2, .lock_ms = 24 * 60 * MINUTE_MS };

	assert_true(guess(f, &f->a, "anna", &day, 2));
	f->now += 23 * 60 * MINUTE_MS;
	shared_sweep(f->sh, f->now);
	assert_true(locked(f, &f->a, "anna", &day));
	assert_true(shared_user_locked_until(f->sh, SPAN("anna"), f->now) > f->now);
	f->now += 60 * MINUTE_MS;
	shared_sweep(f->sh, f->now);
	assert_false(locked(f, &f->a, "anna", &day));
	assert_int_equal(shared_user_locked_until(f->sh, SPAN("anna"), f->now), 0);
}

/* Many tries at once gain nothing: each waits behind the one before it. */
static void
test_tries_at_once_wait_in_turn_h57(void **state)
{
	struct fixture *f = *state;

	guess(f, &f->a, "anna", &of_source, 1);
	for (int i = 1; i <= 60; i++)
		assert_int_equal(
			shared_login_begin(f->sh, &f->a, SPAN("anna"), f->now), i * 1000);
	assert_int_equal(shared_login_begin(f->sh, &f->a, SPAN("anna"), f->now),
		SHARED_DELAY_MAX_MS);
	assert_int_equal(shared_login_begin(f->sh, &f->b, SPAN("anna"), f->now), 0);
}

/* ---- block list ---- */

/* The row of ADDRESS and USER; NULL where there is none. The caller frees *all. */
static const struct shared_block *
block(struct fixture *f, const char *address, const char *user, struct shared_block **all)
{
	size_t n = shared_block_list(f->sh, f->now, all);

	for (size_t i = 0; i < n; i++)
		if (strcmp((*all)[i].address, address) == 0 && strcmp((*all)[i].user, user) == 0)
			return &(*all)[i];
	return NULL;
}

static void
test_blocks_are_listed_h57(void **state)
{
	struct fixture *f = *state;
	struct shared_block *all;
	const struct shared_block *row;

	assert_null(block(f, "192.0.2.1", "anna", &all));
	free(all);
	guess(f, &f->a, "anna", &of_source, 5);
	guess(f, &f->six, "bert", &of_source, 1);
	row = block(f, "192.0.2.1", "anna", &all);
	assert_non_null(row);
	assert_string_equal(row->why, "locked");
	assert_int_equal(row->failures, 5);
	assert_int_equal(row->until_ms, f->now + 10 * MINUTE_MS);
	free(all);
	row = block(f, "192.0.2.1", "*", &all);
	assert_non_null(row);
	assert_string_equal(row->why, "slowed");
	free(all);
	row = block(f, "2001:db8:0:1::/64", "bert", &all);
	assert_non_null(row);
	assert_int_equal(row->until_ms, f->now + 1000);
	free(all);
	f->now += 2000;
	assert_null(block(f, "2001:db8:0:1::/64", "bert", &all));
	free(all);
	guess(f, &f->b, "carl", &of_user, 5);
	assert_non_null(block(f, "*", "carl", &all));
	free(all);
}

static void
test_blocks_are_removed_h57(void **state)
{
	struct fixture *f = *state;
	struct peer_key key;

	guess(f, &f->a, "anna", &of_source, 5);
	guess(f, &f->a, "bert", &of_source, 5);
	guess(f, &f->b, "anna", &of_source, 5);
	assert_true(peer_range_parse(SPAN("192.0.2.1"), &key));
	assert_true(shared_block_remove(f->sh, &key, SPAN("bert")));
	assert_false(shared_block_remove(f->sh, &key, SPAN("bert")));
	assert_false(locked(f, &f->a, "bert", &of_source));
	assert_int_equal(shared_user_locked_until(f->sh, SPAN("bert"), f->now), 0);
	assert_true(locked(f, &f->a, "anna", &of_source));
	assert_true(shared_block_remove(f->sh, &key, SPAN_NONE));
	assert_int_equal(shared_login_delay_ms(f->sh, &f->a, SPAN("anna"), f->now), 0);
	assert_true(locked(f, &f->b, "anna", &of_source));
	assert_true(shared_user_locked_until(f->sh, SPAN("anna"), f->now) > 0);
	assert_true(shared_block_remove(f->sh, NULL, SPAN_NONE)); /* all */
	assert_false(locked(f, &f->b, "anna", &of_source));
}

static void
test_connections_by_the_minute_h32(void **state)
{
	struct fixture *f = *state;
	struct peer here = peer_at("127.0.0.1:1"), near = peer_at("127.0.0.2:1");
	struct shared_block *all;
	const struct shared_block *row;
	struct peer_key key = peer_key_of(&f->a);

	for (int i = 0; i < 3; i++) {
		assert_int_equal(shared_connection_rate(f->sh, &f->a, 3, f->now), OK);
		assert_int_equal(shared_connection_rate(f->sh, &near, 3, f->now), OK);
	}
	for (int i = 0; i < 9; i++) {
		assert_int_equal(shared_connection_rate(f->sh, &f->a, 3, f->now), ERR_LIMIT);
		assert_int_equal(shared_connection_rate(f->sh, &here, 3, f->now), OK);
	}
	assert_int_equal(shared_connection_rate(f->sh, &near, 3, f->now), ERR_LIMIT);
	assert_int_equal(shared_connection_rate(f->sh, &f->b, 0, f->now), OK);
	row = block(f, "192.0.2.1", "*", &all);
	assert_non_null(row);
	assert_true(row->is_rate);
	assert_int_equal(row->failures, 9);
	free(all);
	assert_true(shared_block_remove(f->sh, &key, SPAN_NONE));
	assert_int_equal(shared_connection_rate(f->sh, &f->a, 3, f->now), OK);
	f->now += SHARED_RATE_MS;
	assert_int_equal(shared_connection_rate(f->sh, &near, 3, f->now), OK);
	shared_sweep(f->sh, f->now + SHARED_RATE_MS);
}

static void
test_sessions_of_a_user_have_a_limit_h32(void **state)
{
	struct fixture *f = *state;
	struct shared_session rows[4] = { 0 };

	for (int i = 0; i < 4; i++)
		shared_session_add(f->sh, &rows[i]);
	assert_int_equal(shared_session_take_user(f->sh, &rows[0], 7, SPAN("anna"), 2), OK);
	assert_int_equal(shared_session_take_user(f->sh, &rows[1], 7, SPAN("anna"), 2), OK);
	assert_int_equal(shared_session_take_user(f->sh, &rows[1], 7, SPAN("anna"), 2), OK);
	assert_int_equal(shared_session_take_user(f->sh, &rows[2], 7, SPAN("anna"), 2), ERR_LIMIT);
	assert_int_equal(rows[2].user_id, 0);
	assert_int_equal(shared_session_take_user(f->sh, &rows[2], 7 + 4096, SPAN("bert"), 2), OK);
	assert_int_equal(shared_session_of_user(f->sh, 7), rows[0].id);
	shared_session_set_user(f->sh, &rows[0], 0, SPAN_NONE);
	assert_int_equal(shared_session_take_user(f->sh, &rows[3], 7, SPAN("anna"), 2), OK);
	assert_int_equal(shared_session_of_user(f->sh, 7), rows[1].id);
	for (int i = 0; i < 4; i++)
		shared_session_remove(f->sh, &rows[i]);
	assert_int_equal(shared_session_of_user(f->sh, 7), 0);
}

static void
test_recipients_of_an_hour_slide(void **state)
{
	struct fixture *f = *state;

	f->now = 100 * 60 * MINUTE_MS;
	assert_int_equal(shared_sent_take(f->sh, 7, 3, f->now), 0);
	assert_int_equal(shared_sent_take(f->sh, 7, 4, f->now + 30 * MINUTE_MS), 3);
	assert_int_equal(shared_sent_take(f->sh, 8, 9, f->now), 0);
	assert_int_equal(shared_sent(f->sh, 7, f->now + 54 * MINUTE_MS), 7);
	assert_int_equal(shared_sent(f->sh, 7, f->now + 61 * MINUTE_MS), 4);
	shared_sent_give_back(f->sh, 7, 3);
	assert_int_equal(shared_sent(f->sh, 7, f->now + 61 * MINUTE_MS), 1);
	shared_sent_give_back(f->sh, 7, 3); /* more than there is */
	assert_int_equal(shared_sent(f->sh, 7, f->now + 61 * MINUTE_MS), 0);
	assert_int_equal(shared_sent(f->sh, 8, f->now + 1000 * MINUTE_MS), 0);
	assert_int_equal(shared_sent(f->sh, 99, f->now), 0);
	assert_false(shared_sent_tell(f->sh, 99, f->now));
	assert_true(shared_sent_tell(f->sh, 7, f->now));
	assert_false(shared_sent_tell(f->sh, 7, f->now + 59 * MINUTE_MS));
	assert_true(shared_sent_tell(f->sh, 7, f->now + 60 * MINUTE_MS));
	shared_sweep(f->sh, f->now + 1000 * MINUTE_MS);
}

static void
test_ranges_of_addresses_parse_and_format(void **state)
{
	static const struct { const char *in, *out; } rows[] = {
		{ "192.0.2.1", "192.0.2.1" }, { "2001:db8::7", "2001:db8::/64" },
		{ "2001:db8::/64", "2001:db8::/64" }, { "unix", "unix" }, { "", NULL }, { "x", NULL },
		{ "192.0.2.1/24", NULL }, { "192.0.2", NULL }, { "2001:db8::/6", NULL },
		{ "11111111111111111111111111111111111111111111111111111111111111", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char text[PEER_TEXT_SIZE];
		struct peer_key key, again;
		struct peer p;

		assert_int_equal(peer_range_parse(span_of(rows[i].in), &key), rows[i].out != NULL);
		if (!rows[i].out || strcmp(rows[i].in, "unix") == 0)
			continue;
		p = peer_at(strchr(rows[i].in, ':') ? "[2001:db8::7]:1" : "192.0.2.1:1");
		peer_range_text(&p, text);
		assert_string_equal(text, rows[i].out);
		again = peer_key_of(&p);
		assert_memory_equal(&key, &again, sizeof(key));
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
test_net_locks(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_lock_after_attempts_until_time_has_passed_sec_02_sec_03),
		TEST(test_lock_without_a_name_is_not_the_address_h57),
		TEST(test_lock_a_success_resets_the_count_sec_02),
		TEST(test_lock_is_no_weapon_1000_guesses_h57),
		TEST(test_lock_of_user_holds_from_everywhere_sec_02),
		TEST(test_lock_leaves_known_places_alone_h57_sec_04),
		TEST(test_lock_counts_ipv6_by_the_64_h57),
		TEST(test_lock_ends_by_forgive_and_restart_sec_03),
		TEST(test_lock_0_attempts_lock_nobody_sec_02),
		TEST(test_lock_outlives_the_sweep_h57),
		TEST(test_tries_at_once_wait_in_turn_h57),
		TEST(test_blocks_are_listed_h57),
		TEST(test_blocks_are_removed_h57),
		TEST(test_connections_by_the_minute_h32),
		TEST(test_sessions_of_a_user_have_a_limit_h32),
		TEST(test_recipients_of_an_hour_slide),
		TEST(test_ranges_of_addresses_parse_and_format),
	};

	return cmocka_run_group_tests_name("locks", tests, NULL, NULL);
}
