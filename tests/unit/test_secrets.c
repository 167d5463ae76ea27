/*
 * test_secrets.c - app passwords and sealed values in the store: found, revoked, erased, checked.
 */
#include "tests/unit/directory_fixture.h"

#include <stdio.h>

#include "store/app_passwords.h"
#include "store/changes.h"
#include "store/secrets.h"

struct arg {
	uint64_t user_id, app_id, change_id;
	const char *text;
	bool more;
};

static enum err
recorded(struct txn *txn, struct arg *a, enum err (*body)(struct txn *, struct arg *))
{
	struct change_start start = {.who = SPAN("test"), .what = SPAN("apppass"), .now_ms = 1};
	struct change_recorder recorder;
	enum err err = change_begin(&recorder, txn, &start), ended;

	a->change_id = recorder.change_id;
	err = err == OK ? body(txn, a) : err;
	ended = change_end(&recorder);
	return err == OK ? ended : err;
}

static enum err
add_body(struct txn *txn, struct arg *a)
{
	struct app_password app = {.user_id = a->user_id,
		.label = span_of(a->text),
		.hash = SPAN("0123456789abcdef0123456789abcdef"),
		.protocols = 1};

	return app_password_add(txn, &app, FIXTURE_NOW, &a->app_id);
}

static enum err
add_app(struct txn *txn, void *arg)
{
	return recorded(txn, arg, add_body);
}

static enum err
remove_body(struct txn *txn, struct arg *a)
{
	return app_password_remove(txn, a->user_id, a->app_id);
}

static enum err
remove_app(struct txn *txn, void *arg)
{
	return recorded(txn, arg, remove_body);
}

static enum err
undo(struct txn *txn, void *arg)
{
	struct change_start start = {.who = SPAN("test"), .now_ms = 2};
	struct arg *a = arg;
	uint64_t undo_id;

	return change_undo(txn, a->change_id, &start, NULL, &undo_id);
}

static enum err
use_app(struct txn *txn, void *arg)
{
	struct app_use use = {FIXTURE_NOW, USER_IMAP};
	struct arg *a = arg;

	return app_use_note(txn, a->user_id, a->app_id, &use);
}

static void
test_app_passwords(void **state)
{
	struct fixture *f = *state;
	struct arg a = {.user_id = fixture_user(f, "anna"), .text = "phone"};
	struct app_password app;
	struct app_use use;
	uint64_t first;

	assert_int_equal(run(f, add_app, &a), OK);
	first = a.app_id;
	a.text = "PHONE";
	assert_int_equal(run(f, add_app, &a), ERR_EXISTS);
	a.text = "17"; /* it could be taken for a number */
	assert_int_equal(run(f, add_app, &a), ERR_SYNTAX);
	a.text = "";
	assert_int_equal(run(f, add_app, &a), ERR_SYNTAX);
	a.text = "a label that is longer than a person reads";
	assert_int_equal(run(f, add_app, &a), ERR_LIMIT);
	a.app_id = first;
	assert_int_equal(run(f, use_app, &a), OK);
	assert_int_equal(app_password_find(look(f), a.user_id, SPAN("phone"), &app), OK);
	assert_int_equal(app.app_id, first);
	assert_int_equal(app_use_find(f->snap, a.user_id, first, &use), OK);
	assert_true(use.last_ms == FIXTURE_NOW && use.protocol == USER_IMAP);
	/* revoked, and back by undo as it was; a new one never takes its number */
	assert_int_equal(run(f, remove_app, &a), OK);
	assert_int_equal(app_password_find(look(f), a.user_id, SPAN("phone"), &app), ERR_NOT_FOUND);
	assert_int_equal(run(f, undo, &a), OK);
	assert_int_equal(app_password_find(look(f), a.user_id, SPAN("1"), &app), OK);
	assert_span_eq(app.label, "phone");
	a.text = "tablet";
	assert_int_equal(run(f, add_app, &a), OK);
	assert_true(a.app_id > first);
	for (int i = 2; i < APP_PASSWORDS_MAX; i++) {
		char label[24];

		snprintf(label, sizeof(label), "device %d", i);
		a.text = label;
		assert_int_equal(run(f, add_app, &a), OK);
	}
	a.text = "one too many";
	assert_int_equal(run(f, add_app, &a), ERR_LIMIT);
}

