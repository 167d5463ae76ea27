/*
 * test_store.h - the unit tests of store/: one program, a row and a file a group of tests.
 *
 * A file test_store_x.c defines `int test_store_x(void)`, which runs its group. The harness below is
 * in test_store.c: a store in a folder of its own under /tmp, a clock that only the test moves.
 */
#ifndef TESTS_UNIT_TEST_STORE_H
#define TESTS_UNIT_TEST_STORE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/commit.h"
#include "store/messages.h"
#include "store/store.h"

#define STORE_TESTS(X) \
	X(record) \
	X(open) \
	X(commit) \
	X(fetched) \
	X(ids) \
	X(bodies) \
	X(messages) \
	X(room) \
	X(veil) \
	X(search) \
	X(search_damage)

#define X(name) int test_store_##name(void);
STORE_TESTS(X)
#undef X

/* A store of one test: setup and teardown for cmocka_unit_test_setup_teardown(). */
struct fixture {
	char dir[64];
	struct store_options options;
	struct store *store;
	struct store_fault why;
	uint64_t now_ms; /* the store's clock */
	unsigned errors; /* lines of severity error that the store logged */
	unsigned fatal;  /* calls of on_fatal */
	uint64_t changed[64];
	size_t changed_count;
};
int fixture_setup(void **state);
int fixture_teardown(void **state);
void fixture_reopen(struct fixture *f);

/* Run APPLY as one job and wait; gives what done() would get. */
typedef enum err test_apply(struct txn *txn, void *arg);
enum err run_now(struct store *store, test_apply *apply, void *arg);

/* Flip one bit of the newest row of TABLE whose key is KEY, in the file, through LMDB itself. */
void damage_row(struct fixture *f, const char *table, struct span key, size_t offset);

/* A user with an INBOX; a message into it. */
uint64_t make_inbox(struct fixture *f, uint64_t user_id);
struct test_mail {
	uint64_t user_id, folder_id;
	struct span header, body;
	uint32_t flags;
	struct placement place; /* filled in */
	struct content content;
};
enum err put_mail(struct txn *txn, void *test_mail);

#endif
