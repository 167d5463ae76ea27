/*
 * conf_diff.h - what differs between two configuration texts, for people; secrets are masked.
 */
#ifndef CONF_CONF_DIFF_H
#define CONF_CONF_DIFF_H

#include "conf/conf.h"

#define CONF_DIFF_CONTEXT 3       /* lines around a change */
#define CONF_DIFF_CELLS 4000000   /* above this product of lines the middle is shown as a whole */

/*
 * Put a unified diff of OLD and NEW, without its file header; nothing where they are equal.
 * Passwords are shown as **** on either side, though a change of one shows (H66). ERR_SYNTAX: one
 * of them is no readable YAML, so its secrets cannot be told. ERR_LIMIT: OUT is full.
 */
MUST_CHECK enum err conf_diff(struct span old, struct span new, struct buf *out);

#endif
