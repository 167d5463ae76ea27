/*
 * mailbox_bench.c - how fast the store does to a large folder what IMAP asks of it.
 *
 *	mailbox_bench DIR [messages]
 *
 * DIR must not exist; it is left behind to be looked at. A line for each act: time in all until it is
 * on disk, slices, and the longest slice on the writer. The messages have 1,500 bytes of header,
 * 700 of derived text and no body.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "store/bin.h"
#include "store/commit.h"
#include "store/message_transfer.h"
#include "store/users.h"

#define HEADER_SIZE 1500
#define DERIVED_SIZE 700
#define PLACED_A_SLICE 500

struct bench {
	struct store *store;
	uint64_t user_id, from, to;
	uint32_t *uids;
	size_t messages;
	char header[HEADER_SIZE], derived[DERIVED_SIZE];
};

/* An act in slices, each timed. */
struct act {
	struct store_job job;
	struct bench *b;
	enum err (*slice)(struct act *act, struct txn *txn, bool *more);
	struct slice_place place;
	double longest_ms;
	unsigned slices;
};

static double
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void
must(enum err err, const char *what)
{
	if (err == OK)
		return;
	fprintf(stderr, "mailbox_bench: %s: %s\n", what, err_name(err));
	exit(1);
}

static void
act_time(struct act *act, double began_ms)
{
	double took = now_ms() - began_ms;

	act->slices++;
	if (took > act->longest_ms)
		act->longest_ms = took;
}

static enum step
act_apply(struct store_job *job, struct txn *txn)
{
	struct act *act = LIST_ITEM(job, struct act, job);
	double began = now_ms();
	bool more = false;
	enum err err;

	(void)slice_begin(&act->place, txn);
	err = act->slice(act, txn, &more);
	act_time(act, began);
	return err == OK && more ? STEP_MORE : step_of(job, err);
}

static void
act_say(const struct act *act, const char *name, double began, size_t messages)
{
	double ms = now_ms() - began;

	printf("%-28s %9.1f ms  %8.0f a second  %5u slices, longest %6.2f ms\n", name, ms,
		(double)messages / ms * 1e3, act->slices, act->longest_ms);
}

static void
run_act(struct bench *b, const char *name, size_t messages,
	enum err (*slice)(struct act *act, struct txn *txn, bool *more))
{
	struct act act = { .job = { .apply = act_apply }, .b = b, .slice = slice };
	double began = now_ms();

	must(store_run_job_now(b->store, &act.job), name);
	act_say(&act, name, began, messages);
}

/* ---- filling ---- */

static enum err
begin_box(struct act *act, struct txn *txn, bool *more)
{
	struct bench *b = act->b;
	struct folder f;
	struct user user;
	enum err err;

	(void)more;
	user_init(&user);
	user.name = SPAN("bench");
	err = user_add(txn, &user, 1, &b->user_id);
	if (err == OK)
		err = folder_find(txn_view(txn), b->user_id, SPAN("INBOX"), &f);
	b->from = f.folder_id;
	if (err == OK)
		err = folder_find(txn_view(txn), b->user_id, SPAN("Archive"), &f);
	b->to = f.folder_id;
	return err;
}

static enum err
place_some(struct act *act, struct txn *txn, bool *more)
{
	struct bench *b = act->b;
	size_t from = (size_t)act->place.at, to = from + PLACED_A_SLICE;
	enum err err = OK;

	for (to = to < b->messages ? to : b->messages; from < to && err == OK; from++) {
		struct content c = { .owners = 1,
			.header = { b->header, HEADER_SIZE },
			.derived = { b->derived, DERIVED_SIZE } };
		struct placement p = { .user_id = b->user_id, .folder_id = b->from, .content = &c };

		err = content_add(txn, &c, false);
		if (err == OK)
			err = message_place(txn, &p);
	}
	act->place.at = from;
	*more = from < b->messages;
	return err;
}

/* ---- acts ---- */

