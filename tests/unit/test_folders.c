/*
 * test_folders.c - names of folders: made, renamed, found; what each is for; who is subscribed.
 */
#include "tests/unit/folder_fixture.h"

#include "store/folder_names.h"
#include "store/ids.h"
#include "store/subscriptions.h"

static enum err
make(struct txn *txn, void *arg)
{
	struct act *a = arg;

	return folder_make(txn, a->user_id, span_of(a->name), &a->folder_id);
}

static enum err
attributes(struct txn *txn, void *arg)
{
	struct act *a = arg;

	return folder_set_attributes(txn, a->user_id, a->folder_id, a->add, a->remove);
}

static enum err
special(struct txn *txn, void *arg)
{
	struct act *a = arg;

	return folders_make_special(txn, a->user_id, &a->flag);
}

static enum err
subscribe(struct txn *txn, void *arg)
{
	struct act *a = arg;

	return subscription_set(txn, a->user_id, span_of(a->name), a->flag);
}

/* ---- names ---- */

static void
test_folder_names_h24(void **state)
{
	static const struct {
		const char *name;
		enum err err;
	} rows[] = {
		{ "Work", OK },
		{ "Work", ERR_EXISTS },
		{ "work", OK }, /* only INBOX has no case */
		{ "inbox", ERR_EXISTS },
		{ "inbox/Old", OK },
		{ "INBOX/Old", ERR_EXISTS },
		{ "inboxes", OK },
		{ "no/such/parent", OK },
		{ "", ERR_LIMIT },
		{ "1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20", OK },
		{ "1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20/21", ERR_LIMIT },
	};
	struct fixture *f = *state;
	struct act a = { .user_id = fixture_user(f, "anna") };
	char longest[FOLDER_NAME_MAX + 2];

	for (size_t i = 0; i < COUNT(rows); i++) {
		a.name = rows[i].name;
		assert_int_equal(run(f, make, &a), rows[i].err);
	}
	assert_span_eq(found(f, a.user_id, "InBox/Old").name, "INBOX/Old");
	memset(longest, 'x', sizeof(longest));
	longest[FOLDER_NAME_MAX + 1] = 0;
	a.name = longest;
	assert_int_equal(run(f, make, &a), ERR_LIMIT);
	longest[FOLDER_NAME_MAX] = 0;
	assert_int_equal(run(f, make, &a), OK);
	closes_clean(f);
}

/* RFC 9051, 6.3.6: all below moves along, in one step, and no name comes twice. */
static void
test_rename_takes_children_along(void **state)
{
	struct fixture *f = *state;
	uint64_t anna = fixture_user(f, "anna"), deep = made(f, anna, "a/x/y");
	uint32_t validity;
	char long_name[FOLDER_NAME_MAX + 1];

	made(f, anna, "a");
	made(f, anna, "ab");
	made(f, anna, "b/z");
	validity = found(f, anna, "a/x/y").uidvalidity;
	assert_int_equal(renamed(f, anna, "a", "c"), OK);
	assert_true(is_there(f, anna, "c") && is_there(f, anna, "ab"));
	assert_false(is_there(f, anna, "a") || is_there(f, anna, "a/x/y"));
	assert_int_equal(found(f, anna, "c/x/y").folder_id, deep);
	assert_int_equal(found(f, anna, "c/x/y").uidvalidity, validity);
	made(f, anna, "b/x/y");
	assert_int_equal(renamed(f, anna, "c", "b"), ERR_EXISTS); /* b/x/y is taken */
	assert_int_equal(renamed(f, anna, "c", "ab"), ERR_EXISTS);
	assert_int_equal(renamed(f, anna, "c", "c"), ERR_EXISTS);
	assert_int_equal(renamed(f, anna, "c", "c/d"), ERR_DENIED);
	assert_int_equal(renamed(f, anna, "inbox", "d"), ERR_DENIED);
	assert_int_equal(renamed(f, anna, "c", "iNbOx/c"), OK);
	assert_span_eq(found(f, anna, "INBOX/c/x/y").name, "INBOX/c/x/y");
	memset(long_name, 'l', sizeof(long_name));
	long_name[FOLDER_NAME_MAX - 2] = 0;
	assert_int_equal(renamed(f, anna, "INBOX/c", long_name), ERR_LIMIT); /* the child */
	assert_true(is_there(f, anna, "INBOX/c"));
	closes_clean(f);
}

/* H27: a name that comes back is another folder, also when the clock stands still. */
static void
test_uidvalidity_h27_rises_for_a_name(void **state)
{
	struct fixture *f = *state;
	uint64_t anna = fixture_user(f, "anna");
	uint32_t last = 0;

	for (unsigned i = 0; i < 3; i++) {
		struct folder_removal r;

		folder_removal_init(&r);
		r.user_id = anna;
		r.folder_id = made(f, anna, "again");
		assert_true(found(f, anna, "again").uidvalidity > last);
		last = found(f, anna, "again").uidvalidity;
		assert_int_equal(store_run_job_now(f->store, &r.job), OK);
		assert_false(is_there(f, anna, "again"));
	}
	closes_clean(f);
}

/* As folder_make() makes them, without a look at all that are there for each. */
static enum err
make_many(struct txn *txn, void *arg)
{
	struct act *a = arg;
	struct folder folder = { .user_id = a->user_id, .uidnext = 1, .highest_modseq = 1 };
	enum err err = OK;

	for (unsigned i = 0; i < 8000 && err == OK; i++) {
		folder.folder_id = id_next(txn, COUNTER_folder);
		folder.uidvalidity = id_next_uidvalidity(txn);
		folder.name = arena_printf(txn_arena(txn), "Many/%u", i);
		err = folder_put(txn, &folder);
		if (err == OK)
			err = folder_name_add(txn, &folder);
	}
	return err;
}

