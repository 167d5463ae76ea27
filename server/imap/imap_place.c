/*
 * imap_place.c - namespaces: "", "Other users/", "Shared/".
 */
#include "server/imap/imap_place.h"

#include "proto/imap/imap_utf7.h"

/* Is NAME the level PREFIX, or beneath it? *rest is what follows the '/'. */
static bool
cut_prefix(struct span name, struct span prefix, struct span *rest)
{
	if (!span_starts_nocase(name, prefix))
		return false;
	*rest = span_from(name, prefix.len);
	if (rest->len > 0 && rest->ptr[0] != '/')
		return false;
	*rest = span_from(*rest, 1);
	return true;
}

/* INBOX at the first level has no letter case (RFC 9051, 5.1), with children or without. */
static struct span
canonical(struct span folder, struct arena *a)
{
	if (!imap_name_is_inbox(folder) || span_starts(folder, SPAN("INBOX")))
		return folder;
	return arena_printf(a, "INBOX%.*s", SPAN_FMT(span_from(folder, 5)));
}

/* Its owner could not name such a folder: to him it is a namespace. */
static bool
is_hidden_from_owner(struct span folder)
{
	struct span rest;

	return cut_prefix(folder, PLACE_OTHERS, &rest) || cut_prefix(folder, PLACE_SHARED, &rest);
}

enum err
imap_place_parse(struct span name, struct arena *a, struct imap_place *out)
{
	struct span rest;
	enum err err = OK;

	*out = (struct imap_place){ .space = IMAP_SPACE_OWN };
	if (name.len > 1 && name.ptr[name.len - 1] == '/')
		name.len--;
	if (cut_prefix(name, PLACE_OTHERS, &rest)) {
		out->space = IMAP_SPACE_OTHERS;
		span_cut(rest, '/', &out->owner, &out->folder);
		err = rest.len > 0 ? imap_name_check(out->owner) : OK;
		if (err == OK && is_hidden_from_owner(out->folder))
			err = ERR_SYNTAX;
	} else if (cut_prefix(name, PLACE_SHARED, &rest)) {
		out->space = IMAP_SPACE_SHARED;
		out->folder = rest;
	} else {
		out->folder = name;
		err = name.len > 0 ? OK : ERR_SYNTAX;
	}
	if (err == OK && out->folder.len > 0)
		err = imap_name_check(out->folder);
	if (err == OK && out->space != IMAP_SPACE_SHARED)
		out->folder = canonical(out->folder, a);
	return err;
}

enum err
imap_place_take(struct span wire, bool utf8, struct arena *a, struct imap_place *out)
{
	char room[PLACE_NAME_MAX];
	struct buf name = { .bytes = room, .size = sizeof(room), .max = sizeof(room) };
	enum err err = utf8 ? buf_put(&name, wire) : imap_utf7_decode(wire, &name);

	return err == OK ? imap_place_parse(arena_copy(a, buf_span(&name)), a, out) : err;
}

struct span
imap_place_name(const struct imap_place *place, struct arena *a)
{
	const char *slash = place->folder.len > 0 ? "/" : "";

	switch (place->space) {
	case IMAP_SPACE_OTHERS:
		if (place->owner.len == 0)
			return PLACE_OTHERS;
		return arena_printf(a, "%.*s/%.*s%s%.*s", SPAN_FMT(PLACE_OTHERS),
			SPAN_FMT(place->owner), slash, SPAN_FMT(place->folder));
	case IMAP_SPACE_SHARED:
		return arena_printf(a, "%.*s%s%.*s", SPAN_FMT(PLACE_SHARED), slash,
			SPAN_FMT(place->folder));
	default:
		return place->folder;
	}
}

struct span
imap_parent_name(struct span name)
{
	size_t slash = span_find_last(name, '/');

	return slash == name.len ? SPAN_NONE : span_range(name, 0, slash);
}
