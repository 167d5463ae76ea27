/*
 * test_collect_many.c - much is known of a mailbox, or asked about it: no turn of the loop looks through all of it (H36).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/collect/collection_inside.h"
#include "server/collect/download_inside.h"
#include "server/collect/source_pop3.h"
#include "store/questions.h"
#include "tests/unit/collect_site.h"

#define MANY (2 * COLLECTION_PLAN_TURN + 5000)

/* ---- rows ---- */

struct filling {
	struct store_job job;
	size_t count;
};

static void
hash_of(unsigned char hash[FETCHED_HASH_SIZE], size_t n)
{
	char unique[40];

	snprintf(unique, sizeof(unique), "known-%zu", n);
	collect_like_unique(span_of(unique), hash);
}

static enum step
put_rows(struct store_job *job, struct txn *txn)
{
	const struct filling *f = LIST_ITEM(job, struct filling, job);
	struct fetched row = { .first_s = 1, .fetched_s = 1, .state = FETCHED_STORED, .mark = 1 };
	struct fetched_collector isp;
	enum err err = fetched_collector_find(txn_view(txn), SPAN("isp"), &isp);
	uint64_t id = isp.id;

	for (size_t i = 0; i < f->count && err == OK; i++) {
		hash_of(row.hash, i);
		err = fetched_put(txn, id, &row);
	}
	return step_of(job, err);
}

static void
know(size_t count)
{
	struct filling f = { .job = { .apply = put_rows }, .count = count };

	collect(); /* it has a number from now on */
	assert_int_equal(store_run_job_now(site.host.store, &f.job), OK);
}

struct pace {
	size_t *(*place)(struct collection *c, unsigned *part);
	size_t before, longest;
	unsigned part;
};

/* Behind one turn of the loop. */
static void
note_pace(struct pace *p)
{
	const struct collector *isp = collect_named(site.host.collect, SPAN("isp"));
	unsigned part;
	size_t at;

	if (!isp->collection)
		return;
	at = *p->place(isp->collection, &part);
	if (part == p->part && at > p->before && at - p->before > p->longest)
		p->longest = at - p->before;
	p->before = at;
	p->part = part;
}

/* By how much it came on in one turn at the most; to its end. */
static size_t
longest_step(size_t *(*place)(struct collection *c, unsigned *part))
{
	struct pace pace = { .place = place };

	assert_int_equal(collect_now(site.host.collect, SPAN("isp"), "a test", NULL), OK);
	for (int i = 0; i < 200000 && !is_idle(); i++) {
		loop_turn(site.host.loop, 2);
		note_pace(&pace);
		loop_fake_advance(site.host.loop, 1);
		note_pace(&pace);
	}
	assert_true(is_idle());
	return pace.longest;
}

static size_t *
plan_place(struct collection *c, unsigned *part)
{
	*part = c->plan_part;
	return &c->plan_at;
}

static size_t *
gone_place(struct collection *c, unsigned *part)
{
	*part = 0;
	return &c->gone_at;
}

/* A mailbox that was emptied by somebody else: what was known of it goes, with the next list. */
static void
test_many_have_gone_inm_05_h36(void **state)
{
	size_t longest;

	(void)state;
	begin(COLLECTOR(""));
	know(MANY);
	fill(3);
	longest = longest_step(plan_place);
	assert_true(longest > 0 && longest <= COLLECTION_PLAN_TURN);
	assert_false(view_of("isp").failed);
	assert_each_once(3);
	collect();
	assert_int_equal(row_count(), 0);
	end();
}

/* The same, where unique ids tell nothing, and it is known only in the end what was not met. */
static void
test_many_have_gone_by_header_inm_05_h36(void **state)
{
	size_t longest;

	(void)state;
	begin(COLLECTOR(""));
	know(MANY);
	fill(4);
	fake_box.messages[1].unique = fake_box.messages[2].unique = "twice";
	longest = longest_step(gone_place);
	assert_true(longest > 0 && longest <= COLLECTION_PLAN_TURN);
	assert_false(view_of("isp").failed);
	assert_each_once(4);
	collect();
	assert_int_equal(row_count(), 0);
	end();
}

/* ---- one collection, without a mailbox ---- */

static struct collection *
bare(void)
{
	struct collection *c = calloc(1, sizeof(*c));

	ENSURE(c);
	c->o = (struct collection_options){ .host = &site.host, .front = &site.host,
		.conf = &site.host.conf->collectors.items[0] };
	buf_init(&c->uniques, COLLECTION_UNIQUES_MAX);
	arena_init(&c->arena, NULL);
	list_init(&c->choices);
	return c;
}

