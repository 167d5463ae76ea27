/*
 * archive_fill.c - puts many archived messages into a store, through the store's own calls.
 *
 *	archive_fill STORE [messages]
 *
 * No server may run on it. Each has a header and a body of its own (about 2 KB of words, the common ones more often),
 * one of 20 an attached file; 300 people here write and get mail, 20,000 elsewhere; one message a minute.
 * Message 500,000 of a million has the word zyxquorum, the sender rare@hapax.test and the file rarissimum.pdf.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/mime/mime_parser.h"
#include "server/archive/archive_write.h"
#include "store/bodies.h"
#include "store/commit.h"
#include "store/contents.h"

#define SLICE 2000 /* messages of one commit */
#define FIRST_MS UINT64_C(1400000000000)
#define MINUTE_MS 60000
#define TEXT_MAX 8192
#define VOCABULARY 30000

struct fill {
	struct store_job job;
	struct arena arena;
	size_t from, count, total;
	uint64_t bytes; /* of headers and bodies */
};

struct letter {
	char from[64], to[64], header[512], body[TEXT_MAX];
	size_t header_len, body_len;
	unsigned direction;
};

static void
must(enum err err, const char *what)
{
	if (err == OK)
		return;
	fprintf(stderr, "archive_fill: %s: error %d\n", what, (int)err);
	exit(1);
}

static uint64_t
dice(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return *state >> 33;
}

/* Word N as letters; small numbers are common. */
static size_t
put_word(char *out, size_t room, uint64_t *state)
{
	uint64_t a = dice(state) % VOCABULARY + 1, b = dice(state) % a, n = dice(state) % (b + 1) + 26;
	size_t len = 0;

	for (; n > 0 && len + 2 < room; n /= 23)
		out[len++] = (char)('a' + n % 23);
	out[len++] = ' ';
	return len;
}

static void
write_body(struct letter *l, uint64_t *state, bool rare, bool attaches)
{
	size_t want = 400 + dice(state) % 3200, n = 0;

	if (attaches)
		n += (size_t)snprintf(l->body, TEXT_MAX, "--b\r\nContent-Type: text/plain\r\n\r\n");
	for (size_t line = 0; n < want;) {
		size_t word = put_word(l->body + n, 32, state);

		n += word;
		if ((line += word) > 70) {
			n += (size_t)snprintf(l->body + n, 4, "\r\n");
			line = 0;
		}
	}
	n += (size_t)snprintf(l->body + n, TEXT_MAX - n, "%s\r\n", rare ? "zyxquorum" : "regards");
	if (attaches)
		n += (size_t)snprintf(l->body + n, TEXT_MAX - n,
			"--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; "
			"filename=\"%s%llu.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--b--\r\n",
			rare ? "rarissimum" : "report", (unsigned long long)dice(state) % 1000);
	l->body_len = n;
}

static void
write_letter(struct letter *l, size_t n, size_t total)
{
	uint64_t state = n * UINT64_C(0x9e3779b97f4a7c15) + 1;
	bool rare = n == total / 2, attaches = rare || dice(&state) % 20 == 0;
	unsigned here = (unsigned)(dice(&state) % 300), there = (unsigned)(dice(&state) % 20000);
	char subject[96];
	size_t len = 0;

	for (int i = 0; i < 5; i++)
		len += put_word(subject + len, 16, &state);
	subject[len - 1] = '\0';
	l->direction = 1u << n % 3;
	snprintf(l->from, sizeof(l->from), "user%u@example.org", here);
	snprintf(l->to, sizeof(l->to), "box%u@site%u.test", there, there % 700);
	if (l->direction == ARCHIVE_INCOMING) {
		memcpy(subject + 90, "", 1);
		snprintf(l->to, sizeof(l->to), "user%u@example.org", here);
		snprintf(l->from, sizeof(l->from), "box%u@site%u.test", there, there % 700);
	}
	if (rare)
		snprintf(l->from, sizeof(l->from), "rare@hapax.test");
	l->header_len = (size_t)snprintf(l->header, sizeof(l->header),
		"Received: from mail.example.org by mail.example.org; Mon, 1 Jan 2024 00:00:00 +0000\r\n"
		"From: <%s>\r\nTo: <%s>\r\nSubject: %s\r\nMessage-ID: <%zu@example.org>\r\n"
		"MIME-Version: 1.0\r\nContent-Type: %s\r\n\r\n",
		l->from, l->to, subject, n,
		attaches ? "multipart/mixed; boundary=b" : "text/plain; charset=utf-8");
	write_body(l, &state, rare, attaches);
}

