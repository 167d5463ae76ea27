/*
 * test_users.c - users, names, fields, logins.
 */
#include "tests/unit/directory_fixture.h"

#include <stdio.h>

#include "store/logins.h"
#include "store/names.h"
#include "store/users.h"

static void
test_users_usr_02_names(void **state)
{
	static const struct {
		const char *name;
		bool valid;
	} rows[] = {
		{ "", false },
		{ "a", true },
		{ "a.b_c-1", true },
		{ ".ab", false }, /* RFC 5321, 4.1.2: Dot-string */
		{ "ab.", false },
		{ "a..b", false },
		{ ".", false },
		{ "a b", false },
		{ "a@b", false },
		{ "abcdefghijklmnopqrstuvwxyz012345", true },
		{ "abcdefghijklmnopqrstuvwxyz0123456", false },
		{ "*REMOTE", false },
		{ "Everyone", false },
		{ "no-one", false },
		{ "ADMINS", false },
		{ "mailer_daemon", false },
		{ "Listserver", false },
		{ "postmaster", true },
		{ "j\xc3\xbcrgen", false },
		{ "a/b", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (user_name_is_valid(span_of(rows[i].name)) != rows[i].valid)
			fail_msg("row %zu: %s", i, rows[i].name);
	}
}

struct set_arg {
	uint64_t user_id;
	const char *key, *value;
	uint64_t revision; /* 0: the current one */
};

static enum err
set_user(struct txn *txn, void *arg)
{
	struct set_arg *a = arg;
	struct arena arena;
	struct user user;
	enum err err = user_find(txn_view(txn), a->user_id, &user);

	if (err != OK)
		return err;
	arena_init(&arena, NULL);
	err = field_set(field_find(&user_table, span_of(a->key)), &user, span_of(a->value), &arena);
	if (a->revision != 0)
		user.revision = a->revision;
	if (err == OK)
		err = user_set(txn, &user, FIXTURE_NOW + 1);
	arena_reset(&arena);
	return err;
}

static void
test_users_add_find_reopen(void **state)
{
	struct fixture *f = *state;
	uint64_t anna = fixture_user(f, "Anna"), bert = fixture_user(f, "bert");
	struct user_counts counts;
	struct user user;

	fixture_reopen(f);
	assert_int_equal(user_find_by_name(look(f), SPAN("aNNa"), &user), OK);
	assert_int_equal(user.user_id, anna);
	assert_span_eq(user.name, "Anna"); /* kept for display */
	assert_true(user.enabled && user.everyone && user.send_internet && user.receive_internet);
	assert_int_equal(user.protocols, USER_PROTOCOLS_ALL);
	assert_int_equal(user_find(f->snap, bert, &user), OK);
	assert_int_equal(user_find_by_name(f->snap, SPAN("carl"), &user), ERR_NOT_FOUND);
	assert_int_not_equal(fixture_inbox(f, anna), 0);
	assert_int_equal(user_count(f->snap, &counts), OK);
	assert_int_equal(counts.live, 2);
}

/* Each key of `user set` goes in as text and comes out as text after a reopen. */
static void
test_users_fields_round_trip(void **state)
{
	static const struct {
		const char *key, *value, *want;
	} rows[] = {
		{ "comment", "  a comment ", "a comment" },
		{ "full_name", "Anna \xc3\x84. Example", "Anna \xc3\x84. Example" },
		{ "quota_mb", "250", "250" },
		{ "assistants", "pa1@example.org ; pa2;;", "pa1@example.org;pa2" },
		{ "assistant_redirect", "on", "yes" },
		{ "forward_to", "x@example.org", "x@example.org" },
		{ "forward", "1", "yes" },
		{ "size_over_kb", "100", "100" },
		{ "size_over_action", "redirect", "redirect" },
		{ "size_over_to", "big", "big" },
		{ "send_internet", "no", "no" },
		{ "receive_internet", "false", "no" },
		{ "everyone", "off", "no" },
		{ "max_out_kb", "900", "900" },
		{ "monitor", "yes", "yes" },
		{ "reply_address", "a@example.org", "a@example.org" },
		{ "no_signature", "true", "yes" },
		{ "protocols", "pop3, imap", "pop3,imap" },
		{ "protocols", "none", "none" },
		{ "enabled", "no", "no" },
	};
	struct fixture *f = *state;
	uint64_t id = fixture_user(f, "anna");

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct set_arg arg = { id, rows[i].key, rows[i].value, 0 };
		struct user user;
		struct buf text;

		assert_int_equal(run(f, set_user, &arg), OK);
		fixture_reopen(f);
		assert_int_equal(user_find(look(f), id, &user), OK);
		buf_init(&text, 1000);
		assert_int_equal(
			field_put_text(field_find(&user_table, span_of(rows[i].key)), &user, &text),
			OK);
		assert_span_eq(buf_span(&text), rows[i].want);
		buf_fini(&text);
		assert_int_equal(user.revision, i + 2);
	}
}

