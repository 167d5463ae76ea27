/*
 * test_search.c - what a message says, its words, and the index that follows the store.
 *
 * The property that all rests on: for random messages and random needles the index, with a look where
 * it asks for one, finds what reading every message finds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/base/utf8.h"
#include "server/search/search.h"
#include "server/search/search_feed.h"
#include "server/search/search_match.h"
#include "server/search/search_words.h"
#include "store/bodies.h"
#include "store/commit.h"
#include "store/messages.h"

#define MESSAGES 400
#define NEEDLES 400

struct fixture {
	char dir[64];
	struct store *store;
	struct search_index *index;
	uint32_t seed;
	uint64_t last_id;
};

static uint32_t
chance(struct fixture *f, uint32_t below)
{
	f->seed = f->seed * 1664525 + 1013904223;
	return (f->seed >> 8) % below;
}

static void
open_store(struct fixture *f)
{
	struct store_options options = { .path = f->dir, .mode = STORE_SERVE };
	struct store_fault why;

	assert_int_equal(store_open(&options, &f->store, &why), OK);
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	snprintf(f->dir, sizeof(f->dir), "/tmp/postroom-test-find-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->seed = 11;
	open_store(f);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	static const char *const names[] = { "search/data.mdb", "search/lock.mdb", "search/unproven",
		"search", "data.mdb", "lock.mdb", "server.lock", "use.lock" };
	struct fixture *f = *state;
	char path[128];

	search_index_close(&f->index);
	store_close(&f->store);
	for (size_t i = 0; i < COUNT(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", f->dir, names[i]);
		if (unlink(path) != 0)
			rmdir(path);
	}
	assert_int_equal(rmdir(f->dir), 0);
	free(f);
	return 0;
}

/* ---- messages into the store ---- */

struct put_job {
	struct store_job job;
	struct span header, body;
	struct content content;
};

static enum step
put_apply(struct store_job *job, struct txn *txn)
{
	struct put_job *put = LIST_ITEM(job, struct put_job, job);
	enum err err;

	put->content = (struct content){ .owners = 0, .header = put->header,
		.body_size = put->body.len };
	err = body_add(txn, (struct body_source){ &put->body, 1 }, &put->content.body_id);
	if (err == OK)
		err = content_add(txn, &put->content, false);
	return step_of(job, err);
}

static uint64_t
put_message(struct fixture *f, const char *header, const char *body)
{
	struct put_job put = { .job = { .apply = put_apply }, .header = span_of(header),
		.body = span_of(body) };

	assert_int_equal(store_run_job_now(f->store, &put.job), OK);
	f->last_id = put.content.content_id;
	return f->last_id;
}

static enum step
remove_apply(struct store_job *job, struct txn *txn)
{
	struct put_job *put = LIST_ITEM(job, struct put_job, job);

	return step_of(job, content_delete(txn, put->content.content_id));
}

static void
remove_message(struct fixture *f, uint64_t id)
{
	struct put_job put = { .job = { .apply = remove_apply }, .content = { .content_id = id } };

	assert_int_equal(store_run_job_now(f->store, &put.job), OK);
}

/* ---- looking at one message ---- */

static bool
message_holds(struct fixture *f, uint64_t id, struct span needle, unsigned where)
{
	struct search_needle n = { needle, where, false };
	struct search_match *m = calloc(1, sizeof(*m));
	struct search_sink sink = { where, search_match_piece, m };
	struct content content;
	struct snapshot *snap;

	assert_non_null(m);
	search_match_begin(m, &n, 1);
	assert_int_equal(snapshot_open(f->store, &snap), OK);
	if (content_get(snap, id, &content) == OK)
		assert_int_equal(search_text_read(snap, &content, &sink), OK);
	snapshot_close(&snap);
	free(m);
	return n.found;
}

