/*
 * test_collect_names.c - a collector that has another name in the file keeps what is known of its mailbox, whenever that
 * comes: nothing is fetched twice (INM-05).
 */
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/collect_site.h"

#define BOX(name, server) "    - { name: " name ", kind: pop3, server: " server ", username: u, accepted: [example.org], leave_days: 2 }\n"
#define BOXES HEAD "  collectors:\n"
#define ISP BOX("isp", "pop.isp.test")
#define PROVIDER BOX("provider", "pop.isp.test")

static void
give_file(const char *conf)
{
	host_snapshot_close(&site.host);
	site_set_conf(&site, conf);
	collect_follow(site.host.collect);
}

static void
settle(void)
{
	turn_until_idle();
	while (site.host.collect->sweeps || !collect_is_over(site.host.collect)) /* what is over is buried, too */
		turn();
}

static void
start_anew(const char *conf)
{
	settle();
	host_snapshot_close(&site.host);
	collect_close(&site.host.collect);
	site_set_conf(&site, conf);
	site.host.collect = collect_open(&site.host);
	site.host.collect->kind = &fake_source;
}

static uint64_t
fetched_by(const char *name)
{
	uint64_t number;

	assert_int_equal(collect_now(site.host.collect, span_of(name), "a test", &number), OK);
	turn_until_idle();
	assert_int_equal(view_of(name).number, number);
	assert_false(view_of(name).failed);
	return view_of(name).counts.fetched;
}

/* A site whose collector isp has fetched COUNT messages, which stay there. */
static void
begin_with(size_t count)
{
	begin(BOXES ISP);
	fill(count);
	assert_int_equal(fetched_by("isp"), count);
}

static void
goes_after_days(const char *name, size_t count)
{
	offset_ms = 2 * DAY_MS + 1000;
	assert_int_equal(fetched_by(name), 0);
	assert_int_equal(fake_left(), 0);
	assert_each_once(count);
	end();
}

/* The server ends between the file and the store. */
static void
test_renamed_and_killed_inm_05(void **state)
{
	(void)state;
	begin_with(3);
	start_anew(BOXES PROVIDER);
	assert_int_equal(fetched_by("provider"), 0);
	goes_after_days("provider", 3);
}

/* It is not collected for as long as rows are kept of one that left. */
static void
test_renamed_and_not_collected_inm_05(void **state)
{
	(void)state;
	begin_with(3);
	for (int day = 1; day < 100; day += 33) {
		offset_ms = day * DAY_MS;
		start_anew(BOXES PROVIDER);
		settle();
	}
	assert_int_equal(fetched_by("provider"), 0);
	goes_after_days("provider", 3);
}

/* It gets the name of one that left the file, whose account comes back within its days. */
static void
test_renamed_to_one_that_left_inm_05(void **state)
{
	(void)state;
	begin(BOXES ISP BOX("other", "pop.other.test"));
	fill(2);
	assert_int_equal(fetched_by("isp"), 2);
	assert_int_equal(fetched_by("other"), 2);
	give_file(BOXES ISP);
	settle();
	give_file(BOXES BOX("other", "pop.isp.test"));
	settle();
	assert_int_equal(fetched_by("other"), 0);
	offset_ms = DAY_MS;
	give_file(BOXES BOX("other", "pop.isp.test") BOX("third", "pop.other.test"));
	settle();
	assert_int_equal(fetched_by("third"), 0);
	assert_int_equal(fetched_by("other"), 0);
	end();
}

/* ---- the writer takes nothing ---- */

struct blocker {
	struct store_job stops, fills;
	sem_t begun, go;
	unsigned done;
};

static enum step
block(struct store_job *job, struct txn *txn)
{
	struct blocker *b = LIST_ITEM(job, struct blocker, stops);

	(void)txn;
	sem_post(&b->begun);
	sem_wait(&b->go);
	return STEP_DONE;
}

static enum step
pass(struct store_job *job, struct txn *txn)
{
	(void)job;
	(void)txn;
	return STEP_DONE;
}

static void
stops_done(struct store_job *job, enum err result)
{
	(void)result;
	LIST_ITEM(job, struct blocker, stops)->done++;
}

static void
fills_done(struct store_job *job, enum err result)
{
	(void)result;
	LIST_ITEM(job, struct blocker, fills)->done++;
}

static void
block_writer(struct blocker *b)
{
	*b = (struct blocker){
		.stops = { .apply = block, .done = stops_done, .inbox = &site.inbox },
		.fills = { .apply = pass, .done = fills_done, .inbox = &site.inbox } };
	sem_init(&b->begun, 0, 0);
	sem_init(&b->go, 0, 0);
	assert_int_equal(store_submit(site.host.store, &b->fills), OK);
	while (b->done == 0) /* what was submitted before is done */
		turn();
	assert_int_equal(store_submit(site.host.store, &b->stops), OK);
	sem_wait(&b->begun);
	b->fills.size_bytes = COMMIT_WAITING_BYTES;
	assert_int_equal(store_submit(site.host.store, &b->fills), OK);
}

