/*
 * archive_look.c - a message read for what is looked for.
 */
#include "server/archive/archive_look.h"

#include <string.h>

#include "proto/base/ascii.h"
#include "proto/base/find.h"
#include "proto/base/utf8.h"
#include "proto/mail/header.h"
#include "proto/mime/encoded_word.h"
#include "proto/mime/mime_entity.h"
#include "proto/mime/mime_value.h"
#include "server/search/search_derived.h"
#include "server/search/search_text.h"
#include "store/bodies.h"
#include "store/traces.h"

#define FIELD_ROOM (2 * HEADER_FIELD_SIZE_MAX)

/* ---- addresses ---- */

static bool
is_word(char c)
{
	return ascii_is_alnum(c) || (unsigned char)c >= 128;
}

/* TERM at AT of TEXT does not begin or end within a word. */
static bool
is_whole(struct span text, size_t at, struct span term)
{
	size_t end = at + term.len;

	if (is_word(term.ptr[0]) && at > 0 && is_word(text.ptr[at - 1]))
		return false;
	return !(is_word(term.ptr[term.len - 1]) && end < text.len && is_word(text.ptr[end]));
}

static bool
is_pattern(struct span term)
{
	return span_find_any(term, SPAN("*?")) < term.len;
}

bool
archive_has_address(struct span address, struct span term)
{
	size_t from = 0;

	if (term.len == 0)
		return true;
	if (is_pattern(term))
		return span_match_wildcard(term, address);
	while (from < address.len) {
		struct span rest = span_from(address, from);
		size_t at = find_lower(rest, term);

		if (at == rest.len)
			return false;
		if (is_whole(address, from + at, term))
			return true;
		from += at + 1;
	}
	return false;
}

bool
archive_has_recipient(struct span recipients, struct span term)
{
	struct span address;

	while (trace_recipient_next(&recipients, &address))
		if (archive_has_address(address, term))
			return true;
	return false;
}

static bool
has_sender(const struct archive_message *m, struct span header, struct span term)
{
	return archive_has_address(m->from, term) ||
		(!is_pattern(term) && archive_has_address(header_find(header, SPAN("From")), term));
}

/* ---- subject, names of files ---- */

/* TEXT is decoded, UTF-8. */
static bool
says(struct span text, struct span needle)
{
	struct buf folded;
	bool found;

	buf_init(&folded, 3 * FIELD_ROOM);
	(void)!utf8_put_folded(&folded, text);
	found = find_lower(buf_span(&folded), needle) < buf_span(&folded).len;
	buf_fini(&folded);
	return found;
}

static bool
has_subject(struct span header, struct span needle)
{
	struct span value = header_find(header, SPAN("Subject"));
	struct buf text;
	bool found;

	if (!value.ptr)
		return false;
	buf_init(&text, FIELD_ROOM);
	(void)!encoded_word_decode(&text, value);
	found = says(buf_span(&text), needle);
	buf_fini(&text);
	return found;
}

/* The header of a part, out of header or body; what cannot be read is left out. */
static void
part_header(struct snapshot *snap, const struct content *c, const struct mime_part *part,
	struct buf *out)
{
	uint64_t at = part->header_offset, left = part->header_size;

	if (left > SEARCH_PART_HEADER_MAX)
		left = SEARCH_PART_HEADER_MAX;
	while (left > 0) {
		struct span bytes = span_from(c->header, (size_t)(at < c->header.len ? at : c->header.len));

		if (bytes.len == 0 && body_read(snap, c->body_id, at - c->header.len, &bytes) != OK)
			return;
		bytes = span_range(bytes, 0, (size_t)left);
		if (bytes.len == 0 || buf_put(out, bytes) != OK)
			return;
		at += bytes.len;
		left -= bytes.len;
	}
}

static bool
part_has_name(struct snapshot *snap, const struct content *c, const struct mime_part *part,
	struct span needle)
{
	struct arena arena;
	struct span name;
	struct buf header;
	bool found;

	arena_init(&arena, NULL);
	buf_init(&header, SEARCH_PART_HEADER_MAX);
	part_header(snap, c, part, &header);
	name = mime_file_name(&arena, part->depth > 0 ? buf_span(&header) : c->header);
	found = name.len > 0 && says(name, needle);
	buf_fini(&header);
	arena_reset(&arena);
	return found;
}

static bool
has_file_name(struct snapshot *snap, const struct content *c, struct span needle)
{
	struct search_derived derived;
	struct mime_walk at = { 0 };
	struct mime_part part;
	bool found = false;

	if (search_derived_open(snap, c, &derived) != ERR_IO && derived.mime.part_count > 0)
		while (!found && mime_part_next(&derived.mime, &at, &part))
			found = part_has_name(snap, c, &part, needle);
	search_derived_close(&derived);
	return found;
}

/* ---- all of it ---- */

static bool
has_text(struct snapshot *snap, const struct content *c, struct archive_needle **needles, size_t count)
{
	struct search_needle wanted[ARCHIVE_NEEDLES_MAX];
	struct search_sink sink = { SEARCH_IN_HEADER | SEARCH_IN_BODY, search_match_piece, NULL };
	struct search_match match;
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		if (needles[i]->where & SEARCH_IN_BODY)
			wanted[n++] = (struct search_needle){ needles[i]->text, needles[i]->where, false };
	if (n == 0)
		return true;
	search_match_begin(&match, wanted, n);
	sink.arg = &match;
	(void)!search_text_read(snap, c, &sink); /* of what is damaged the rest was read */
	return match.left == 0;
}

static bool
has_fields(struct snapshot *snap, const struct content *c, struct archive_needle **needles, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (needles[i]->where == ARCHIVE_IN_SUBJECT && !has_subject(c->header, needles[i]->text))
			return false;
		if (needles[i]->where == ARCHIVE_IN_FILE_NAME &&
			!has_file_name(snap, c, needles[i]->text))
			return false;
	}
	return true;
}

enum err
archive_look(struct snapshot *snap, const struct archive_look *l, struct span from,
	struct archive_needle **needles, size_t count)
{
	struct content content;
	enum err err;
	bool fits = archive_has_address(l->message->from, from);

	if (!fits && is_pattern(from)) /* of the envelope: else all would have to be read */
		return ERR_NOT_FOUND;
	if (fits && count == 0)
		return OK;
	err = content_get(snap, l->message->content_id, &content);
	if (err != OK)
		return err == ERR_IO ? err : ERR_NOT_FOUND;
	fits = (fits || has_sender(l->message, content.header, from)) && !content.veiled &&
		has_fields(snap, &content, needles, count) &&
		has_text(snap, &content, needles, count);
	snapshot_forget_copies(snap); /* what was made readable of it */
	return fits ? OK : ERR_NOT_FOUND;
}
