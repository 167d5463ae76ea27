/* fuzz_imap_utf7.c - a name has one spelling on the wire; a pattern, its first line, is for a name or not. */
#include "proto/base/utf8.h"
#include "proto/imap/imap_list.h"
#include "proto/imap/imap_response.h"
#include "proto/imap/imap_utf7.h"
#include "tests/fuzz/fuzz.h"

/* The slow way: each wildcard tries all. Short inputs only. */
static bool
match_slowly(struct span pattern, struct span name)
{
	if (pattern.len == 0)
		return name.len == 0;
	if (pattern.ptr[0] == '*' || pattern.ptr[0] == '%') {
		for (size_t i = 0; i <= name.len; i++) {
			if (match_slowly(span_from(pattern, 1), span_from(name, i)))
				return true;
			if (i < name.len && name.ptr[i] == '/' && pattern.ptr[0] == '%')
				return false;
		}
		return false;
	}
	return name.len > 0 && pattern.ptr[0] == name.ptr[0] &&
		match_slowly(span_from(pattern, 1), span_from(name, 1));
}

static void
check_name(struct span in, struct arena *a, bool utf8)
{
	struct imap_cursor c;
	struct span name, wire, again;
	struct buf put;

	if (imap_name_of(a, in, utf8, &name) != OK)
		return;
	buf_init(&put, 8192);
	ENSURE(imap_name_check(name) == OK && utf8_is_valid(name) && name.len <= IMAP_NAME_MAX);
	ENSURE(imap_put_mailbox(&put, name, utf8) == OK);
	imap_cursor_init(&c, buf_span(&put), a);
	ENSURE(imap_take_astring(&c, &wire) && imap_take_end(&c));
	ENSURE(imap_name_of(a, wire, utf8, &again) == OK && span_eq(name, again));
	buf_fini(&put);
}

FUZZ(in, a, out)
{
	struct span pattern, name;
	struct buf wire;

	buf_init(&wire, FUZZ_OUT_MAX);
	if (imap_utf7_decode(in, out) == OK) {
		ENSURE(utf8_is_valid(buf_span(out)));
		ENSURE(imap_utf7_encode(buf_span(out), &wire) == OK);
		ENSURE(span_eq(buf_span(&wire), in));
	}
	buf_fini(&wire);
	check_name(in, a, false);
	check_name(in, a, true);
	if (span_cut(in, '\n', &pattern, &name) && pattern.len <= 8 && name.len <= 12 &&
		!imap_name_is_inbox(name))
		ENSURE(imap_list_match(pattern, name) == match_slowly(pattern, name));
}
