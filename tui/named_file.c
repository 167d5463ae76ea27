/*
 * named_file.c - see named_file.h.
 */
#include "tui/named_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_ROOM 4096

int
named_file_open(const char *path, bool writes)
{
	const char *home = getenv("HOME");
	char room[PATH_ROOM];

	if (strncmp(path, "~/", 2) == 0 && home) {
		snprintf(room, sizeof(room), "%s%s", home, path + 1);
		path = room;
	}
	return writes ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) :
			open(path, O_RDONLY | O_CLOEXEC);
}

const char *
named_file_why(int error)
{
	return error == EEXIST ? "is there already; give another name" : strerror(error);
}
