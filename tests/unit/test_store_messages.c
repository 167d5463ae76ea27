/*
 * test_store_messages.c - folders and what is in them: placed, flagged, expunged, counted, freed.
 */
#include "tests/unit/test_store.h"

#include <string.h>

#include "store/bodies.h"
#include "store/graves.h"

#define HEADER SPAN("Subject: hi\r\n\r\n")
#define USER 7

static struct folder
inbox_of(struct fixture *f, uint64_t user_id)
{
	struct snapshot *snap;
	struct folder folder;

	assert_int_equal(snapshot_open(f->store, &snap), OK);
	assert_int_equal(folder_find(snap, user_id, SPAN("inbox"), &folder), OK);
	snapshot_close(&snap);
	folder.name = folder.extra = SPAN_NONE;
	return folder;
}

static uint64_t
rows_of(struct fixture *f, enum store_table table)
{
	struct snapshot *snap;
	uint64_t rows;

	assert_int_equal(snapshot_open(f->store, &snap), OK);
	assert_int_equal(table_count(snap, table, &rows), OK);
	snapshot_close(&snap);
	return rows;
}

static void
test_message_comes_back(void **state)
{
	struct fixture *f = *state;
	struct test_mail m = { .user_id = USER, .folder_id = make_inbox(f, USER), .header = HEADER,
		.body = SPAN("hello\r\n") };
	struct snapshot *snap;
	struct message message;
	struct span body;

	assert_int_equal(run_now(f->store, put_mail, &m), OK);
	assert_int_equal(m.place.uid, 1);
	assert_int_equal(f->changed_count, 1);
	fixture_reopen(f);
	assert_int_equal(snapshot_open(f->store, &snap), OK);
	assert_int_equal(message_find(snap, m.folder_id, 1, &message), OK);
	assert_true(span_eq(message.content.header, HEADER));
	assert_true(span_eq(message.copy.front, SPAN("Return-Path: <a@example.org>\r\n")));
	assert_int_equal(message.entry.size,
		message.copy.front.len + message.content.header.len + message.content.body_size);
	assert_int_equal(message.entry.received_s, f->now_ms / 1000);
	assert_int_equal(message.content.owners, 1);
	assert_int_equal(body_read(snap, message.content.body_id, 0, &body), OK);
	assert_true(span_eq(body, SPAN("hello\r\n")));
	assert_int_equal(message_find(snap, m.folder_id, 2, &message), ERR_NOT_FOUND);
	assert_int_equal(message_find(snap, m.folder_id, 0, &message), ERR_NOT_FOUND);
	assert_int_equal(message_find(snap, m.folder_id + 1, 1, &message), ERR_NOT_FOUND);
	snapshot_close(&snap);
}

struct shared_mail {
	uint64_t folders[3];
	uint32_t owners; /* what content_add() is told */
	struct content content;
};

static enum err
apply_shared(struct txn *txn, void *arg)
{
	struct shared_mail *s = arg;
	struct span body = SPAN("one body for all\r\n");
	enum err err;

	s->content = (struct content){
		.owners = s->owners, .header = HEADER, .body_size = body.len };
	err = body_add(txn, (struct body_source){ &body, 1 }, &s->content.body_id);
	if (err == OK)
		err = content_add(txn, &s->content, false);
	for (size_t i = 0; i < COUNT(s->folders) && err == OK; i++) {
		struct placement p = {
			.user_id = i + 1, .folder_id = s->folders[i], .content = &s->content };

		err = message_place(txn, &p);
	}
	return err;
}

/*
 * N recipients: N entries and copies, one content, one body; the owners are right whatever was
 * guessed.
 */
