/*
 * conf_file.h - the file itself: read whole with its owner and mode, replaced at once.
 *
 * EINTR and short reads and writes are settled here (H76).
 */
#ifndef CONF_CONF_FILE_H
#define CONF_CONF_FILE_H

#include <sys/stat.h>

#include "proto/base/arena.h"
#include "proto/base/span.h"

/*
 * The text in A, 0-terminated beyond its end, and what fstat said. ERR_NOT_FOUND, ERR_DENIED,
 * ERR_LIMIT (over CONF_FILE_MAX), ERR_IO. A is overwritten when it is reset.
 */
MUST_CHECK enum err conf_file_read(
	const char *path, struct arena *a, struct span *out, struct stat *st);

/* The same for a file of up to MAX bytes. */
MUST_CHECK enum err conf_file_read_max(
	const char *path, size_t max, struct arena *a, struct span *out, struct stat *st);

/*
 * Write TEXT beside PATH, sync it, rename it over PATH and sync the folder (after a crash: the old
 * file or the new). LIKE gives owner and mode; NULL: ours and 0600. ERR_IO, ERR_FULL.
 */
MUST_CHECK enum err conf_file_replace(const char *path, struct span text, const struct stat *like);

#endif
