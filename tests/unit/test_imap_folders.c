/*
 * test_imap_folders.c - names of folders in IMAP, and which of them LIST shows: no store, no session.
 */
#include "tests/harness/page_edge.h"

#include <stdlib.h>
#include <time.h>

#include "server/imap/imap_place.h"
#include "server/imap/imap_rights.h"
#include "server/imap/mailbox_tree.h"

/* ---- names ---- */

static void
names_are_taken_apart(void **state)
{
	static const struct {
		struct span name;
		bool good;
		enum imap_space space;
		struct span owner, folder, again;
	} rows[] = {
		{ SPAN("Sent"), true, IMAP_SPACE_OWN, SPAN(""), SPAN("Sent"), SPAN("Sent") },
		{ SPAN("inBox"), true, IMAP_SPACE_OWN, SPAN(""), SPAN("INBOX"), SPAN("INBOX") },
		{ SPAN("inbox/x"), true, IMAP_SPACE_OWN, SPAN(""), SPAN("INBOX/x"), SPAN("INBOX/x") },
		{ SPAN("a/inbox"), true, IMAP_SPACE_OWN, SPAN(""), SPAN("a/inbox"), SPAN("a/inbox") },
		{ SPAN("inboxes"), true, IMAP_SPACE_OWN, SPAN(""), SPAN("inboxes"), SPAN("inboxes") },
		{ SPAN("a/b/"), true, IMAP_SPACE_OWN, SPAN(""), SPAN("a/b"), SPAN("a/b") },
		{ SPAN("OTHER users/anna/inbox"), true, IMAP_SPACE_OTHERS, SPAN("anna"), SPAN("INBOX"),
			SPAN("Other users/anna/INBOX") },
		{ SPAN("Other users/anna"), true, IMAP_SPACE_OTHERS, SPAN("anna"), SPAN(""),
			SPAN("Other users/anna") },
		{ SPAN("other users/"), true, IMAP_SPACE_OTHERS, SPAN(""), SPAN(""),
			SPAN("Other users") },
		{ SPAN("Other usersx"), true, IMAP_SPACE_OWN, SPAN(""), SPAN("Other usersx"),
			SPAN("Other usersx") },
		{ SPAN("shared/sales/2026"), true, IMAP_SPACE_SHARED, SPAN(""), SPAN("sales/2026"),
			SPAN("Shared/sales/2026") },
		{ SPAN("Shared"), true, IMAP_SPACE_SHARED, SPAN(""), SPAN(""), SPAN("Shared") },
		{ SPAN(""), false, IMAP_SPACE_OWN, SPAN(""), SPAN(""), SPAN("") },
		{ SPAN("/"), false, IMAP_SPACE_OWN, SPAN(""), SPAN(""), SPAN("") },
		{ SPAN("a//b"), false, IMAP_SPACE_OWN, SPAN(""), SPAN(""), SPAN("") },
		{ SPAN("a/../b"), false, IMAP_SPACE_OWN, SPAN(""), SPAN(""), SPAN("") }, /* H24 */
		{ SPAN("Other users//x"), false, IMAP_SPACE_OWN, SPAN(""), SPAN(""), SPAN("") },
		{ SPAN("\001bin"), false, IMAP_SPACE_OWN, SPAN(""), SPAN(""), SPAN("") },
		{ SPAN("a\0b"), false, IMAP_SPACE_OWN, SPAN(""), SPAN(""), SPAN("") },
		{ SPAN("Shared/Shared/x"), true, IMAP_SPACE_SHARED, SPAN(""), SPAN("Shared/x"),
			SPAN("Shared/Shared/x") },
		{ SPAN("Other users/anna/Sharedx"), true, IMAP_SPACE_OTHERS, SPAN("anna"),
			SPAN("Sharedx"), SPAN("Other users/anna/Sharedx") },
		/* anna could not name these */
		{ SPAN("Other users/anna/shared"), false, IMAP_SPACE_OWN, SPAN(""), SPAN(""), SPAN("") },
		{ SPAN("Other users/anna/Shared/x"), false, IMAP_SPACE_OWN, SPAN(""), SPAN(""), SPAN("") },
		{ SPAN("Other users/anna/other Users/x"), false, IMAP_SPACE_OWN, SPAN(""), SPAN(""),
			SPAN("") },
		{ SPAN("Other users/anna/\001bin"), false, IMAP_SPACE_OWN, SPAN(""), SPAN(""), SPAN("") },
	};
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct imap_place place;
		bool good = imap_place_parse(at_page_edge(rows[i].name), &a, &place) == OK;

		check_row(i, good == rows[i].good);
		if (!good)
			continue;
		check_row(i, place.space == rows[i].space);
		check_span(i, place.owner, rows[i].owner);
		check_span(i, place.folder, rows[i].folder);
		check_span(i, imap_place_name(&place, &a), rows[i].again);
	}
	arena_reset(&a);
}

