/*
 * test_imap_view.c - views of folders against a plain list of uids; the table of commands; what an IMAP
 * session weighs.
 */
#include "tests/harness/page_edge.h"

#include <stdlib.h>
#include <string.h>

#include "server/imap/folder_view.h"
#include "server/imap/imap_session.h"

#define UIDS 400 /* of the plain list */

static uint64_t seed = 88172645463325252u;

static unsigned
random_below(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed % n);
}

/* ---- views ---- */

/* A view of the uids that HAS says, made one by one. */
static struct folder_view *
view_of(const bool has[UIDS + 1])
{
	struct view_maker maker = { 0 };

	for (uint32_t uid = 1; uid <= UIDS; uid++)
		if (has[uid])
			view_maker_add(&maker, uid, uid);
	return view_maker_end(&maker, UIDS + 1);
}

static void
check_view(const struct folder_view *view, const bool has[UIDS + 1])
{
	uint32_t seq = 0;

	for (uint32_t uid = 1; uid <= UIDS; uid++) {
		assert_int_equal(view_seq_from(view, uid), seq + 1);
		assert_int_equal(view_seq(view, uid), has[uid] ? seq + 1 : 0);
		if (has[uid])
			assert_int_equal(view_uid(view, ++seq), uid);
	}
	assert_int_equal(view->count, seq);
	assert_int_equal(view_uid(view, 0), 0);
	assert_int_equal(view_uid(view, seq + 1), 0);
	assert_int_equal(view_seq(view, UINT32_MAX), 0);
}

/* Each message of RANGES once, in order, also where the walk stops in between. */
static void
check_walk(const struct folder_view *view)
{
	struct imap_range ranges[] = { { 1, view->count / 3 },
		{ view->count / 3 + 2, view->count } };
	struct view_walk walk = { .view = view, .ranges = ranges, .range_count = 2 };
	uint32_t want = 1, seq, uid;

	if (view->count < 6)
		return;
	while (view_walk_next(&walk, &seq, &uid)) {
		struct view_walk copy = walk;

		walk = copy;
		if (want == ranges[0].last + 1)
			want++;
		assert_int_equal(seq, want++);
		assert_int_equal(uid, view_uid(view, seq));
	}
	assert_int_equal(want, view->count + 1);
}

static void
views_count_as_lists_do(void **state)
{
	(void)state;
	for (int round = 0; round < 200; round++) {
		unsigned density = 1 + random_below(10);
		bool has[UIDS + 1] = { false };
		struct folder_view *view;

		for (uint32_t uid = 1; uid <= UIDS; uid++)
			has[uid] = random_below(10) < density;
		view = view_of(has);
		check_view(view, has);
		check_walk(view);
		view_release(&view);
	}
}

/* Some of what is there goes, some of what is not comes: as ranges. */
static void
pick(const bool has[UIDS + 1], bool there, struct arena *a, struct uid_ranges *out, bool after[UIDS + 1])
{
	for (uint32_t uid = 1; uid <= UIDS; uid++) {
		if (has[uid] != there || random_below(4) != 0)
			continue;
		uid_ranges_add(out, a, uid, uid);
		after[uid] = !there;
	}
}

static void
views_change(void **state)
{
	struct arena arena;

	(void)state;
	arena_init(&arena, NULL);
	for (int round = 0; round < 200; round++) {
		bool has[UIDS + 1] = { false }, after[UIDS + 1];
		struct uid_ranges gone = { NULL, 0, 0 }, more = { NULL, 0, 0 };
		struct folder_view *view, *changed, *again;

		for (uint32_t uid = 1; uid <= UIDS; uid++)
			has[uid] = random_below(10) < 7;
		memcpy(after, has, sizeof(after));
		pick(has, true, &arena, &gone, after);
		pick(has, false, &arena, &more, after);
		view = view_of(has);
		changed = view_change(view, gone.items, gone.count, more.items, more.count, UIDS + 1);
		check_view(view, has); /* the old one is as it was */
		check_view(changed, after);
		again = view_of(after);
		assert_true(view_is_same(changed, again)); /* so runs are merged */
		view_release(&view);
		view_release(&changed);
		view_release(&again);
		arena_reset(&arena);
	}
}

