/*
 * index_site.c - see index_site.h.
 */
#include "tests/unit/index_site.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/base/find.h"
#include "store/search_ask.h"

uint32_t
index_site_chance(struct index_site *s, uint32_t below)
{
	s->seed = s->seed * 1664525 + 1013904223;
	return (s->seed >> 8) % below;
}

static void
on_log(void *arg, enum store_severity severity, const char *text)
{
	struct index_site *s = arg;

	(void)severity;
	(void)text;
	s->said++;
}

void
index_site_open(struct index_site *s)
{
	assert_int_equal(search_index_open(&s->options, &s->index), OK);
	s->builder = search_builder_new(s->index, SEARCH_CONTENTS);
}

void
index_site_close(struct index_site *s)
{
	search_builder_free(&s->builder);
	search_index_close(&s->index);
}

int
index_site_setup(void **state)
{
	struct index_site *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	snprintf(s->dir, sizeof(s->dir), "/tmp/postroom-test-search-XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	s->options = (struct search_options){ .path = s->dir, .max_readers = 16,
		.hash_key = { 1, 2 }, .on_log = on_log, .arg = s };
	s->messages = calloc(INDEX_SITE_MESSAGES + 1, sizeof(*s->messages));
	assert_non_null(s->messages);
	s->next_id = 1;
	s->seed = 7;
	index_site_open(s);
	*state = s;
	return 0;
}

int
index_site_teardown(void **state)
{
	static const char *const names[] = { "data.mdb", "lock.mdb", "unproven" };
	struct index_site *s = *state;
	char path[128];

	index_site_close(s);
	for (size_t i = 0; i < COUNT(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", s->dir, names[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(s->dir), 0);
	free(s->messages);
	free(s);
	return 0;
}

/* ---- messages of random words ---- */

/* Words of few letters, so that needles are found often and in the middle of words. */
static void
make_words(struct index_site *s, char *text, unsigned where)
{
	size_t len = 0, count = index_site_chance(s, MESSAGE_WORDS);

	for (size_t w = 0; w < count; w++) {
		size_t from = len, letters = 1 + index_site_chance(s, 8);

		for (size_t i = 0; i < letters; i++)
			text[len++] = (char)('a' + index_site_chance(s, 6));
		search_build_word(s->builder, (struct span){ text + from, len - from }, where);
		text[len++] = ' ';
	}
	text[len] = '\0';
}

void
index_site_add(struct index_site *s)
{
	struct message_text *m = &s->messages[s->next_id];

	m->gone = false;
	m->unsure = index_site_chance(s, 40) == 0;
	search_build_message(s->builder, s->next_id++, m->unsure);
	make_words(s, m->header, SEARCH_IN_HEADER);
	make_words(s, m->body, SEARCH_IN_BODY);
}

void
index_site_add_run(struct index_site *s, size_t count)
{
	while (count-- > 0 && s->next_id <= INDEX_SITE_MESSAGES)
		index_site_add(s);
	assert_int_equal(search_build_write(s->builder, s->next_id), OK);
	assert_int_equal(search_cursor(s->index, SEARCH_CONTENTS), s->next_id);
}

/* ---- asking, beside looking through all ---- */

static bool
has(const struct message_text *m, const struct search_question *q, size_t piece)
{
	struct span header = span_of(m->header), body = span_of(m->body);

	return (q->where & SEARCH_IN_HEADER && find_bytes(header, q->pieces[piece]) < header.len) ||
		(q->where & SEARCH_IN_BODY && find_bytes(body, q->pieces[piece]) < body.len);
}

static bool
holds(const uint64_t *ids, size_t count, uint64_t id)
{
	for (size_t i = 0; i < count; i++)
		if (ids[i] == id)
			return true;
	return false;
}

static void
check_answer(struct index_site *s, const struct search_question *q)
{
	struct search_answer answer;

	assert_int_equal(search_ask(s->index, q, &answer), OK);
	assert_int_equal(answer.cursor, s->next_id);
	for (size_t i = 1; i < answer.count; i++)
		assert_true(answer.ids[i - 1] < answer.ids[i]);
	for (uint64_t id = 1; id < s->next_id; id++) {
		const struct message_text *m = &s->messages[id];
		bool want = true;

		if (m->gone)
			continue; /* until a merge it may be found still */
		for (size_t i = 0; i < q->count; i++)
			want &= has(m, q, i);
		assert_int_equal(holds(answer.unsure, answer.unsure_count, id), m->unsure);
		if (!m->unsure)
			assert_int_equal(holds(answer.ids, answer.count, id), want);
	}
	search_answer_free(&answer);
}

void
index_site_check(struct index_site *s, unsigned questions)
{
	while (questions-- > 0) {
		char text[SEARCH_PIECES_MAX][8];
		struct search_question q = { .space = SEARCH_CONTENTS,
			.count = 1 + index_site_chance(s, SEARCH_PIECES_MAX), .where = 1 + index_site_chance(s, 3) };

		for (size_t i = 0; i < q.count; i++) {
			size_t len = 1 + index_site_chance(s, 6);

			for (size_t c = 0; c < len; c++)
				text[i][c] = (char)('a' + index_site_chance(s, 6));
			q.pieces[i] = (struct span){ text[i], len };
		}
		check_answer(s, &q);
	}
}

/* ---- merges ---- */

static enum err
alive(void *arg, enum search_space space, const uint64_t *ids, size_t count, bool *out)
{
	struct index_site *s = arg;

	assert_int_equal(space, SEARCH_CONTENTS);
	for (size_t i = 0; i < count; i++)
		out[i] = !s->messages[ids[i]].gone;
	return OK;
}

static bool
go_on(void *arg)
{
	(void)arg;
	return true;
}

struct search_merge_ask
index_site_merge(struct index_site *s)
{
	return (struct search_merge_ask){ alive, go_on, s };
}