/* ---- sealed values ---- */

static enum err
put_secret(struct txn *txn, void *arg)
{
	const char *name = arg;

	return secret_put(txn, span_of(name), SPAN("sealed"), FIXTURE_NOW);
}

static enum err
remove_secret(struct txn *txn, void *arg)
{
	const char *name = arg;

	return secret_remove(txn, span_of(name));
}

static enum err
erase_of_user(struct txn *txn, void *arg)
{
	struct arg *a = arg;

	return user_secrets_remove(txn, a->user_id);
}

static enum err
erase_all(struct txn *txn, void *arg)
{
	struct arg *a = arg;

	return user_secrets_erase(txn, &a->more);
}

static bool
has(struct fixture *f, const char *name)
{
	struct sealed_secret secret;

	return secret_find(look(f), span_of(name), &secret) == OK;
}

/* Those of one user go alone, those of the configuration stay and are the only ones listed. */
static void
test_secrets_h64_h65(void **state)
{
	static char *const names[] = {"user/1/apop", "user/1/cram-md5", "user/12/apop", "isp",
		"zz-last"};
	struct fixture *f = *state;
	struct sealed_secret secret = {.name = SPAN("")};
	struct arg a = {.user_id = 1};

	for (size_t i = 0; i < COUNT(names); i++)
		assert_int_equal(run(f, put_secret, names[i]), OK);
	assert_int_equal(secret_after(look(f), SPAN(""), &secret), OK);
	assert_span_eq(secret.name, "isp");
	assert_int_equal(secret_after(f->snap, SPAN("isp"), &secret), OK);
	assert_span_eq(secret.name, "zz-last");
	assert_int_equal(secret_after(f->snap, SPAN("zz-last"), &secret), ERR_NOT_FOUND);
	assert_int_equal(run(f, erase_of_user, &a), OK);
	assert_false(has(f, names[0]) || has(f, names[1]));
	assert_true(has(f, names[2]));
	assert_int_equal(run(f, erase_all, &a), OK);
	assert_false(a.more || has(f, names[2]));
	assert_true(has(f, "isp"));
	assert_int_equal(run(f, remove_secret, "isp"), OK);
	assert_int_equal(run(f, remove_secret, "isp"), ERR_NOT_FOUND);
	assert_false(secret_name_is_valid(SPAN("user/1/apop")) || secret_name_is_valid(SPAN("")));
	assert_true(secret_name_is_valid(SPAN("smarthost.isp-1_x")));
}

/* What has no user is found by check, and goes with repair. */
static void
test_secrets_check(void **state)
{
	struct fixture *f = *state;
	struct arg a = {.user_id = 99, .text = "phone"};
	unsigned lines = 0;

	assert_int_equal(run(f, add_app, &a), OK);
	assert_int_equal(run(f, use_app, &a), OK);
	assert_int_equal(run(f, put_secret, "user/99/apop"), OK);
	fixture_close(f);
	assert_int_not_equal(fixture_check(f, false, &lines), 0);
	assert_int_equal(lines, 3);
	lines = 0;
	(void)!fixture_check(f, true, &lines);
	lines = 0;
	assert_int_equal(fixture_check(f, false, &lines), 0);
	assert_int_equal(lines, 0);
	fixture_open(f);
	assert_false(has(f, "user/99/apop"));
}

int
test_secrets(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_app_passwords, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			test_secrets_h64_h65, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_secrets_check, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests_name("secrets", tests, NULL, NULL);
}