static enum err
store_seen(struct act *act, struct txn *txn, bool *more)
{
	struct flag_order order = { .op = FLAGS_ADD, .flags = FLAG_SEEN, .may = FLAGS_SYSTEM,
		.unchanged_since = UINT64_MAX };
	struct bench *b = act->b;
	size_t at = (size_t)act->place.at;
	struct uid_list rest = { b->uids + at, b->messages - at };
	struct flag_result result = { .failed = NULL };
	struct folder f;
	enum err err = folder_get(txn_view(txn), b->user_id, b->from, &f);

	if (err == OK)
		err = message_store(txn, &f, rest, &order, &result);
	act->place.at = at + result.next;
	*more = act->place.at < b->messages;
	return err;
}

static enum err
bin_all(struct act *act, struct txn *txn, bool *more)
{
	struct bench *b = act->b;
	struct bin_result result;
	struct folder f;
	enum err err = folder_get(txn_view(txn), b->user_id, b->to, &f);

	(void)more;
	if (err == OK)
		err = bin_take(txn, &f, (struct uid_list){ NULL, 0 }, 0, &result);
	return err;
}

static enum step (*transfer_apply)(struct store_job *job, struct txn *txn);
static struct act transfer_act;

static enum step
timed_apply(struct store_job *job, struct txn *txn)
{
	double began = now_ms();
	enum step step = transfer_apply(job, txn);

	act_time(&transfer_act, began);
	return step;
}

static void
transfer(struct bench *b, const char *name, size_t messages, bool move)
{
	struct message_transfer t;
	double began = now_ms();

	message_transfer_init(&t);
	t.from_user_id = t.to_user_id = t.user_id = b->user_id;
	t.from_folder_id = b->from;
	t.to_folder_id = b->to;
	t.list = (struct uid_list){ b->uids, messages };
	t.move = move;
	t.keep_date = true;
	t.keep_flags = FLAGS_SYSTEM | FLAGS_KEYWORDS;
	transfer_apply = t.job.apply;
	t.job.apply = timed_apply;
	transfer_act = (struct act){ .slices = 0 };
	must(store_run_job_now(b->store, &t.job), name);
	act_say(&transfer_act, name, began, t.count);
}

static void
scan(struct bench *b)
{
	struct entry_block block;
	struct snapshot *snap;
	struct folder f;
	uint32_t last = 0;
	double began;

	must(snapshot_open(b->store, &snap), "snapshot");
	must(folder_get(snap, b->user_id, b->from, &f), "folder");
	for (int i = 0; i < 2; i++, last = 0) { /* the second has it in memory */
		began = now_ms();
		while (entry_block_changed(snap, b->from, last, f.highest_modseq, 1u << 30, &block,
			       &last) == OK)
			;
	}
	printf("%-28s %9.1f ms\n", "nothing changed since", now_ms() - began);
	snapshot_close(&snap);
}

int
main(int argc, char **argv)
{
	struct bench b = { .messages = argc > 2 ? strtoul(argv[2], NULL, 10) : 100000 };
	struct store_options options = { .path = argc > 1 ? argv[1] : NULL, .mode = STORE_SERVE };
	struct store_fault why;

	if (!options.path || b.messages < 10000 || mkdir(options.path, 0700) != 0) {
		fprintf(stderr, "usage: mailbox_bench DIR [messages, 10000 at least]\n");
		return 1;
	}
	if (store_open(&options, &b.store, &why) != OK) {
		fprintf(stderr, "mailbox_bench: %s\n", why.text);
		return 1;
	}
	memset(b.header, 'h', sizeof(b.header));
	memset(b.derived, 'd', sizeof(b.derived));
	b.uids = calloc(b.messages, sizeof(b.uids[0]));
	for (size_t i = 0; b.uids && i < b.messages; i++)
		b.uids[i] = (uint32_t)i + 1;
	run_act(&b, "a user", 1, begin_box);
	run_act(&b, "filling", b.messages, place_some);
	run_act(&b, "STORE 1:* +FLAGS \\Seen", b.messages, store_seen);
	run_act(&b, "the same, nothing changes", b.messages, store_seen);
	scan(&b);
	transfer(&b, "COPY of 200", 200, false);
	transfer(&b, "COPY of 10,000", 10000, false);
	transfer(&b, "MOVE of all", b.messages, true);
	run_act(&b, "EXPUNGE of all, one commit", b.messages + 10200, bin_all);
	store_close(&b.store);
	free(b.uids);
	return 0;
}