static void
test_message_shared_by_recipients(void **state)
{
	struct fixture *f = *state;
	static const uint32_t guesses[] = { 3, 0, 9 };
	struct shared_mail s;

	for (size_t i = 0; i < COUNT(s.folders); i++)
		s.folders[i] = make_inbox(f, i + 1);
	for (size_t i = 0; i < COUNT(guesses); i++) {
		struct snapshot *snap;
		struct content c;

		s.owners = guesses[i];
		assert_int_equal(run_now(f->store, apply_shared, &s), OK);
		assert_int_equal(snapshot_open(f->store, &snap), OK);
		assert_int_equal(content_get(snap, s.content.content_id, &c), OK);
		assert_int_equal(c.owners, 3);
		snapshot_close(&snap);
		assert_int_equal(rows_of(f, TABLE_bodies), i + 1);
		assert_int_equal(rows_of(f, TABLE_contents), i + 1);
		assert_int_equal(rows_of(f, TABLE_copies), 3 * (i + 1));
	}
}

/* MANY messages of which every third is not there any more, so that blocks have gaps. */
#define MANY 400

struct change_arg {
	struct folder folder;
	uint32_t uids[MANY];
	struct uid_list list;
	struct flag_change change;
	uint64_t modseq;
	uint64_t delay_ms;
	size_t count;
};

static enum err
apply_flags(struct txn *txn, void *arg)
{
	struct change_arg *c = arg;

	return message_set_flags(txn, &c->folder, c->list, c->change, &c->modseq);
}

static enum err
apply_expunge(struct txn *txn, void *arg)
{
	struct change_arg *c = arg;

	return message_expunge(txn, &c->folder, c->list, c->delay_ms, &c->count);
}

static void
fill(struct fixture *f, struct change_arg *c)
{
	struct test_mail m = { .user_id = USER, .folder_id = make_inbox(f, USER), .header = HEADER,
		.body = SPAN("hello\r\n") };

	*c = (struct change_arg){ .list = { c->uids, 0 }, .delay_ms = 1000 };
	for (unsigned i = 0; i < MANY; i++)
		assert_int_equal(run_now(f->store, put_mail, &m), OK);
	for (uint32_t uid = 3; uid <= MANY; uid += 3)
		c->uids[c->list.count++] = uid;
	c->folder = inbox_of(f, USER);
}

/* What the folder says of itself is what its entries say. */
static void
check_counts(struct fixture *f, struct folder folder)
{
	struct snapshot *snap;
	struct entry e = { .uid = 0 };
	uint32_t messages = 0, unseen = 0, deleted = 0, held = 0;
	uint64_t bytes = 0;

	assert_int_equal(snapshot_open(f->store, &snap), OK);
	while (entry_next(snap, folder.folder_id, e.uid, &e) == OK) {
		bytes += e.size;
		assert_true(e.modseq <= folder.highest_modseq);
		if (e.flags & FLAG_HELD) {
			held++;
			continue;
		}
		messages++;
		unseen += !(e.flags & FLAG_SEEN);
		deleted += (e.flags & FLAG_DELETED) != 0;
	}
	snapshot_close(&snap);
	assert_int_equal(folder.messages, messages);
	assert_int_equal(folder.unseen, unseen);
	assert_int_equal(folder.deleted, deleted);
	assert_int_equal(folder.held, held);
	assert_int_equal(folder.bytes, bytes);
}

static void
test_message_flags_and_counts(void **state)
{
	struct fixture *f = *state;
	struct change_arg c;
	struct folder folder;
	struct snapshot *snap;
	struct entry e;

	fill(f, &c);
	check_counts(f, c.folder);
	c.change = (struct flag_change){ FLAG_SEEN | FLAG_DELETED, 0 };
	assert_int_equal(run_now(f->store, apply_flags, &c), OK);
	fixture_reopen(f);
	folder = inbox_of(f, USER);
	assert_int_equal(folder.highest_modseq, c.folder.highest_modseq + 1);
	assert_int_equal(c.modseq, folder.highest_modseq);
	assert_int_equal(folder.unseen, MANY - c.list.count);
	assert_int_equal(folder.deleted, c.list.count);
	check_counts(f, folder);
	assert_int_equal(snapshot_open(f->store, &snap), OK);
	assert_int_equal(entry_find(snap, folder.folder_id, 3, &e), OK);
	assert_int_equal(e.modseq, c.modseq);
	assert_int_equal(entry_find(snap, folder.folder_id, 4, &e), OK);
	assert_true(e.modseq < c.modseq);
	snapshot_close(&snap);
	assert_int_equal(run_now(f->store, apply_flags, &c), OK); /* nothing changes: no modseq */
	assert_int_equal(c.modseq, 0);
	c.change = (struct flag_change){ FLAG_HELD, FLAG_DELETED };
	assert_int_equal(run_now(f->store, apply_flags, &c), OK);
	folder = inbox_of(f, USER);
	assert_int_equal(folder.held, c.list.count);
	assert_int_equal(folder.messages, MANY - c.list.count);
	check_counts(f, folder);
}

