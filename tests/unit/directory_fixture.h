/*
 * directory_fixture.h - a store in a temporary folder for the tests of the directory, and jobs run
 * at once.
 */
#ifndef TESTS_UNIT_DIRECTORY_FIXTURE_H
#define TESTS_UNIT_DIRECTORY_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/commit.h"
#include "store/contents.h"
#include "store/store.h"

#define FIXTURE_NOW INT64_C(1700000000000) /* ms: what tests take for the present */

struct fixture {
	char dir[64];
	struct store *store;
	struct snapshot *snap;
	uint64_t later_ms; /* the store's clock is FIXTURE_NOW and this */
};

int fixture_setup(void **state);    /* makes and opens one, for cmocka */
int fixture_teardown(void **state); /* closes it and removes the folder */

/*
 * A new folder. In memory where there is room: what is tested here is what jobs write, not that it
 * is on the disk, and a thousand syncs are a quarter of a minute.
 */
void fixture_folder(char path[64], const char *name);

struct store_options fixture_options(const struct fixture *f);
void fixture_open(struct fixture *f);
void fixture_close(struct fixture *f); /* also the snapshot */
void fixture_reopen(struct fixture *f);
void fixture_remove(const char *dir);

/* A fresh snapshot; the one before ends. */
struct snapshot *look(struct fixture *f);

/* Run FN(txn, arg) as a job; its error, or that of the commit. */
typedef enum err fixture_fn(struct txn *txn, void *arg);
enum err run(struct fixture *f, fixture_fn *fn, void *arg);

/* A message in USER's folder FOLDER_ID (0: in no folder), with OWNERS owners to come. */
struct fixture_message {
	uint64_t user_id, folder_id;
	size_t body_size;
	unsigned seed;
	uint64_t content_id;
	uint32_t uid;
};
enum err fixture_place(struct txn *txn, void *message);
uint64_t fixture_inbox(struct fixture *f, uint64_t user_id);
uint64_t fixture_user(struct fixture *f, const char *name);

/* Check the closed store; findings are printed. The exit status; *lines counts them. */
int fixture_check(struct fixture *f, bool repair, unsigned *lines);

#define assert_span_eq(got, text)                                                                  \
	do {                                                                                       \
		struct span got_ = (got);                                                          \
		if (!span_eq(got_, span_of(text)))                                                 \
			fail_msg("got \"%.*s\", want \"%s\"", SPAN_FMT(got_), text);               \
	} while (0)

int test_users(void);
int test_groups(void);
int test_maillists(void);
int test_referrers(void);
int test_mappings(void);
int test_queued(void);
int test_archive(void);
int test_traces(void);
int test_changes(void);
int test_undo(void);
int test_message_ways(void);
int test_folders(void);
int test_folder_rights(void);
int test_folder_removal(void);
int test_folder_damage(void);
int test_message_flags(void);
int test_bin(void);
int test_transfer(void);
int test_forwards(void);
int test_forwards_many(void);
int test_secrets(void);
int test_dkim_keys(void);
int test_journal_seats(void);
int test_questions(void);
int test_prune(void);
int test_store_check(void);
int test_backup(void);
int test_damage(void);
int test_joins(void);

#endif
