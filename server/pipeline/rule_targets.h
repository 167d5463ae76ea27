/*
 * rule_targets.h - whom rules send mail to: is there such a user, group, list or address?
 */
#ifndef SERVER_PIPELINE_RULE_TARGETS_H
#define SERVER_PIPELINE_RULE_TARGETS_H

#include "conf/conf.h"

struct snapshot;

/* Is it a name that is known here, or an address elsewhere? ERR_NOT_FOUND: neither. */
MUST_CHECK enum err rule_target_find(
	const struct conf *conf, struct snapshot *snap, struct span target);

/* A target that nobody knows is a bad line (contract 8): ERR_SYNTAX, with a fault for each. */
MUST_CHECK enum err rule_targets_check(const struct conf *conf, struct snapshot *snap,
	const struct rule_set *set, struct conf_faults *faults);

#endif
