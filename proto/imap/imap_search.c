/*
 * imap_search.c - search keys to a flat tree.
 *
 * A branch that still waits for what it holds lies on a stack of its own, IMAP_SEARCH_DEPTH_MAX high.
 */
#include "proto/imap/imap_search.h"

#include <string.h>

#include "proto/base/ascii.h"

enum argument { NOTHING, TEXT, KEYWORD, FIELD, NUMBER, NZ_NUMBER, DAY, UIDS, MODSEQ, ID };

static const struct {
	struct span name;
	enum imap_key_kind kind;
	enum argument argument;
	unsigned flag;
} words[] = {
	{ { "ALL", 3 }, IMAP_KEY_ALL, NOTHING, 0 },
	{ { "ANSWERED", 8 }, IMAP_KEY_FLAG, NOTHING, IMAP_FLAG_ANSWERED },
	{ { "BCC", 3 }, IMAP_KEY_BCC, TEXT, 0 },
	{ { "BEFORE", 6 }, IMAP_KEY_BEFORE, DAY, 0 },
	{ { "BODY", 4 }, IMAP_KEY_BODY, TEXT, 0 },
	{ { "CC", 2 }, IMAP_KEY_CC, TEXT, 0 },
	{ { "DELETED", 7 }, IMAP_KEY_FLAG, NOTHING, IMAP_FLAG_DELETED },
	{ { "DRAFT", 5 }, IMAP_KEY_FLAG, NOTHING, IMAP_FLAG_DRAFT },
	{ { "EMAILID", 7 }, IMAP_KEY_EMAILID, ID, 0 },
	{ { "FLAGGED", 7 }, IMAP_KEY_FLAG, NOTHING, IMAP_FLAG_FLAGGED },
	{ { "FROM", 4 }, IMAP_KEY_FROM, TEXT, 0 },
	{ { "HEADER", 6 }, IMAP_KEY_HEADER, FIELD, 0 },
	{ { "KEYWORD", 7 }, IMAP_KEY_KEYWORD, KEYWORD, 0 },
	{ { "LARGER", 6 }, IMAP_KEY_LARGER, NUMBER, 0 },
	{ { "MODSEQ", 6 }, IMAP_KEY_MODSEQ, MODSEQ, 0 },
	{ { "NEW", 3 }, IMAP_KEY_NEW, NOTHING, 0 },
	{ { "OLD", 3 }, IMAP_KEY_OLD, NOTHING, 0 },
	{ { "OLDER", 5 }, IMAP_KEY_OLDER, NZ_NUMBER, 0 },
	{ { "ON", 2 }, IMAP_KEY_ON, DAY, 0 },
	{ { "RECENT", 6 }, IMAP_KEY_RECENT, NOTHING, 0 },
	{ { "SAVEDATESUPPORTED", 17 }, IMAP_KEY_SAVEDATE_SUPPORTED, NOTHING, 0 },
	{ { "SAVEDBEFORE", 11 }, IMAP_KEY_SAVED_BEFORE, DAY, 0 },
	{ { "SAVEDON", 7 }, IMAP_KEY_SAVED_ON, DAY, 0 },
	{ { "SAVEDSINCE", 10 }, IMAP_KEY_SAVED_SINCE, DAY, 0 },
	{ { "SEEN", 4 }, IMAP_KEY_FLAG, NOTHING, IMAP_FLAG_SEEN },
	{ { "SENTBEFORE", 10 }, IMAP_KEY_SENT_BEFORE, DAY, 0 },
	{ { "SENTON", 6 }, IMAP_KEY_SENT_ON, DAY, 0 },
	{ { "SENTSINCE", 9 }, IMAP_KEY_SENT_SINCE, DAY, 0 },
	{ { "SINCE", 5 }, IMAP_KEY_SINCE, DAY, 0 },
	{ { "SMALLER", 7 }, IMAP_KEY_SMALLER, NUMBER, 0 },
	{ { "SUBJECT", 7 }, IMAP_KEY_SUBJECT, TEXT, 0 },
	{ { "TEXT", 4 }, IMAP_KEY_TEXT, TEXT, 0 },
	{ { "THREADID", 8 }, IMAP_KEY_THREADID, ID, 0 },
	{ { "TO", 2 }, IMAP_KEY_TO, TEXT, 0 },
	{ { "UID", 3 }, IMAP_KEY_UIDS, UIDS, 0 },
	{ { "UNANSWERED", 10 }, IMAP_KEY_NO_FLAG, NOTHING, IMAP_FLAG_ANSWERED },
	{ { "UNDELETED", 9 }, IMAP_KEY_NO_FLAG, NOTHING, IMAP_FLAG_DELETED },
	{ { "UNDRAFT", 7 }, IMAP_KEY_NO_FLAG, NOTHING, IMAP_FLAG_DRAFT },
	{ { "UNFLAGGED", 9 }, IMAP_KEY_NO_FLAG, NOTHING, IMAP_FLAG_FLAGGED },
	{ { "UNKEYWORD", 9 }, IMAP_KEY_NO_KEYWORD, KEYWORD, 0 },
	{ { "UNSEEN", 6 }, IMAP_KEY_NO_FLAG, NOTHING, IMAP_FLAG_SEEN },
	{ { "YOUNGER", 7 }, IMAP_KEY_YOUNGER, NZ_NUMBER, 0 },
};

