/*
 * control_rights.c - rights as sets of bits, and their names.
 */
#include "proto/control/control_rights.h"

static const struct {
	const char *name;
	enum control_level level;
} rights_table[] = {
#define X(id, name, level) [CONTROL_RIGHT_##id] = { name, CONTROL_##level },
	CONTROL_RIGHTS(X)
#undef X
};

static const char *const level_names[] = {
	[CONTROL_NOBODY] = "nobody",
	[CONTROL_VIEWER] = "viewer",
	[CONTROL_OPERATOR] = "operator",
	[CONTROL_ADMINISTRATOR] = "administrator",
	[CONTROL_NAMED] = "by name",
};

control_rights
control_rights_of(enum control_level level)
{
	control_rights rights = 0;

	for (size_t i = 0; i < COUNT(rights_table); i++)
		if (rights_table[i].level <= level && rights_table[i].level != CONTROL_NAMED)
			rights |= CONTROL_RIGHT_BIT(i);
	return rights;
}

bool
control_rights_have(control_rights rights, enum control_right right)
{
	return right == CONTROL_RIGHT_NONE || (rights & CONTROL_RIGHT_BIT(right));
}

const char *
control_right_name(enum control_right right)
{
	ENSURE((size_t)right < COUNT(rights_table));
	return rights_table[right].name;
}

const char *
control_level_name(enum control_level level)
{
	ENSURE((size_t)level < COUNT(level_names));
	return level_names[level];
}

enum err
control_right_find(struct span name, enum control_right *out)
{
	for (size_t i = 0; i < COUNT(rights_table); i++) {
		if (rights_table[i].name[0] && span_eq(span_of(rights_table[i].name), name)) {
			*out = (enum control_right)i;
			return OK;
		}
	}
	return ERR_NOT_FOUND;
}

enum err
control_level_find(struct span name, enum control_level *out)
{
	for (size_t i = 0; i < CONTROL_NAMED; i++) {
		if (span_eq(span_of(level_names[i]), name)) {
			*out = (enum control_level)i;
			return OK;
		}
	}
	return ERR_NOT_FOUND;
}
