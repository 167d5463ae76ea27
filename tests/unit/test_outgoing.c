/*
 * test_outgoing.c - the pure parts of outgoing mail: which route, when again, which addresses, lanes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "server/net/dialer.h"
#include "server/queue/lanes.h"
#include "server/queue/outgoing_address.h"
#include "server/queue/routes.h"
#include "server/queue/schedule.h"

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS_ (24 * HOUR_MS)

/* ---- routes ---- */

static void
test_out_09_filters(void **state)
{
	static const struct {
		const char *filters[3];
		const char *sender, *recipient;
		bool fits;
	} rows[] = {
		{ { NULL }, "b@y.test", "a@x.test", true },
		/* To: only allows, only denies, both */
		{ { "x.test" }, "b@y.test", "a@x.test", true },
		{ { "x.test" }, "b@y.test", "a@z.test", false },
		{ { "!x.test" }, "b@y.test", "a@x.test", false },
		{ { "!x.test" }, "b@y.test", "a@z.test", true },
		{ { "*.test", "!x.test" }, "b@y.test", "a@x.test", false },
		{ { "*.test", "!x.test" }, "b@y.test", "a@z.test", true },
		{ { "*.test", "!x.test" }, "b@y.test", "a@z.example", false },
		/* From: the same */
		{ { "From: *@a.dom" }, "b@a.dom", "a@x.test", true },
		{ { "From: *@a.dom" }, "b@b.dom", "a@x.test", false },
		{ { "!From: b@a.dom" }, "b@a.dom", "a@x.test", false },
		{ { "!From: b@a.dom" }, "c@a.dom", "a@x.test", true },
		{ { "From: *@a.dom", "!From: b@a.dom" }, "b@a.dom", "a@x.test", false },
		{ { "From: *@a.dom", "!From: b@a.dom" }, "c@a.dom", "a@x.test", true },
		/* the sides are asked by themselves, and both must fit */
		{ { "!ibm.com", "From: *@a.dom" }, "b@a.dom", "a@ibm.com", false },
		{ { "!ibm.com", "From: *@a.dom" }, "b@a.dom", "a@x.test", true },
		{ { "!ibm.com", "From: *@a.dom" }, "b@b.dom", "a@x.test", false },
		/* letter case, the null reverse-path */
		{ { "X.TEST", "from:*@A.dom" }, "B@a.DOM", "a@x.Test", true },
		{ { "From: *@a.dom" }, "", "a@x.test", false },
		{ { "From: *@a.dom", "From: <>" }, "", "a@x.test", true },
		{ { "!From: <>" }, "", "a@x.test", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct span lines[3];
		struct conf_route route = { .domains = { lines, 0 } };

		for (size_t n = 0; n < COUNT(lines) && rows[i].filters[n]; n++)
			lines[route.domains.count++] = span_of(rows[i].filters[n]);
		if (route_fits(&route, span_of(rows[i].sender), span_of(rows[i].recipient)) != rows[i].fits)
			fail_msg("row %zu", i);
	}
}

static void
test_the_first_route_that_fits(void **state)
{
	const struct span only_x[] = { SPAN("x.test") };
	const struct conf_route items[] = {
		{ .name = SPAN("isp"), .domains = { only_x, 1 } },
		{ .name = SPAN("direct") },
	};
	struct conf_routes routes = { items, 2 };

	(void)state;
	assert_ptr_equal(route_choose(&routes, SPAN("b@y.test"), SPAN("a@x.test")), &items[0]);
	assert_ptr_equal(route_choose(&routes, SPAN("b@y.test"), SPAN("a@z.test")), &items[1]);
	routes.count = 1;
	assert_null(route_choose(&routes, SPAN("b@y.test"), SPAN("a@z.test")));
	assert_ptr_equal(route_named(&routes, SPAN("ISP")), &items[0]);
	assert_null(route_named(&routes, SPAN("direct")));
}

/* ---- schedule ---- */

static const struct schedule usual = { 5 * MINUTE_MS, HOUR_MS, 4 * HOUR_MS, 3 * DAY_MS_ };

static void
test_out_15_waits(void **state)
{
	static const struct {
		uint64_t tries;
		int64_t age_ms, wait_ms;
	} rows[] = {
		{ 1, 0, 5 * MINUTE_MS },
		{ 2, 5 * MINUTE_MS, 10 * MINUTE_MS },
		{ 3, 15 * MINUTE_MS, 20 * MINUTE_MS },
		{ 4, 35 * MINUTE_MS, 40 * MINUTE_MS },
		{ 5, 75 * MINUTE_MS, HOUR_MS },
		{ 1000000, 75 * MINUTE_MS, HOUR_MS },
		{ 9, 4 * HOUR_MS - MINUTE_MS, MINUTE_MS },   /* OUT-17: the warning on time */
		{ 9, 4 * HOUR_MS, HOUR_MS },
		{ 80, 3 * DAY_MS_ - MINUTE_MS, MINUTE_MS },  /* the last try on time */
		{ 80, 3 * DAY_MS_, 0 },			     /* no more */
		{ 80, 30 * DAY_MS_, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (schedule_next_ms(&usual, rows[i].tries, rows[i].age_ms) != rows[i].wait_ms)
			fail_msg("row %zu", i);
	assert_false(schedule_warns(&usual, 4 * HOUR_MS - 1));
	assert_true(schedule_warns(&usual, 4 * HOUR_MS));
}

/* From the first try to the end, as the engine does: 77 tries, one of them at 4 h, the last at 72 h. */
static void
test_out_17_a_life(void **state)
{
	int64_t age_ms = 0, wait_ms;
	unsigned tries = 0;
	bool at_warning = false;

	(void)state;
	while ((wait_ms = schedule_next_ms(&usual, ++tries, age_ms)) > 0) {
		assert_true(wait_ms <= HOUR_MS);
		at_warning |= age_ms == 4 * HOUR_MS;
		age_ms += wait_ms;
	}
	assert_true(at_warning);
	assert_int_equal(age_ms, 3 * DAY_MS_);
	assert_in_range(tries, 74, 80);
}

/* ---- addresses (H21) ---- */

static void
test_h21_addresses(void **state)
{
	static const struct {
		const char *text;
		bool parses, usual, with_loopback;
	} rows[] = {
		{ "192.0.2.1", true, true, true },
		{ "[192.0.2.1]", true, true, true },
		{ "[IPv6:2001:db8::1]", true, true, true },
		{ "127.0.0.1", true, false, true },
		{ "127.9.9.9", true, false, true },
		{ "::1", true, false, true },
		{ "::ffff:127.0.0.1", true, false, true },
		{ "0.0.0.0", true, false, false },
		{ "0.1.2.3", true, false, false },
		{ "::", true, false, false },
		{ "224.0.0.1", true, false, false },
		{ "255.255.255.255", true, false, false },
		{ "ff02::1", true, false, false },
		{ "mx.test", false, false, false },
		{ "192.0.2.1.", false, false, false },
		{ "", false, false, false },
	};
	char text[DIAL_TEXT_SIZE];
	struct dial_address a;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (dial_address_parse(span_of(rows[i].text), 25, &a) != rows[i].parses)
			fail_msg("row %zu", i);
		if (rows[i].parses && (!dial_refusal(&a, false) != rows[i].usual ||
					      !dial_refusal(&a, true) != rows[i].with_loopback))
			fail_msg("row %zu", i);
	}
	assert_true(dial_address_parse(SPAN("2001:db8::1"), 26, &a));
	assert_string_equal(dial_address_text(&a, text), "[2001:db8::1]:26");
}

/* ---- lanes ---- */

static void
test_lanes_take_one_entry_at_a_time(void **state)
{
	struct lanes l;
	struct lane *lane;
	struct item *chain;

	(void)state;
	lanes_init(&l);
	lane = lane_of(&l, SPAN("isp"), SPAN("isp"), SPAN(""));
	assert_ptr_equal(lane_of(&l, SPAN("isp"), SPAN("ISP"), SPAN("")), lane);
	assert_ptr_not_equal(lane_of(&l, SPAN("isp"), SPAN("isp"), SPAN("x.test")), lane);
	for (uint32_t no = 1; no <= 5; no++)
		item_add(&l, lane, 7, no);
	item_add(&l, lane, 8, 1);
	assert_int_equal(lane->waiting, 6);
	chain = lane_take(lane, 3); /* OUT-05 */
	assert_int_equal(items_count(chain), 3);
	assert_true(item_find(&l, 7, 1)); /* under way: not to be read again */
	lane_give_back(lane, chain);
	chain = lane_take(lane, 100);
	assert_int_equal(items_count(chain), 5);
	items_forget(&l, chain);
	assert_false(item_find(&l, 7, 1));
	assert_true(item_find(&l, 8, 1));
	chain = lane_take(lane, 100);
	assert_int_equal(chain->queue_id, 8);
	assert_null(lane_take(lane, 100));
	lane_give_back(lane, chain);
	assert_int_equal(lane->waiting, 1);
	lanes_fini(&l);
}

/* OUT-03: what is in order of its size is given up whole, as when a route goes or its connection ends. */
static void
test_out_03_a_lane_forgets_all_sizes(void **state)
{
	struct lanes l;
	struct lane *lane;

	(void)state;
	lanes_init(&l);
	lane = lane_of(&l, SPAN("isp"), SPAN("isp"), SPAN(""));
	item_add(&l, lane, 1, 1);
	for (uint64_t id = 2; id < 8; id++)
		item_add_by_size(&l, lane, (struct item_name){ id, 1 }, UINT64_C(1000) << (2 * id));
	assert_int_equal(lane->waiting, 7);
	assert_int_equal(lane_next_entry(lane), 1);
	lane_forget(&l, lane);
	assert_int_equal(lane->waiting, 0);
	assert_int_equal(l.item_count, 0);
	assert_int_equal(lane_next_entry(lane), 0);
	for (uint64_t id = 1; id < 8; id++)
		assert_false(item_find(&l, id, 1));
	lanes_fini(&l);
}

static void
test_h37_many_lanes_and_items(void **state)
{
	struct lanes l;
	char name[32];

	(void)state;
	assert_true(LANE_ITEM_SIZE <= 40);
	lanes_init(&l);
	for (uint32_t i = 0; i < 200000; i++) {
		snprintf(name, sizeof(name), "d%u.test", i % 1000);
		item_add(&l, lane_of(&l, SPAN("d"), SPAN("direct"), span_of(name)), i + 1, 1);
	}
	assert_int_equal(l.lane_count, 1000);
	assert_int_equal(l.item_count, 200000);
	for (uint32_t i = 0; i < 200000; i++)
		assert_true(item_find(&l, i + 1, 1));
	for (uint32_t i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "d%u.test", i);
		items_forget(&l, lane_take_any(lane_of(&l, SPAN("d"), SPAN("direct"), span_of(name)), 200));
	}
	assert_int_equal(l.item_count, 0);
	lanes_sweep(&l, LANES_KEEP_MS + 1, 0);
	assert_int_equal(l.lane_count, 0);
	lanes_fini(&l);
}

static struct lane *
numbered_lane(struct lanes *l, unsigned number)
{
	char name[32];

	snprintf(name, sizeof(name), "d%u.test", number);
	return lane_of(l, SPAN("direct"), SPAN("direct"), span_of(name));
}

/* A lane stands in one line at most; the first and the newest can be taken out of it. */
static void
test_lanes_stand_in_lines(void **state)
{
	struct lanes l;

	(void)state;
	lanes_init(&l);
	for (unsigned i = 0; i < 4; i++)
		lane_stand(&l, numbered_lane(&l, i), &l.first);
	lane_stand(&l, numbered_lane(&l, 0), &l.more);
	assert_int_equal(l.first_count, 4);
	assert_null(lane_next(&l, &l.more, false));
	assert_ptr_equal(lane_next(&l, &l.first, false), numbered_lane(&l, 0));
	assert_ptr_equal(lane_next(&l, &l.first, true), numbered_lane(&l, 3));
	assert_int_equal(l.first_count, 2);
	assert_ptr_equal(numbered_lane(&l, 1)->group, numbered_lane(&l, 2)->group);
	lanes_fini(&l);
}

/* One destination never takes all memory: the less room there is, the less it gets (H37). */
static void
test_h37_a_lane_leaves_room_for_others(void **state)
{
	struct lanes l;
	uint64_t id = 0;

	(void)state;
	assert_true(sizeof(struct lane) <= 200); /* H37, where each recipient is of another domain */
	lanes_init(&l);
	for (unsigned i = 0; i < 20; i++)
		while (numbered_lane(&l, i)->waiting < lane_room(&l, 20000))
			item_add(&l, numbered_lane(&l, i), ++id, 1);
	assert_true(numbered_lane(&l, 0)->waiting < 10000);
	assert_true(l.item_count < 20000 + 20 * LANE_ITEMS_MIN);
	assert_true(numbered_lane(&l, 19)->waiting >= LANE_ITEMS_MIN);
	lanes_fini(&l);
}

static void
test_rates_by_the_minute(void **state)
{
	struct pace pace = { 0 };
	unsigned sent = 0;

	(void)state;
	for (int64_t ms = HOUR_MS; ms < HOUR_MS + 10 * MINUTE_MS; ms += 250) {
		while (pace_allows(&pace, 120, ms)) {
			pace_note(&pace, 120, ms);
			sent++;
		}
	}
	assert_in_range(sent, 1200, 1203);
	assert_true(pace_allows(&pace, 0, 0));
	pace_note(&pace, 1, 2 * HOUR_MS);
	assert_false(pace_allows(&pace, 1, 2 * HOUR_MS));
	assert_true(pace_allows(&pace, 1, HOUR_MS)); /* a clock that was set back stops nobody */
}

/* A destination rests until its time, or until an operator asks for a look. */
static void
test_a_rest_ends_for_all_at_once(void **state)
{
	struct lanes l;
	struct lane *lane;

	(void)state;
	lanes_init(&l);
	lane = numbered_lane(&l, 1);
	assert_false(lane_rests(lane, 0));
	lane->rests_until_ms = MINUTE_MS;
	assert_true(lane_rests(lane, 0));
	assert_false(lane_rests(lane, MINUTE_MS));
	l.epoch++;
	assert_false(lane_rests(lane, 0));
	lane->rests_until_ms = INT64_MAX; /* it has no route */
	assert_true(lane_rests(lane, 0));
	lanes_fini(&l);
}

/* ---- addresses as a server without SMTPUTF8 takes them (RFC 5891, RFC 6531) ---- */

static void
test_addresses_without_smtputf8(void **state)
{
	static const struct {
		const char *in;
		enum err err;
		const char *want;
	} rows[] = {
		{ "bo@x.test", OK, "bo@x.test" },
		{ "Bo@b\xc3\xbc\x63her.test", OK, "Bo@xn--bcher-kva.test" },
		{ "bo@B\xc3\x9c\x43HER.test", OK, "bo@xn--bcher-kva.test" },
		{ "bo@fa\xc3\x9f.test", OK, "bo@xn--fa-hia.test" }, /* not fass.test: non-transitional */
		{ "j\xc3\xb6rg@x.test", ERR_DENIED, NULL },
		{ "bo@\xe2\x80\x8b.test", ERR_SYNTAX, NULL }, /* nothing is left of that label */
	};
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct span out;

		if (outgoing_ascii(span_of(rows[i].in), &a, &out) != rows[i].err ||
			(rows[i].want && !span_eq(out, span_of(rows[i].want))))
			fail_msg("row %zu: %.*s", i, SPAN_FMT(out));
	}
	arena_reset(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_out_09_filters),
		cmocka_unit_test(test_the_first_route_that_fits),
		cmocka_unit_test(test_addresses_without_smtputf8),
		cmocka_unit_test(test_out_15_waits),
		cmocka_unit_test(test_out_17_a_life),
		cmocka_unit_test(test_h21_addresses),
		cmocka_unit_test(test_lanes_take_one_entry_at_a_time),
		cmocka_unit_test(test_out_03_a_lane_forgets_all_sizes),
		cmocka_unit_test(test_h37_many_lanes_and_items),
		cmocka_unit_test(test_lanes_stand_in_lines),
		cmocka_unit_test(test_h37_a_lane_leaves_room_for_others),
		cmocka_unit_test(test_rates_by_the_minute),
		cmocka_unit_test(test_a_rest_ends_for_all_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