/* ---- rights (SHF-02, RFC 4314) ---- */

static void
rights_are_letters(void **state)
{
	static const struct {
		struct span text;
		bool good;
		enum rights_mode mode;
		uint32_t old, now;
		struct span said; /* of NOW; c where k or x is, d where t or e is */
	} rows[] = {
		{ SPAN("lr"), true, RIGHTS_REPLACE, RIGHTS_ALL, RIGHT_LOOKUP | RIGHT_READ, SPAN("lr") },
		{ SPAN(""), true, RIGHTS_REPLACE, RIGHTS_ALL, 0, SPAN("") },
		{ SPAN("+s"), true, RIGHTS_ADD, RIGHT_READ, RIGHT_READ | RIGHT_SEEN, SPAN("rs") },
		{ SPAN("-rs"), true, RIGHTS_TAKE, RIGHT_READ | RIGHT_INSERT, RIGHT_INSERT, SPAN("i") },
		{ SPAN("c"), true, RIGHTS_REPLACE, 0, RIGHT_CREATE | RIGHT_DELETE, SPAN("kxc") },
		{ SPAN("d"), true, RIGHTS_REPLACE, 0, RIGHT_DELETED | RIGHT_EXPUNGE, SPAN("ted") },
		{ SPAN("dt"), true, RIGHTS_REPLACE, 0, RIGHT_DELETED | RIGHT_EXPUNGE, SPAN("ted") },
		{ SPAN("x"), true, RIGHTS_REPLACE, 0, RIGHT_DELETE, SPAN("xc") },
		{ SPAN("lrswipkxtea"), true, RIGHTS_REPLACE, 0, RIGHTS_ALL, SPAN("lrswipkxteacd") },
		{ SPAN("q"), false, RIGHTS_REPLACE, 0, 0, SPAN("") },
		{ SPAN("lR"), false, RIGHTS_REPLACE, 0, 0, SPAN("") },
		{ SPAN("l r"), false, RIGHTS_REPLACE, 0, 0, SPAN("") },
		{ SPAN("r+s"), false, RIGHTS_REPLACE, 0, 0, SPAN("") },
		{ SPAN("0"), false, RIGHTS_REPLACE, 0, 0, SPAN("") },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		enum rights_mode mode;
		uint32_t rights;
		char text[RIGHTS_TEXT_SIZE];
		bool good = imap_rights_parse(at_page_edge(rows[i].text), &mode, &rights) == OK;

		check_row(i, good == rows[i].good);
		if (!good)
			continue;
		check_row(i, mode == rows[i].mode);
		rights = imap_rights_change(rows[i].old, mode, rights);
		check_row(i, rights == rows[i].now);
		check_span(i, imap_rights_format(rights, text), rows[i].said);
	}
}

/* ---- the tree ---- */

/* Pattern of the tests: '*' as LIST has it, and a whole name. */
static bool
matches(const void *arg, struct span name)
{
	return span_match_wildcard(*(const struct span *)arg, name);
}

struct rig {
	struct arena arena;
	struct mailbox_tree tree;
	struct span pattern;
	char said[4096];
};

static void
begin(struct rig *rig, const char *pattern, unsigned select, bool recursive)
{
	memset(rig, 0, sizeof(*rig));
	arena_init(&rig->arena, NULL);
	rig->pattern = span_of(pattern);
	mailbox_tree_init(&rig->tree, &rig->arena, select, recursive);
}

/* "folder" or "subscription". */
static void
put(struct rig *rig, const char *name, bool folder, bool subscribed, unsigned uses)
{
	struct mailbox_node node = { .name = at_page_edge(span_of(name)), .folder_id = folder,
		.subscribed = subscribed, .uses = uses };

	node.name = arena_copy(&rig->arena, node.name);
	node.matches = matches(&rig->pattern, node.name);
	assert_int_equal(mailbox_tree_add(&rig->tree, &node), OK);
}

/* What is shown: each name with + has children, - level only, i childinfo, s subscribed. */
static const char *
say(struct rig *rig)
{
	struct mailbox_walk walk;
	struct mailbox_item item;
	size_t looks, len = 0;

	while (mailbox_tree_sort_step(&rig->tree))
		continue;
	mailbox_walk_init(&walk, &rig->tree, matches, &rig->pattern);
	do {
		looks = 3; /* in slices */
		while (mailbox_walk_next(&walk, &looks, &item))
			len += (size_t)snprintf(rig->said + len, sizeof(rig->said) - len,
				"%.*s%s%s%s%s ", SPAN_FMT(item.name), item.has_children ? "+" : "",
				!item.node || item.node->folder_id == 0 ? "-" : "",
				item.child_info ? "i" : "",
				item.node && item.node->subscribed ? "s" : "");
	} while (looks == 0);
	arena_reset(&rig->arena);
	return rig->said;
}