static void
test_what_a_message_says(void **state)
{
	static const struct {
		const char *header, *body, *needle;
		unsigned where;
		bool want;
	} rows[] = {
		{ "Subject: hello\r\n\r\n", "body text\r\n", "hello", SEARCH_IN_HEADER, true },
		{ "Subject: hello\r\n\r\n", "body text\r\n", "hello", SEARCH_IN_BODY, false },
		{ "Subject: hello\r\n\r\n", "body text\r\n", "body text", SEARCH_IN_BODY, true },
		{ "Subject: hello\r\n\r\n", "body TEXT\r\n", "y text", SEARCH_IN_BODY, true },
		{ "Subject: hello\r\n\r\n", "body text\r\n", "subject: hel", SEARCH_IN_HEADER, true },
		{ "Subject: hel\r\n lo\r\n\r\n", "x", "hel lo", SEARCH_IN_HEADER, true },
		{ "Subject: a\r\nTo: b\r\n\r\n", "x", "ato", SEARCH_IN_HEADER, false },
		{ "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\n", "x", "gr\xc3\xbc", SEARCH_IN_HEADER, true },
		{ "Subject: =?iso-8859-1?q?Gr=FC=DFe?=\r\n\r\n", "x", "gr\xc3\xbc", SEARCH_IN_HEADER, true },
		/* transfer encodings and charsets */
		{ "Content-Transfer-Encoding: base64\r\n\r\n", "aGVsbG8gd29ybGQ=\r\n", "hello world",
			SEARCH_IN_BODY, true },
		{ "Content-Transfer-Encoding: base64\r\n\r\n", "aGVs\r\nbG8g\r\nd29ybGQ=\r\n",
			"hello world", SEARCH_IN_BODY, true },
		{ "Content-Transfer-Encoding: base64\r\n\r\n", "aGVsbG8gd29ybGQ=\r\n", "agvsbg8",
			SEARCH_IN_BODY, false },
		{ "Content-Transfer-Encoding: quoted-printable\r\n\r\n", "hel=\r\nlo w=6Frld\r\n",
			"hello world", SEARCH_IN_BODY, true },
		{ "Content-Type: text/plain; charset=iso-8859-1\r\n"
		  "Content-Transfer-Encoding: quoted-printable\r\n\r\n", "GR=DCN\r\n", "gr\xc3\xbcn",
			SEARCH_IN_BODY, true },
		{ "Content-Type: text/plain; charset=utf-8\r\n\r\n", "GR\xc3\x9cN\r\n", "gr\xc3\xbcn",
			SEARCH_IN_BODY, true },
		{ "Content-Type: text/plain; charset=koi8-r\r\n\r\n", "\xf0\xf2\xe9\r\n",
			"\xd0\xbf\xd1\x80\xd0\xb8", SEARCH_IN_BODY, true },
		{ "Content-Type: text/html\r\n\r\n", "<p>hello</p>\r\n", "<p>hello", SEARCH_IN_BODY, true },
		/* HTML as a reader sees it, too */
		{ "Content-Type: text/html\r\n\r\n", "in der K&uuml;che M&#246;hren\r\n",
			"der k\xc3\xbc" "che m\xc3\xb6hren", SEARCH_IN_BODY, true },
		{ "Content-Type: text/html\r\n\r\n", "<b>Kar</b>toffeln <a href=\"http://a.test/b\">\r\n",
			"kartoffeln", SEARCH_IN_BODY, true },
		{ "Content-Type: text/html; charset=iso-8859-1\r\n"
		  "Content-Transfer-Encoding: quoted-printable\r\n\r\n", "<i>GR</i>=DC<i>N</i>\r\n",
			"gr\xc3\xbcn", SEARCH_IN_BODY, true },
		{ "Content-Type: text/plain\r\n\r\n", "<b>Kar</b>toffeln\r\n", "kartoffeln",
			SEARCH_IN_BODY, false },
		/* the name of a file in pieces (RFC 2231) */
		{ "Content-Type: multipart/mixed; boundary=b\r\n\r\n",
			"--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment;\r\n"
			" filename*0*=utf-8''Lohn%20M%C3%A4; filename*1*=rz.pdf\r\n\r\nx\r\n--b--\r\n",
			"lohn m\xc3\xa4rz.pdf", SEARCH_IN_HEADER, true },
		{ "Content-Type: application/pdf; name*=utf-8''M%C3%A4rz.pdf\r\n\r\n", "x",
			"m\xc3\xa4rz.pdf", SEARCH_IN_HEADER, true },
		/* what is no text is its header */
		{ "Content-Type: application/x-y\r\n\r\n", "hello\r\n", "hello", SEARCH_IN_BODY, false },
		{ "Content-Type: multipart/mixed; boundary=b\r\n\r\n",
			"--b\r\n\r\none\r\n--b\r\nContent-Type: application/pdf; name=\"Plan.pdf\"\r\n\r\n"
			"secret\r\n--b--\r\n", "plan.pdf", SEARCH_IN_HEADER, true },
		{ "Content-Type: multipart/mixed; boundary=b\r\n\r\n",
			"--b\r\n\r\none\r\n--b\r\nContent-Type: application/pdf\r\n\r\nsecret\r\n--b--\r\n",
			"secret", SEARCH_IN_BODY, false },
		{ "Content-Type: multipart/mixed; boundary=b\r\n\r\n",
			"--b\r\n\r\none\r\n--b\r\nContent-Type: text/plain\r\n\r\ntwo\r\n--b--\r\n", "two",
			SEARCH_IN_BODY, true },
		{ "Content-Type: message/rfc822\r\n\r\n", "Subject: inner\r\n\r\ndeep text\r\n", "deep text",
			SEARCH_IN_BODY, true },
		{ "Content-Type: message/rfc822\r\n\r\n", "Subject: inner\r\n\r\ndeep text\r\n", "inner",
			SEARCH_IN_HEADER, true },
		/* no text crosses from one part into the next */
		{ "Content-Type: multipart/mixed; boundary=b\r\n\r\n",
			"--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--\r\n", "onetwo", SEARCH_IN_BODY, false },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		uint64_t id = put_message(f, rows[i].header, rows[i].body);
		bool got = message_holds(f, id, span_of(rows[i].needle), rows[i].where);

		if (got != rows[i].want)
			printf("row %zu: %s\n", i, rows[i].needle);
		assert_int_equal(got, rows[i].want);
	}
}

