/*
 * imap_name.c - what a folder may be called.
 */
#include <string.h>

#include "proto/base/utf8.h"
#include "proto/imap/imap_utf7.h"

static enum err
check_characters(struct span name)
{
	uint32_t code;

	while (name.len > 0)
		if (!utf8_next(&name, &code) || !utf8_is_printable(code))
			return ERR_SYNTAX;
	return OK;
}

enum err
imap_name_check(struct span name)
{
	struct span level, rest = name;
	unsigned levels = 0;
	bool more;

	if (name.len > IMAP_NAME_MAX)
		return ERR_LIMIT;
	do {
		more = span_cut(rest, '/', &level, &rest);
		levels++;
		if (level.len == 0 || span_eq(level, SPAN(".")) || span_eq(level, SPAN("..")))
			return ERR_SYNTAX;
	} while (more);
	if (levels > IMAP_LEVELS_MAX)
		return ERR_LIMIT;
	return check_characters(name);
}

bool
imap_name_is_inbox(struct span name)
{
	return span_starts_nocase(name, SPAN("INBOX")) && (name.len == 5 || name.ptr[5] == '/');
}

enum err
imap_name_of(struct arena *a, struct span wire, bool utf8, struct span *name)
{
	char room[IMAP_NAME_MAX + 1];
	struct buf decoded = { .bytes = room, .size = sizeof(room), .max = sizeof(room) };
	enum err err = utf8 ? buf_put(&decoded, wire) : imap_utf7_decode(wire, &decoded);

	if (err == OK && decoded.len > 1 && room[decoded.len - 1] == '/')
		decoded.len--;
	if (err == OK)
		err = imap_name_check(buf_span(&decoded));
	if (err != OK)
		return err;
	if (imap_name_is_inbox(buf_span(&decoded)))
		memcpy(room, "INBOX", 5);
	*name = arena_copy(a, buf_span(&decoded));
	return OK;
}