static void
digest(const struct letter *l, unsigned char out[ARCHIVE_HASH_SIZE])
{
	unsigned char parts[2][ARCHIVE_HASH_SIZE];

	crypto_sha256((struct span){ l->header, l->header_len }, parts[0]);
	crypto_sha256((struct span){ l->body, l->body_len }, parts[1]);
	crypto_sha256((struct span){ (const char *)parts, sizeof(parts) }, out);
}

static enum err
put_letter(struct txn *txn, struct fill *f, const struct letter *l, size_t n)
{
	struct span body = { l->body, l->body_len };
	struct content c = { .header = { l->header, l->header_len }, .body_size = l->body_len, .owners = 1 };
	struct archive_message m = { .time_ms = FIRST_MS + n * MINUTE_MS, .direction = l->direction,
		.size = l->header_len + l->body_len, .from = span_of(l->from),
		.recipients = { l->to, strlen(l->to) + 1 }, .recipient_count = 1,
		.source = SPAN("smtp") };
	struct buf derived;
	uint32_t words[32];
	uint64_t id;
	size_t count;
	enum err err;

	buf_init(&derived, MIME_RECORD_MAX);
	err = mime_derive(&f->arena, c.header, &body, 1, &derived);
	c.derived = buf_span(&derived);
	if (err == OK)
		err = body_add(txn, (struct body_source){ &body, 1 }, &c.body_id);
	if (err == OK)
		err = content_add(txn, &c, false);
	m.content_id = c.content_id;
	digest(l, m.digest);
	count = archive_words_of(m.from, ARCHIVE_FROM, words, 0, COUNT(words));
	m.sender_bits = archive_words_bits(words, count);
	count = archive_words_of(span_of(l->to), ARCHIVE_TO, words, count, COUNT(words));
	count = archive_words_sort(words, count);
	if (err == OK)
		err = archive_add(txn, archive_sha256, &m, words, count, &id);
	buf_fini(&derived);
	arena_reset(&f->arena);
	return err;
}

static enum step
apply(struct store_job *job, struct txn *txn)
{
	struct fill *f = LIST_ITEM(job, struct fill, job);
	static struct letter l;
	uint64_t bytes = 0;
	enum err err = OK;

	for (size_t i = 0; i < f->count && err == OK; i++) {
		write_letter(&l, f->from + i, f->total);
		err = put_letter(txn, f, &l, f->from + i);
		bytes += l.header_len + l.body_len;
		if (err == OK && i % 400 == 399)
			err = content_settle(txn); /* one job does not own so many */
	}
	f->bytes += bytes;
	return step_of(job, err);
}

int
main(int argc, char **argv)
{
	static struct fill f;
	struct store_options options = { .path = argc > 1 ? argv[1] : "", .mode = STORE_SERVE };
	struct store_fault why;
	struct store *store;

	if (argc < 2) {
		fprintf(stderr, "usage: archive_fill STORE [messages]\n");
		return 2;
	}
	if (store_open(&options, &store, &why) != OK) {
		fprintf(stderr, "archive_fill: %s\n", why.text);
		return 1;
	}
	f.total = argc > 2 ? strtoul(argv[2], NULL, 10) : 1000000;
	arena_init(&f.arena, NULL);
	for (f.from = 0; f.from < f.total; f.from += f.count) {
		f.count = f.total - f.from < SLICE ? f.total - f.from : SLICE;
		f.job = (struct store_job){ .apply = apply };
		must(store_run_job_now(store, &f.job), "a commit");
	}
	printf("messages %zu bytes %llu\n", f.total, (unsigned long long)f.bytes);
	store_close(&store);
	return 0;
}
