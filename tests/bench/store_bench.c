/*
 * store_bench.c - how fast the store takes mail, beside a bare LMDB loop that writes the same
 * values.
 *
 *	store_bench DIR [messages] [bytes] [jobs a commit] [folders]
 *
 * DIR must not exist; it is left behind to be looked at. A row of figures a line: rate, CPU a
 * message, syncs, bytes on disk over bytes of mail, and how long it takes to list a folder of all
 * messages.
 */
#include <errno.h>
#include <lmdb.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include "proto/mime/mime_parser.h"
#include "store/bodies.h"
#include "store/commit.h"
#include "store/messages.h"

#define HEADER_SIZE 600
#define FRONT "Return-Path: <sender@example.org>\r\n"
#define USERS_MAX 1000
#define JOBS_MAX 200
#define DERIVE_ROUNDS 20000

struct bench {
	struct store *store;
	uint64_t folders[USERS_MAX];
	size_t users, messages, size, in_flight, next;
	char *mail;
	struct span derived; /* of it (mime_derived.h) */
	uint64_t failed;
};

struct mail_job {
	struct store_job job;
	struct bench *bench;
	size_t number;
};

static double
seconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
must(int rc, const char *what)
{
	if (rc == 0)
		return;
	fprintf(stderr, "store_bench: %s: %d\n", what, rc);
	exit(1);
}

static enum step
mail_apply(struct store_job *job, struct txn *txn)
{
	struct mail_job *m = LIST_ITEM(job, struct mail_job, job);
	struct bench *b = m->bench;
	struct span body = { b->mail + HEADER_SIZE, b->size - HEADER_SIZE };
	struct content content = { .owners = 1,
		.header = { b->mail, HEADER_SIZE },
		.derived = b->derived,
		.body_size = body.len };
	struct placement place = { .user_id = m->number % b->users + 1,
		.folder_id = b->folders[m->number % b->users],
		.content = &content,
		.front = SPAN(FRONT) };
	enum err err = body_add(txn, (struct body_source){ &body, 1 }, &content.body_id);

	if (err == OK)
		err = content_add(txn, &content, false);
	return step_of(job, err == OK ? message_place(txn, &place) : err);
}

static enum step
inbox_apply(struct store_job *job, struct txn *txn)
{
	struct bench *b = LIST_ITEM(job, struct mail_job, job)->bench;
	enum err err = OK;

	for (size_t i = 0; i < b->users && err == OK; i++)
		err = folder_make(txn, i + 1, SPAN("INBOX"), &b->folders[i]);
	return step_of(job, err);
}

/* A peer that sends its next message when it got the reply to the last. */
static void
mail_done(struct store_job *job, enum err result)
{
	struct mail_job *m = LIST_ITEM(job, struct mail_job, job);
	struct bench *b = m->bench;

	b->failed += result != OK;
	m->number = b->next++;
	if (m->number < b->messages)
		must(store_submit(b->store, job), "submit");
	else
		b->in_flight--;
}

static void
wake(void *arg)
{
	sem_post(arg);
}

static uint64_t
file_bytes(const char *dir)
{
	char path[512];
	struct stat st;

	snprintf(path, sizeof(path), "%s/data.mdb", dir);
	must(stat(path, &st), "stat");
	return (uint64_t)st.st_size;
}

static void
report(const char *what, size_t messages, double wall, double cpu)
{
	printf("%-12s %9.0f /s  %7.4f ms wall  %7.4f ms CPU a message\n", what,
		(double)messages / wall, wall * 1e3 / (double)messages,
		cpu * 1e3 / (double)messages);
}

static double
run_store(struct bench *b, size_t jobs)
{
	static struct mail_job mails[JOBS_MAX];
	struct store_inbox inbox;
	sem_t sem;
	double wall, cpu;

	sem_init(&sem, 0, 0);
	store_inbox_init(&inbox, wake, &sem);
	wall = seconds(CLOCK_MONOTONIC);
	cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
	b->in_flight = jobs;
	for (size_t i = 0; i < jobs; i++) {
		mails[i] = (struct mail_job){ .bench = b, .number = b->next++ };
		mails[i].job = (struct store_job){ .apply = mail_apply, .done = mail_done,
			.inbox = &inbox, .size_bytes = b->size, .incoming = true };
		must(store_submit(b->store, &mails[i].job), "submit");
	}
	while (b->in_flight > 0) {
		if (sem_wait(&sem) == 0)
			(void)store_inbox_run(&inbox);
	}
	wall = seconds(CLOCK_MONOTONIC) - wall;
	cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	store_inbox_fini(&inbox);
	must(b->failed != 0, "jobs failed");
	report("store", b->messages, wall, cpu);
	return wall;
}