static void
test_users_bad_values(void **state)
{
	static char long_comment[82];
	static const struct {
		const char *key, *value;
		enum err err;
	} rows[] = {
		{ "quota_mb", "-1", ERR_SYNTAX },
		{ "quota_mb", "1048577", ERR_LIMIT },
		{ "quota_mb", "", ERR_SYNTAX },
		{ "forward", "maybe", ERR_SYNTAX },
		{ "protocols", "pop3,telnet", ERR_SYNTAX },
		{ "comment", "two\r\nlines", ERR_SYNTAX },
		{ "comment", long_comment, ERR_LIMIT }, /* USR-04 */
		{ "password_hash", "x", ERR_DENIED },
		{ "revision", "7", ERR_DENIED },
		{ "name", "bert", ERR_DENIED },
		{ "group", "1", ERR_DENIED },
	};
	struct fixture *f = *state;
	uint64_t id = fixture_user(f, "anna");

	memset(long_comment, 'x', 81);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct set_arg arg = { id, rows[i].key, rows[i].value, 0 };
		enum err err = run(f, set_user, &arg);

		if (err != rows[i].err)
			fail_msg("row %zu (%s): %s", i, rows[i].key, err_name(err));
	}
	long_comment[80] = '\0';
	assert_int_equal(run(f, set_user, &(struct set_arg){ id, "comment", long_comment, 0 }), OK);
}

static void
test_users_clash_of_two_editors(void **state)
{
	struct fixture *f = *state;
	uint64_t id = fixture_user(f, "anna");
	struct set_arg stale = { id, "comment", "second", 1 };

	assert_int_equal(run(f, set_user, &(struct set_arg){ id, "comment", "first", 1 }), OK);
	assert_int_equal(run(f, set_user, &stale), ERR_EXISTS);
}

struct act_arg {
	uint64_t user_id;
	struct span text;
	int64_t before_ms;
	unsigned slices;
};

static enum err
remove_user(struct txn *txn, void *arg)
{
	return user_remove(txn, ((struct act_arg *)arg)->user_id, FIXTURE_NOW);
}

static enum err
restore_user(struct txn *txn, void *arg)
{
	return user_restore(txn, ((struct act_arg *)arg)->user_id, FIXTURE_NOW);
}

static enum err
rename_user(struct txn *txn, void *arg)
{
	struct act_arg *a = arg;

	return user_rename(txn, a->user_id, a->text, FIXTURE_NOW);
}

static enum err
password_user(struct txn *txn, void *arg)
{
	struct act_arg *a = arg;

	return user_set_password(txn, a->user_id, a->text, SPAN_NONE, FIXTURE_NOW);
}

static void
test_users_usr_13_bin(void **state)
{
	struct fixture *f = *state;
	struct act_arg anna = { .user_id = fixture_user(f, "anna") };
	struct act_arg again;
	struct user_counts counts;
	struct user user;

	assert_int_equal(run(f, remove_user, &anna), OK);
	assert_int_equal(run(f, remove_user, &anna), ERR_NOT_FOUND);
	assert_int_equal(user_find_by_name(look(f), SPAN("anna"), &user), ERR_NOT_FOUND);
	assert_int_equal(user_find(f->snap, anna.user_id, &user), OK);
	assert_int_equal(user.removed_ms, FIXTURE_NOW);
	assert_int_equal(user_after(f->snap, SPAN_NONE, &user), ERR_NOT_FOUND);
	assert_int_equal(run(f, restore_user, &anna), OK);
	assert_int_equal(user_find_by_name(look(f), SPAN("anna"), &user), OK);
	assert_int_equal(run(f, remove_user, &anna), OK);
	again.user_id = fixture_user(f, "ANNA"); /* the name is free */
	assert_int_not_equal(again.user_id, anna.user_id);
	assert_int_equal(run(f, restore_user, &anna), ERR_EXISTS);
	assert_int_equal(user_count(look(f), &counts), OK);
	assert_int_equal(counts.live, 1);
	assert_int_equal(counts.in_bin, 1);
}

