/*
 * conf_history.h - numbered copies of the file as it was before each change.
 *
 * PATH.history/ (mode 0700) holds 00000001.yaml, the text before change 1, and 00000001.note with
 * when, who and what. At most CONF_HISTORY_KEEP stay; numbers are never used again.
 */
#ifndef CONF_CONF_HISTORY_H
#define CONF_CONF_HISTORY_H

#include "conf/conf_edit.h"

#define CONF_HISTORY_KEEP 100
#define CONF_NOTE_MAX 500 /* bytes of who, and of what */

struct conf_past {
	uint32_t number;
	struct conf_note note;
};

/* Keep TEXT, what the file was before the change that NOTE tells of. ERR_IO. */
MUST_CHECK enum err conf_history_add(
	const char *path, struct span text, const struct conf_note *note, uint32_t *number);

/* All changes, the latest first, in A; none is no error. ERR_IO. */
MUST_CHECK enum err conf_history_list(
	const char *path, struct arena *a, struct conf_past **out, size_t *count);

/* The text before change NUMBER, in A. ERR_NOT_FOUND, ERR_IO. */
MUST_CHECK enum err conf_history_text(
	const char *path, uint32_t number, struct arena *a, struct span *out);

/*
 * Make the file what it was before change NUMBER (0: the last one), as a change of its own.
 * ERR_NOT_FOUND; ERR_BUSY, the file is no longer LAST_READ; ERR_SYNTAX, the old text is refused
 * today; ERR_IO. OUT gets the new text.
 */
MUST_CHECK enum err conf_history_undo(const char *path, uint32_t number, struct span last_read,
	const struct conf_note *note, struct buf *out, struct conf_faults *faults);

/*
 * The file is again what it was before change NUMBER, the last one, which is forgotten: nobody took
 * it. ERR_NOT_FOUND, ERR_IO, ERR_FULL.
 */
MUST_CHECK enum err conf_history_take_back(const char *path, uint32_t number);

#endif
