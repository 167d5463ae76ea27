/*
 * named_file.h - a file that a person names in the console; ~/ is his home.
 */
#ifndef TUI_NAMED_FILE_H
#define TUI_NAMED_FILE_H

#include <stdbool.h>

/* To be read, or to be written: then it must be new, and only he may read it. -1 with errno. */
int named_file_open(const char *path, bool writes);
/* Why it could not be opened, for people. */
const char *named_file_why(int error);

#endif