static void
blocks_are_free(struct work *work, enum err result)
{
	struct collection *c = LIST_ITEM(work, struct collection, reading);

	assert_int_equal(result, OK);
	assert_null(c->given_back);
	c->is_over = true;
}

static void
bare_free(struct collection *c)
{
	collection_list_clear(c);
	collection_give_back(c, c->changes);
	collection_free_blocks(c, blocks_are_free);
	for (int i = 0; i < 30000 && !c->is_over; i++)
		turn();
	assert_true(c->is_over);
	free(c);
}

static void
test_many_were_removed_inm_03_h36(void **state)
{
	unsigned char hash[FETCHED_HASH_SIZE];
	struct collection *c;
	size_t before = 0;

	(void)state;
	begin(COLLECTOR(""));
	c = bare();
	c->listed_count = MANY;
	for (size_t i = 0; i < MANY; i++) {
		hash_of(hash, i);
		collection_remove(c, hash, (uint32_t)i + 1);
		c->removals[i].done = i > 0;
	}
	while (!collection_settle_counts(c, true)) {
		assert_true(c->settle_at > before && c->settle_at - before <= COLLECTION_PLAN_TURN);
		before = c->settle_at;
		assert_int_equal(c->shown.deleted, 0);
		loop_turn(site.host.loop, 0);
	}
	assert_true(before > 0);
	assert_int_equal(c->shown.deleted, MANY - 1);
	assert_int_equal(c->shown.left, 1);
	assert_int_equal(c->change_count, MANY - 1);
	bare_free(c);
	end();
}

/* The table of unique ids grows while the list comes; it is never copied at once. */
static void
test_many_unique_ids_inm_05_h36(void **state)
{
	struct source_item item = { .size = 1 };
	struct collection *c;
	size_t room = 0;
	unsigned char hash[FETCHED_HASH_SIZE];
	char unique[40];

	(void)state;
	begin(COLLECTOR(""));
	c = bare();
	for (size_t i = 0; i < MANY + MANY / 100; i++) {
		snprintf(unique, sizeof(unique), "known-%zu", i < MANY ? i : (i - MANY) * 100);
		item.number = (uint32_t)i + 1;
		item.unique = span_of(unique);
		if (2 * (c->marks.count + 1) > c->marks.room)
			assert_null(c->marks.old); /* all of it was moved before it grows again */
		assert_int_equal(c->by_header, i > MANY);
		collection_on_item(c, &item);
		assert_true(c->marks.room >= room);
		room = c->marks.room;
	}
	for (size_t i = 0; i < MANY; i++) {
		hash_of(hash, i);
		assert_int_equal(collection_is_marked_twice(c, hash), i % 100 == 0);
	}
	assert_int_equal(c->end.fresh, MANY + MANY / 100);
	bare_free(c);
	end();
}

/* ---- the list of a POP3 server ---- */

static struct source_pop3 pop3;
static size_t told, told_unique;
static bool listed;

static void
count_item(struct source *s, const struct source_item *item)
{
	(void)s;
	told++;
	told_unique += item->unique.len > 0;
	assert_true(item->number >= 1 && item->number <= SOURCE_ITEMS_MAX);
}

static void
note_listed(struct source *s, bool has_unique)
{
	(void)s;
	(void)has_unique;
	listed = true;
}

static void
go_on(struct loop_call *call)
{
	(void)call;
	source_pop3_list_go_on(&pop3);
}

static void
begin_pop3(void)
{
	static const struct source_events events = { .item = count_item, .listed = note_listed };

	begin(COLLECTOR(""));
	pop3 = (struct source_pop3){ .net = { .host = &site.host } };
	pop3.net.source.events = &events;
	loop_call_init(&pop3.net.later, go_on);
	told = told_unique = 0;
	listed = false;
}

/* As many as no table of a power of two ends at: none behind the last is looked at. */
static void
test_most_messages_that_count_inm_02(void **state)
{
	static const uint32_t numbers[] = { 1, 2, SOURCE_ITEMS_MAX / 2 + 100000, SOURCE_ITEMS_MAX - 1, SOURCE_ITEMS_MAX,
		SOURCE_ITEMS_MAX + 1, UINT32_MAX };

	(void)state;
	begin_pop3();
	for (size_t i = 0; i < COUNT(numbers); i++)
		source_pop3_list_size(&pop3, numbers[i], 100);
	source_pop3_list_unique(&pop3, 2, SPAN("two"));
	source_pop3_list_unique(&pop3, UINT32_MAX, SPAN("last"));
	source_pop3_list_end(&pop3, true);
	for (int i = 0; i < 10000 && !listed; i++)
		turn();
	assert_true(listed);
	assert_int_equal(told, 5);
	assert_int_equal(told_unique, 1);
	source_pop3_list_fini(&pop3);
	end();
}

