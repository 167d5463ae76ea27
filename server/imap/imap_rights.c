/*
 * imap_rights.c - rights as letters, identifiers as users, groups and anyone.
 */
#include "server/imap/imap_rights.h"

#include "store/groups.h"

#define GROUP_PREFIX SPAN("group:")

static const struct {
	char letter;
	uint32_t rights;
} virtual_rights[] = {
	{ 'c', RIGHT_CREATE | RIGHT_DELETE },
	{ 'd', RIGHT_DELETED | RIGHT_EXPUNGE },
};

struct span
imap_rights_format(uint32_t rights, char text[RIGHTS_TEXT_SIZE])
{
	struct span letters = SPAN(RIGHTS_LETTERS);
	size_t len = 0;

	for (size_t i = 0; i < letters.len; i++)
		if (rights & (1u << i))
			text[len++] = letters.ptr[i];
	for (size_t i = 0; i < COUNT(virtual_rights); i++)
		if (rights & virtual_rights[i].rights)
			text[len++] = virtual_rights[i].letter;
	return (struct span){ text, len };
}

static uint32_t
rights_of_letter(char letter)
{
	struct span letters = SPAN(RIGHTS_LETTERS);
	size_t at = span_find(letters, letter);

	if (at < letters.len)
		return 1u << at;
	for (size_t i = 0; i < COUNT(virtual_rights); i++)
		if (virtual_rights[i].letter == letter)
			return virtual_rights[i].rights;
	return 0;
}

enum err
imap_rights_parse(struct span text, enum rights_mode *mode, uint32_t *rights)
{
	*mode = RIGHTS_REPLACE;
	*rights = 0;
	if (text.len > 0 && (text.ptr[0] == '+' || text.ptr[0] == '-')) {
		*mode = text.ptr[0] == '+' ? RIGHTS_ADD : RIGHTS_TAKE;
		text = span_from(text, 1);
	}
	for (size_t i = 0; i < text.len; i++) {
		uint32_t some = rights_of_letter(text.ptr[i]);

		if (some == 0)
			return ERR_SYNTAX;
		*rights |= some;
	}
	return OK;
}

uint32_t
imap_rights_change(uint32_t old, enum rights_mode mode, uint32_t rights)
{
	switch (mode) {
	case RIGHTS_ADD:
		return old | rights;
	case RIGHTS_TAKE:
		return old & ~rights;
	default:
		return rights;
	}
}

/* ---- identifiers ---- */

static enum err
find_group(struct snapshot *snap, struct span name, uint64_t *id)
{
	struct group group;
	enum err err = group_find_by_name(snap, name, &group);

	*id = err == OK ? group.group_id : 0;
	return err;
}

static enum err
find_user(struct snapshot *snap, struct span name, uint64_t *id)
{
	struct user user;
	enum err err = user_find_by_name(snap, name, &user);

	*id = err == OK ? user.user_id : 0;
	return err;
}

enum err
imap_subject_find(struct snapshot *snap, struct span identifier, struct imap_subject *out)
{
	*out = (struct imap_subject){ .kind = RIGHT_OF_USER };
	if (span_starts(identifier, SPAN("-"))) {
		out->denies = true;
		identifier = span_from(identifier, 1);
	}
	if (identifier.len == 0)
		return ERR_SYNTAX;
	if (span_eq_nocase(identifier, SPAN("anyone"))) {
		out->kind = RIGHT_OF_ANYONE;
		return OK;
	}
	if (!span_starts_nocase(identifier, GROUP_PREFIX))
		return find_user(snap, identifier, &out->id);
	out->kind = RIGHT_OF_GROUP;
	return find_group(snap, span_from(identifier, GROUP_PREFIX.len), &out->id);
}

enum err
imap_subject_name(struct snapshot *snap, const struct imap_subject *subject, struct arena *a,
	struct span *out)
{
	const char *sign = subject->denies ? "-" : "";
	struct group group;
	struct user user;
	enum err err = OK;

	if (subject->kind == RIGHT_OF_ANYONE) {
		*out = arena_printf(a, "%sanyone", sign);
	} else if (subject->kind == RIGHT_OF_GROUP) {
		err = group_find(snap, subject->id, &group);
		if (err == OK)
			*out = arena_printf(a, "%s%.*s%.*s", sign, SPAN_FMT(GROUP_PREFIX),
				SPAN_FMT(group.name));
	} else {
		err = user_find(snap, subject->id, &user);
		if (err == OK && user.removed_ms != 0)
			err = ERR_NOT_FOUND;
		if (err == OK)
			*out = arena_printf(a, "%s%.*s", sign, SPAN_FMT(user.name));
	}
	return err;
}
