/*
 * resolver_conf.c - resolv.conf for c-ares, which wants a path and opens it by itself.
 *
 * A file that was put in the place of the one of the start is closed to this process (Landlock, H55):
 * whoever owns the resolver opens it some other way, and c-ares is shown a copy.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "server/net/resolver_inside.h"

#define RESOLV_CONF_MAX (64 * 1024) /* bytes that are looked at */
#define PIECE 4096

/* FROM is a plain file: it does not block. */
static bool
copy_file(int from, int to)
{
	char bytes[PIECE];
	ssize_t n = 1;

	for (size_t all = 0; n > 0 && all < RESOLV_CONF_MAX; all += (size_t)n) {
		do
			n = read(from, bytes, sizeof(bytes));
		while (n < 0 && errno == EINTR);
		if (n < 0 || write(to, bytes, (size_t)n) != n)
			return false;
	}
	return true;
}

int
resolv_conf_copy(const struct resolver_options *options, char path[RESOLV_COPY_PATH_SIZE])
{
	int file = options->open_file ? options->open_file(options->arg, options->resolv_conf) :
		open(options->resolv_conf, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int copy = file >= 0 ? memfd_create("resolv.conf", MFD_CLOEXEC) : -1;

	if (copy >= 0 && !copy_file(file, copy)) {
		close(copy);
		copy = -1;
	}
	if (file >= 0)
		close(file);
	snprintf(path, RESOLV_COPY_PATH_SIZE, "/proc/self/fd/%d", copy);
	return copy;
}
