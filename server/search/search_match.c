/*
 * search_match.c - a piece is searched where it lies; what crosses the border of two, in a copy of the border.
 */
#include "server/search/search_match.h"

#include <string.h>

#include "proto/base/find.h"

void
search_match_begin(struct search_match *m, struct search_needle *needles, size_t count)
{
	m->needles = needles;
	m->count = m->left = count;
	m->longest = 0;
	m->tail_len = 0;
	for (size_t i = 0; i < count; i++) {
		ENSURE(needles[i].text.len > 0 && needles[i].text.len <= SEARCH_NEEDLE_MAX);
		needles[i].found = false;
		if (needles[i].text.len > m->longest)
			m->longest = needles[i].text.len;
	}
}

static void
look(struct search_match *m, unsigned where, struct span text)
{
	for (size_t i = 0; i < m->count; i++) {
		struct search_needle *n = &m->needles[i];

		if (n->found || !(n->where & where) || find_lower(text, n->text) == text.len)
			continue;
		n->found = true;
		m->left--;
	}
}

/* Keep the last bytes that a needle might begin in. */
static void
keep_tail(struct search_match *m, struct span text)
{
	size_t keep = m->longest - 1, old;

	if (text.len >= keep) {
		memcpy(m->tail, text.ptr + text.len - keep, keep);
		m->tail_len = keep;
		return;
	}
	old = m->tail_len < keep - text.len ? m->tail_len : keep - text.len;
	memmove(m->tail, m->tail + m->tail_len - old, old);
	memcpy(m->tail + old, text.ptr, text.len);
	m->tail_len = old + text.len;
}

bool
search_match_piece(void *arg, unsigned where, struct span text, bool ends)
{
	struct search_match *m = arg;

	if (m->tail_len > 0 && text.len > 0) {
		size_t more = text.len < m->longest - 1 ? text.len : m->longest - 1;

		memcpy(m->tail + m->tail_len, text.ptr, more);
		look(m, where, (struct span){ m->tail, m->tail_len + more });
	}
	if (text.len > 0)
		look(m, where, text);
	if (ends)
		m->tail_len = 0;
	else if (m->longest > 1 && text.len > 0)
		keep_tail(m, text);
	return m->left > 0;
}