static void
free_all_graves(struct fixture *f)
{
	struct graves_job job;

	graves_job_init(&job);
	assert_int_equal(store_run_job_now(f->store, &job.job), OK);
}

static void
test_message_expunge_then_graves(void **state)
{
	struct fixture *f = *state;
	struct change_arg c;
	struct folder folder;
	struct snapshot *snap;
	struct entry e;
	struct copy copy;
	struct content content;
	struct test_mail m = { .user_id = USER, .header = HEADER,
		.body = SPAN("x") };
	uint64_t copy_id;

	fill(f, &c);
	assert_int_equal(snapshot_open(f->store, &snap), OK);
	assert_int_equal(entry_find(snap, c.folder.folder_id, 3, &e), OK);
	copy_id = e.copy_id;
	snapshot_close(&snap);
	assert_int_equal(run_now(f->store, apply_expunge, &c), OK);
	assert_int_equal(c.count, c.list.count);
	fixture_reopen(f);
	folder = inbox_of(f, USER);
	assert_int_equal(folder.messages, MANY - c.count);
	check_counts(f, folder);
	assert_int_equal(rows_of(f, TABLE_expunged), c.count); /* no two are neighbours */
	assert_int_equal(rows_of(f, TABLE_graves), c.count);
	assert_int_equal(snapshot_open(f->store, &snap), OK);
	assert_int_equal(entry_find(snap, folder.folder_id, 3, &e), ERR_NOT_FOUND);
	assert_int_equal(entry_next(snap, folder.folder_id, 2, &e), OK);
	assert_int_equal(e.uid, 4);
	assert_int_equal(message_by_copy(snap, copy_id, &copy, &content), OK); /* from its grave */
	snapshot_close(&snap);
	free_all_graves(f); /* not due yet */
	assert_int_equal(rows_of(f, TABLE_copies), MANY);
	f->now_ms += c.delay_ms;
	body_pin(f->store, content.body_id); /* a reply is being sent from it */
	free_all_graves(f);
	assert_int_equal(rows_of(f, TABLE_copies), MANY - c.count);
	assert_int_equal(rows_of(f, TABLE_bodies), MANY - c.count + 1);
	assert_int_equal(rows_of(f, TABLE_contents), MANY - c.count + 1);
	body_unpin(f->store, content.body_id);
	f->now_ms += GRAVE_PINNED_MS;
	free_all_graves(f);
	assert_int_equal(rows_of(f, TABLE_bodies), MANY - c.count);
	assert_int_equal(rows_of(f, TABLE_contents), MANY - c.count);
	assert_int_equal(rows_of(f, TABLE_graves), 0);
	m.folder_id = folder.folder_id;
	assert_int_equal(run_now(f->store, put_mail, &m), OK);
	assert_int_equal(m.place.uid, MANY + 1); /* spent uids stay spent (H27) */
}

/* All messages go, so do the blocks; uids go on (H27), and the folder can be removed. */
static void
test_message_expunge_all_h27(void **state)
{
	struct fixture *f = *state;
	struct change_arg c;
	struct folder folder;
	struct test_mail m = { .user_id = USER, .header = HEADER,
		.body = SPAN("x") };

	fill(f, &c);
	c.list.count = 0;
	for (uint32_t uid = 1; uid <= MANY; uid++)
		c.uids[c.list.count++] = uid;
	assert_int_equal(run_now(f->store, apply_expunge, &c), OK);
	folder = inbox_of(f, USER);
	assert_int_equal(folder.messages, 0);
	assert_int_equal(folder.bytes, 0);
	assert_int_equal(rows_of(f, TABLE_entries), 0);
	assert_int_equal(rows_of(f, TABLE_expunged), 1); /* one run */
	m.folder_id = folder.folder_id;
	assert_int_equal(run_now(f->store, put_mail, &m), OK);
	assert_int_equal(m.place.uid, MANY + 1);
	check_counts(f, inbox_of(f, USER));
}

