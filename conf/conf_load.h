/*
 * conf_load.h - configuration text to a checked generation (CFG-01, H60).
 */
#ifndef CONF_CONF_LOAD_H
#define CONF_CONF_LOAD_H

#include "conf/conf.h"
#include "conf/conf_faults.h"

/*
 * Read YAML (UTF-8, at most CONF_FILE_MAX bytes) into a new generation.
 *
 * FAULTS has been initialised by the caller; faults and warnings are added to it. ERR_SYNTAX: at
 * least one fault, *out is NULL. ERR_LIMIT: the text is too big, deep or many (also a fault).
 * With OK the caller owns *out (conf_free). No anchors, aliases, tags, directives, second
 * documents, duplicate or unknown keys; a section may be empty.
 */
MUST_CHECK enum err conf_load(struct span yaml, struct conf **out, struct conf_faults *faults);

/*
 * The same from a file, with the checks of H60 and CFG-05: a regular file owned by root or by
 * OWNER, not writable by group or others; with a password in it not readable by others.  Faults of
 * the file itself have line 0. ERR_NOT_FOUND, ERR_DENIED, ERR_IO besides those above; a fault says
 * why in words.
 */
MUST_CHECK enum err conf_load_file(
	const char *path, unsigned owner, struct conf **out, struct conf_faults *faults);

#endif