/* Neither LIST nor UIDL: a million is told in slices. */
static void
test_many_by_stat_inm_02_h36(void **state)
{
	size_t before;

	(void)state;
	begin_pop3();
	pop3.stat_count = 50 * SOURCE_POP3_END_STEP + 1;
	source_pop3_list_end(&pop3, false);
	assert_int_equal(told, SOURCE_POP3_END_STEP);
	for (int i = 0; i < 10000 && !listed; i++) {
		before = told;
		loop_turn(site.host.loop, 0);
		assert_true(told - before <= 2 * 8 * SOURCE_POP3_END_STEP); /* loop_turn() runs deferred calls twice */
	}
	assert_true(listed);
	assert_int_equal(told, pop3.stat_count);
	source_pop3_list_fini(&pop3);
	end();
}

/* ---- questions of download rules ---- */

#define ASKED (2 * DOWNLOAD_READ_SLICE + 500)

static enum step
put_questions(struct store_job *job, struct txn *txn)
{
	unsigned char hash[FETCHED_HASH_SIZE];
	struct fetched_collector isp;
	enum err err = fetched_collector_find(txn_view(txn), SPAN("isp"), &isp);

	for (size_t i = 0; i < ASKED && err == OK; i++) {
		struct question q = { .question_no = i + 1, .collector_id = isp.id + i % 2, .since_ms = 1,
			.known = { (const char *)hash, sizeof(hash) }, .sender = SPAN("s"), .subject = SPAN("t"),
			.rule = SPAN("r"), .asked = SPAN("1"), .until_ms = INT64_MAX / 2, .answer = QUESTION_REMOVE };

		hash_of(hash, i);
		err = question_put(txn, &q);
	}
	return step_of(job, err);
}

static bool
is_removed(struct download *d, size_t n)
{
	unsigned char hash[FETCHED_HASH_SIZE];
	struct download_item item = { .unique = { (const char *)hash, sizeof(hash) }, .size = 5 };
	struct download_decision decision;

	hash_of(hash, n);
	return download_item(d, &item, &decision) && decision.answer.does == DOWNLOAD_REMOVE;
}

static void
test_many_questions_dlr_07_h36(void **state)
{
	struct filling f = { .job = { .apply = put_questions } };
	struct fetched_collector isp;
	struct snapshot *snap;
	struct download *d;
	size_t slices = 0, before = 0;

	(void)state;
	begin(COLLECTOR(""));
	collect();
	assert_int_equal(store_run_job_now(site.host.store, &f.job), OK);
	d = download_new(&site.host, site.host.generation, &site.host.conf->collectors.items[0], 1);
	download_offer(d, true, true);
	assert_int_equal(snapshot_open(site.host.store, &snap), OK);
	assert_int_equal(fetched_collector_find(snap, SPAN("isp"), &isp), OK);
	d->collector_id = isp.id;
	for (bool more = true; more; slices++) {
		assert_int_equal(download_read_slice(d, snap, &more), OK);
		assert_true(d->count - before <= DOWNLOAD_READ_SLICE / 2);
		before = d->count;
	}
	snapshot_close(&snap);
	assert_int_equal(slices, ASKED / DOWNLOAD_READ_SLICE + 1);
	assert_int_equal(download_read(d, isp.id), OK);
	assert_int_equal(d->count, ASKED / 2);
	for (size_t i = 0; i < ASKED; i++)
		assert_int_equal(is_removed(d, i), i % 2 == 0);
	download_free(&d);
	end();
}

#define T(name) cmocka_unit_test(name)

int
test_collect_many(void)
{
	const struct CMUnitTest tests[] = { T(test_many_have_gone_inm_05_h36),
		T(test_many_have_gone_by_header_inm_05_h36), T(test_many_were_removed_inm_03_h36),
		T(test_many_unique_ids_inm_05_h36), T(test_most_messages_that_count_inm_02),
		T(test_many_by_stat_inm_02_h36), T(test_many_questions_dlr_07_h36) };

	return cmocka_run_group_tests_name("collect many", tests, NULL, NULL);
}
