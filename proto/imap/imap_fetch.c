/*
 * imap_fetch.c - the items of FETCH.
 */
#include "proto/imap/imap_fetch.h"

#include <string.h>

#include "proto/base/ascii.h"
#include "proto/imap/imap_response.h"

#define NAME_MAX (IMAP_ARGUMENTS_MAX * 1000) /* bytes of an item's name */
#define FAST (IMAP_FETCH_FLAGS | IMAP_FETCH_INTERNALDATE | IMAP_FETCH_RFC822_SIZE)

static const struct {
	struct span name;
	unsigned item;
} items[] = {
	{ { "UID", 3 }, IMAP_FETCH_UID },
	{ { "FLAGS", 5 }, IMAP_FETCH_FLAGS },
	{ { "INTERNALDATE", 12 }, IMAP_FETCH_INTERNALDATE },
	{ { "RFC822.SIZE", 11 }, IMAP_FETCH_RFC822_SIZE },
	{ { "ENVELOPE", 8 }, IMAP_FETCH_ENVELOPE },
	{ { "BODY", 4 }, IMAP_FETCH_BODY },
	{ { "BODYSTRUCTURE", 13 }, IMAP_FETCH_BODYSTRUCTURE },
	{ { "MODSEQ", 6 }, IMAP_FETCH_MODSEQ },
	{ { "EMAILID", 7 }, IMAP_FETCH_EMAILID },
	{ { "THREADID", 8 }, IMAP_FETCH_THREADID },
	{ { "SAVEDATE", 8 }, IMAP_FETCH_SAVEDATE },
};

/* RFC 9051, 6.4.5: only alone. */
static const struct {
	struct span name;
	unsigned items;
} macros[] = {
	{ { "ALL", 3 }, FAST | IMAP_FETCH_ENVELOPE },
	{ { "FAST", 4 }, FAST },
	{ { "FULL", 4 }, FAST | IMAP_FETCH_ENVELOPE | IMAP_FETCH_BODY },
};

/* RFC 3501, 6.4.5: other names for sections. */
static const struct {
	struct span name;
	enum imap_section section;
	bool peek;
} olds[] = {
	{ { "RFC822", 6 }, IMAP_SECTION_ALL, false },
	{ { "RFC822.HEADER", 13 }, IMAP_SECTION_HEADER, true },
	{ { "RFC822.TEXT", 11 }, IMAP_SECTION_TEXT, false },
};

/* The names that a section follows. */
static const struct {
	struct span name, told;
	bool binary, peek;
	enum imap_section section; /* where the brackets name none */
} sectioned[] = {
	{ { "BODY", 4 }, { "BODY", 4 }, false, false, IMAP_SECTION_ALL },
	{ { "BODY.PEEK", 9 }, { "BODY", 4 }, false, true, IMAP_SECTION_ALL },
	{ { "BINARY", 6 }, { "BINARY", 6 }, true, false, IMAP_SECTION_BINARY },
	{ { "BINARY.PEEK", 11 }, { "BINARY", 6 }, true, true, IMAP_SECTION_BINARY },
	{ { "BINARY.SIZE", 11 }, { "BINARY.SIZE", 11 }, true, true, IMAP_SECTION_BINARY_SIZE },
};

/* The longest first: each begins with the one after it. */
static const struct {
	struct span name;
	enum imap_section section;
} texts[] = {
	{ { "HEADER.FIELDS.NOT", 17 }, IMAP_SECTION_FIELDS_NOT },
	{ { "HEADER.FIELDS", 13 }, IMAP_SECTION_FIELDS },
	{ { "HEADER", 6 }, IMAP_SECTION_HEADER },
	{ { "TEXT", 4 }, IMAP_SECTION_TEXT },
	{ { "MIME", 4 }, IMAP_SECTION_MIME },
};

/* ---- sections ---- */

/* "1.2.3", with the '.' before a text after it: *text says that it was there. */
static bool
take_path(struct imap_cursor *c, struct imap_fetch_bytes *b, bool *text)
{
	uint32_t numbers[IMAP_PATH_MAX], *path;

	*text = true;
	while (c->rest.len > 0 && ascii_is_digit(c->rest.ptr[0])) {
		c->over |= b->path_len == IMAP_PATH_MAX;
		if (c->over || !imap_take_nz_number(c, &numbers[b->path_len]))
			return false;
		b->path_len++;
		*text = imap_take_char(c, '.');
		if (!*text)
			break;
	}
	if (b->path_len == 0)
		return true;
	path = ARENA_ARRAY(c->arena, uint32_t, b->path_len);
	memcpy(path, numbers, b->path_len * sizeof(path[0]));
	b->path = path;
	return true;
}

