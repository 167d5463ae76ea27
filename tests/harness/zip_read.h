/*
 * zip_read.h - a zip archive as a reader sees it, from its end (APPNOTE 6.3.9, 4.3): for the tests of what writes one.
 */
#ifndef TESTS_HARNESS_ZIP_READ_H
#define TESTS_HARNESS_ZIP_READ_H

#include "proto/base/arena.h"

struct zip_found {
	struct span name, text; /* the text unpacked, its sizes and sum compared */
};

/* TEXT is the end of an archive whose first BEFORE bytes are not there. Stops the program where it is no good zip. */
uint64_t zip_read_count(struct span text, uint64_t before);
/* Its members, in the order of the directory, in A. */
struct zip_found *zip_read(struct arena *a, struct span text, uint64_t before);

#endif