/* A needle over the border of two pieces of a body, wherever it stands. */
static void
test_borders(void **state)
{
	static const char needle[] = "a needle of some length";
	struct fixture *f = *state;
	char *body = malloc(3 * BODY_PIECE_DATA + 1);

	assert_non_null(body);
	for (size_t at = BODY_PIECE_DATA - 40; at < BODY_PIECE_DATA + 20; at += 3) {
		memset(body, 'x', 3 * BODY_PIECE_DATA);
		body[3 * BODY_PIECE_DATA] = '\0';
		memcpy(body + at, needle, sizeof(needle) - 1);
		assert_true(message_holds(f, put_message(f, "A: b\r\n\r\n", body), SPAN(needle),
			SEARCH_IN_BODY));
		body[at + 5] = '-';
		assert_false(message_holds(f, put_message(f, "A: b\r\n\r\n", body), SPAN(needle),
			SEARCH_IN_BODY));
	}
	free(body);
}

/* ---- needles ---- */

static void
test_questions(void **state)
{
	static const struct {
		const char *needle;
		size_t count;
		const char *first;
		bool exact;
	} rows[] = {
		{ "hello", 1, "hello", true },
		{ "", 0, "", false },
		{ " - ", 0, "", false },
		{ "hello ", 1, "hello", false },
		{ "-hello", 1, "hello", false },
		{ "hello world!", 2, "hello", false },
		{ "a longer needle of words", 3, "longer", false },
		{ "anna@example.org", 3, "example", false },
		{ "gr\xc3\xbc\xc3\x9f", 1, "gr\xc3\xbc\xc3\x9f", true },
		{ "\xe2\x80\x9cquoted\xe2\x80\x9d", 1, "quoted", false },
		{ "0123456789012345678901234567890123456789", 1, "01234567890123456789012345678901", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct search_question q;
		bool exact, any = search_words_question(span_of(rows[i].needle), &q, &exact);

		assert_int_equal(any, rows[i].count > 0);
		assert_int_equal(q.count, rows[i].count);
		if (!any)
			continue;
		assert_true(span_eq(q.pieces[0], span_of(rows[i].first)));
		assert_int_equal(exact, rows[i].exact);
	}
}

/* ---- the property ---- */

/* Pieces of text that make words end and begin in odd places; some in capitals, some not ASCII. */
static const char *const bits[] = { "a", "b", "ab", "BA", "c", " ", " ", "-", ".", "@", "\r\n", "\xc3\xbc",
	"\xc3\x9c", "\xe2\x80\x94", "\xe4\xb8\xad", "\xe6\x96\x87", "\xc2\xa0", "\xc2\xb5", "7", "abcabcabcabcabcabc",
	"zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz" };

static size_t
make_text(struct fixture *f, char *out, size_t room, unsigned count)
{
	size_t len = 0;

	while (count-- > 0) {
		const char *bit = bits[chance(f, COUNT(bits))];

		if (len + strlen(bit) >= room)
			break;
		memcpy(out + len, bit, strlen(bit));
		len += strlen(bit);
	}
	out[len] = '\0';
	return len;
}

static size_t
put_base64(char *out, const char *text, size_t len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t n = 0;

	for (size_t i = 0; i < len; i += 3) {
		uint32_t v = (uint32_t)(unsigned char)text[i] << 16;

		if (i + 1 < len)
			v |= (uint32_t)(unsigned char)text[i + 1] << 8;
		if (i + 2 < len)
			v |= (unsigned char)text[i + 2];
		out[n++] = digits[v >> 18];
		out[n++] = digits[v >> 12 & 63];
		out[n++] = i + 1 < len ? digits[v >> 6 & 63] : '=';
		out[n++] = i + 2 < len ? digits[v & 63] : '=';
	}
	out[n] = '\0';
	return n;
}

static void
make_message(struct fixture *f)
{
	static char header[4096], text[4096], encoded[8192];
	size_t len = make_text(f, text, sizeof(text), chance(f, 60));
	int n;

	for (size_t i = 0; i < len; i++) /* one line: what folds belongs to the header's rules */
		if (text[i] == '\r' || text[i] == '\n')
			text[i] = ' ';
	n = snprintf(header, sizeof(header), "Subject: x%s\r\n", text);
	len = make_text(f, text, sizeof(text), chance(f, 200));
	if (chance(f, 3) == 0) {
		snprintf(header + n, sizeof(header) - (size_t)n,
			"Content-Type: text/plain; charset=utf-8\r\n"
			"Content-Transfer-Encoding: base64\r\n\r\n");
		put_base64(encoded, text, len);
		put_message(f, header, encoded);
		return;
	}
	snprintf(header + n, sizeof(header) - (size_t)n, "Content-Type: text/plain; charset=utf-8\r\n\r\n");
	put_message(f, header, text);
}

static bool
has_id(const uint64_t *ids, size_t count, uint64_t id)
{
	for (size_t i = 0; i < count; i++)
		if (ids[i] == id)
			return true;
	return false;
}

/* What the index says of each message, looked at where it says so, is what looking at all says. */
static void
check_needle(struct fixture *f, struct span needle, unsigned where)
{
	struct search_question q = { .space = SEARCH_CONTENTS, .where = where };
	struct search_answer answer;
	bool exact;

	if (!search_words_question(needle, &q, &exact))
		return;
	assert_int_equal(search_ask(f->index, &q, &answer), OK);
	for (uint64_t id = 1; id < answer.cursor; id++) {
		bool holds = message_holds(f, id, needle, where);
		bool found = has_id(answer.ids, answer.count, id);

		if (has_id(answer.unsure, answer.unsure_count, id))
			continue;
		if (holds != (found && (exact || holds)))
			printf("needle %.*s, message %u\n", SPAN_FMT(needle), (unsigned)id);
		assert_int_equal(found && (exact || holds), holds);
	}
	search_answer_free(&answer);
}

static void
feed_all(struct fixture *f, struct search_feed *feed)
{
	bool more = true;
	uint64_t found;

	while (more) {
		assert_int_equal(search_feed_some(feed, &more, &found), OK);
		if (search_feed_is_full(feed) || chance(f, 4) == 0)
			assert_int_equal(search_feed_write(feed), OK);
	}
	assert_int_equal(search_feed_write(feed), OK);
	assert_true(search_feed_is_empty(feed));
}

static void
open_index(struct fixture *f)
{
	struct search_options o = { .max_readers = 8, .hash_key = { 5, 6 } };
	char path[128];

	snprintf(path, sizeof(path), "%s/" SEARCH_DIR, f->dir);
	o.path = path;
	assert_int_equal(search_index_open(&o, &f->index), OK);
}

static void
test_index_is_scan(void **state)
{
	struct fixture *f = *state;
	struct search_feed feed;

	open_index(f);
	search_feed_init(&feed, f->store, f->index);
	for (unsigned i = 0; i < MESSAGES; i++) {
		make_message(f);
		if (i % 100 == 99)
			feed_all(f, &feed);
	}
	assert_int_equal(search_cursor(f->index, SEARCH_CONTENTS), f->last_id + 1);
	for (unsigned i = 0; i < NEEDLES; i++) {
		char text[512];
		struct buf folded;

		make_text(f, text, sizeof(text), 1 + chance(f, 6));
		buf_init(&folded, 4096);
		assert_int_equal(utf8_put_folded(&folded, span_of(text)), OK);
		check_needle(f, buf_span(&folded), 1 + chance(f, 3));
		buf_fini(&folded);
	}
	search_feed_fini(&feed);
}

/* ---- the thread ---- */

static void
wait_for(struct search *s, uint64_t cursor)
{
	for (int i = 0; i < 6000; i++) {
		if (search_cursor(search_index_of(s), SEARCH_CONTENTS) == cursor)
			return;
		usleep(10000);
	}
	fail_msg("the index does not come to %u", (unsigned)cursor);
}

static size_t
ask(struct search *s, const char *word)
{
	struct search_question q = { .space = SEARCH_CONTENTS, .pieces = { span_of(word) }, .count = 1,
		.where = SEARCH_IN_BODY };
	struct search_answer answer;
	size_t n;

	assert_int_equal(search_ask(search_index_of(s), &q, &answer), OK);
	n = answer.count;
	search_answer_free(&answer);
	return n;
}

static void
test_thread_follows(void **state)
{
	struct fixture *f = *state;
	struct search_service_options o = { .store = f->store, .readers = 2 };
	struct search_status status;
	struct search *s;

	put_message(f, "A: b\r\n\r\n", "before the start");
	assert_int_equal(search_open(&o, &s), OK);
	put_message(f, "A: b\r\n\r\n", "after the start");
	search_status(s, &status);
	assert_true(status.behind > 0);
	wait_for(s, f->last_id + 1);
	assert_int_equal(ask(s, "start"), 2);
	search_status(s, &status);
	assert_int_equal(status.behind, 0);
	assert_int_equal(status.index.messages, 2);

	search_close(&s); /* it goes on where it was */
	put_message(f, "A: b\r\n\r\n", "while it was away");
	assert_int_equal(search_open(&o, &s), OK);
	assert_int_equal(ask(s, "start"), 2);
	wait_for(s, f->last_id + 1);
	assert_int_equal(ask(s, "away"), 1);

	remove_message(f, 1);
	search_rebuild(s);
	for (int i = 0; i < 30000 && search_cursor(search_index_of(s), SEARCH_CONTENTS) != 1; i++)
		usleep(2000);
	wait_for(s, f->last_id + 1);
	assert_int_equal(ask(s, "start"), 1);
	search_close(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_what_a_message_says, setup, teardown),
		cmocka_unit_test_setup_teardown(test_borders, setup, teardown),
		cmocka_unit_test(test_questions),
		cmocka_unit_test_setup_teardown(test_index_is_scan, setup, teardown),
		cmocka_unit_test_setup_teardown(test_thread_follows, setup, teardown),
	};

	return cmocka_run_group_tests_name("search", tests, NULL, NULL);
}