/* The walk that a POP3 login does over a mailbox: uid, size, copy_id of each. */
static void
run_list(struct bench *b)
{
	static struct entry_block block;
	struct snapshot *snap;
	uint64_t sum = 0, listed = 0;
	uint32_t uid = 0;
	unsigned from;
	double wall = seconds(CLOCK_MONOTONIC);

	must(snapshot_open(b->store, &snap), "snapshot");
	while (entry_block_next(snap, b->folders[0], uid, &block, &from) == OK) {
		for (unsigned i = from; i < block.count; i++, listed++)
			sum += block.entries[i].size + block.entries[i].copy_id;
		uid = block.entries[block.count - 1].uid;
	}
	snapshot_close(&snap);
	wall = seconds(CLOCK_MONOTONIC) - wall;
	printf("list         %zu entries of one folder in %.2f ms (sum %llu)\n", (size_t)listed,
		wall * 1e3, (unsigned long long)sum);
}

/* The yardstick: values of the same sizes under keys that rise, so many a commit, nothing else. */
static double
run_bare(const char *dir, const struct bench *b, size_t jobs)
{
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi[2];
	size_t body = b->size - HEADER_SIZE;
	double wall, cpu;

	must(mkdir(dir, 0700), "mkdir");
	must(mdb_env_create(&env), "env");
	must(mdb_env_set_maxdbs(env, 4), "maxdbs");
	must(mdb_env_set_mapsize(env, UINT64_C(1) << 36), "mapsize");
	must(mdb_env_open(env, dir, MDB_NOTLS, 0600), "open");
	wall = seconds(CLOCK_MONOTONIC);
	cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
	for (size_t at = 0; at < b->messages;) {
		must(mdb_txn_begin(env, NULL, 0, &txn), "begin");
		must(mdb_dbi_open(txn, "h", MDB_CREATE, &dbi[0]), "dbi");
		must(mdb_dbi_open(txn, "b", MDB_CREATE, &dbi[1]), "dbi");
		for (size_t i = 0; i < jobs && at < b->messages; i++, at++) {
			uint64_t no[2] = { __builtin_bswap64(at + 1), 0 };
			MDB_val k = { sizeof(no[0]), no }, v = { HEADER_SIZE, b->mail };

			must(mdb_put(txn, dbi[0], &k, &v, MDB_APPEND), "put");
			k.mv_size = sizeof(no);
			for (size_t done = 0; done < body; done += v.mv_size) {
				size_t part = body - done < 4080 ? body - done : 4080;

				no[1] = __builtin_bswap64(done);
				v = (MDB_val){ part, b->mail + HEADER_SIZE + done };
				must(mdb_put(txn, dbi[1], &k, &v, MDB_APPEND), "put");
			}
		}
		must(mdb_txn_commit(txn), "commit");
	}
	wall = seconds(CLOCK_MONOTONIC) - wall;
	cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	mdb_env_close(env);
	report("bare LMDB", b->messages, wall, cpu);
	return wall;
}

/* A usual message: a header as it comes in, one more field to fill it up, and text. */
static void
fill_mail(struct bench *b, struct arena *a)
{
	static const char header[] =
		"Received: from mail.example.net (mail.example.net [192.0.2.10])\r\n"
		"\tby mx.example.org with ESMTPS (TLSv1.2 cipher ECDHE-ECDSA-AES128-GCM-SHA256)\r\n"
		"\tid 0000A5F3C21; Sat, 21 Nov 2026 22:36:39 +0000\r\n"
		"From: Bo Nilsson <bo.nilsson@example.net>\r\n"
		"To: Anna Example <anna@example.org>\r\n"
		"Subject: The figures of the third quarter\r\n"
		"Date: Sat, 21 Nov 2026 22:36:38 +0000\r\n"
		"Message-ID: <20261121223638.4711.bo@mail.example.net>\r\n"
		"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
		"X-Mailer: ";
	struct span body = { NULL, b->size - HEADER_SIZE };
	struct buf record;

	b->mail = arena_alloc(a, b->size);
	memset(b->mail, 'x', b->size);
	for (size_t i = HEADER_SIZE; i + 1 < b->size; i += 72)
		memcpy(b->mail + i, "\r\n", 2);
	memcpy(b->mail, header, sizeof(header) - 1);
	memcpy(b->mail + HEADER_SIZE - 4, "\r\n\r\n", 4);
	body.ptr = b->mail + HEADER_SIZE;
	buf_init(&record, MIME_RECORD_MAX);
	must(mime_derive(a, (struct span){ b->mail, HEADER_SIZE }, &body, 1, &record), "derive");
	b->derived = arena_copy(a, buf_span(&record));
	buf_fini(&record);
}

