/*
 * header_edit.c - a header with some of it changed.
 */
#include "proto/mail/header_edit.h"

#include "proto/base/ascii.h"

static bool
is_named(struct span name, const struct span *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (span_eq_nocase(names[i], name))
			return true;
	return false;
}

static struct span
between(const char *from, const char *to)
{
	return (struct span){ from, (size_t)(to - from) };
}

/* ---- addresses ---- */

/* One field's value; *kept is how far HEADER was written. */
static enum err
map_value(struct buf *out, struct span value, const struct header_addresses *all, size_t *looked_at,
	const char **kept)
{
	struct header_mailbox mailbox;

	while (header_next_mailbox(&value, &mailbox)) {
		struct span to;

		if (++*looked_at > all->max)
			return ERR_LIMIT;
		to = all->map(all->arg, mailbox.address);
		if (!to.ptr)
			continue;
		if (buf_put(out, between(*kept, mailbox.address.ptr)) != OK || buf_put(out, to) != OK)
			return ERR_LIMIT;
		*kept = mailbox.address.ptr + mailbox.address.len;
	}
	return OK;
}

enum err
header_put_mapped(
	struct buf *out, struct span header, const struct header_addresses *addresses)
{
	const char *kept = header.ptr;
	struct span rest = header;
	struct header_field field;
	size_t looked_at = 0;
	enum err err = OK;

	while (err == OK && header_next(&rest, &field))
		if (is_named(field.name, addresses->names, addresses->name_count))
			err = map_value(out, field.value, addresses, &looked_at, &kept);
	return err == OK ? buf_put(out, between(kept, header.ptr + header.len)) : err;
}

/* ---- fields ---- */

enum err
header_modifier_parse(struct span line, struct header_modifier *out)
{
	if (!span_cut(line, ':', &out->name, &out->value) || out->name.len == 0 ||
		span_has_control(line, SPAN("\t")))
		return ERR_SYNTAX;
	out->value = span_trim(out->value);
	for (size_t i = 0; i < out->name.len; i++)
		if (out->name.ptr[i] <= ' ' || ascii_is_8bit(out->name.ptr[i]))
			return ERR_SYNTAX;
	return OK;
}

struct span
header_modifier_fill(struct arena *a, struct span value, const struct header_originator *from)
{
	struct span done = SPAN_NONE;

	while (value.len > 0) {
		size_t len = span_find(value, '%');
		char c = len + 1 < value.len ? value.ptr[len + 1] : '\0';
		struct span fill = span_range(value, len, len + 1);

		if (c == 'O' || c == 'N')
			fill = c == 'O' ? from->address : from->name;
		done = arena_printf(a, "%.*s%.*s%.*s", SPAN_FMT(done),
			SPAN_FMT(span_range(value, 0, len)), SPAN_FMT(fill));
		value = span_from(value, len + 1 + (c == 'O' || c == 'N' || c == '%'));
	}
	return done;
}

static struct header_modifier *
modifier_of(struct span name, struct header_modifier *modifiers, size_t count)
{
	for (size_t i = count; i-- > 0;)
		if (span_eq_nocase(modifiers[i].name, name))
			return &modifiers[i];
	return NULL;
}

static enum err
put_value(struct buf *out, const struct header_modifier *modifier)
{
	return modifier->value.len > 0 ? header_put_text(out, modifier->name, modifier->value) : OK;
}

/* Those that no field of the header has. */
static enum err
put_new(struct buf *out, struct header_modifier *modifiers, size_t count)
{
	enum err err = OK;

	for (size_t i = 0; i < count && err == OK; i++)
		if (!modifiers[i].found &&
			modifier_of(modifiers[i].name, modifiers, count) == &modifiers[i])
			err = put_value(out, &modifiers[i]);
	return err;
}

/* Where the empty line begins, or the end. */
static const char *
fields_end(struct span header)
{
	struct span rest = header;
	struct header_field field;

	while (header_next(&rest, &field))
		continue;
	return rest.len > 0 ? rest.ptr : header.ptr + header.len;
}

enum err
header_put_modified(
	struct buf *out, struct span header, struct header_modifier *modifiers, size_t count)
{
	const char *kept = header.ptr, *end = fields_end(header);
	struct span rest = header;
	struct header_field field;
	enum err err = OK;

	while (err == OK && header_next(&rest, &field)) {
		struct header_modifier *modifier = modifier_of(field.name, modifiers, count);

		if (!modifier)
			continue;
		err = buf_put(out, between(kept, field.raw.ptr));
		if (err == OK && !modifier->found)
			err = put_value(out, modifier);
		modifier->found = true;
		kept = field.raw.ptr + field.raw.len;
	}
	if (err == OK)
		err = buf_put(out, between(kept, end));
	if (err == OK)
		err = put_new(out, modifiers, count);
	return err == OK ? buf_put(out, between(end, header.ptr + header.len)) : err;
}