static void
test_message_damaged_answers_so_h49(void **state)
{
	struct fixture *f = *state;
	struct test_mail m = { .user_id = USER, .folder_id = make_inbox(f, USER), .header = HEADER,
		.body = SPAN("hello\r\n") };
	static const char *const tables[] = { "bodies", "contents", "copies", "entries" };
	struct snapshot *snap;
	struct message message;
	struct span body;
	struct key key;

	for (size_t i = 0; i < COUNT(tables); i++) {
		enum err err;

		assert_int_equal(run_now(f->store, put_mail, &m), OK);
		if (i == 0)
			key_u64_u32(&key, m.content.body_id, 0);
		else if (i == 1)
			key_u64(&key, m.content.content_id);
		else if (i == 2)
			key_u64(&key, m.place.copy_id);
		else
			key_u64_u32(&key, m.folder_id, 1);
		damage_row(f, tables[i], key_span(&key), 9);
		assert_int_equal(snapshot_open(f->store, &snap), OK);
		err = message_find(snap, m.folder_id, m.place.uid, &message);
		if (err == OK)
			err = body_read(snap, message.content.body_id, 0, &body);
		assert_int_equal(err, ERR_CORRUPT);
		if (i < 3) /* the rest serves */
			assert_int_equal(run_now(f->store, put_mail, &m), OK);
		snapshot_close(&snap);
	}
	assert_true(f->errors >= COUNT(tables));
}

struct name_arg {
	struct span name;
	uint64_t id;
};

static enum err
apply_make(struct txn *txn, void *arg)
{
	struct name_arg *a = arg;

	return folder_make(txn, USER, a->name, &a->id);
}

static enum err
apply_rename(struct txn *txn, void *arg)
{
	struct name_arg *a = arg;

	return folder_rename(txn, USER, a->id, a->name);
}

static void
test_folder_names(void **state)
{
	struct fixture *f = *state;
	static char longest[FOLDER_NAME_MAX + 1];
	struct name_arg inbox = { SPAN("inbox"), 0 };
	struct name_arg a = { SPAN("Work"), 0 }, b = { SPAN("work"), 0 };

	memset(longest, 'x', sizeof(longest));
	assert_int_equal(run_now(f->store, apply_make, &inbox), OK);
	assert_int_equal(run_now(f->store, apply_make, &inbox), ERR_EXISTS);
	inbox.name = SPAN("INBOX");
	assert_int_equal(run_now(f->store, apply_make, &inbox), ERR_EXISTS);
	inbox.id = inbox_of(f, USER).folder_id;
	inbox.name = SPAN("Other");
	assert_int_equal(run_now(f->store, apply_rename, &inbox), ERR_DENIED);
	assert_int_equal(run_now(f->store, apply_make, &a), OK);
	assert_int_equal(run_now(f->store, apply_make, &b), OK); /* only INBOX has no case */
	b.name = SPAN("Work");
	assert_int_equal(run_now(f->store, apply_rename, &b), ERR_EXISTS);
	b.name = (struct span){ longest, FOLDER_NAME_MAX };
	assert_int_equal(run_now(f->store, apply_rename, &b), OK);
	b.name.len++;
	assert_int_equal(run_now(f->store, apply_rename, &b), ERR_LIMIT);
	b.name.len = 0;
	assert_int_equal(run_now(f->store, apply_rename, &b), ERR_LIMIT);
}

#define T(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
test_store_messages(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_message_comes_back),
		T(test_message_shared_by_recipients),
		T(test_message_flags_and_counts),
		T(test_message_expunge_then_graves),
		T(test_message_expunge_all_h27),
		T(test_message_damaged_answers_so_h49),
		T(test_folder_names),
	};

	return cmocka_run_group_tests_name("store messages", tests, NULL, NULL);
}
