/*
 * mail_fixture.c - see mail_fixture.h.
 */
#include "tests/unit/mail_fixture.h"

#include <stdio.h>

static enum err
put_all(struct txn *txn, void *arg)
{
	struct box *b = arg;
	struct fixture_message m = { .user_id = b->user_id, .folder_id = b->inbox, .body_size = 40 };
	enum err err = OK;

	for (size_t i = 0; i < b->count && err == OK; i++) {
		m.seed = 1; /* unseen */
		err = fixture_place(txn, &m);
		b->uids[i] = m.uid;
	}
	return err;
}

void
box_init(struct box *b, struct fixture *f, size_t messages)
{
	struct folder folder;
	size_t left = messages;

	memset(b, 0, sizeof(*b));
	b->f = f;
	b->user_id = fixture_user(f, "anna");
	b->inbox = fixture_inbox(f, b->user_id);
	assert_int_equal(folder_find(look(f), b->user_id, SPAN("Archive"), &folder), OK);
	b->other = folder.folder_id;
	for (; left > 0; left -= b->count) {
		b->count = left < 400 ? left : 400;
		assert_int_equal(run(f, put_all, b), OK);
	}
	b->count = messages;
	for (size_t i = 0; i < messages; i++)
		b->uids[i] = (uint32_t)i + 1;
}

struct folder
box_folder(struct box *b, uint64_t folder_id)
{
	struct folder folder;

	assert_int_equal(folder_get(look(b->f), b->user_id, folder_id, &folder), OK);
	return folder;
}

struct entry
box_entry(struct box *b, uint64_t folder_id, uint32_t uid)
{
	struct entry e;

	if (entry_find(look(b->f), folder_id, uid, &e) != OK)
		fail_msg("no uid %u", uid);
	return e;
}

const char *
box_keywords(struct box *b, uint64_t folder_id, uint32_t uid)
{
	static char text[COPY_KEYWORDS_MAX];
	struct entry e = box_entry(b, folder_id, uid);
	struct arena arena;
	struct span words;

	arena_init(&arena, NULL);
	assert_int_equal(message_keywords(b->f->snap, folder_id, &e, &arena, &words), OK);
	snprintf(text, sizeof(text), "%.*s", SPAN_FMT(words));
	arena_reset(&arena);
	return text;
}

static enum err
apply_store(struct txn *txn, void *arg)
{
	struct box *b = arg;

	return message_store(txn, &b->where, b->list, &b->order, &b->result);
}

static struct uid_list
range(struct box *b, uint32_t first, uint32_t last)
{
	return (struct uid_list){ b->uids + first - 1, last - first + 1 };
}

void
box_store(struct box *b, uint64_t folder_id, uint32_t first, uint32_t last, enum flag_op op,
	uint32_t flags, const char *keywords)
{
	struct span words = span_of(keywords), names[40];
	size_t count = 0;

	while (keyword_next(&words, &names[count]))
		count++;
	b->where = box_folder(b, folder_id);
	b->list = range(b, first, last);
	b->order.op = op;
	b->order.flags = flags;
	b->order.may = FLAGS_SYSTEM | FLAGS_KEYWORDS;
	b->order.keywords = names;
	b->order.keyword_count = count;
	b->order.user_id = b->order.user_id ? b->order.user_id : b->user_id;
	if (b->order.unchanged_since == 0)
		b->order.unchanged_since = UINT64_MAX;
	b->result.failed = b->failed;
	assert_int_equal(run(b->f, apply_store, b), OK);
}

static enum err
apply_bin(struct txn *txn, void *arg)
{
	struct box *b = arg;

	return bin_take(txn, &b->where, b->list, b->blocks, &b->binned);
}

void
box_bin(struct box *b, uint64_t folder_id, uint32_t first, uint32_t last)
{
	b->where = box_folder(b, folder_id);
	b->list = range(b, first, last);
	assert_int_equal(run(b->f, apply_bin, b), OK);
}

enum err
box_restore(struct txn *txn, void *arg)
{
	struct restoring *r = arg;

	return bin_restore(txn, r->user_id, r->uid, &r->to, &r->new_uid);
}

void
box_is_clean(struct box *b)
{
	unsigned lines;

	fixture_close(b->f);
	assert_int_equal(fixture_check(b->f, false, &lines), 0);
	fixture_open(b->f);
}
