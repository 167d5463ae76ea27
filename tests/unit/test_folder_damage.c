/*
 * test_folder_damage.c - what hangs on folders is damaged, and mended by the check (H49).
 */
#include "tests/unit/folder_fixture.h"

#include "store/bin.h"
#include "store/expunged.h"
#include "store/folder_names.h"
#include "store/keywords.h"

struct spoiling {
	enum store_table table;
	struct key key;
};

static enum err
spoil_first(struct txn *txn, void *arg)
{
	struct spoiling *s = arg;
	struct row row;
	enum err err;

	key_begin(&s->key);
	err = table_seek(txn_view(txn), s->table, &s->key, &row);
	if (err != OK)
		return err;
	key_name(&s->key, row.key);
	return table_put(txn, s->table, &s->key, SPAN("damage"));
}

static enum err
put_nothing(struct txn *txn, void *arg)
{
	struct spoiling *s = arg;

	return table_put(txn, s->table, &s->key, SPAN_NONE);
}

static enum err
delete_row(struct txn *txn, void *arg)
{
	struct spoiling *s = arg;

	return table_delete(txn, s->table, &s->key);
}

static enum err
bin_one(struct txn *txn, void *arg)
{
	struct act *a = arg;
	struct bin_result result;
	struct folder folder;
	enum err err = folder_get(txn_view(txn), a->user_id, a->folder_id, &folder);

	if (err != OK)
		return err;
	return bin_take(txn, &folder, (struct uid_list){ a->uids, 1 }, 0, &result);
}

static enum err
keyword(struct txn *txn, void *arg)
{
	struct act *a = arg;
	struct folder_keywords keywords = { .count = 0 };
	uint32_t bit;

	return folder_keyword_add(txn, a->folder_id, &keywords, SPAN("Work"), &bit);
}

/* Whatever is damaged is said, mended, and then nothing is found any more. */
static void
test_check_h49_mends_what_hangs_on_folders(void **state)
{
	static const enum store_table tables[] = { TABLE_keywords, TABLE_rights, TABLE_seen,
		TABLE_expunged, TABLE_binned };
	struct fixture *f = *state;
	struct act a = { .user_id = fixture_user(f, "anna"), .flag = true, .uids = { 1, 2, 3 } };
	struct fixture_message m = { .user_id = a.user_id, .body_size = 50 };
	struct folder_keywords names;
	unsigned lines;

	a.folder_id = m.folder_id = fixture_inbox(f, a.user_id);
	a.right = (struct folder_right){ .folder_id = a.folder_id, .owner_id = a.user_id,
		.kind = RIGHT_OF_ANYONE, .given = RIGHT_LOOKUP };
	for (m.seed = 0; m.seed < 3; m.seed++)
		assert_int_equal(run(f, fixture_place, &m), OK);
	assert_int_equal(run(f, keyword, &a), OK);
	assert_int_equal(run(f, give, &a), OK);
	assert_int_equal(run(f, see, &a), OK);
	assert_int_equal(run(f, bin_one, &a), OK);
	closes_clean(f);
	for (size_t i = 0; i < COUNT(tables); i++) {
		struct spoiling s = { .table = tables[i] };

		assert_int_equal(run(f, spoil_first, &s), OK);
		fixture_close(f);
		assert_int_equal(fixture_check(f, false, &lines), 1);
		assert_int_equal(fixture_check(f, true, &lines), 0);
		fixture_open(f);
	}
	assert_int_equal(folder_keywords_get(look(f), a.folder_id, &names), OK);
	assert_span_eq(names.names[0], "Lost1"); /* its messages are not called Work, nor what comes */
	assert_int_equal(found(f, a.user_id, "INBOX").expunged_floor,
		found(f, a.user_id, "INBOX").highest_modseq);
}

/* Rows of users and folders that are not there. */
static void
test_check_mends_what_hangs_on_nothing(void **state)
{
	struct spoiling rows[] = { { .table = TABLE_subscriptions }, { .table = TABLE_rights_find } };
	struct fixture *f = *state;
	unsigned lines;

	key_u64(&rows[0].key, 4711);
	key_put_bytes(&rows[0].key, SPAN("Sent"));
	key_put_u8(&rows[1].key, RIGHT_OF_ANYONE);
	key_put_u64(&rows[1].key, 0);
	key_put_u64(&rows[1].key, 4711);
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(run(f, put_nothing, &rows[i]), OK);
		fixture_close(f);
		assert_int_equal(fixture_check(f, false, &lines), 1);
		assert_int_equal(fixture_check(f, true, &lines), 0);
		assert_int_equal(fixture_check(f, false, &lines), 0);
		fixture_open(f);
	}
}

/* The index by name, damaged both ways: what it says is never believed, and check makes it right. */
static void
test_check_mends_the_index_of_names(void **state)
{
	struct fixture *f = *state;
	uint64_t anna = fixture_user(f, "anna");
	struct folder sent = found(f, anna, "Sent"), folder;
	struct spoiling s = { .table = TABLE_folder_names };
	unsigned lines;

	key_u64(&s.key, anna);
	key_put_name(&s.key, SPAN("Nowhere"));
	key_put_u64(&s.key, sent.folder_id);
	assert_int_equal(run(f, put_nothing, &s), OK);
	assert_false(is_there(f, anna, "Nowhere"));
	key_u64(&s.key, anna);
	key_put_name(&s.key, SPAN("Sent"));
	key_put_u64(&s.key, sent.folder_id);
	assert_int_equal(run(f, delete_row, &s), OK);
	assert_int_equal(folder_find_by_walk(look(f), anna, SPAN("Sent"), &folder), OK);
	assert_int_equal(renamed(f, anna, "Drafts", "Sent"), ERR_EXISTS);
	fixture_close(f);
	assert_int_equal(fixture_check(f, false, &lines), 1);
	assert_int_equal(lines, 2);
	assert_int_equal(fixture_check(f, true, &lines), 0);
	fixture_open(f);
	assert_int_equal(found(f, anna, "Sent").folder_id, sent.folder_id);
	closes_clean(f);
}

#define T(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
test_folder_damage(void)
{
	const struct CMUnitTest tests[] = {
		T(test_check_h49_mends_what_hangs_on_folders),
		T(test_check_mends_what_hangs_on_nothing),
		T(test_check_mends_the_index_of_names),
	};

	return cmocka_run_group_tests_name("folder damage", tests, NULL, NULL);
}
