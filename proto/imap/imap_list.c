/*
 * imap_list.c - arguments of LIST and STATUS, and wildcards.
 */
#include "proto/imap/imap_list.h"

#include <string.h>

#include "proto/base/ascii.h"
#include "proto/imap/imap_utf7.h"

static const struct span status_names[IMAP_STATUS_ITEMS] = { { "MESSAGES", 8 }, { "RECENT", 6 },
	{ "UIDNEXT", 7 }, { "UIDVALIDITY", 11 }, { "UNSEEN", 6 }, { "DELETED", 7 }, { "SIZE", 4 },
	{ "HIGHESTMODSEQ", 13 }, { "APPENDLIMIT", 11 }, { "MAILBOXID", 9 },
	{ "DELETED-STORAGE", 15 } };

struct word {
	struct span name;
	unsigned bit;
};

static const struct word selections[] = {
	{ { "SUBSCRIBED", 10 }, IMAP_LIST_SUBSCRIBED },
	{ { "REMOTE", 6 }, IMAP_LIST_REMOTE },
	{ { "RECURSIVEMATCH", 14 }, IMAP_LIST_RECURSIVEMATCH },
	{ { "SPECIAL-USE", 11 }, IMAP_LIST_SPECIAL_USE },
};

static const struct word returns[] = {
	{ { "SUBSCRIBED", 10 }, IMAP_LIST_SUBSCRIBED },
	{ { "CHILDREN", 8 }, IMAP_LIST_CHILDREN },
	{ { "SPECIAL-USE", 11 }, IMAP_LIST_SPECIAL_USE },
	{ { "STATUS", 6 }, IMAP_LIST_STATUS },
	{ { "MYRIGHTS", 8 }, IMAP_LIST_MYRIGHTS },
};

static bool
take_one_of(struct imap_cursor *c, const struct word *words, size_t count, unsigned *out)
{
	for (size_t i = 0; i < count; i++) {
		if (!imap_take_word(c, words[i].name))
			continue;
		*out |= words[i].bit;
		return true;
	}
	return false;
}

/* ---- STATUS ---- */

struct span
imap_status_name(unsigned index)
{
	ENSURE(index < IMAP_STATUS_ITEMS);
	return status_names[index];
}

static bool
take_status_item(struct imap_cursor *c, unsigned *out)
{
	for (unsigned i = 0; i < IMAP_STATUS_ITEMS; i++) {
		if (!imap_take_word(c, status_names[i]))
			continue;
		*out |= 1u << i;
		return true;
	}
	return false;
}

bool
imap_take_status_items(struct imap_cursor *c, unsigned *out)
{
	*out = 0;
	if (!imap_take_open(c))
		return false;
	do {
		if (!take_status_item(c, out))
			return false;
	} while (imap_take_space(c));
	return imap_take_close(c);
}

/* ---- LIST ---- */

/* "(SUBSCRIBED RECURSIVEMATCH) ", where it stands. */
static bool
take_selection(struct imap_cursor *c, struct imap_list *out)
{
	const unsigned bases = IMAP_LIST_SUBSCRIBED | IMAP_LIST_SPECIAL_USE;

	if (!imap_take_open(c))
		return true;
	out->extended = true;
	if (imap_take_close(c))
		return imap_take_space(c);
	do {
		if (!take_one_of(c, selections, COUNT(selections), &out->select))
			return false;
	} while (imap_take_space(c));
	if ((out->select & IMAP_LIST_RECURSIVEMATCH) && !(out->select & bases))
		return false; /* RFC 9051, 6.3.9.1: it needs something to match */
	return imap_take_close(c) && imap_take_space(c);
}

static bool
take_pattern(struct imap_cursor *c, struct imap_list *out)
{
	c->over |= out->count == IMAP_PATTERNS_MAX;
	return !c->over && imap_take_list_mailbox(c, &out->patterns[out->count++]);
}

static bool
take_patterns(struct imap_cursor *c, struct imap_list *out)
{
	out->patterns = ARENA_ARRAY(c->arena, struct span, imap_next_is(c, '(') ? IMAP_PATTERNS_MAX : 1);
	if (!imap_take_open(c))
		return take_pattern(c, out);
	out->extended = true;
	do {
		if (!take_pattern(c, out))
			return false;
	} while (imap_take_space(c));
	return imap_take_close(c);
}

