/*
 * folder_fixture.h - for the tests of folders: made, renamed, found; and jobs for fixture_fn.
 */
#ifndef TESTS_UNIT_FOLDER_FIXTURE_H
#define TESTS_UNIT_FOLDER_FIXTURE_H

#include "tests/unit/directory_fixture.h"

#include "store/folder_jobs.h"
#include "store/rights.h"

/* What a job is to do; each looks at what it needs. */
struct act {
	uint64_t user_id, folder_id;
	const char *name;
	uint32_t add, remove;
	struct folder_right right;
	bool flag;
	uint32_t uids[3];
};

enum err give(struct txn *txn, void *act); /* `right` */
enum err see(struct txn *txn, void *act);  /* the first of `uids`, by user_id alone, or not any more (`flag`) */

uint64_t made(struct fixture *f, uint64_t user_id, const char *name);
enum err renamed(struct fixture *f, uint64_t user_id, const char *from, const char *to);
struct folder found(struct fixture *f, uint64_t user_id, const char *name); /* it must be there */
bool is_there(struct fixture *f, uint64_t user_id, const char *name);
/* Close, check, open. */
void closes_clean(struct fixture *f);

#endif