static void
listing_shows_levels(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig, "*", 0, false);
	put(&rig, "foo-bar", true, false, 0);
	put(&rig, "foo/x/y", true, false, 0);
	put(&rig, "foo/x/z", true, false, 0);
	put(&rig, "INBOX", true, false, 0);
	put(&rig, "a", true, false, 0);
	put(&rig, "a/b", true, false, 0);
	assert_string_equal(say(&rig), "INBOX a+ a/b foo+- foo/x+- foo/x/y foo/x/z foo-bar ");
}

static void
subscriptions_are_no_folders(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig, "*", 0, false);
	put(&rig, "a", true, false, 0);
	put(&rig, "a/gone", false, true, 0);
	put(&rig, "b/gone", false, true, 0);
	put(&rig, "a", false, true, 0); /* the same name from the subscriptions */
	assert_string_equal(say(&rig), "as ");
}

/* RFC 5258, 3.5 and the examples of 5. */
static void
recursive_match_names_parents(void **state)
{
	static const struct {
		const char *pattern;
		bool recursive;
		const char *said;
	} rows[] = {
		{ "*", false, "foo2/bar2s gone-s top+s " },
		{ "*", true, "foo2/bar2s gone-s top+s " },
		{ "foo2", true, "foo2+i " },
		{ "foo2", false, "" },
		{ "t*", true, "top+s " },
		{ "*2", true, "foo2/bar2s " },
		{ "*o*2", true, "foo2/bar2s " },
		{ "*0", true, "" },
	};
	struct rig rig;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		begin(&rig, rows[i].pattern, TREE_SUBSCRIBED, rows[i].recursive);
		put(&rig, "foo2", true, false, 0);
		put(&rig, "foo2/bar1", true, false, 0);
		put(&rig, "foo2/bar2", true, true, 0);
		put(&rig, "top", true, true, 0);
		put(&rig, "top/x", true, false, 0);
		put(&rig, "gone", false, true, 0);
		if (strcmp(say(&rig), rows[i].said) != 0)
			fail_msg("row %zu: got \"%s\", want \"%s\"", i, rig.said, rows[i].said);
	}
}

/* LSUB "" % with a/b subscribed names a; a level above a level too. */
static void
levels_of_subscriptions(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig, "a", TREE_SUBSCRIBED, true);
	put(&rig, "a/b/c", false, true, 0);
	assert_string_equal(say(&rig), "a-i ");
	begin(&rig, "a/b", TREE_SUBSCRIBED, true);
	put(&rig, "a/b/c", false, true, 0);
	assert_string_equal(say(&rig), "a/b-i ");
}

static void
special_uses_are_chosen(void **state)
{
	struct rig rig;

	(void)state;
	begin(&rig, "*", TREE_SPECIAL_USE, false);
	put(&rig, "Sent", true, true, 1);
	put(&rig, "Drafts", true, false, 2);
	put(&rig, "x", true, true, 0);
	assert_string_equal(say(&rig), "Drafts Sents ");
	begin(&rig, "*", TREE_SPECIAL_USE | TREE_SUBSCRIBED, false);
	put(&rig, "Sent", true, true, 1);
	put(&rig, "Drafts", true, false, 2);
	assert_string_equal(say(&rig), "Sents ");
}

static double
seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* As many names as there may be: sorted, each once, and no step sorts more than it may (H36). */
static void
full_tree_is_sorted(void **state)
{
	struct rig rig;
	struct mailbox_node node = { .folder_id = 1, .matches = true };
	unsigned steps = 0;
	double longest = 0, begun;

	(void)state;
	begin(&rig, "*", 0, false);
	for (unsigned i = 0; i < TREE_NODES_MAX; i++) {
		node.name = arena_printf(&rig.arena, "level/%u/%u", i * 7919 % 10007, i);
		assert_int_equal(mailbox_tree_add(&rig.tree, &node), OK);
	}
	assert_int_equal(mailbox_tree_add(&rig.tree, &node), ERR_LIMIT);
	do {
		steps++;
		begun = seconds();
		if (!mailbox_tree_sort_step(&rig.tree))
			break;
		longest = seconds() - begun > longest ? seconds() - begun : longest;
	} while (true);
	assert_int_equal(rig.tree.count, TREE_NODES_MAX);
	assert_true(steps >= TREE_NODES_MAX / TREE_RUN);
	for (size_t i = 1; i < rig.tree.count; i++)
		assert_true(mailbox_name_cmp(rig.tree.nodes[i - 1].name, rig.tree.nodes[i].name) < 0);
	print_message("# longest step: %.1f ms\n", longest * 1e3);
	arena_reset(&rig.arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_taken_apart),
		cmocka_unit_test(rights_are_letters),
		cmocka_unit_test(listing_shows_levels),
		cmocka_unit_test(subscriptions_are_no_folders),
		cmocka_unit_test(recursive_match_names_parents),
		cmocka_unit_test(levels_of_subscriptions),
		cmocka_unit_test(special_uses_are_chosen),
		cmocka_unit_test(full_tree_is_sorted),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
