/*
 * imap_args_flags.c - flags in commands (RFC 9051, 2.3.2 and flag-list).
 */
#include "proto/imap/imap_args.h"

#include <string.h>

static const struct {
	struct span name; /* without its backslash */
	unsigned flag;
} system_flags[] = {
	{ { "Seen", 4 }, IMAP_FLAG_SEEN },
	{ { "Answered", 8 }, IMAP_FLAG_ANSWERED },
	{ { "Flagged", 7 }, IMAP_FLAG_FLAGGED },
	{ { "Deleted", 7 }, IMAP_FLAG_DELETED },
	{ { "Draft", 5 }, IMAP_FLAG_DRAFT },
	{ { "Recent", 6 }, IMAP_FLAG_RECENT },
};

static bool
take_system_flag(struct imap_cursor *c, struct imap_flags *out)
{
	for (size_t i = 0; i < COUNT(system_flags); i++) {
		if (!imap_take_word(c, system_flags[i].name))
			continue;
		out->flags |= system_flags[i].flag;
		return true;
	}
	return false;
}

/* Room doubles when the count is a power of two. */
static void
add_keyword(struct imap_cursor *c, struct imap_flags *out, struct span keyword)
{
	struct span *larger;

	if ((out->count & (out->count - 1)) == 0) {
		larger = ARENA_ARRAY(c->arena, struct span, out->count ? 2 * out->count : 1);
		if (out->count > 0)
			memcpy(larger, out->keywords, out->count * sizeof(larger[0]));
		out->keywords = larger;
	}
	out->keywords[out->count++] = keyword;
}

static bool
take_flag(struct imap_cursor *c, struct imap_flags *out)
{
	struct span keyword;

	if (imap_take_char(c, '\\'))
		return take_system_flag(c, out);
	if (!imap_take_atom(c, &keyword) || keyword.len > IMAP_FLAG_NAME_MAX)
		return false;
	add_keyword(c, out, keyword);
	return true;
}

static bool
take_flags(struct imap_cursor *c, struct imap_flags *out)
{
	do {
		if (!take_flag(c, out))
			return false;
	} while (imap_take_space(c));
	return true;
}

bool
imap_take_flag_list(struct imap_cursor *c, struct imap_flags *out)
{
	*out = (struct imap_flags){ 0 };
	return imap_take_open(c) && (imap_take_close(c) || (take_flags(c, out) && imap_take_close(c)));
}

bool
imap_take_flags(struct imap_cursor *c, struct imap_flags *out)
{
	*out = (struct imap_flags){ 0 };
	return imap_next_is(c, '(') ? imap_take_flag_list(c, out) : take_flags(c, out);
}
