/*
 * test_collect_starts.c - which collectors are started, wait for their turn, listen, are stopped, and what is shown of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server/collect/collection_inside.h"
#include "tests/unit/collect_site.h"

/* ---- which are started ---- */

static void
test_disabled_inm_29(void **state)
{
	(void)state;
	begin(COLLECTOR(", enabled: no"));
	fill(1);
	assert_int_equal(collect_now(site.host.collect, SPAN("isp"), "a test", NULL), ERR_DENIED);
	assert_int_equal(collect_start_of(site.host.collect, SPAN("lan"), "a test"), 0);
	site_turn(&site, 5);
	assert_int_equal(fake_box.starts, 0);
	assert_int_equal(collect_now(site.host.collect, SPAN("nobody"), "a test", NULL), ERR_NOT_FOUND);
	end();
}

static void
test_locked_inm_30(void **state)
{
	(void)state;
	begin(COLLECTOR(""));
	fill(1);
	fake_box.locked = 1;
	assert_true(collect().failed);
	assert_non_null(strstr(view_of("isp").error, "already locked"));
	assert_false(collect().failed);
	assert_each_once(1);
	end();
}

static void
test_started_by_connection_con_02(void **state)
{
	(void)state;
	begin(COLLECTOR("") "    - { name: other, kind: pop3, server: b.test, username: u, enabled: no }\n");
	fill(2);
	assert_int_equal(collect_start_of(site.host.collect, SPAN("LAN"), "a run"), 1);
	assert_true(collect_busy_of(site.host.collect, SPAN("lan")));
	for (int i = 0; i < 20000 && collect_busy_of(site.host.collect, SPAN("lan")); i++)
		turn();
	assert_each_once(2);
	assert_string_equal(view_of("isp").because, "a run");
	end();
}

/* Asked for while one is under way: once more behind it. */
static void
test_once_more(void **state)
{
	uint64_t first, second, third;

	(void)state;
	begin(COLLECTOR(""));
	fill(3);
	assert_int_equal(collect_now(site.host.collect, SPAN("isp"), "a", &first), OK);
	loop_fake_advance(site.host.loop, 1);
	assert_int_equal(collect_now(site.host.collect, SPAN("isp"), "b", &second), OK);
	assert_int_equal(collect_now(site.host.collect, SPAN("isp"), "c", &third), OK);
	assert_true(second > first && third == second);
	for (int i = 0; i < 60000 && (!is_idle() || view_of("isp").number < second); i++)
		turn();
	assert_int_equal(fake_box.starts, 2);
	assert_string_equal(view_of("isp").because, "b");
	end();
}

/* The file with COUNT collectors box0, box1, ..., all as MORE says. */
static const char *
conf_of_many(int count, const char *more)
{
	static char conf[(COLLECT_AT_ONCE + 2) * 200];
	int len = snprintf(conf, sizeof(conf), "%s  collectors:\n", HEAD);

	for (int i = 0; i < count; i++)
		len += snprintf(conf + len, sizeof(conf) - (size_t)len,
			"    - { name: box%d, server: isp.test, username: u, accepted: [example.org], %s }\n", i, more);
	return conf;
}

static void
start_many(int count)
{
	char name[20];

	for (int i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "BOX%d", i);
		assert_int_equal(collect_now(site.host.collect, span_of(name), "a test", NULL), OK);
	}
}

static unsigned
count_waiting(void)
{
	const struct collect *all = site.host.collect;
	unsigned count = 0;

	for (const struct list *at = all->waiting.next; at != &all->waiting; at = at->next)
		count++;
	return count;
}

/* H36: a run of a hundred collectors is spread over turns of the loop. */
static void
test_few_begin_in_a_turn_h36(void **state)
{
	enum { MANY = 30 };
	unsigned before = MANY, turns = 0;

	(void)state;
	begin(conf_of_many(MANY, "kind: pop3"));
	start_many(MANY);
	while (before > 0) {
		unsigned waiting = count_waiting();

		assert_true(before - waiting <= COLLECT_BEGIN_TURN);
		before = waiting;
		loop_turn(site.host.loop, 1000);
		assert_true(turns++ < 100000);
	}
	turn_until_idle();
	assert_int_equal(fake_box.starts, MANY);
	end();
}