/* What the record of a message costs, made and read, and how large it is. */
static void
run_derive(struct bench *b)
{
	struct span header = { b->mail, HEADER_SIZE },
		    body = { b->mail + HEADER_SIZE, b->size - HEADER_SIZE };
	double begin = seconds(CLOCK_PROCESS_CPUTIME_ID), made, read;
	struct mime_derived d;
	struct arena arena;
	struct buf out;

	buf_init(&out, MIME_RECORD_MAX);
	for (size_t i = 0; i < DERIVE_ROUNDS; i++) {
		arena_init(&arena, NULL);
		buf_clear(&out);
		must(mime_derive(&arena, header, &body, 1, &out), "derive");
		arena_reset(&arena);
	}
	made = seconds(CLOCK_PROCESS_CPUTIME_ID) - begin;
	begin = seconds(CLOCK_PROCESS_CPUTIME_ID);
	for (size_t i = 0; i < DERIVE_ROUNDS; i++) {
		buf_clear(&out);
		must(mime_derived_open(b->derived, header, &d), "open");
		must(mime_derived_put_envelope(&d, &out), "envelope");
	}
	read = seconds(CLOCK_PROCESS_CPUTIME_ID) - begin;
	printf("derived      %zu bytes, %.4f ms CPU to make, ENVELOPE of %zu bytes in %.2f us\n",
		b->derived.len, made * 1e3 / DERIVE_ROUNDS, buf_span(&out).len,
		read * 1e6 / DERIVE_ROUNDS);
	buf_fini(&out);
}

static size_t
number(char **argv, int argc, int at, size_t otherwise)
{
	return at < argc ? strtoul(argv[at], NULL, 10) : otherwise;
}

/*
 * Bytes this process sent to the disk so far, as the kernel counts: large folios whole, so too
 * many.
 */
static uint64_t
written_bytes(void)
{
	FILE *io = fopen("/proc/self/io", "re");
	char line[128];
	unsigned long long bytes = 0;

	while (io && fgets(line, sizeof(line), io))
		if (sscanf(line, "write_bytes: %llu", &bytes) == 1)
			break;
	if (io)
		fclose(io);
	return bytes;
}

static void
print_stats(struct bench *b, const char *dir)
{
	struct store_stats stats;
	double mail = (double)b->messages * (double)b->size;

	must(store_stats(b->store, &stats), "stats");
	printf("commits      %llu, %.1f jobs each, %.2f ms on average, longest %.1f ms\n",
		(unsigned long long)stats.commits, (double)stats.jobs / (double)stats.commits,
		(double)stats.commit_us / 1e3 / (double)stats.commits,
		(double)stats.commit_us_max / 1e3);
	printf("bytes        store / mail %.3f (goal 1.35 at 4 KB), dirtied / mail %.2f\n",
		(double)file_bytes(dir) / mail, (double)written_bytes() / mail);
}

int
main(int argc, char **argv)
{
	static struct bench b;
	struct store_options options = { .mode = STORE_SERVE };
	struct store_fault why;
	struct arena arena;
	struct mail_job inboxes = { .job = { .apply = inbox_apply }, .bench = &b };
	char bare[512];
	size_t jobs;
	double ours, theirs;

	if (argc < 2) {
		fprintf(stderr, "usage: store_bench DIR [messages] [bytes] [jobs] [folders]\n");
		return 2;
	}
	b.messages = number(argv, argc, 2, 20000);
	b.size = number(argv, argc, 3, 4096);
	jobs = number(argv, argc, 4, 50);
	b.users = number(argv, argc, 5, 50);
	if (b.size <= HEADER_SIZE || jobs < 1 || jobs > JOBS_MAX || b.users < 1 ||
		b.users > USERS_MAX)
		return 2;
	arena_init(&arena, NULL);
	fill_mail(&b, &arena);
	run_derive(&b);
	options.path = argv[1];
	if (store_open(&options, &b.store, &why) != OK) {
		fprintf(stderr, "store_bench: %s\n", why.text);
		return 1;
	}
	must(store_run_job_now(b.store, &inboxes.job), "folders");
	ours = run_store(&b, jobs);
	print_stats(&b, argv[1]);
	run_list(&b);
	store_close(&b.store);
	snprintf(bare, sizeof(bare), "%s/bare", argv[1]);
	theirs = run_bare(bare, &b, jobs);
	printf("ratio        %.2f of bare LMDB (goal 0.6)\n", theirs / ours);
	arena_reset(&arena);
	return 0;
}
