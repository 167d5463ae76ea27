/*
 * conf_rules.h - the rule files that lie beside the configuration, read into its generation.
 */
#ifndef CONF_CONF_RULES_H
#define CONF_CONF_RULES_H

#include "conf/conf.h"
#include "conf/conf_faults.h"

/* Where a rule file lies: PATH, of a setting, is relative to the folder of the configuration. In A. */
const char *conf_rules_path(struct arena *a, const char *conf_path, struct span path);

/*
 * Read TEXT into conf->lan_rules, in the generation's arena. Errors and FAULTS as lan_rules_parse(); then
 * the generation has no rules.
 */
MUST_CHECK enum err conf_rules_take(
	struct conf *conf, struct span text, struct conf_faults *faults);

/* The same from the file of rules.lan; a file that is not there has no rules. Also ERR_DENIED, ERR_IO. */
MUST_CHECK enum err conf_rules_load(
	struct conf *conf, const char *conf_path, struct conf_faults *faults);

#endif