static enum err
purge_bin(struct txn *txn, void *arg)
{
	struct act_arg *a = arg;
	uint64_t at = 0;
	bool more = true;
	enum err err = OK;

	for (; err == OK && more; a->slices++)
		err = users_purge_bin(txn, a->before_ms, &at, &more);
	return err;
}

static void
test_users_purge_takes_the_mail(void **state)
{
	struct fixture *f = *state;
	struct act_arg anna = { .user_id = fixture_user(f, "anna") };
	unsigned lines;
	struct user user;

	for (unsigned i = 0; i < 450; i++) {
		struct fixture_message m = {
			anna.user_id, fixture_inbox(f, anna.user_id), 50, i, 0, 0};

		assert_int_equal(run(f, fixture_place, &m), OK);
	}
	assert_int_equal(run(f, remove_user, &anna), OK);
	anna.before_ms = FIXTURE_NOW; /* not yet: it went at that moment */
	assert_int_equal(run(f, purge_bin, &anna), OK);
	assert_int_equal(user_find(look(f), anna.user_id, &user), OK);
	anna.before_ms = FIXTURE_NOW + 1;
	anna.slices = 0;
	assert_int_equal(run(f, purge_bin, &anna), OK);
	assert_true(anna.slices > 3);
	assert_int_equal(user_find(look(f), anna.user_id, &user), ERR_NOT_FOUND);
	fixture_close(f);
	assert_int_equal(fixture_check(f, false, &lines), 0);
}

static void
test_users_rename(void **state)
{
	struct fixture *f = *state;
	struct act_arg anna = { .user_id = fixture_user(f, "anna"), .text = SPAN("Annette") };
	struct user user;

	fixture_user(f, "bert");
	assert_int_equal(run(f, rename_user, &anna), OK);
	assert_int_equal(user_find_by_name(look(f), SPAN("anna"), &user), ERR_NOT_FOUND);
	assert_int_equal(user_find_by_name(f->snap, SPAN("annette"), &user), OK);
	anna.text = SPAN("ANNETTE");
	assert_int_equal(run(f, rename_user, &anna), OK);
	anna.text = SPAN("Bert");
	assert_int_equal(run(f, rename_user, &anna), ERR_EXISTS);
	anna.text = SPAN("a b");
	assert_int_equal(run(f, rename_user, &anna), ERR_SYNTAX);
}

static void
test_users_password_revision_rises(void **state)
{
	struct fixture *f = *state;
	struct act_arg anna = { .user_id = fixture_user(f, "anna"), .text = SPAN("$argon2id$x") };
	struct user user;
	struct buf text;

	assert_int_equal(run(f, password_user, &anna), OK);
	assert_int_equal(run(f, password_user, &anna), OK);
	assert_int_equal(user_find(look(f), anna.user_id, &user), OK);
	assert_int_equal(user.password_revision, 3);
	assert_span_eq(user.password_hash, "$argon2id$x");
	buf_init(&text, 100); /* H66: no secret is ever printed */
	assert_int_equal(
		field_put_text(field_find(&user_table, SPAN("password_hash")), &user, &text), OK);
	assert_int_equal(buf_span(&text).len, 0);
	buf_fini(&text);
}

static enum err
make_admin(struct txn *txn, void *arg)
{
	struct act_arg *a = arg;
	struct user user;
	enum err err = user_find(txn_view(txn), a->user_id, &user);

	user.admin = a->text.len > 0;
	return err == OK ? user_set(txn, &user, FIXTURE_NOW) : err;
}

static void
test_users_usr_15_last_administrator(void **state)
{
	struct fixture *f = *state;
	struct act_arg anna = { .user_id = fixture_user(f, "anna"), .text = SPAN("yes") };
	struct act_arg bert = { .user_id = fixture_user(f, "bert"), .text = SPAN("yes") };

	assert_int_equal(run(f, make_admin, &anna), OK);
	assert_int_equal(run(f, remove_user, &anna), ERR_DENIED);
	anna.text = SPAN_NONE;
	assert_int_equal(run(f, make_admin, &anna), ERR_DENIED);
	assert_int_equal(run(f, make_admin, &bert), OK);
	assert_int_equal(run(f, make_admin, &anna), OK);
	assert_int_equal(run(f, remove_user, &anna), OK);
	assert_int_equal(run(f, remove_user, &bert), ERR_DENIED);
}

