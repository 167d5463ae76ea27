/*
 * test_maillists.c - lists and their members.
 */
#include "tests/unit/test_maillists.h"

#include <stdio.h>

#include "store/groups.h"

static enum err
add_list(struct txn *txn, void *arg)
{
	struct list_arg *a = arg;
	struct maillist list = a->list;

	list.name = span_of(a->name);
	return maillist_add(txn, &list, FIXTURE_NOW, &a->id);
}

enum err
add_member(struct txn *txn, void *arg)
{
	struct list_arg *a = arg;

	return maillist_member_add(txn, a->id, span_of(a->member), FIXTURE_NOW);
}

static enum err
remove_member(struct txn *txn, void *arg)
{
	struct list_arg *a = arg;

	return maillist_member_remove(txn, a->id, span_of(a->member));
}

enum err
remove_list(struct txn *txn, void *arg)
{
	return maillist_remove(txn, ((struct list_arg *)arg)->id);
}

static enum err
rename_list(struct txn *txn, void *arg)
{
	struct list_arg *a = arg;

	return maillist_rename(txn, a->id, span_of(a->name), FIXTURE_NOW);
}

enum err
set_list(struct txn *txn, void *arg)
{
	return maillist_set(txn, &((struct list_arg *)arg)->list, FIXTURE_NOW);
}

uint64_t
list_of(struct fixture *f, const char *name, const char *member)
{
	struct list_arg a = { .name = name, .member = member };

	assert_int_equal(run(f, add_list, &a), OK);
	if (member != NULL)
		assert_int_equal(run(f, add_member, &a), OK);
	return a.id;
}

enum err
member(struct fixture *f, fixture_fn *fn, uint64_t id, const char *text)
{
	struct list_arg a = { .id = id, .member = text };

	return run(f, fn, &a);
}

void
expect_members(struct fixture *f, uint64_t id, const char *want)
{
	struct list_member m = { .member = SPAN_NONE };
	char got[200];
	size_t len = 0, n = 0;
	uint64_t size;
	enum err err;

	look(f);
	while ((err = maillist_member_after(f->snap, id, m.member, &m)) == OK) {
		len += (size_t)snprintf(got + len, sizeof(got) - len, "%s%.*s", n ? " " : "",
			SPAN_FMT(m.member));
		n++;
	}
	assert_int_equal(err, ERR_NOT_FOUND);
	assert_span_eq(((struct span){ got, len }), want);
	assert_int_equal(maillist_size(f->snap, id, &size), OK);
	assert_int_equal(size, n);
}

void
expect_clean(struct fixture *f)
{
	unsigned lines;

	fixture_close(f);
	assert_int_equal(fixture_check(f, false, &lines), 0);
	assert_int_equal(lines, 0);
	fixture_open(f);
}

static void
test_maillists_lst_02_names(void **state)
{
	struct fixture *f = *state;
	struct list_arg a = { .name = "Team" };
	struct maillist list;

	fixture_user(f, "anna");
	fixture_user(f, "sales_owner");
	a.list.kind = MAILLIST_MAILING;
	a.list.comment = SPAN("all of us");
	assert_int_equal(run(f, add_list, &a), OK);
	for (size_t i = 0; i < 3; i++) {
		static const char *const taken[] = { "ANNA", "team", "sales" };

		a.name = taken[i]; /* "sales" would have the address sales_owner */
		assert_int_equal(run(f, add_list, &a), ERR_EXISTS);
	}
	for (size_t i = 0; i < 6; i++) {
		static const char *const bad[] = { "a b", "", "a@b", "Everyone", ".a", "*x" };

		a.name = bad[i];
		assert_int_equal(run(f, add_list, &a), ERR_SYNTAX);
	}
	assert_int_equal(maillist_find_by_name(look(f), SPAN("TEAM"), &list), OK);
	assert_span_eq(list.name, "Team");
	assert_span_eq(list.comment, "all of us");
	assert_int_equal(list.kind, MAILLIST_MAILING);
	assert_int_equal(list.revision, 1);
	assert_int_equal(maillist_find_by_name(f->snap, SPAN("anna"), &list), ERR_NOT_FOUND);
	a.name = "team_digest"; /* Q-01, the other way round */
	assert_int_equal(run(f, add_list, &a), ERR_EXISTS);
	expect_clean(f);
}

