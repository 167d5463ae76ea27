/*
 * conf_rules.h - the rule files that lie beside the configuration, read into its generation.
 *
 * Each kind of rules is a row here: which setting names its file, and what reads it. All else (history,
 * undo, watching, what is shown of a bad text) is the same for all.
 */
#ifndef CONF_CONF_RULES_H
#define CONF_CONF_RULES_H

#include "conf/conf.h"
#include "conf/conf_faults.h"
#include "conf/conf_history.h"

/* X(id, what, setting, words): the numbers are kept in the log of changes, so add at the end. Words: of `WORDS check`. */
#define RULE_FILES(X) \
	X(LAN, "LAN rules", rules_lan, "route lan") \
	X(SMTP, "SMTP rules", rules_smtp, "rule smtp") \
	X(CONTENT, "content rules", rules_content, "rule content") \
	X(DOWNLOAD, "download rules", rules_download, "rule download")

enum rule_file {
#define X(id, ...) RULE_FILE_##id,
	RULE_FILES(X)
#undef X
	RULE_FILE_COUNT
};

#define RULE_FILE_TEXT_MAX (10 * 1024 * 1024) /* bytes (H75) */

const char *conf_rules_name(enum rule_file file); /* "LAN rules" */
const char *conf_rules_words(enum rule_file file); /* "route lan" */

/* Where a rule file lies: its setting in CONF is relative to the folder of the configuration. In A. */
const char *conf_rules_path(
	struct arena *a, const char *conf_path, const struct conf *conf, enum rule_file file);

struct span conf_rules_text(const struct conf *conf, enum rule_file file); /* in force; never NULL */
size_t conf_rules_count(const struct conf *conf, enum rule_file file);

/* Of the files in a rule language (rule_text.h): the language, and its rules in force. Of others 0 and NULL. */
unsigned conf_rules_language(enum rule_file file);
const struct rule_set *conf_rules_set(const struct conf *conf, enum rule_file file);

/*
 * Read TEXT into CONF, in the generation's arena. ERR_SYNTAX, ERR_LIMIT, with FAULTS; then the generation
 * has no such rules.
 */
MUST_CHECK enum err conf_rules_take(struct conf *conf, enum rule_file file, struct span text,
	struct conf_faults *faults);

/* The same from its file; one that is not there has no rules. Also ERR_DENIED, ERR_IO. */
MUST_CHECK enum err conf_rules_load(struct conf *conf, enum rule_file file, const char *conf_path,
	struct conf_faults *faults);

/* Read TEXT and forget it: is it good? Errors and FAULTS as above. */
MUST_CHECK enum err conf_rules_check(
	enum rule_file file, struct span text, size_t *count, struct conf_faults *faults);

/*
 * Replace the rule file at PATH, which is made with its folder where it is not there; what it was goes
 * into its history first (conf_history.h), as change *NUMBER; 0: it was TEXT already. TEXT has been checked.
 * ERR_BUSY: the file is not LAST_READ any more. ERR_IO, ERR_FULL, ERR_DENIED.
 */
MUST_CHECK enum err conf_rules_save(const char *path, struct span last_read, struct span text,
	const struct conf_note *note, uint32_t *number);

/* A change of a rule file that is taken back. */
struct conf_rules_undo {
	enum rule_file file;
	const char *path;
	uint32_t before;       /* it becomes what it was before that change */
	struct span last_read;
};
/* Also ERR_NOT_FOUND, and ERR_SYNTAX with FAULTS. *NUMBER as above. */
MUST_CHECK enum err conf_rules_undo(const struct conf_rules_undo *undo, const struct conf_note *note,
	uint32_t *number, struct conf_faults *faults);

/*
 * The text that was last in force, kept beside the history, so that a start finds it where the file has
 * become bad (SMR-14). Keeping writes only what differs. ERR_NOT_FOUND, ERR_IO.
 */
MUST_CHECK enum err conf_rules_keep(const char *path, struct span text);
MUST_CHECK enum err conf_rules_kept(const char *path, struct arena *a, struct span *text);

#endif