/* ---- arguments of one key ---- */

/* " [entry-name entry-type] value" (RFC 7162, 3.1.5): there is one modseq a message, whatever is named. */
static bool
take_modseq(struct imap_cursor *c, struct imap_key *key)
{
	struct span entry, type;

	if (imap_next_is(c, '"') &&
		(!imap_take_string(c, &entry) || !imap_take_space(c) || !imap_take_atom(c, &type) ||
			!imap_take_space(c)))
		return false;
	return imap_take_number64(c, &key->number);
}

static bool
take_nz_number(struct imap_cursor *c, struct imap_key *key)
{
	uint32_t number;

	if (!imap_take_nz_number(c, &number))
		return false;
	key->number = number;
	return true;
}

static bool
take_argument(struct imap_cursor *c, enum argument argument, struct imap_key *key)
{
	if (argument == NOTHING)
		return true;
	if (!imap_take_space(c))
		return false;
	switch (argument) {
	case TEXT:
		return imap_take_astring(c, &key->text);
	case KEYWORD:
	case ID:
		return imap_take_atom(c, &key->text);
	case FIELD:
		return imap_take_astring(c, &key->field) && imap_take_space(c) &&
			imap_take_astring(c, &key->text);
	case NUMBER:
		return imap_take_number64(c, &key->number);
	case NZ_NUMBER:
		return take_nz_number(c, key);
	case DAY:
		return imap_take_date(c, &key->day);
	case UIDS:
		return imap_take_seqset(c, &key->set);
	default:
		return take_modseq(c, key);
	}
}

static bool
take_word(struct imap_cursor *c, struct imap_key *key)
{
	for (size_t i = 0; i < COUNT(words); i++) {
		if (!imap_take_word(c, words[i].name))
			continue;
		key->kind = words[i].kind;
		key->flag = words[i].flag;
		return take_argument(c, words[i].argument, key);
	}
	return false;
}

static bool
take_leaf(struct imap_cursor *c, struct imap_key *key)
{
	if (c->rest.len > 0 && (ascii_is_digit(c->rest.ptr[0]) || memchr("*$", c->rest.ptr[0], 2))) {
		key->kind = IMAP_KEY_NUMBERS;
		return imap_take_seqset(c, &key->set);
	}
	return take_word(c, key);
}

/* ---- the tree ---- */

enum branch { BRANCH_ROOT, BRANCH_LIST, BRANCH_ONE, BRANCH_TWO };

struct growing {
	struct imap_search *search;
	struct {
		enum branch branch;
		unsigned key, wants; /* NOT, OR: so many more */
	} open[IMAP_SEARCH_DEPTH_MAX + 1];
	unsigned depth; /* of what is open, the root not counted */
};

static struct imap_key *
add_key(struct imap_cursor *c, struct growing *g)
{
	struct imap_search *s = g->search;
	struct imap_key *key;

	c->over |= s->count > IMAP_SEARCH_KEYS_MAX;
	if (c->over)
		return NULL;
	if (s->count == 0 || s->count == 1 || s->count == 9) { /* the root; a few; all */
		key = ARENA_ARRAY(c->arena, struct imap_key,
			s->count == 0 ? 1 : s->count == 1 ? 9 : IMAP_SEARCH_KEYS_MAX + 1);
		if (s->count > 0)
			memcpy(key, s->keys, s->count * sizeof(key[0]));
		s->keys = key;
	}
	return &s->keys[s->count++];
}