static unsigned
count_doubtful(void)
{
	const struct collect *all = site.host.collect;
	unsigned count = 0;

	for (const struct list *at = all->collectors.next; at != &all->collectors; at = at->next)
		count += LIST_ITEM(at, struct collector, link_all)->doubtful;
	return count;
}

static unsigned
count_listening(void)
{
	return site.host.collect->listening;
}

/* H36: of those that listen a few in each turn are compared with a new file; what it says anew is obeyed by each. */
static void
test_few_follow_in_a_turn_h36(void **state)
{
	enum { MANY = 30 };
	unsigned before = MANY;

	(void)state;
	begin(conf_of_many(MANY, "kind: imap, idle: yes"));
	start_many(MANY);
	for (int i = 0; i < 30000 && count_listening() < MANY; i++)
		turn();
	assert_int_equal(count_listening(), MANY);
	site_set_conf(&site, conf_of_many(MANY, "kind: imap, idle: yes"));
	collect_follow(site.host.collect);
	assert_int_equal(count_doubtful(), MANY);
	while (before > 0) {
		unsigned doubtful = count_doubtful();

		assert_true(before - doubtful <= COLLECT_FOLLOW_TURN);
		before = doubtful;
		loop_turn(site.host.loop, 0);
	}
	assert_int_equal(count_listening(), MANY); /* it says what it said */
	site_set_conf(&site, conf_of_many(MANY, "kind: imap, idle: yes, port: 1143"));
	collect_follow(site.host.collect);
	for (int i = 0; i < 30000 && count_listening() > 0; i++)
		turn();
	assert_int_equal(count_listening(), 0);
	end();
}

/* Those that listen for new mail (IDLE) keep nobody from his turn, however many they are. */
static void
test_many_listen(void **state)
{
	static char conf[(COLLECT_AT_ONCE + 2) * 200];
	struct collect_view view;
	char name[20];
	int len = snprintf(conf, sizeof(conf), "%s  collectors:\n", HEAD);

	(void)state;
	for (int i = 0; i < COLLECT_AT_ONCE; i++)
		len += snprintf(conf + len, sizeof(conf) - (size_t)len, "    - { name: box%d, kind: imap, idle: yes, "
			"server: imap.isp.test, username: u, accepted: [example.org] }\n", i);
	snprintf(conf + len, sizeof(conf) - (size_t)len, "    - { name: isp, kind: pop3, server: pop.isp.test, "
		"username: u, accepted: [example.org] }\n");
	begin(conf);
	for (int i = 0; i < COLLECT_AT_ONCE; i++) {
		snprintf(name, sizeof(name), "box%d", i);
		assert_int_equal(collect_now(site.host.collect, span_of(name), "a test", NULL), OK);
	}
	for (int i = 0; i < 3000 && view_of("box99").state != COLLECT_LISTENS; i++)
		turn();
	assert_int_equal(collect_now(site.host.collect, SPAN("isp"), "a test", NULL), OK);
	for (int i = 0; i < 3000 && ((view = view_of("isp")).last_ms == 0 || view.state != COLLECT_IDLE); i++)
		turn();
	assert_true(view.last_ms != 0);
	end();
}

static void
test_stopped_con_12(void **state)
{
	(void)state;
	for (unsigned turns = 0; turns < 60; turns += 3) {
		begin(COLLECTOR(""));
		fill(40);
		assert_int_equal(collect_now(site.host.collect, SPAN("isp"), "a test", NULL), OK);
		for (unsigned i = 0; i < turns; i++)
			loop_fake_advance(site.host.loop, 1);
		if (!is_idle())
			assert_int_equal(collect_stop(site.host.collect, SPAN("isp")), OK);
		turn_until_idle();
		assert_false(view_of("isp").failed);
		/* what was stored is removed there, and nothing else */
		assert_int_equal(fake_left() + site_folder_count(&site, "anna", "INBOX"), 40);
		collect();
		assert_each_once(40);
		end();
	}
}

