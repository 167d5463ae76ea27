/*
 * test_search_index.c - the index that follows the store.
 *
 * The property that all rests on: for random messages and random needles the index, with a look where
 * it asks for one, finds what reading every message finds.
 */
#include "tests/unit/search_site.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/base/utf8.h"
#include "server/search/search_feed.h"
#include "server/search/search_words.h"

#define MESSAGES 400
#define NEEDLES 400

/* Pieces of text that make words end and begin in odd places; some in capitals, some not ASCII. */
static const char *const bits[] = { "a", "b", "ab", "BA", "c", " ", " ", "-", ".", "@", "\r\n", "\xc3\xbc",
	"\xc3\x9c", "\xe2\x80\x94", "\xe4\xb8\xad", "\xe6\x96\x87", "\xc2\xa0", "\xc2\xb5", "7", "abcabcabcabcabcabc",
	"zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz" };

static size_t
make_text(struct search_site *f, char *out, size_t room, unsigned count)
{
	size_t len = 0;

	while (count-- > 0) {
		const char *bit = bits[search_site_chance(f, COUNT(bits))];

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
make_message(struct search_site *f)
{
	static char header[4096], text[4096], encoded[8192];
	size_t len = make_text(f, text, sizeof(text), search_site_chance(f, 60));
	int n;

	for (size_t i = 0; i < len; i++) /* one line: what folds belongs to the header's rules */
		if (text[i] == '\r' || text[i] == '\n')
			text[i] = ' ';
	n = snprintf(header, sizeof(header), "Subject: x%s\r\n", text);
	len = make_text(f, text, sizeof(text), search_site_chance(f, 200));
	if (search_site_chance(f, 3) == 0) {
		snprintf(header + n, sizeof(header) - (size_t)n,
			"Content-Type: text/plain; charset=utf-8\r\n"
			"Content-Transfer-Encoding: base64\r\n\r\n");
		put_base64(encoded, text, len);
		search_site_put(f, header, encoded);
		return;
	}
	snprintf(header + n, sizeof(header) - (size_t)n, "Content-Type: text/plain; charset=utf-8\r\n\r\n");
	search_site_put(f, header, text);
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
check_needle(struct search_site *f, struct span needle, unsigned where)
{
	struct search_question q = { .space = SEARCH_CONTENTS, .where = where };
	struct search_answer answer;
	bool exact;

	if (!search_words_question(needle, &q, &exact))
		return;
	assert_int_equal(search_ask(f->index, &q, &answer), OK);
	for (uint64_t id = 1; id < answer.cursor; id++) {
		bool holds = search_site_holds(f, id, needle, where);
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
feed_all(struct search_site *f, struct search_feed *feed)
{
	bool more = true;
	uint64_t found;

	while (more) {
		assert_int_equal(search_feed_some(feed, &more, &found), OK);
		if (search_feed_is_full(feed) || search_site_chance(f, 4) == 0)
			assert_int_equal(search_feed_write(feed), OK);
	}
	assert_int_equal(search_feed_write(feed), OK);
	assert_true(search_feed_is_empty(feed));
}

static void
open_index(struct search_site *f)
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
	struct search_site *f = *state;
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

		make_text(f, text, sizeof(text), 1 + search_site_chance(f, 6));
		buf_init(&folded, 4096);
		assert_int_equal(utf8_put_folded(&folded, span_of(text)), OK);
		check_needle(f, buf_span(&folded), 1 + search_site_chance(f, 3));
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
	struct search_site *f = *state;
	struct search_service_options o = { .store = f->store, .readers = 2 };
	struct search_status status;
	struct search *s;

	search_site_put(f, "A: b\r\n\r\n", "before the start");
	assert_int_equal(search_open(&o, &s), OK);
	search_site_put(f, "A: b\r\n\r\n", "after the start");
	search_status(s, &status);
	assert_true(status.behind > 0);
	wait_for(s, f->last_id + 1);
	assert_int_equal(ask(s, "start"), 2);
	search_status(s, &status);
	assert_int_equal(status.behind, 0);
	assert_int_equal(status.index.messages, 2);

	search_close(&s); /* it goes on where it was */
	search_site_put(f, "A: b\r\n\r\n", "while it was away");
	assert_int_equal(search_open(&o, &s), OK);
	assert_int_equal(ask(s, "start"), 2);
	wait_for(s, f->last_id + 1);
	assert_int_equal(ask(s, "away"), 1);

	search_site_remove(f, 1);
	search_rebuild(s);
	for (int i = 0; i < 30000 && search_cursor(search_index_of(s), SEARCH_CONTENTS) != 1; i++)
		usleep(2000);
	wait_for(s, f->last_id + 1);
	assert_int_equal(ask(s, "start"), 1);
	search_close(&s);
}

int
test_search_index(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_index_is_scan, search_site_setup, search_site_teardown),
		cmocka_unit_test_setup_teardown(test_thread_follows, search_site_setup, search_site_teardown),
	};

	return cmocka_run_group_tests_name("search_index", tests, NULL, NULL);
}
