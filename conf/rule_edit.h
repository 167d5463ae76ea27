/*
 * rule_edit.h - a text of rules changed in place, comments kept (SMR-02, DLR-14).
 *
 * The text falls into blocks: what stands before the first rule, then one for each rule, which begins with
 * the comments right above its definition and ends before the next block. A block moves as a whole.
 */
#ifndef CONF_RULE_EDIT_H
#define CONF_RULE_EDIT_H

#include "conf/rule_text.h"

/* The block of rule NUMBER, from 1. ERR_NOT_FOUND. Points into set->text. */
MUST_CHECK enum err rule_block(const struct rule_set *set, unsigned number, struct span *out);

/* OUT gets the text with the rule switched on or off. ERR_NOT_FOUND; ERR_LIMIT. */
MUST_CHECK enum err rule_edit_switch(
	const struct rule_set *set, unsigned number, bool on, struct buf *out);

/* OUT gets the text with the rule as number PLACE. ERR_NOT_FOUND: one of them is no rule; ERR_LIMIT. */
MUST_CHECK enum err rule_edit_move(
	const struct rule_set *set, unsigned number, unsigned place, struct buf *out);

/*
 * TEXT, the lines of one rule, stands for the definition and the conditions of rule NUMBER; comments above it stay.
 * ERR_NOT_FOUND; ERR_SYNTAX: TEXT is not one rule; ERR_LIMIT.
 */
MUST_CHECK enum err rule_edit_replace(
	const struct rule_set *set, unsigned number, struct span text, struct buf *out);

/* TEXT, the lines of one rule, becomes rule PLACE; behind the last one it is the last. Errors as above. */
MUST_CHECK enum err rule_edit_insert(
	const struct rule_set *set, unsigned place, struct span text, struct buf *out);

/* OUT gets the text without the rules that GONE has, count of the set long, with the comments above them. ERR_LIMIT. */
MUST_CHECK enum err rule_edit_remove(const struct rule_set *set, const bool *gone, struct buf *out);

#endif
