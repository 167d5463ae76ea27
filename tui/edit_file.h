/*
 * edit_file.h - a text in a private file for the time of its editing: 0600, in a folder of its own, 0700.
 */
#ifndef TUI_EDIT_FILE_H
#define TUI_EDIT_FILE_H

#include <stdbool.h>

#include "proto/base/arena.h"

struct edit_file {
	const char *folder, *path; /* in the arena; NULL: there is none */
};

/* TEXT in a file called NAME, in a new folder of $TMPDIR or /tmp. False: errno says why, and nothing is left. */
bool edit_file_make(struct arena *a, const char *name, struct span text, struct edit_file *out);
/* All of the regular file PATH in A, which wipes it. ERR_LIMIT: over MAX bytes; ERR_IO: errno says why. */
MUST_CHECK enum err edit_file_read(const char *path, size_t max, struct arena *a, struct span *out);
/* The edited file goes out of the folder, beside it, to stay. Its path in A; NULL: errno says why. */
const char *edit_file_keep(struct edit_file *file, struct arena *a);
/* The folder goes, with all that the editor left in it. */
void edit_file_remove(struct edit_file *file);

#endif