static bool
take_fields(struct imap_cursor *c, struct imap_fetch_bytes *b)
{
	struct span *fields = NULL, *larger;
	size_t size = 0;

	if (!imap_take_space(c) || !imap_take_open(c))
		return false;
	do {
		if (b->field_count == size) {
			size = size ? 2 * size : 8;
			larger = ARENA_ARRAY(c->arena, struct span, size);
			if (b->field_count > 0)
				memcpy(larger, fields, b->field_count * sizeof(larger[0]));
			b->fields = fields = larger;
		}
		if (!imap_take_astring(c, &fields[b->field_count]))
			return false;
		b->field_count++;
	} while (imap_take_space(c));
	return imap_take_close(c);
}

static bool
take_text(struct imap_cursor *c, struct imap_fetch_bytes *b)
{
	for (size_t i = 0; i < COUNT(texts); i++) {
		if (!imap_take_word(c, texts[i].name))
			continue;
		b->section = texts[i].section;
		if (b->section == IMAP_SECTION_MIME)
			return b->path_len > 0;
		return (b->section != IMAP_SECTION_FIELDS && b->section != IMAP_SECTION_FIELDS_NOT) ||
			take_fields(c, b);
	}
	return false;
}

/* "[...]"; BINARY has numbers alone (RFC 3516, 7). */
static bool
take_section(struct imap_cursor *c, bool binary, struct imap_fetch_bytes *b)
{
	bool text;

	if (!imap_take_char(c, '[') || !take_path(c, b, &text))
		return false;
	if (text && (b->path_len > 0 || !imap_next_is(c, ']')) && (binary || !take_text(c, b)))
		return false;
	return imap_take_char(c, ']');
}

static bool
take_partial(struct imap_cursor *c, struct imap_fetch_bytes *b)
{
	if (!imap_next_is(c, '<'))
		return true;
	b->partial = true;
	return b->section != IMAP_SECTION_BINARY_SIZE && imap_take_char(c, '<') &&
		imap_take_number64(c, &b->from) && imap_take_char(c, '.') &&
		imap_take_number64(c, &b->length) && b->length > 0 && imap_take_char(c, '>');
}

/* ---- their names ---- */

static bool
put_inside(struct buf *out, const struct imap_fetch_bytes *b)
{
	bool ok = true;
	struct span text = SPAN("");

	for (size_t i = 0; i < COUNT(texts); i++)
		if (texts[i].section == b->section)
			text = texts[i].name;
	for (size_t i = 0; i < b->path_len; i++)
		ok = ok && (i == 0 || buf_put_char(out, '.') == OK) &&
			buf_put_u64(out, b->path[i]) == OK;
	if (text.len > 0 && b->path_len > 0)
		ok = ok && buf_put_char(out, '.') == OK;
	ok = ok && buf_put(out, text) == OK;
	for (size_t i = 0; i < b->field_count; i++)
		ok = ok && buf_put(out, i == 0 ? SPAN(" (") : SPAN(" ")) == OK &&
			imap_put_astring(out, b->fields[i]) == OK;
	return ok && (b->field_count == 0 || buf_put_char(out, ')') == OK);
}

/* What the answer calls it: without PEEK, with the origin alone (RFC 9051, 7.5.2). */
static bool
make_name(struct imap_cursor *c, struct span told, struct imap_fetch_bytes *b)
{
	struct buf name;
	bool ok;

	buf_init(&name, NAME_MAX);
	ok = buf_put(&name, told) == OK && buf_put_char(&name, '[') == OK && put_inside(&name, b) &&
		buf_put_char(&name, ']') == OK;
	if (b->partial)
		ok = ok && buf_put_char(&name, '<') == OK && buf_put_u64(&name, b->from) == OK &&
			buf_put_char(&name, '>') == OK;
	b->name = arena_copy(c->arena, buf_span(&name));
	buf_fini(&name);
	return ok;
}

/* ---- items ---- */

static bool
is_item_char(char c)
{
	return ascii_is_alnum(c) || c == '.';
}

