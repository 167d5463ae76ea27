/*
 * test_folders.c - names of folders, what hangs on them, and how they go.
 */
#include "tests/unit/directory_fixture.h"

#include "store/bin.h"
#include "store/expunged.h"
#include "store/folder_jobs.h"
#include "store/folder_names.h"
#include "store/groups.h"
#include "store/ids.h"
#include "store/keywords.h"
#include "store/rights.h"
#include "store/seen.h"
#include "store/subscriptions.h"

struct act {
	uint64_t user_id, folder_id;
	const char *name;
	uint32_t add, remove;
	struct folder_right right;
	bool flag;
	uint32_t uids[3];
};

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

static enum err
give(struct txn *txn, void *arg)
{
	return right_set(txn, &((struct act *)arg)->right);
}

static uint64_t
made(struct fixture *f, uint64_t user_id, const char *name)
{
	struct act a = { .user_id = user_id, .name = name };

	assert_int_equal(run(f, make, &a), OK);
	return a.folder_id;
}

static enum err
renamed(struct fixture *f, uint64_t user_id, const char *from, const char *to)
{
	struct act a = { .user_id = user_id, .name = to };
	struct folder folder;
	enum err err = folder_find(look(f), user_id, span_of(from), &folder);

	a.folder_id = folder.folder_id;
	return err == OK ? run(f, rename_it, &a) : err;
}

static struct folder
found(struct fixture *f, uint64_t user_id, const char *name)
{
	struct folder folder;

	if (folder_find(look(f), user_id, span_of(name), &folder) != OK)
		fail_msg("no folder %s", name);
	return folder;
}

static bool
is_there(struct fixture *f, uint64_t user_id, const char *name)
{
	struct folder folder;

	return folder_find(look(f), user_id, span_of(name), &folder) == OK;
}

static void
closes_clean(struct fixture *f)
{
	unsigned lines;

	fixture_close(f);
	assert_int_equal(fixture_check(f, false, &lines), 0);
	fixture_open(f);
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

/* ---- removing ---- */

static enum err
forget_user(struct txn *txn, void *arg)
{
	struct act *a = arg;
	bool more = true;
	enum err err = user_remove(txn, a->user_id, 1);

	a->folder_id = 0;
	while (err == OK && more)
		err = users_purge_bin(txn, FIXTURE_NOW, &a->folder_id, &more);
	return err;
}

static void
test_who_goes_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	uint64_t anna = fixture_user(f, "anna"), bert = fixture_user(f, "bert");
	struct act a = { .user_id = bert, .right = { .folder_id = found(f, anna, "Sent").folder_id,
		.owner_id = anna, .kind = RIGHT_OF_USER, .subject_id = bert,
		.given = RIGHT_LOOKUP } };
	uint64_t rows;

	assert_int_equal(run(f, give, &a), OK);
	a.right = (struct folder_right){ .folder_id = found(f, bert, "Sent").folder_id,
		.owner_id = bert, .kind = RIGHT_OF_ANYONE, .given = RIGHT_LOOKUP };
	assert_int_equal(run(f, give, &a), OK);
	assert_int_equal(table_count(look(f), TABLE_rights_find, &rows), OK);
	assert_int_equal(rows, 2);
	assert_int_equal(run(f, forget_user, &a), OK);
	assert_int_equal(table_count(look(f), TABLE_rights, &rows), OK);
	assert_int_equal(rows, 0);
	assert_int_equal(table_count(f->snap, TABLE_rights_find, &rows), OK);
	assert_int_equal(rows, 0);
	assert_int_equal(table_count(f->snap, TABLE_subscriptions, &rows), OK);
	assert_int_equal(rows, 6);
	closes_clean(f);
}

/* RCY-01: what was in it lies in the bin; its children stay; it can come back by its name. */
static void
test_removed_folder_rcy_01_goes_to_the_bin(void **state)
{
	struct fixture *f = *state;
	uint64_t anna = fixture_user(f, "anna"), work = made(f, anna, "Work");
	struct fixture_message m = { .user_id = anna, .folder_id = work, .body_size = 50 };
	struct folder_totals before, after;
	struct folder_removal r;

	made(f, anna, "Work/child");
	for (m.seed = 0; m.seed < 200; m.seed++)
		assert_int_equal(run(f, fixture_place, &m), OK);
	folder_removal_init(&r);
	r.user_id = anna;
	r.folder_id = work;
	assert_int_equal(folder_totals(look(f), anna, &before), OK);
	assert_int_equal(store_run_job_now(f->store, &r.job), OK);
	assert_int_equal(folder_totals(look(f), anna, &after), OK);
	assert_int_equal(after.folders, before.folders - 1);
	assert_int_equal(after.bytes, 0); /* RCY-02: not in the quota */
	assert_false(is_there(f, anna, "Work"));
	assert_true(is_there(f, anna, "Work/child"));
	assert_int_equal(found(f, anna, "\001bin").held, 200);
	r.folder_id = found(f, anna, "INBOX").folder_id;
	assert_int_equal(store_run_job_now(f->store, &r.job), ERR_DENIED);
	closes_clean(f);
}