/* However many there are. */
static void
test_a_name_is_found_without_a_walk(void **state)
{
	struct fixture *f = *state;
	struct act a = { .user_id = fixture_user(f, "anna") };
	struct folder folder;

	assert_int_equal(run(f, make_many, &a), OK);
	look(f);
	for (unsigned i = 0; i < 20000; i++) /* walks would take a minute */
		assert_int_equal(folder_find(f->snap, a.user_id, SPAN("Many/7999"), &folder), OK);
	assert_int_equal(renamed(f, a.user_id, "Many/0", "Few"), OK);
	assert_true(is_there(f, a.user_id, "Few"));
	assert_false(is_there(f, a.user_id, "Many/0"));
	closes_clean(f);
}

/* ---- special use ---- */

static void
test_special_folders_are_made_once(void **state)
{
	struct fixture *f = *state;
	struct act a = { .user_id = fixture_user(f, "anna") };
	struct folder_totals totals;
	struct folder_removal r;
	bool has;

	assert_int_equal(folder_totals(look(f), a.user_id, &totals), OK);
	assert_int_equal(totals.folders, 6);
	assert_int_equal(found(f, a.user_id, "Sent").attributes, FOLDER_USE_SENT);
	assert_int_equal(found(f, a.user_id, "Junk").attributes, FOLDER_USE_JUNK);
	assert_int_equal(subscription_has(f->snap, a.user_id, SPAN("Archive"), &has), OK);
	assert_true(has);
	folder_removal_init(&r);
	r.user_id = a.user_id;
	r.folder_id = found(f, a.user_id, "Junk").folder_id;
	assert_int_equal(store_run_job_now(f->store, &r.job), OK);
	assert_int_equal(run(f, special, &a), OK); /* what was removed stays so */
	assert_false(a.flag);
	assert_false(is_there(f, a.user_id, "Junk"));
	a.folder_id = found(f, a.user_id, "INBOX").folder_id; /* as in an older store */
	a.remove = FOLDER_SPECIAL_MADE;
	assert_int_equal(run(f, attributes, &a), OK);
	assert_int_equal(run(f, special, &a), OK);
	assert_true(a.flag);
	assert_true(is_there(f, a.user_id, "Junk"));
	closes_clean(f);
}

static void
test_a_use_is_of_one_folder(void **state)
{
	struct fixture *f = *state;
	struct act a = { .user_id = fixture_user(f, "anna") };

	a.folder_id = made(f, a.user_id, "Gesendet");
	a.add = FOLDER_USE_SENT;
	assert_int_equal(run(f, attributes, &a), ERR_EXISTS);
	a.folder_id = found(f, a.user_id, "INBOX").folder_id;
	a.add = FOLDER_USE_TRASH;
	assert_int_equal(run(f, attributes, &a), ERR_EXISTS);
	a.folder_id = found(f, a.user_id, "Trash").folder_id;
	a.add = FOLDER_OWN_SEEN;
	a.remove = FOLDER_USE_TRASH;
	assert_int_equal(run(f, attributes, &a), OK);
	assert_int_equal(found(f, a.user_id, "Trash").attributes, FOLDER_OWN_SEEN);
	a.folder_id = found(f, a.user_id, "INBOX").folder_id;
	a.add = FOLDER_USE_TRASH;
	assert_int_equal(run(f, attributes, &a), ERR_DENIED);
}

/* ---- subscriptions ---- */

static void
test_subscriptions_are_names(void **state)
{
	static const char *const want[] = { "Archive", "Drafts", "INBOX", "INBOX/x", "Junk",
		"Other users/bert/Sent", "Sent", "Trash" };
	struct fixture *f = *state;
	struct act a = { .user_id = fixture_user(f, "anna"), .flag = true };
	struct span name = SPAN("");
	size_t i = 0;

	a.name = "inbox/x";
	assert_int_equal(run(f, subscribe, &a), OK);
	a.name = "Other users/bert/Sent"; /* nobody asks whether it is there */
	assert_int_equal(run(f, subscribe, &a), OK);
	assert_int_equal(run(f, subscribe, &a), OK);
	a.name = "";
	assert_int_equal(run(f, subscribe, &a), ERR_LIMIT);
	look(f);
	while (subscription_next(f->snap, a.user_id, name, &name) == OK && i < COUNT(want))
		assert_span_eq(name, want[i++]);
	assert_int_equal(i, COUNT(want));
	a.name = "INBOX/X";
	a.flag = false;
	assert_int_equal(run(f, subscribe, &a), OK); /* was not */
	a.name = "inbox/x";
	assert_int_equal(run(f, subscribe, &a), OK);
	assert_int_equal(subscription_has(look(f), a.user_id, SPAN("INBOX/x"), &a.flag), OK);
	assert_false(a.flag);
	closes_clean(f);
}

#define T(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
test_folders(void)
{
	const struct CMUnitTest tests[] = {
		T(test_folder_names_h24),
		T(test_rename_takes_children_along),
		T(test_uidvalidity_h27_rises_for_a_name),
		T(test_a_name_is_found_without_a_walk),
		T(test_special_folders_are_made_once),
		T(test_a_use_is_of_one_folder),
		T(test_subscriptions_are_names),
	};

	return cmocka_run_group_tests_name("folders", tests, NULL, NULL);
}