static bool
take_return(struct imap_cursor *c, struct imap_list *out)
{
	unsigned bit = 0;

	if (!take_one_of(c, returns, COUNT(returns), &bit))
		return false;
	out->returns |= bit;
	return bit != IMAP_LIST_STATUS ||
		(imap_take_space(c) && imap_take_status_items(c, &out->status));
}

static bool
take_returns(struct imap_cursor *c, struct imap_list *out)
{
	if (!imap_take_space(c))
		return true;
	out->extended = true;
	if (!imap_take_word(c, SPAN("RETURN")) || !imap_take_space(c) || !imap_take_open(c))
		return false;
	if (imap_take_close(c))
		return true;
	do {
		if (!take_return(c, out))
			return false;
	} while (imap_take_space(c));
	return imap_take_close(c);
}

bool
imap_take_list(struct imap_cursor *c, struct imap_list *out)
{
	*out = (struct imap_list){ 0 };
	return imap_take_space(c) && take_selection(c, out) && imap_take_astring(c, &out->reference) &&
		imap_take_space(c) && take_patterns(c, out) && take_returns(c, out) &&
		imap_take_end(c);
}

bool
imap_take_lsub(struct imap_cursor *c, struct imap_list *out)
{
	*out = (struct imap_list){ .patterns = ARENA_NEW(c->arena, struct span) };
	return imap_take_space(c) && imap_take_astring(c, &out->reference) && imap_take_space(c) &&
		take_pattern(c, out) && imap_take_end(c);
}

/* ---- patterns ---- */

enum err
imap_list_pattern(struct arena *a, struct span reference, struct span wire, bool utf8,
	struct span *pattern)
{
	struct buf whole;
	enum err err;

	buf_init(&whole, IMAP_PATTERN_MAX);
	if (utf8)
		err = buf_put(&whole, reference) == OK ? buf_put(&whole, wire) : ERR_LIMIT;
	else
		err = imap_utf7_decode(reference, &whole);
	if (err == OK && !utf8)
		err = imap_utf7_decode(wire, &whole);
	if (err == OK)
		*pattern = arena_copy(a, buf_span(&whole));
	buf_fini(&whole);
	return err;
}

/* Where a wildcard may take one byte more. */
struct again {
	bool set;
	size_t pattern, name;
};

/* The letters of INBOX at the front compare without case, all others as they are. */
static bool
is_same(struct span pattern, size_t p, struct span name, size_t n, bool inbox)
{
	if (inbox && n < 5)
		return ascii_lower(pattern.ptr[p]) == ascii_lower(name.ptr[n]);
	return pattern.ptr[p] == name.ptr[n];
}

/*
 * The newest '%' takes one byte more, or where that is a '/' the newest '*' does; an earlier '%' cannot
 * help, it would meet the same '/'. A '%' that has reached the end has tried all that is left, so a '*'
 * before it cannot help either. False: there is nothing to try.
 */
static bool
go_back(struct again *percent, struct again *star, struct span name, size_t *p, size_t *n)
{
	struct again *at = percent;

	if (percent->set && percent->name >= name.len)
		return false;
	if (!percent->set || name.ptr[percent->name] == '/') {
		percent->set = false;
		at = star;
	}
	if (!at->set || at->name >= name.len)
		return false;
	*n = ++at->name;
	*p = at->pattern;
	return true;
}

bool
imap_list_match(struct span pattern, struct span name)
{
	struct again star = { 0 }, percent = { 0 };
	bool inbox = imap_name_is_inbox(name);
	size_t p = 0, n = 0;

	for (;;) {
		if (p < pattern.len && pattern.ptr[p] == '*') {
			star = (struct again){ true, ++p, n };
			percent.set = false;
		} else if (p < pattern.len && pattern.ptr[p] == '%') {
			percent = (struct again){ true, ++p, n };
		} else if (p < pattern.len && n < name.len && is_same(pattern, p, name, n, inbox)) {
			p++;
			n++;
		} else if (p == pattern.len && n == name.len) {
			return true;
		} else if (!go_back(&percent, &star, name, &p, &n)) {
			return false;
		}
	}
}