static bool
open_branch(struct imap_cursor *c, struct growing *g, enum branch branch, enum imap_key_kind kind)
{
	struct imap_key *key = add_key(c, g);

	c->over |= g->depth == IMAP_SEARCH_DEPTH_MAX;
	if (c->over)
		return false;
	key->kind = kind;
	g->depth++;
	g->open[g->depth].branch = branch;
	g->open[g->depth].key = (unsigned)g->search->count - 1;
	g->open[g->depth].wants = branch == BRANCH_TWO ? 2 : 1;
	return true;
}

static void
close_branch(struct growing *g)
{
	g->search->keys[g->open[g->depth].key].next = (unsigned)g->search->count;
	if (g->depth > 0)
		g->depth--;
}

/* One key, or the beginning of a branch: *whole says which. */
static bool
take_key(struct imap_cursor *c, struct growing *g, bool *whole)
{
	struct imap_key *key;

	*whole = false;
	if (imap_take_open(c))
		return open_branch(c, g, BRANCH_LIST, IMAP_KEY_AND);
	if (imap_take_word(c, SPAN("NOT")))
		return imap_take_space(c) && open_branch(c, g, BRANCH_ONE, IMAP_KEY_NOT);
	if (imap_take_word(c, SPAN("OR")))
		return imap_take_space(c) && open_branch(c, g, BRANCH_TWO, IMAP_KEY_OR);
	*whole = true;
	key = add_key(c, g);
	if (!key || !take_leaf(c, key))
		return false;
	key->next = (unsigned)g->search->count;
	g->search->has_modseq |= key->kind == IMAP_KEY_MODSEQ;
	g->search->has_saved |= key->set.saved;
	return true;
}

/* A key is whole: so may be what holds it. False: a branch wants more. */
static bool
is_closed(struct imap_cursor *c, struct growing *g)
{
	switch (g->open[g->depth].branch) {
	case BRANCH_LIST:
		return imap_take_close(c);
	case BRANCH_ONE:
	case BRANCH_TWO:
		return --g->open[g->depth].wants == 0;
	default:
		return imap_at_end(c);
	}
}

static bool
take_keys(struct imap_cursor *c, struct imap_search *out)
{
	struct growing g = { .search = out };
	bool whole, done = false;

	if (!add_key(c, &g)) /* the root, an AND */
		return false;
	while (!done) {
		if (!take_key(c, &g, &whole))
			return false;
		while (whole && !done && is_closed(c, &g)) {
			done = g.depth == 0;
			close_branch(&g);
		}
		if (whole && !done && !imap_take_space(c))
			return false;
	}
	return imap_take_end(c);
}

/* ---- commands ---- */

static const struct {
	struct span name;
	unsigned bit;
} returns[] = {
	{ { "MIN", 3 }, IMAP_RETURN_MIN },
	{ { "MAX", 3 }, IMAP_RETURN_MAX },
	{ { "ALL", 3 }, IMAP_RETURN_ALL },
	{ { "COUNT", 5 }, IMAP_RETURN_COUNT },
	{ { "SAVE", 4 }, IMAP_RETURN_SAVE },
};

static bool
take_return(struct imap_cursor *c, unsigned *out)
{
	for (size_t i = 0; i < COUNT(returns); i++) {
		if (!imap_take_word(c, returns[i].name))
			continue;
		*out |= returns[i].bit;
		return true;
	}
	return false;
}

/* "RETURN (...) ", where it stands. */
static bool
take_returns(struct imap_cursor *c, struct imap_search *out)
{
	if (!imap_take_word(c, SPAN("RETURN")))
		return true;
	out->extended = true;
	if (!imap_take_space(c) || !imap_take_open(c))
		return false;
	if (imap_take_close(c)) {
		out->returns = IMAP_RETURN_ALL;
		return imap_take_space(c);
	}
	do {
		if (!take_return(c, &out->returns))
			return false;
	} while (imap_take_space(c));
	return imap_take_close(c) && imap_take_space(c);
}

