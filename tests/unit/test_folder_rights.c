/*
 * test_folder_rights.c - what others may do in a folder, and what each of them has seen there.
 */
#include "tests/unit/folder_fixture.h"

#include "store/groups.h"
#include "store/seen.h"

/* ---- rights: SHF-02, SHF-03 ---- */

static enum err
add_group(struct txn *txn, void *arg)
{
	struct act *a = arg;
	struct group group;
	struct user user;
	enum err err;

	group_init(&group);
	group.name = SPAN("staff");
	err = group_add(txn, &group, FIXTURE_NOW, &a->folder_id);
	if (err == OK)
		err = user_find(txn_view(txn), a->user_id, &user);
	if (err != OK)
		return err;
	user.group = a->folder_id;
	return user_set(txn, &user, FIXTURE_NOW);
}

static enum err
remove_group(struct txn *txn, void *arg)
{
	return group_remove(txn, *(uint64_t *)arg, FIXTURE_NOW);
}

static uint32_t
rights_now(struct fixture *f, uint64_t user_id, const struct folder *folder)
{
	struct user user;
	uint32_t rights;

	assert_int_equal(user_find(look(f), user_id, &user), OK);
	assert_int_equal(rights_of(f->snap, &user, folder, &rights), OK);
	return rights;
}

static void
test_rights_shf_02_add_up(void **state)
{
	struct fixture *f = *state;
	uint64_t anna = fixture_user(f, "anna"), bert = fixture_user(f, "bert");
	struct folder sent = found(f, anna, "Sent");
	struct act a = { .user_id = bert, .right = { .folder_id = sent.folder_id,
		.owner_id = anna, .kind = RIGHT_OF_USER, .subject_id = bert } };

	assert_int_equal(run(f, add_group, &a), OK);
	assert_int_equal(rights_now(f, anna, &sent), RIGHTS_ALL);
	assert_int_equal(rights_now(f, bert, &sent), 0);
	a.right.given = RIGHT_LOOKUP | RIGHT_READ; /* SHF-03: he reads, he cannot delete */
	assert_int_equal(run(f, give, &a), OK);
	assert_int_equal(rights_now(f, bert, &sent), RIGHT_LOOKUP | RIGHT_READ);
	a.right.kind = RIGHT_OF_GROUP;
	a.right.subject_id = a.folder_id;
	a.right.given = RIGHT_SEEN;
	assert_int_equal(run(f, give, &a), OK);
	a.right.kind = RIGHT_OF_ANYONE;
	a.right.subject_id = 0;
	a.right.given = RIGHT_INSERT;
	a.right.denied = RIGHT_READ;
	assert_int_equal(run(f, give, &a), OK);
	assert_int_equal(rights_now(f, bert, &sent), RIGHT_LOOKUP | RIGHT_SEEN | RIGHT_INSERT);
	assert_int_equal(run(f, remove_group, &a.folder_id), OK); /* and what it had */
	assert_int_equal(rights_now(f, bert, &sent), RIGHT_LOOKUP | RIGHT_INSERT);
	a.right.given = a.right.denied = 0;
	assert_int_equal(run(f, give, &a), OK);
	assert_int_equal(rights_now(f, bert, &sent), RIGHT_LOOKUP | RIGHT_READ);
	assert_int_equal(rights_now(f, anna, &sent), RIGHTS_ALL);
	closes_clean(f);
}

static void
test_rights_are_inherited_and_found(void **state)
{
	struct fixture *f = *state;
	uint64_t anna = fixture_user(f, "anna"), bert = fixture_user(f, "bert");
	struct act a = { .right = { .folder_id = made(f, FOLDER_OWNER_SHARED, "team"),
		.owner_id = FOLDER_OWNER_SHARED, .kind = RIGHT_OF_ANYONE,
		.given = RIGHT_LOOKUP } };
	struct folder_right at = { .folder_id = 0 };
	struct user user;
	struct folder deep;
	unsigned count = 0;

	assert_int_equal(run(f, give, &a), OK);
	a.right.kind = RIGHT_OF_USER;
	a.right.subject_id = bert;
	assert_int_equal(run(f, give, &a), OK);
	made(f, FOLDER_OWNER_SHARED, "team/a/b"); /* team/a is not there: from team */
	deep = found(f, FOLDER_OWNER_SHARED, "team/a/b");
	assert_int_equal(rights_now(f, bert, &deep), RIGHT_LOOKUP);
	assert_int_equal(user_find(look(f), bert, &user), OK);
	while (rights_shared_next(f->snap, &user, &at) == OK)
		count++;
	assert_int_equal(count, 2); /* each once, though there are two rows */
	assert_int_equal(user_find(look(f), anna, &user), OK);
	at = (struct folder_right){ .folder_id = 0 };
	assert_int_equal(rights_shared_next(f->snap, &user, &at), OK);
	assert_int_equal(at.owner_id, FOLDER_OWNER_SHARED);
	closes_clean(f);
}

/* ---- \Seen of one's own ---- */

static void
test_seen_keeps_each_apart(void **state)
{
	struct fixture *f = *state;
	struct act a = { .user_id = 7, .folder_id = 9, .flag = true,
		.uids = { 1, SEEN_PART, 5 * SEEN_PART + 3 } };
	struct seen_reader mine, other;

	assert_int_equal(run(f, see, &a), OK);
	seen_reader_init(&mine, 9, 7);
	seen_reader_init(&other, 9, 8);
	look(f);
	for (size_t i = 0; i < COUNT(a.uids); i++) {
		assert_true(seen_is(f->snap, &mine, a.uids[i]));
		assert_false(seen_is(f->snap, &mine, a.uids[i] + 1));
		assert_false(seen_is(f->snap, &other, a.uids[i]));
	}
	a.flag = false;
	assert_int_equal(run(f, see, &a), OK);
	seen_reader_init(&mine, 9, 7);
	assert_false(seen_is(look(f), &mine, 1));
}

#define T(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
test_folder_rights(void)
{
	const struct CMUnitTest tests[] = {
		T(test_rights_shf_02_add_up),
		T(test_rights_are_inherited_and_found),
		T(test_seen_keeps_each_apart),
	};

	return cmocka_run_group_tests_name("folder rights", tests, NULL, NULL);
}
