/*
 * conf_rules.h - the rule files that lie beside the configuration, read into its generation.
 */
#ifndef CONF_CONF_RULES_H
#define CONF_CONF_RULES_H

#include "conf/conf.h"
#include "conf/conf_faults.h"
#include "conf/conf_history.h"

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

/* Read TEXT as LAN rules and forget them: is it good? Errors and FAULTS as above. */
MUST_CHECK enum err conf_rules_check(struct span text, size_t *count, struct conf_faults *faults);

/*
 * Replace the rule file at PATH, which is made with its folder where it is not there; what it was goes
 * into its history first (conf_history.h), as change *NUMBER; 0: it was TEXT already. TEXT has been checked.
 * ERR_BUSY: the file is not LAST_READ any more. ERR_IO, ERR_FULL, ERR_DENIED.
 */
MUST_CHECK enum err conf_rules_save(const char *path, struct span last_read, struct span text,
	const struct conf_note *note, uint32_t *number);

/* Make it what it was before change BEFORE; also ERR_NOT_FOUND, and ERR_SYNTAX with FAULTS. */
MUST_CHECK enum err conf_rules_undo(const char *path, uint32_t before, struct span last_read,
	const struct conf_note *note, uint32_t *number, struct conf_faults *faults);

#endif