static struct span
peek_item(const struct imap_cursor *c)
{
	size_t len = 0;

	while (len < c->rest.len && is_item_char(c->rest.ptr[len]))
		len++;
	return span_range(c->rest, 0, len);
}

/* Room for one more; it doubles when the count is a power of two. */
static struct imap_fetch_bytes *
add_bytes(struct imap_cursor *c, struct imap_fetch *out)
{
	struct imap_fetch_bytes *larger;

	c->over |= out->count == IMAP_FETCH_BYTES_MAX;
	if (c->over)
		return NULL;
	if ((out->count & (out->count - 1)) == 0) {
		larger = ARENA_ARRAY(c->arena, struct imap_fetch_bytes, out->count ? 2 * out->count : 1);
		if (out->count > 0)
			memcpy(larger, out->bytes, out->count * sizeof(larger[0]));
		out->bytes = larger;
	}
	return &out->bytes[out->count++];
}

static bool
take_sectioned(struct imap_cursor *c, struct span name, struct imap_fetch *out)
{
	struct imap_fetch_bytes *b;

	for (size_t i = 0; i < COUNT(sectioned); i++) {
		if (!span_eq_nocase(name, sectioned[i].name))
			continue;
		b = add_bytes(c, out);
		if (!b)
			return false;
		out->sets_seen |= !sectioned[i].peek;
		b->section = sectioned[i].section;
		return take_section(c, sectioned[i].binary, b) && take_partial(c, b) &&
			make_name(c, sectioned[i].told, b);
	}
	return false;
}

static bool
take_old(struct imap_cursor *c, struct span name, struct imap_fetch *out)
{
	struct imap_fetch_bytes *b;

	for (size_t i = 0; i < COUNT(olds); i++) {
		if (!span_eq_nocase(name, olds[i].name))
			continue;
		b = add_bytes(c, out);
		if (!b)
			return false;
		out->sets_seen |= !olds[i].peek;
		*b = (struct imap_fetch_bytes){ .section = olds[i].section, .name = olds[i].name };
		return true;
	}
	return false;
}

static bool
take_item(struct imap_cursor *c, struct imap_fetch *out)
{
	struct span name = peek_item(c);

	if (name.len == 0)
		return false;
	c->rest = span_from(c->rest, name.len);
	if (imap_next_is(c, '['))
		return take_sectioned(c, name, out);
	for (size_t i = 0; i < COUNT(items); i++) {
		if (!span_eq_nocase(name, items[i].name))
			continue;
		out->items |= items[i].item;
		return true;
	}
	return take_old(c, name, out);
}

static bool
take_macro(struct imap_cursor *c, struct imap_fetch *out)
{
	for (size_t i = 0; i < COUNT(macros); i++) {
		if (!imap_take_word(c, macros[i].name))
			continue;
		out->items |= macros[i].items;
		return true;
	}
	return false;
}

static bool
take_items(struct imap_cursor *c, struct imap_fetch *out)
{
	if (!imap_take_open(c))
		return take_macro(c, out) || take_item(c, out);
	do {
		if (!take_item(c, out))
			return false;
	} while (imap_take_space(c));
	return imap_take_close(c);
}

/* ---- modifiers (RFC 7162, 3.1.4.1 and 3.2.6) ---- */

static bool
take_modifier(struct imap_cursor *c, bool uid, struct imap_fetch *out)
{
	if (imap_take_word(c, SPAN("CHANGEDSINCE"))) {
		out->has_changed_since = true;
		out->items |= IMAP_FETCH_MODSEQ;
		return imap_take_space(c) && imap_take_number64(c, &out->changed_since);
	}
	out->vanished = uid && imap_take_word(c, SPAN("VANISHED"));
	return out->vanished;
}

static bool
take_modifiers(struct imap_cursor *c, bool uid, struct imap_fetch *out)
{
	if (!imap_take_space(c))
		return true;
	if (!imap_take_open(c))
		return false;
	do {
		if (!take_modifier(c, uid, out))
			return false;
	} while (imap_take_space(c));
	return imap_take_close(c) && (!out->vanished || out->has_changed_since);
}

bool
imap_take_fetch(struct imap_cursor *c, bool uid, struct imap_fetch *out)
{
	*out = (struct imap_fetch){ .items = uid ? IMAP_FETCH_UID : 0 };
	return imap_take_space(c) && imap_take_seqset(c, &out->set) && imap_take_space(c) &&
		take_items(c, out) && take_modifiers(c, uid, out) && imap_take_end(c);
}