static enum err
hide_it(struct txn *txn, void *arg)
{
	struct act *a = arg;

	return folder_hide(txn, a->user_id, a->folder_id);
}

static enum err
leftovers(struct txn *txn, void *arg)
{
	return folder_leftovers(txn, arg);
}

/* A removal whose slices housekeeping carries out meanwhile. */
struct raced {
	struct folder_removal r; /* first */
	enum step (*apply)(struct store_job *job, struct txn *txn);
};

static enum step
removal_raced(struct store_job *job, struct txn *txn)
{
	struct raced *raced = (struct raced *)job;
	enum step step = raced->apply(job, txn);
	bool more = step == STEP_MORE;

	while (more)
		assert_int_equal(folder_leftovers(txn, &more), OK);
	return step;
}

static void
test_removal_is_done_where_housekeeping_was_faster(void **state)
{
	struct fixture *f = *state;
	struct fixture_message m = { .user_id = fixture_user(f, "anna"), .body_size = 50 };
	struct raced raced;

	m.folder_id = made(f, m.user_id, "Work");
	assert_int_equal(run(f, fixture_place, &m), OK);
	folder_removal_init(&raced.r);
	raced.r.user_id = m.user_id;
	raced.r.folder_id = m.folder_id;
	raced.apply = raced.r.job.apply;
	raced.r.job.apply = removal_raced;
	assert_int_equal(store_run_job_now(f->store, &raced.r.job), OK);
	assert_int_equal(found(f, m.user_id, "\001bin").held, 1);
	raced.r.hidden = false;
	assert_int_equal(store_run_job_now(f->store, &raced.r.job), ERR_NOT_FOUND);
}

/* A crash behind the first step: housekeeping ends it. */
static void
test_removal_is_finished_after_a_crash(void **state)
{
	struct fixture *f = *state;
	struct act a = { .user_id = fixture_user(f, "anna") };
	struct fixture_message m = { .user_id = a.user_id, .body_size = 50 };
	bool more = true;

	m.folder_id = a.folder_id = made(f, a.user_id, "Work");
	assert_int_equal(run(f, fixture_place, &m), OK);
	assert_int_equal(run(f, hide_it, &a), OK);
	closes_clean(f); /* what is half done is whole in itself */
	assert_false(is_there(f, a.user_id, "Work"));
	while (more)
		assert_int_equal(run(f, leftovers, &more), OK);
	assert_int_equal(found(f, a.user_id, "\001bin").held, 1);
	assert_int_equal(folder_next(look(f), FOLDER_OWNER_NOBODY, 0, &(struct folder){ 0 }),
		ERR_NOT_FOUND);
	closes_clean(f);
}

/* ---- \Seen of one's own ---- */

static enum err
see(struct txn *txn, void *arg)
{
	struct act *a = arg;

	return seen_set(txn, a->folder_id, a->user_id, a->uids, COUNT(a->uids), a->flag);
}

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

/* ---- damage: H49 ---- */

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

#define T(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
test_folders(void)
{
	const struct CMUnitTest tests[] = {
		T(test_folder_names_h24),
		T(test_rename_takes_children_along),
		T(test_uidvalidity_h27_rises_for_a_name),
		T(test_special_folders_are_made_once),
		T(test_a_use_is_of_one_folder),
		T(test_subscriptions_are_names),
		T(test_rights_shf_02_add_up),
		T(test_rights_are_inherited_and_found),
		T(test_who_goes_leaves_nothing),
		T(test_removed_folder_rcy_01_goes_to_the_bin),
		T(test_removal_is_done_where_housekeeping_was_faster),
		T(test_removal_is_finished_after_a_crash),
		T(test_seen_keeps_each_apart),
		T(test_check_h49_mends_what_hangs_on_folders),
		T(test_check_mends_what_hangs_on_nothing),
		T(test_check_mends_the_index_of_names),
		T(test_a_name_is_found_without_a_walk),
	};

	return cmocka_run_group_tests_name("folders", tests, NULL, NULL);
}
