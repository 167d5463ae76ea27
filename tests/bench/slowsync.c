/*
 * slowsync.c - a preloaded library that makes each sync of a program take longer, and counts them.
 *
 * A virtual disk answers a flush in 50 us, a drive takes up to 10 ms.  /etc/slowsync, in a mount
 * namespace of the measured server's own, holds the microseconds to add to each sync and the path
 * of a file of 8 zero bytes for the count, shared by all its processes.  It is no part of the
 * server.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static uint64_t nobody;
static uint64_t *count = &nobody;
static long added_us;

__attribute__((constructor)) static void
slowsync_init(void)
{
	FILE *settings = fopen("/etc/slowsync", "re");
	char path[512] = "";
	void *shared;
	int fd;

	if (!settings)
		return;
	if (fscanf(settings, "%ld %511s", &added_us, path) != 2)
		added_us = 0;
	fclose(settings);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return;
	shared = mmap(NULL, sizeof(*count), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (shared != MAP_FAILED)
		count = shared;
}

static void
slow_down(void)
{
	struct timespec t = {added_us / 1000000, added_us % 1000000 * 1000};

	__atomic_add_fetch(count, 1, __ATOMIC_RELAXED);
	if (added_us)
		nanosleep(&t, NULL);
}

static void *
real(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

int
fsync(int fd)
{
	static int (*next)(int);

	if (!next)
		next = (int (*)(int))real("fsync");
	slow_down();
	return next(fd);
}

int
fdatasync(int fd)
{
	static int (*next)(int);

	if (!next)
		next = (int (*)(int))real("fdatasync");
	slow_down();
	return next(fd);
}

/* A write to a descriptor opened with O_DSYNC is a sync as well; LMDB writes its meta page so. */
ssize_t
pwrite(int fd, const void *bytes, size_t size, off_t at)
{
	static ssize_t (*next)(int, const void *, size_t, off_t);

	if (!next)
		next = (ssize_t(*)(int, const void *, size_t, off_t))real("pwrite");
	if (fcntl(fd, F_GETFL) & O_DSYNC)
		slow_down();
	return next(fd, bytes, size, at);
}

ssize_t
pwrite64(int fd, const void *bytes, size_t size, off64_t at)
{
	return pwrite(fd, bytes, size, at);
}

int
msync(void *start, size_t size, int flags)
{
	static int (*next)(void *, size_t, int);

	if (!next)
		next = (int (*)(void *, size_t, int))real("msync");
	if (flags & MS_SYNC)
		slow_down();
	return next(start, size, flags);
}
