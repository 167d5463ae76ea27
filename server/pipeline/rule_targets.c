/*
 * rule_targets.c - whom rules send mail to.
 */
#include "server/pipeline/rule_targets.h"

#include "server/pipeline/names.h"
#include "store/names.h"

enum err
rule_target_find(const struct conf *conf, struct snapshot *snap, struct span target)
{
	struct span name = target;
	struct address address;
	struct name_row row;
	struct arena arena;
	enum err err;

	if (span_find(target, '@') < target.len) {
		arena_init(&arena, NULL);
		err = address_parse(&arena, target, &address);
		name = err == OK && conf_is_local(conf, address.local_part, address.domain)
			? span_range(target, 0, span_find_last(target, '@')) : SPAN_NONE;
		arena_reset(&arena);
		if (err != OK || name.ptr == NULL)
			return err == OK ? OK : ERR_NOT_FOUND;
	}
	if (names_builtin(name) != BUILTIN_NONE)
		return OK;
	err = name_find(snap, name, &row);
	return err == ERR_LIMIT || err == ERR_SYNTAX ? ERR_NOT_FOUND : err;
}

enum err
rule_targets_check(const struct conf *conf, struct snapshot *snap, const struct rule_set *set,
	struct conf_faults *faults)
{
	enum err all = OK;

	for (size_t i = 0; i < set->count && (all == OK || all == ERR_SYNTAX); i++) {
		const struct rule *rule = &set->items[i];
		enum err err = rule->target.len > 0 ? rule_target_find(conf, snap, rule->target) : OK;

		if (err == ERR_NOT_FOUND && rule->off)
			continue; /* it sends nothing there */
		if (err == ERR_NOT_FOUND)
			conf_fault_add(faults, (struct yaml_place){ .line = rule->line, .column = 1 },
				SPAN_NONE, "nobody here is called %.*s", SPAN_FMT(rule->target));
		if (err != OK)
			all = err == ERR_NOT_FOUND ? ERR_SYNTAX : err;
	}
	return all;
}