/* GRP-01: naming a group like a list, and the other way round. */
enum err
add_group(struct txn *txn, void *arg)
{
	struct list_arg *a = arg;
	struct group group;

	group_init(&group);
	group.name = span_of(a->name);
	return group_add(txn, &group, FIXTURE_NOW, &a->id);
}

static void
test_maillists_grp_01_one_name_space(void **state)
{
	struct fixture *f = *state;
	struct list_arg a = { .name = "crew" };

	list_of(f, "crew", NULL);
	assert_int_equal(run(f, add_group, &a), ERR_EXISTS);
	a.name = "staff";
	assert_int_equal(run(f, add_group, &a), OK);
	a.name = "STAFF";
	assert_int_equal(run(f, add_list, &a), ERR_EXISTS);
}

static void
test_maillists_paging(void **state)
{
	struct fixture *f = *state;
	struct maillist list;
	uint64_t lists;

	list_of(f, "beta", NULL);
	fixture_user(f, "between");
	list_of(f, "alpha", NULL);
	list_of(f, "gamma", NULL);
	look(f);
	assert_int_equal(maillist_after(f->snap, SPAN_NONE, &list), OK);
	assert_span_eq(list.name, "alpha");
	assert_int_equal(maillist_after(f->snap, SPAN("beta"), &list), OK);
	assert_span_eq(list.name, "gamma");
	assert_int_equal(maillist_after(f->snap, SPAN("gamma"), &list), ERR_NOT_FOUND);
	assert_int_equal(maillist_before(f->snap, SPAN_NONE, &list), OK);
	assert_span_eq(list.name, "gamma");
	assert_int_equal(maillist_before(f->snap, SPAN("beta"), &list), OK);
	assert_span_eq(list.name, "alpha");
	assert_int_equal(maillist_count(f->snap, &lists), OK);
	assert_int_equal(lists, 3);
}

static void
test_maillists_lst_03_members(void **state)
{
	struct fixture *f = *state;
	struct list_member m;
	uint64_t id = list_of(f, "team", NULL), other = list_of(f, "other", "anna");

	expect_members(f, id, "");
	assert_int_equal(member(f, add_member, id, "bert"), OK);
	assert_int_equal(member(f, add_member, id, "Zoe@EXAMPLE.org."), OK);
	assert_int_equal(member(f, add_member, id, "Anna"), OK);
	assert_int_equal(member(f, add_member, id, "Everyone"), OK);
	assert_int_equal(member(f, add_member, id, "anna"), ERR_EXISTS);
	assert_int_equal(member(f, add_member, id, "zoe@example.org"), ERR_EXISTS);
	assert_int_equal(member(f, add_member, id, "a b"), ERR_SYNTAX);
	assert_int_equal(member(f, add_member, id, "*REMOTE"), ERR_SYNTAX);
	assert_int_equal(member(f, add_member, id, "x@y@z"), ERR_SYNTAX);
	assert_int_equal(member(f, add_member, other + 7, "anna"), ERR_NOT_FOUND);
	expect_members(f, id, "Anna bert Everyone Zoe@example.org");
	expect_members(f, other, "anna");
	assert_int_equal(maillist_member_find(f->snap, id, SPAN("ZOE@example.org."), &m), OK);
	assert_int_equal(m.added_ms, FIXTURE_NOW);
	assert_int_equal(member(f, remove_member, id, "ZOE@Example.ORG."), OK);
	assert_int_equal(member(f, remove_member, id, "zoe@example.org"), ERR_NOT_FOUND);
	assert_int_equal(member(f, remove_member, id, "EVERYONE"), OK);
	expect_members(f, id, "Anna bert");
	expect_clean(f);
}

