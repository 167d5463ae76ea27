/*
 * file_name.c - names of attachments that do nobody harm (H72).
 */
#include "proto/base/ascii.h"
#include "proto/base/utf8.h"
#include "proto/mime/mime_value.h"

/* What stands behind the last '/' or '\\'. */
static struct span
without_path(struct span name)
{
	for (size_t i = name.len; i-- > 0;)
		if (name.ptr[i] == '/' || name.ptr[i] == '\\')
			return span_from(name, i + 1);
	return name;
}

/* A device of DOS, with or without something behind a dot. */
static bool
is_device(struct span name)
{
	static const char *const names[] = { "con", "prn", "aux", "nul", "com?", "lpt?" };
	struct span stem = span_range(name, 0, span_find(name, '.'));

	for (size_t i = 0; i < COUNT(names); i++)
		if (span_match_wildcard(span_of(names[i]), stem))
			return true;
	return false;
}

static void
put_letters(struct buf *out, struct span name)
{
	uint32_t code;

	while (name.len > 0 && buf_span(out).len + 4 <= MIME_FILE_NAME_MAX) {
		bool good = utf8_next(&name, &code) && utf8_is_printable(code);
		bool special = code < 0x80 && span_find(SPAN("<>:\"|?*"), (char)code) < 7;

		(void)!utf8_put(out, good && !special ? code : '_');
	}
}

struct span
mime_safe_file_name(struct arena *a, struct span name)
{
	char room[MIME_FILE_NAME_MAX + 8];
	struct buf out = { .bytes = room, .size = sizeof(room), .max = sizeof(room) };

	name = span_trim(without_path(name));
	while (name.len > 0 && name.ptr[0] == '.') /* neither hidden nor ".." */
		name = span_from(name, 1);
	if (is_device(name) || name.len == 0)
		(void)!buf_put_char(&out, '_');
	put_letters(&out, name);
	return arena_copy(a, buf_span(&out));
}
