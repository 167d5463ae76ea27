/*
 * read_file.h - a message out of a file, whole.
 */
#ifndef TESTS_MIME_READ_FILE_H
#define TESTS_MIME_READ_FILE_H

#include <stdio.h>
#include <stdlib.h>

#include "proto/base/arena.h"

#define FILE_MAX_ (64u << 20)

/* Into A; ends the program where it cannot be read. */
static inline struct span
read_file(struct arena *a, const char *path)
{
	FILE *file = fopen(path, "rb");
	char *bytes;
	long size;

	if (!file || fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0 ||
		size > (long)FILE_MAX_ || fseek(file, 0, SEEK_SET) != 0) {
		perror(path);
		exit(1);
	}
	bytes = arena_alloc(a, (size_t)size + 1);
	if (fread(bytes, 1, (size_t)size, file) != (size_t)size) {
		perror(path);
		exit(1);
	}
	fclose(file);
	return (struct span){ bytes, (size_t)size };
}

#endif
