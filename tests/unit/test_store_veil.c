/*
 * test_store_veil.c - encrypted text: what is written, what is read, with which key (SEC-08).
 */
#include "tests/unit/test_store.h"

#include <stdio.h>
#include <stdlib.h>

#include "store/bodies.h"
#include "store/contents.h"

#define HEADER "Subject: a canary in the header\r\n\r\n"
#define CANARY "a canary in the body "

/* A stream good enough for a test: it depends on the key and on every byte of the nonce. */
static void
mix(void *arg, const unsigned char nonce[STORE_VEIL_NONCE], char *bytes, size_t len)
{
	uint32_t x = *(const uint32_t *)arg;

	for (size_t i = 0; i < STORE_VEIL_NONCE; i++)
		x = x * 16777619 ^ nonce[i];
	for (size_t i = 0; i < len; i++) {
		x = x * 1664525 + 1013904223;
		bytes[i] = (char)(bytes[i] ^ (char)(x >> 24));
	}
}

static uint32_t key_one = 1, key_two = 2;

static enum err
reopen(struct fixture *f, uint32_t *key, bool on)
{
	store_close(&f->store);
	f->options.veil = (struct store_veil){ key ? mix : NULL, key, on };
	return store_open(&f->options, &f->store, &f->why);
}

static struct test_mail
deliver(struct fixture *f, uint64_t user_id)
{
	static char body[3 * BODY_PIECE_DATA];
	struct test_mail mail = { .user_id = user_id, .folder_id = make_inbox(f, user_id),
		.header = SPAN(HEADER) };

	for (size_t i = 0; i + sizeof(CANARY) < sizeof(body); i += sizeof(CANARY) - 1)
		memcpy(body + i, CANARY, sizeof(CANARY) - 1);
	mail.body = (struct span){ body, sizeof(body) };
	assert_int_equal(run_now(f->store, put_mail, &mail), OK);
	return mail;
}

static bool
file_holds(struct fixture *f, const char *text)
{
	char path[128], *bytes;
	FILE *file;
	size_t len;
	bool found;

	snprintf(path, sizeof(path), "%s/data.mdb", f->options.path);
	file = fopen(path, "rb");
	assert_non_null(file);
	bytes = malloc(8 << 20);
	assert_non_null(bytes);
	len = fread(bytes, 1, 8 << 20, file);
	fclose(file);
	found = span_find_span((struct span){ bytes, len }, span_of(text)) < len;
	free(bytes);
	return found;
}

static void
check_readable(struct fixture *f, const struct test_mail *mail)
{
	struct content content;
	struct snapshot *snap;
	struct span piece;
	size_t at = 0;

	assert_int_equal(snapshot_open(f->store, &snap), OK);
	assert_int_equal(content_get(snap, mail->content.content_id, &content), OK);
	assert_true(span_eq(content.header, SPAN(HEADER)));
	while (body_read(snap, content.body_id, at, &piece) == OK) {
		assert_true(span_eq(piece, span_range(mail->body, at, at + piece.len)));
		at += piece.len;
	}
	assert_int_equal(at, mail->body.len);
	assert_int_equal(body_read(snap, content.body_id, 5, &piece), OK); /* from within a piece */
	assert_int_equal(piece.ptr[0], mail->body.ptr[5]);
	snapshot_close(&snap);
}

static void
test_sec_08_the_file_shows_no_text(void **state)
{
	struct fixture *f = *state;
	struct test_mail mail;

	assert_int_equal(reopen(f, &key_one, true), OK);
	mail = deliver(f, 1);
	check_readable(f, &mail);
	assert_false(file_holds(f, "canary in the header"));
	assert_false(file_holds(f, "canary in the body"));
	assert_int_equal(reopen(f, &key_one, true), OK);
	check_readable(f, &mail);
}

static void
test_sec_08_plain_and_encrypted_live_side_by_side(void **state)
{
	struct fixture *f = *state;
	struct test_mail before = deliver(f, 1), with, after;

	assert_true(file_holds(f, "canary in the header"));
	assert_int_equal(reopen(f, &key_one, true), OK);
	with = deliver(f, 2);
	assert_int_equal(reopen(f, &key_one, false), OK); /* off again, the key is still there */
	after = deliver(f, 3);
	check_readable(f, &before);
	check_readable(f, &with);
	check_readable(f, &after);
}

static void
test_sec_08_another_key_or_none_is_refused(void **state)
{
	struct fixture *f = *state;
	struct test_mail mail;

	assert_int_equal(reopen(f, &key_one, true), OK);
	mail = deliver(f, 1);
	assert_int_equal(reopen(f, &key_two, true), ERR_DENIED);
	assert_true(span_find_span(span_of(f->why.text), SPAN("another key")) < strlen(f->why.text));
	assert_int_equal(reopen(f, NULL, false), ERR_DENIED);
	assert_int_equal(reopen(f, &key_one, false), OK);
	check_readable(f, &mail);
}

static enum err
own_once_more(struct txn *txn, void *arg)
{
	return content_own(txn, *(const uint64_t *)arg, 1);
}

static enum err
derive(struct txn *txn, void *arg)
{
	return content_set_derived(txn, *(const uint64_t *)arg, SPAN("derived"));
}

/* `postroomd --check-store --repair` may mend owners without the key, and must not spoil a text. */
static void
test_sec_08_repair_without_the_key_spoils_nothing(void **state)
{
	struct fixture *f = *state;
	struct content content;
	struct snapshot *snap;
	struct test_mail mail;

	assert_int_equal(reopen(f, &key_one, true), OK);
	mail = deliver(f, 1);
	f->options.mode = STORE_EXCLUSIVE;
	assert_int_equal(reopen(f, NULL, false), OK);
	assert_int_equal(run_now(f->store, own_once_more, &mail.content.content_id), OK);
	assert_int_equal(run_now(f->store, derive, &mail.content.content_id), ERR_DENIED);
	f->options.mode = STORE_SERVE;
	assert_int_equal(reopen(f, &key_one, false), OK);
	check_readable(f, &mail);
	assert_int_equal(snapshot_open(f->store, &snap), OK);
	assert_int_equal(content_get(snap, mail.content.content_id, &content), OK);
	assert_int_equal(content.owners, 2);
	snapshot_close(&snap);
}

int
test_store_veil(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_sec_08_the_file_shows_no_text, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_sec_08_plain_and_encrypted_live_side_by_side, fixture_setup,
			fixture_teardown),
		cmocka_unit_test_setup_teardown(test_sec_08_another_key_or_none_is_refused, fixture_setup,
			fixture_teardown),
		cmocka_unit_test_setup_teardown(test_sec_08_repair_without_the_key_spoils_nothing, fixture_setup,
			fixture_teardown),
	};

	return cmocka_run_group_tests_name("veil", tests, NULL, NULL);
}