struct probe_case {
	struct collect_probe probe;
	unsigned done;
};

static void
on_probed(struct collect_probe *p)
{
	((struct probe_case *)(void *)p)->done++;
}

static void
test_probe(void **state)
{
	struct probe_case p = { .probe = { .done = on_probed } };

	(void)state;
	begin(COLLECTOR(", leave_days: 9"));
	fill(3);
	collect();
	fill(2);
	assert_int_equal(collect_probe(site.host.collect, SPAN("isp"), &p.probe), OK);
	for (int i = 0; i < 20000 && !p.done; i++)
		turn();
	assert_true(p.probe.ok);
	assert_int_equal(p.probe.count, 5);
	assert_int_equal(p.probe.fresh, 2);
	assert_int_equal(fake_left(), 5);
	assert_int_equal(site_folder_count(&site, "anna", "INBOX"), 3);
	fake_box.locked = 1;
	assert_int_equal(collect_probe(site.host.collect, SPAN("isp"), &p.probe), OK);
	for (int i = 0; i < 20000 && p.done < 2; i++)
		turn();
	assert_false(p.probe.ok);
	assert_non_null(strstr(p.probe.why, "already locked"));
	assert_int_equal(collect_probe(site.host.collect, SPAN("isp"), &p.probe), OK);
	collect_probe_cancel(&p.probe);
	assert_int_equal(collect_probe(site.host.collect, SPAN("none"), &p.probe), ERR_NOT_FOUND);
	end();
	assert_int_equal(p.done, 2);
}

/* Who waits for a test hears of it in COLLECTION_TEST_MS, however long each of its steps may take. */
static void
test_probe_ends_net_01(void **state)
{
	struct probe_case p = { .probe = { .done = on_probed } };

	(void)state;
	begin(COLLECTOR(""));
	fake_box.silent = true;
	assert_int_equal(collect_probe(site.host.collect, SPAN("isp"), &p.probe), OK);
	for (int i = 0; i < 20000 && fake_box.starts == 0; i++)
		turn();
	loop_fake_advance(site.host.loop, COLLECTION_TEST_MS - 60000);
	for (int i = 0; i < 50; i++)
		turn();
	assert_int_equal(p.done, 0);
	loop_fake_advance(site.host.loop, 60000);
	for (int i = 0; i < 20000 && !p.done; i++)
		turn();
	assert_false(p.probe.ok);
	assert_non_null(strstr(p.probe.why, "the test was ended after 120 seconds"));
	end();
}

/* What the last one came to is known after a new start. */
static void
test_last_is_kept(void **state)
{
	(void)state;
	begin(COLLECTOR(""));
	fake_box.locked = 1;
	collect();
	for (int i = 0; i < 50 || site.host.collect->sweeps; i++)
		turn();
	host_snapshot_close(&site.host);
	collect_close(&site.host.collect);
	site.host.collect = collect_open(&site.host);
	assert_true(view_of("isp").failed && view_of("isp").last_ms > 0);
	assert_non_null(strstr(view_of("isp").error, "already locked"));
	end();
}

#define T(name) cmocka_unit_test(name)

int
test_collect_starts(void)
{
	const struct CMUnitTest tests[] = { T(test_disabled_inm_29), T(test_locked_inm_30),
		T(test_started_by_connection_con_02), T(test_once_more), T(test_few_begin_in_a_turn_h36), T(test_few_follow_in_a_turn_h36),
		T(test_many_listen),
		T(test_stopped_con_12), T(test_probe), T(test_probe_ends_net_01), T(test_last_is_kept) };

	return cmocka_run_group_tests_name("collect starts", tests, NULL, NULL);
}