static void
test_users_usr_07_paging(void **state)
{
	static const char *const names[] = { "bert", "Anna", "dora", "anna2", "carl" };
	static const char *const order[] = { "Anna", "anna2", "bert", "carl", "dora" };
	struct fixture *f = *state;
	struct span at = SPAN_NONE;
	struct user user;

	for (size_t i = 0; i < COUNT(names); i++)
		fixture_user(f, names[i]);
	look(f);
	for (size_t i = 0; i < COUNT(order); i++) {
		assert_int_equal(user_after(f->snap, at, &user), OK);
		assert_span_eq(user.name, order[i]);
		at = user.name;
	}
	assert_int_equal(user_after(f->snap, at, &user), ERR_NOT_FOUND);
	at = SPAN_NONE;
	for (size_t i = COUNT(order); i > 0; i--) {
		assert_int_equal(user_before(f->snap, at, &user), OK);
		assert_span_eq(user.name, order[i - 1]);
		at = user.name;
	}
	assert_int_equal(user_before(f->snap, at, &user), ERR_NOT_FOUND);
	assert_int_equal(user_after(f->snap, SPAN("b"), &user), OK);
	assert_span_eq(user.name, "bert");
}

static enum err
note_login(struct txn *txn, void *arg)
{
	struct act_arg *a = arg;

	return logins_note(txn, a->user_id, USER_POP3, a->text, a->before_ms);
}

static void
test_logins_h57_places(void **state)
{
	struct fixture *f = *state;
	struct act_arg a = { .user_id = fixture_user(f, "anna") };
	struct logins logins;

	for (int i = 0; i < LOGIN_PLACES_MAX + 4; i++) {
		char place[32];

		snprintf(place, sizeof(place), "192.0.2.%d", i);
		a.text = span_of(place);
		a.before_ms = FIXTURE_NOW + i;
		assert_int_equal(run(f, note_login, &a), OK);
	}
	assert_int_equal(logins_find(look(f), a.user_id, &logins), OK);
	assert_int_equal(logins.place_count, LOGIN_PLACES_MAX);
	assert_true(logins_knows(&logins, SPAN("192.0.2.19"), FIXTURE_NOW));
	assert_false(logins_knows(&logins, SPAN("192.0.2.0"), 0)); /* fell out */
	assert_false(logins_knows(&logins, SPAN("192.0.2.19"), FIXTURE_NOW + 100));
	assert_int_equal(logins_last_ms(&logins), FIXTURE_NOW + LOGIN_PLACES_MAX + 3);
	assert_int_equal(logins_find(f->snap, 999, &logins), OK);
	assert_int_equal(logins_last_ms(&logins), 0);
}

/* Records that are damaged in any byte are said to be, and nothing is read beyond them. */
static void
test_fields_decode_never_reads_beyond(void **state)
{
	char room[400], copy[400];
	struct record_out out;
	struct user user, got;

	(void)state;
	user_init(&user);
	user.name = SPAN("anna");
	user.quota_mb = 5;
	user.forward_to = SPAN("a@example.org;b@example.org");
	record_begin(&out, room, sizeof(room), 1);
	fields_encode(&user_table, &user, &out);
	for (size_t i = RECORD_HEAD; i < out.len; i++) {
		for (unsigned value = 0; value < 256; value += 5) {
			struct record_in in = { copy + RECORD_HEAD, copy + out.len, 1, false };

			memcpy(copy, room, out.len);
			copy[i] = (char)value;
			if (fields_decode(&user_table, &in, &got) != OK)
				continue;
			for (size_t k = 0; k < user_table.count; k++) {
				const struct field *field = &user_table.fields[k];
				struct span text;

				if (field->kind > FIELD_LIST && field->kind != FIELD_BYTES)
					continue;
				text = field_span(field, &got);
				assert_true(text.len == 0 || (text.ptr >= copy &&
					text.ptr + text.len <= copy + out.len));
			}
		}
	}
}

int
test_users(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_users_usr_02_names),
		T(test_users_add_find_reopen),
		T(test_users_fields_round_trip),
		T(test_users_bad_values),
		T(test_users_clash_of_two_editors),
		T(test_users_usr_13_bin),
		T(test_users_purge_takes_the_mail),
		T(test_users_rename),
		T(test_users_password_revision_rises),
		T(test_users_usr_15_last_administrator),
		T(test_users_usr_07_paging),
		T(test_logins_h57_places),
		cmocka_unit_test(test_fields_decode_never_reads_beyond),
	};
#undef T
	return cmocka_run_group_tests_name("users", tests, NULL, NULL);
}
