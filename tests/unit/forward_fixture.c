/*
 * forward_fixture.c - a mailbox whose messages wait to be forwarded, and what can be done to it.
 */
#include "tests/unit/forward_fixture.h"

#include <stdio.h>

#include "store/folder_jobs.h"
#include "store/forwards.h"
#include "store/ids.h"
#include "store/message_ways.h"
#include "store/queued.h"
#include "store/traces.h"

struct box snf_box;

/* ---- a mailbox whose messages wait to be forwarded ---- */

static enum err
pair_one(struct txn *txn, uint32_t uid)
{
	char route[40];
	struct message m;
	struct queued_recipient r = { .address = SPAN("anna@main.test"), .next_try_ms = FIXTURE_NOW };
	struct queued q = { .queue_id = SNF_FIRST_ID + uid, .sender = SPAN("x@example.net"),
		.received_ms = FIXTURE_NOW };
	struct trace t = { .message_no = SNF_FIRST_ID + uid, .time_ms = FIXTURE_NOW,
		.service = SPAN("smtp") };
	struct forward f = { .user_id = snf_box.user_id, .queue_id = SNF_FIRST_ID + uid, .recipient_no = 1,
		.folder_id = snf_box.inbox, .uid = uid };
	enum err err = message_find(txn_view(txn), snf_box.inbox, uid, &m);

	snprintf(route, sizeof(route), "snf:%llu", (unsigned long long)snf_box.user_id);
	r.route = span_of(route);
	q.content_id = m.content.content_id;
	q.size_bytes = 100;
	f.copy_id = m.entry.copy_id;
	if (err == OK)
		err = queued_add(txn, &q, &r, 1);
	if (err == OK)
		err = trace_add(txn, &t);
	if (err == ERR_EXISTS) /* it was forwarded before */
		err = OK;
	return err == OK ? forward_put(txn, &f) : err;
}

enum err
snf_pair_all(struct txn *txn, void *arg)
{
	const struct snf_pairing *p = arg;
	enum err err = OK;

	for (uint32_t uid = p->first; uid <= p->last && err == OK; uid++)
		err = pair_one(txn, uid);
	return err;
}

enum err
snf_set_user(struct txn *txn, void *arg)
{
	struct snf_setting *s = arg;
	struct change_start start = { .who = SPAN("anna"), .via = SPAN("cli"),
		.what = SPAN("user.set"), .object = SPAN("anna"), .now_ms = FIXTURE_NOW };
	struct user user;
	enum err err = change_begin(&s->recorder, txn, &start);

	if (err == OK && s->removes)
		err = user_remove(txn, s->user_id, FIXTURE_NOW);
	else if (err == OK)
		err = user_find(txn_view(txn), s->user_id, &user);
	if (err == OK && !s->removes) {
		user_copy(&user, txn_arena(txn));
		user.store_forward_address = s->address;
		user.store_forward_server = s->server;
		err = user_set(txn, &user, FIXTURE_NOW);
	}
	return err == OK ? change_end(&s->recorder) : err;
}

enum err
snf_undo_set(struct txn *txn, void *arg)
{
	struct snf_setting *s = arg;
	struct change_start start = { .who = SPAN("anna"), .via = SPAN("cli"), .now_ms = FIXTURE_NOW };
	struct buf object;
	enum err err;

	buf_init(&object, 100);
	err = change_undo(txn, s->recorder.change_id, &start, &object, &s->undo_id);
	buf_fini(&object);
	return err;
}

struct snf_setting
snf_anna_forwards(const char *address, const char *server)
{
	struct snf_setting s = { .user_id = snf_box.user_id, .address = span_of(address),
		.server = span_of(server) };

	assert_int_equal(run(snf_box.f, snf_set_user, &s), OK);
	return s;
}

void
snf_init(void **state, size_t messages)
{
	struct snf_pairing all = { 1, (uint32_t)messages };

	box_init(&snf_box, *state, messages);
	snf_anna_forwards("anna@main.test", "main.test");
	assert_int_equal(run(snf_box.f, snf_pair_all, &all), OK);
}

/* ---- what there is ---- */

bool
snf_waits(uint32_t uid)
{
	struct queued q;

	return queued_find(look(snf_box.f), SNF_FIRST_ID + uid, &q) == OK;
}

uint64_t
snf_pending(void)
{
	uint64_t count;

	assert_int_equal(forward_count(look(snf_box.f), snf_box.user_id, 100000, &count), OK);
	return count;
}

void
snf_check_tied(uint32_t uid, uint64_t folder_id, uint32_t where)
{
	struct forward f;

	assert_int_equal(forward_tied(look(snf_box.f), SNF_FIRST_ID + uid, 1, &f), OK);
	assert_int_equal(f.folder_id, folder_id);
	assert_int_equal(f.uid, where);
	assert_true(forward_is_there(look(snf_box.f), &f));
}

static enum err
take(struct txn *txn, void *arg)
{
	struct queued_outcome gone = { .state = QUEUED_GONE, .now_ms = FIXTURE_NOW };
	uint64_t queue_id = SNF_FIRST_ID + *(uint32_t *)arg;
	bool entry_gone;
	enum err err = forward_taken(txn, queue_id, 1);

	return err == OK ? queued_note(txn, queue_id, 1, &gone, &entry_gone) : err;
}

void
snf_taken(uint32_t uid)
{
	assert_int_equal(run(snf_box.f, take, &uid), OK);
	assert_false(snf_waits(uid));
}

size_t
snf_messages(uint64_t folder_id)
{
	return box_folder(&snf_box, folder_id).messages;
}

struct message_transfer
snf_transfer(uint64_t from, uint64_t to, uint32_t first, uint32_t last, bool move)
{
	struct message_transfer t;

	message_transfer_init(&t);
	t.from_user_id = t.to_user_id = t.user_id = snf_box.user_id;
	t.from_folder_id = from;
	t.to_folder_id = to;
	t.list = (struct uid_list){ snf_box.uids + first - 1, last - first + 1 };
	t.move = move;
	t.keep_flags = FLAGS_SYSTEM | FLAGS_KEYWORDS;
	assert_int_equal(store_run_job_now(snf_box.f->store, &t.job), OK);
	assert_int_equal(t.count, last - first + 1);
	return t;
}

enum err
snf_expunge(struct txn *txn, void *arg)
{
	const struct snf_pairing *p = arg;
	struct folder folder;
	size_t count;
	enum err err = folder_get(txn_view(txn), snf_box.user_id, snf_box.inbox, &folder);

	return err == OK ? message_expunge(txn, &folder,
				   (struct uid_list){ snf_box.uids + p->first - 1, p->last - p->first + 1 }, 0,
				   &count)
			 : err;
}