bool
imap_take_search(struct imap_cursor *c, struct imap_search *out)
{
	*out = (struct imap_search){ 0 };
	if (!imap_take_space(c) || !take_returns(c, out))
		return false;
	if (imap_take_word(c, SPAN("CHARSET")) &&
		(!imap_take_space(c) || !imap_take_astring(c, &out->charset) || !imap_take_space(c)))
		return false;
	return take_keys(c, out);
}

static const struct {
	struct span name;
	enum imap_sort_by by;
} sorts[] = {
	{ { "ARRIVAL", 7 }, IMAP_SORT_ARRIVAL },
	{ { "CC", 2 }, IMAP_SORT_CC },
	{ { "DATE", 4 }, IMAP_SORT_DATE },
	{ { "FROM", 4 }, IMAP_SORT_FROM },
	{ { "SIZE", 4 }, IMAP_SORT_SIZE },
	{ { "SUBJECT", 7 }, IMAP_SORT_SUBJECT },
	{ { "TO", 2 }, IMAP_SORT_TO },
};

static bool
take_criterion(struct imap_cursor *c, struct imap_sort *out)
{
	struct imap_sort_criterion *criterion = &out->criteria[out->count];

	c->over |= out->count == IMAP_SORT_MAX;
	if (c->over)
		return false;
	criterion->reverse = imap_take_word(c, SPAN("REVERSE"));
	if (criterion->reverse && !imap_take_space(c))
		return false;
	for (size_t i = 0; i < COUNT(sorts); i++) {
		if (!imap_take_word(c, sorts[i].name))
			continue;
		criterion->by = sorts[i].by;
		out->count++;
		return true;
	}
	return false;
}

/* "charset keys" */
static bool
take_charset_and_keys(struct imap_cursor *c, struct imap_search *out)
{
	return imap_take_space(c) && imap_take_astring(c, &out->charset) && imap_take_space(c) &&
		take_keys(c, out);
}

bool
imap_take_sort(struct imap_cursor *c, struct imap_sort *out)
{
	*out = (struct imap_sort){ .count = 0 };
	if (!imap_take_space(c) || !imap_take_open(c))
		return false;
	do {
		if (!take_criterion(c, out))
			return false;
	} while (imap_take_space(c));
	return imap_take_close(c) && take_charset_and_keys(c, &out->search);
}

bool
imap_take_thread(struct imap_cursor *c, struct imap_thread *out)
{
	*out = (struct imap_thread){ .search = { 0 } };
	return imap_take_space(c) && imap_take_atom(c, &out->algorithm) &&
		take_charset_and_keys(c, &out->search);
}

/* ---- judging ---- */

static enum imap_verdict
opposite(enum imap_verdict v)
{
	return v == IMAP_VERDICT_YES ? IMAP_VERDICT_NO
	       : v == IMAP_VERDICT_NO ? IMAP_VERDICT_YES
				      : IMAP_VERDICT_UNKNOWN;
}

/* Of what KEY holds: DECISIVE where one says so, else unknown where one is, else the opposite. */
static enum imap_verdict
judge_branch(const struct imap_search *s, unsigned key, const unsigned char *verdicts,
	enum imap_verdict decisive)
{
	enum imap_verdict verdict = opposite(decisive);

	for (unsigned i = key + 1; i < s->keys[key].next; i = s->keys[i].next) {
		if (verdicts[i] == decisive)
			return decisive;
		if (verdicts[i] == IMAP_VERDICT_UNKNOWN)
			verdict = IMAP_VERDICT_UNKNOWN;
	}
	return verdict;
}

enum imap_verdict
imap_search_judge(const struct imap_search *s, unsigned char *verdicts)
{
	for (unsigned i = (unsigned)s->count; i-- > 0;) {
		if (s->keys[i].kind == IMAP_KEY_AND)
			verdicts[i] = judge_branch(s, i, verdicts, IMAP_VERDICT_NO);
		else if (s->keys[i].kind == IMAP_KEY_OR)
			verdicts[i] = judge_branch(s, i, verdicts, IMAP_VERDICT_YES);
		else if (s->keys[i].kind == IMAP_KEY_NOT)
			verdicts[i] = opposite(verdicts[i + 1]);
	}
	return verdicts[0];
}
