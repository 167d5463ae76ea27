/*
 * rule_text_inside.h - what rule_text.c and rule_condition.c share while a text is read.
 */
#ifndef CONF_RULE_TEXT_INSIDE_H
#define CONF_RULE_TEXT_INSIDE_H

#include "conf/rule_text.h"

struct rule_reading {
	struct arena *arena;
	struct conf_faults *faults;
	struct rule_set *out;
	struct rule *items;
	struct rule_condition *conditions;
	size_t condition_count;
	struct span *names;
	uint32_t *name_slots;
	struct span line;   /* the whole of it */
	uint32_t number;    /* of the line */
	size_t any_count;
	bool bad, full;
};

/* A fault in the line, at the column of AT. Always false. */
bool rule_fault(struct rule_reading *r, struct span at, const char *format, ...) PRINTF_LIKE(3, 4);

/* "[!]Field: text" into *out. False: a fault was noted. */
bool rule_condition_read(struct rule_reading *r, struct span line, struct rule_condition *out);

#endif
