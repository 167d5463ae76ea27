/*
 * fill.c - puts many waiting messages, many users and one large mailbox into a store, through the store's
 * own calls.
 *
 *	fill STORE [messages] [users] [messages of the first user's INBOX]
 *
 * No server may run on it. The messages share one body, wait for a year, go to hosts of `.test`, and
 * differ in sender, recipient, size and subject; some are held. The users have no password. In the
 * mailbox every thousand messages share one content, and every second one is read.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "store/commit.h"
#include "store/contents.h"
#include "store/folders.h"
#include "store/ids.h"
#include "store/messages.h"
#include "store/queued.h"
#include "store/users.h"

#define SLICE 4000 /* rows of one commit */
#define SHARED 1000 /* messages of one content */
#define YEAR_MS (INT64_C(365) * 86400 * 1000)
#define HEADER "From: sender@example.org\r\nSubject: filled\r\n\r\n"

struct fill {
	struct store_job job;
	uint64_t content_id;
	uint64_t numbers[SLICE];
	size_t from, count;
	int64_t now_ms;
	struct content content; /* of the mailbox */
};

static void
must(enum err err, const char *what)
{
	if (err == OK)
		return;
	fprintf(stderr, "fill: %s: error %d\n", what, (int)err);
	exit(1);
}

static enum step
content_apply(struct store_job *job, struct txn *txn)
{
	struct fill *f = LIST_ITEM(job, struct fill, job);
	struct content content = { .owners = 1, .header = SPAN(HEADER) };
	enum err err = content_add(txn, &content, false);

	f->content_id = content.content_id;
	return step_of(job, err == OK ? content_own(txn, content.content_id, 1) : err);
}

static enum err
put_message(struct txn *txn, const struct fill *f, size_t i)
{
	size_t n = f->from + i;
	char sender[64], address[64], subject[64];
	struct queued_recipient r = { .next_try_ms = f->now_ms + YEAR_MS + (int64_t)n,
		.tries = 1 + n % 9,
		.last_try_ms = f->now_ms,
		.last_error = SPAN("451 4.7.1 try again later") };
	struct queued q = { .queue_id = f->numbers[i],
		.content_id = f->content_id,
		.size_bytes = 500 + n * 7919 % 1000000,
		.received_ms = f->now_ms - (int64_t)n,
		.held = n % 100 == 0,
		.held_since_ms = n % 100 == 0 ? f->now_ms : 0,
		.source = SPAN("smtp") };

	snprintf(sender, sizeof(sender), "user%zu@example.org", n * 7919 % 10007);
	snprintf(address, sizeof(address), "box%zu@dest%zu.test", n * 104729 % 1000003, n % 50);
	snprintf(subject, sizeof(subject), "message %zu", n);
	q.sender = span_of(sender);
	q.subject = span_of(subject);
	r.address = span_of(address);
	return queued_add(txn, &q, &r, 1);
}

static enum step
messages_apply(struct store_job *job, struct txn *txn)
{
	struct fill *f = LIST_ITEM(job, struct fill, job);
	enum err err = OK;

	for (size_t i = 0; i < f->count && err == OK; i++)
		err = put_message(txn, f, i);
	return step_of(job, err);
}

static enum step
users_apply(struct store_job *job, struct txn *txn)
{
	struct fill *f = LIST_ITEM(job, struct fill, job);
	enum err err = OK;

	for (size_t i = 0; i < f->count && err == OK; i++) {
		char name[32], comment[64];
		uint64_t user_id;
		struct user user;

		user_init(&user);
		snprintf(name, sizeof(name), "person%05zu", f->from + i);
		snprintf(comment, sizeof(comment), "number %zu", f->from + i);
		user.name = span_of(name);
		user.comment = span_of(comment);
		err = user_add(txn, &user, f->now_ms, &user_id);
	}
	return step_of(job, err);
}

static enum err
mailbox_content(struct txn *txn, struct fill *f, size_t n)
{
	char header[128];
	int len = snprintf(header, sizeof(header),
		"From: sender%zu@example.org\r\nSubject: filled %zu\r\n\r\n", n % 97, n);

	f->content = (struct content){ .owners = SHARED };
	f->content.header = arena_copy(txn_arena(txn), (struct span){ header, (size_t)len });
	return content_add(txn, &f->content, false);
}

static enum step
mailbox_apply(struct store_job *job, struct txn *txn)
{
	struct fill *f = LIST_ITEM(job, struct fill, job);
	struct folder inbox;
	struct user user;
	enum err err = user_find_by_name(txn_view(txn), SPAN("person00000"), &user);

	if (err == OK)
		err = folder_find(txn_view(txn), user.user_id, SPAN("INBOX"), &inbox);
	for (size_t i = 0; i < f->count && err == OK; i++) {
		struct placement p = { .user_id = user.user_id,
			.folder_id = inbox.folder_id,
			.content = &f->content,
			.flags = i % 2 ? FLAG_SEEN : 0 };

		if (i % SHARED == 0)
			err = mailbox_content(txn, f, f->from + i);
		if (err == OK)
			err = message_place(txn, &p);
	}
	return step_of(job, err);
}

/* The writer reserves numbers behind our back; it may need a moment. */
static void
take_numbers(struct store *store, struct fill *f)
{
	for (size_t i = 0; i < f->count; i++) {
		enum err err;

		while ((err = message_no_next(store, &f->numbers[i])) == ERR_BUSY)
			usleep(1000);
		must(err, "a number for a message");
	}
}

static void
run(struct store *store, struct fill *f, size_t total,
	enum step (*apply)(struct store_job *, struct txn *))
{
	for (f->from = 0; f->from < total; f->from += f->count) {
		f->count = total - f->from < SLICE ? total - f->from : SLICE;
		if (apply == messages_apply)
			take_numbers(store, f);
		f->job = (struct store_job){ .apply = apply };
		must(store_run_job_now(store, &f->job), "a commit");
	}
}

int
main(int argc, char **argv)
{
	static struct fill f;
	struct store_options options = { .path = argc > 1 ? argv[1] : "", .mode = STORE_SERVE };
	struct store_fault why;
	struct store *store;
	size_t messages = argc > 2 ? strtoul(argv[2], NULL, 10) : 1000000;

	if (argc < 2) {
		fprintf(stderr, "usage: fill STORE [messages] [users] [mailbox]\n");
		return 2;
	}
	if (store_open(&options, &store, &why) != OK) {
		fprintf(stderr, "fill: %s\n", why.text);
		return 1;
	}
	f.now_ms = (int64_t)time(NULL) * 1000;
	f.job = (struct store_job){ .apply = content_apply };
	if (messages > 0)
		must(store_run_job_now(store, &f.job), "the body");
	run(store, &f, messages, messages_apply);
	run(store, &f, argc > 3 ? strtoul(argv[3], NULL, 10) : 10000, users_apply);
	run(store, &f, argc > 4 ? strtoul(argv[4], NULL, 10) : 0, mailbox_apply);
	store_close(&store);
	return 0;
}
