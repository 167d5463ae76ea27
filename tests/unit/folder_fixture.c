/*
 * folder_fixture.c - see folder_fixture.h.
 */
#include "tests/unit/folder_fixture.h"

#include "store/rights.h"
#include "store/seen.h"

static enum err
make(struct txn *txn, void *arg)
{
	struct act *a = arg;

	return folder_make(txn, a->user_id, span_of(a->name), &a->folder_id);
}

static enum err
rename_it(struct txn *txn, void *arg)
{
	struct act *a = arg;

	return folder_rename(txn, a->user_id, a->folder_id, span_of(a->name));
}

enum err
give(struct txn *txn, void *arg)
{
	return right_set(txn, &((struct act *)arg)->right);
}

uint64_t
made(struct fixture *f, uint64_t user_id, const char *name)
{
	struct act a = { .user_id = user_id, .name = name };

	assert_int_equal(run(f, make, &a), OK);
	return a.folder_id;
}

enum err
renamed(struct fixture *f, uint64_t user_id, const char *from, const char *to)
{
	struct act a = { .user_id = user_id, .name = to };
	struct folder folder;
	enum err err = folder_find(look(f), user_id, span_of(from), &folder);

	a.folder_id = folder.folder_id;
	return err == OK ? run(f, rename_it, &a) : err;
}

struct folder
found(struct fixture *f, uint64_t user_id, const char *name)
{
	struct folder folder;

	if (folder_find(look(f), user_id, span_of(name), &folder) != OK)
		fail_msg("no folder %s", name);
	return folder;
}

bool
is_there(struct fixture *f, uint64_t user_id, const char *name)
{
	struct folder folder;

	return folder_find(look(f), user_id, span_of(name), &folder) == OK;
}

void
closes_clean(struct fixture *f)
{
	unsigned lines;

	fixture_close(f);
	assert_int_equal(fixture_check(f, false, &lines), 0);
	fixture_open(f);
}

enum err
see(struct txn *txn, void *arg)
{
	struct act *a = arg;

	return seen_set(txn, a->folder_id, a->user_id, a->uids, COUNT(a->uids), a->flag);
}