static void
test_maillists_lst_09_forwarding_has_one_member(void **state)
{
	struct fixture *f = *state;
	struct list_arg a = { .name = "away", .member = "anna@example.net" };

	a.list.kind = MAILLIST_FORWARDING;
	assert_int_equal(run(f, add_list, &a), OK);
	assert_int_equal(run(f, add_member, &a), OK);
	a.member = "bert";
	assert_int_equal(run(f, add_member, &a), ERR_DENIED);
	assert_int_equal(maillist_find(look(f), a.id, &a.list), OK);
	a.list.kind = MAILLIST_DISTRIBUTION;
	assert_int_equal(run(f, set_list, &a), OK);
	assert_int_equal(run(f, set_list, &a), ERR_EXISTS); /* another revision by now */
	assert_int_equal(run(f, add_member, &a), OK);
	assert_int_equal(maillist_find(look(f), a.id, &a.list), OK);
	a.list.kind = MAILLIST_FORWARDING;
	assert_int_equal(run(f, set_list, &a), ERR_DENIED);
}

static void
test_maillists_rename_and_remove(void **state)
{
	struct fixture *f = *state;
	struct list_arg a = { .name = "crew", .id = list_of(f, "team", "anna") };
	struct maillist list;

	assert_int_equal(member(f, add_member, a.id, "bert@example.net"), OK);
	assert_int_equal(run(f, rename_list, &a), OK);
	assert_int_equal(maillist_find_by_name(look(f), SPAN("team"), &list), ERR_NOT_FOUND);
	assert_int_equal(maillist_find_by_name(f->snap, SPAN("crew"), &list), OK);
	expect_members(f, a.id, "anna bert@example.net");
	assert_int_equal(run(f, remove_list, &a), OK);
	expect_members(f, a.id, "");
	assert_int_equal(run(f, remove_list, &a), ERR_NOT_FOUND);
	assert_int_equal(run(f, add_list, &a), OK); /* the name is free again */
	expect_members(f, a.id, "");
	expect_clean(f);
}

static enum err
fill_list(struct txn *txn, void *arg)
{
	struct list_arg *a = arg;
	enum err err = OK;

	for (unsigned i = 0; i < a->count && err == OK; i++) {
		char text[40];

		snprintf(text, sizeof(text), "user%05u@example.net", i);
		err = maillist_member_add(txn, a->id, span_of(text), FIXTURE_NOW);
	}
	return err;
}

static void
test_maillists_members_max(void **state)
{
	struct fixture *f = *state;
	struct list_arg a = { .count = MAILLIST_MEMBERS_MAX, .id = list_of(f, "many", NULL) };
	uint64_t size;

	assert_int_equal(run(f, fill_list, &a), OK);
	assert_int_equal(member(f, add_member, a.id, "one-more"), ERR_LIMIT);
	assert_int_equal(maillist_size(look(f), a.id, &size), OK);
	assert_int_equal(size, MAILLIST_MEMBERS_MAX);
	a.inner = remove_list;
	assert_int_equal(run(f, recorded, &a), OK);
	assert_int_equal(maillist_size(look(f), a.id, &size), OK);
	assert_int_equal(size, 0);
	assert_int_equal(run(f, undo, &a), OK); /* the largest comes back too */
	assert_int_equal(maillist_size(look(f), a.id, &size), OK);
	assert_int_equal(size, MAILLIST_MEMBERS_MAX);
	expect_clean(f);
}

int
test_maillists(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		T(test_maillists_lst_02_names),
		T(test_maillists_grp_01_one_name_space),
		T(test_maillists_paging),
		T(test_maillists_lst_03_members),
		T(test_maillists_lst_09_forwarding_has_one_member),
		T(test_maillists_rename_and_remove),
		T(test_maillists_members_max),
	};
#undef T
	return cmocka_run_group_tests_name("maillists", tests, NULL, NULL);
}