static void
let_write(struct blocker *b)
{
	sem_post(&b->go);
	while (b->done < 3)
		turn();
	sem_destroy(&b->begun);
	sem_destroy(&b->go);
}

static void
test_renamed_while_too_much_waits_inm_05(void **state)
{
	struct blocker b;

	(void)state;
	begin_with(3);
	settle();
	block_writer(&b);
	give_file(BOXES PROVIDER);
	let_write(&b);
	assert_int_equal(fetched_by("provider"), 0);
	goes_after_days("provider", 3);
}

/* ---- while it is collected ---- */

/* In each moment of a collection; it goes on under the old name. */
static void
rename_after(unsigned turns, const char *conf)
{
	begin_with(2);
	fill(3);
	assert_int_equal(collect_now(site.host.collect, SPAN("isp"), "a test", NULL), OK);
	for (unsigned i = 0; i < turns; i++)
		turn();
	give_file(conf);
	assert_int_equal(collect_now(site.host.collect, SPAN("provider"), "a test", NULL), OK);
	settle();
	fetched_by("provider");
	assert_int_equal(fetched_by("provider"), 0);
	goes_after_days("provider", 5);
}

static void
test_renamed_as_it_begins_inm_05(void **state)
{
	(void)state;
	for (unsigned turns = 0; turns < 40; turns += turns < 12 ? 1 : 7)
		rename_after(turns, BOXES PROVIDER);
}

/* Another mailbox has the old name from now on. */
static void
test_renamed_and_its_name_is_anothers_inm_05(void **state)
{
	(void)state;
	for (unsigned turns = 0; turns < 40; turns += 5) {
		rename_after(turns, BOXES BOX("isp", "pop.other.test") PROVIDER);
		rename_after(turns, BOXES PROVIDER BOX("isp", "pop.other.test"));
	}
}

/* The way back, while it goes on. */
static void
test_renamed_there_and_back_inm_05(void **state)
{
	(void)state;
	for (unsigned turns = 0; turns < 20; turns += 3) {
		begin_with(2);
		assert_int_equal(collect_now(site.host.collect, SPAN("isp"), "a test", NULL), OK);
		give_file(BOXES PROVIDER);
		for (unsigned i = 0; i < turns; i++)
			turn();
		give_file(BOXES ISP);
		settle();
		assert_int_equal(fetched_by("isp"), 0);
		goes_after_days("isp", 2);
	}
}

/* ---- where in the file ---- */

static void
test_renamed_and_moved_inm_05(void **state)
{
	(void)state;
	begin_with(3);
	give_file(BOXES BOX("new", "pop.new.test") BOX("newer", "pop.newer.test") PROVIDER);
	assert_int_equal(fetched_by("provider"), 0);
	assert_int_equal(fetched_by("new"), 3); /* all see the one mailbox that there is here */
	end();
}

/* Two mailboxes, each by the name of the other. */
static void
test_names_change_places_inm_05(void **state)
{
	(void)state;
	begin(BOXES ISP BOX("other", "pop.other.test"));
	fill(1);
	fetched_by("isp");
	fill(1);
	fetched_by("other");
	assert_int_equal(site_folder_count(&site, "anna", "INBOX"), 3);
	give_file(BOXES BOX("other", "pop.isp.test") BOX("isp", "pop.other.test"));
	assert_int_equal(fetched_by("isp"), 0);
	assert_int_equal(fetched_by("other"), 1); /* pop.isp.test knew one */
	end();
}

/* Two of one mailbox, each with what it knows: by their places. */
static void
test_two_of_one_mailbox_renamed_inm_05(void **state)
{
	(void)state;
	begin(BOXES ISP BOX("other", "pop.isp.test"));
	fill(1);
	fetched_by("isp");
	fill(2);
	fetched_by("other");
	give_file(BOXES PROVIDER BOX("another", "pop.isp.test"));
	assert_int_equal(fetched_by("another"), 0);
	assert_int_equal(fetched_by("provider"), 2);
	end();
}

/* One that is in the file keeps what is its own, whoever else has the mailbox. */
static void
test_a_second_of_one_mailbox(void **state)
{
	(void)state;
	begin_with(2);
	give_file(BOXES ISP PROVIDER);
	assert_int_equal(fetched_by("provider"), 2);
	assert_int_equal(fetched_by("isp"), 0);
	end();
}

#define T(name) cmocka_unit_test(name)

int
test_collect_names(void)
{
	const struct CMUnitTest tests[] = { T(test_renamed_and_killed_inm_05),
		T(test_renamed_and_not_collected_inm_05), T(test_renamed_to_one_that_left_inm_05), T(test_renamed_while_too_much_waits_inm_05),
		T(test_renamed_as_it_begins_inm_05), T(test_renamed_and_its_name_is_anothers_inm_05),
		T(test_renamed_there_and_back_inm_05), T(test_renamed_and_moved_inm_05),
		T(test_names_change_places_inm_05), T(test_two_of_one_mailbox_renamed_inm_05),
		T(test_a_second_of_one_mailbox) };

	return cmocka_run_group_tests_name("collect names", tests, NULL, NULL);
}