static void
views_say_what_they_lack(void **state)
{
	struct arena arena;

	(void)state;
	arena_init(&arena, NULL);
	for (int round = 0; round < 100; round++) {
		bool has[UIDS + 1] = { false }, absent[UIDS + 1] = { false };
		uint32_t first = 1 + random_below(UIDS), last = first + random_below(UIDS - first + 1);
		struct uid_ranges out = { NULL, 0, 0 }, uids = { NULL, 0, 0 };
		struct folder_view *view;

		for (uint32_t uid = 1; uid <= UIDS; uid++)
			has[uid] = random_below(3) > 0;
		view = view_of(has);
		view_add_absent(view, (struct imap_range){ first, last }, &arena, &out);
		for (size_t i = 0; i < out.count; i++)
			for (uint32_t uid = out.items[i].first; uid <= out.items[i].last; uid++)
				absent[uid] = true;
		for (uint32_t uid = 1; uid <= UIDS; uid++)
			assert_int_equal(absent[uid], uid >= first && uid <= last && !has[uid]);
		if (view->count > 2)
			view_add_uids(view, (struct imap_range){ 2, view->count }, &arena, &uids);
		assert_int_equal(uid_ranges_total(&uids), view->count > 2 ? view->count - 1 : 0);
		view_release(&view);
		arena_reset(&arena);
	}
}

/* House, 5: a private array of 10,000 uids in each of 5,000 sessions would be 200 MB. */
static void
full_folder_is_small(void **state)
{
	struct view_maker maker = { 0 };
	struct folder_view *view;

	(void)state;
	view_maker_add(&maker, 7, 1000006);
	view = view_maker_end(&maker, 2000000);
	assert_int_equal(view->run_count, 1);
	assert_int_equal(view->count, 1000000);
	assert_int_equal(view_uid(view, 1000000), 1000006);
	assert_int_equal(view_seq(view, 1000007), 0);
	view_release(&view);
}

/* ---- the table ---- */

static void
commands_are_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < imap_command_count; i++) {
		const struct imap_row *row = &imap_commands[i];
		bool plain = !(row->flags & IMAP_ONLY_UID);

		check_row(i, (imap_command_find(span_of(row->name), false) == row) == plain);
		check_row(i, (imap_command_find(span_of(row->name), true) == row) ==
				((row->flags & (IMAP_UID | IMAP_ONLY_UID)) != 0));
		check_row(i, (row->run == NULL) == ((row->flags & IMAP_MACHINE) != 0));
		/* what looks at the folder needs one */
		check_row(i, !(row->flags & (IMAP_WRITES | IMAP_NO_EXPUNGE | IMAP_NEEDS_VIEW)) ||
				row->states == IMAP_SELECTED);
	}
	assert_null(imap_command_find(SPAN("XYZZY"), false));
	assert_null(imap_command_find(SPAN(""), false));
	assert_non_null(imap_command_find(SPAN("fEtCh"), true));
}

/* H34: 5,000 of them idle in 60 MB; the stream and the machine are most of it. */
static void
sessions_are_small(void **state)
{
	(void)state;
	print_message("# struct imap_session %zu bytes, struct session %zu, struct imap_server %zu, "
		      "struct imap_selected %zu\n",
		sizeof(struct imap_session), sizeof(struct session), sizeof(struct imap_server),
		sizeof(struct imap_selected));
	assert_true(sizeof(struct imap_session) + sizeof(struct imap_selected) < 3072);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(views_count_as_lists_do),
		cmocka_unit_test(views_change),
		cmocka_unit_test(views_say_what_they_lack),
		cmocka_unit_test(full_folder_is_small),
		cmocka_unit_test(commands_are_found),
		cmocka_unit_test(sessions_are_small),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
