/*
 * store_dir.c - the directory of the store: rights, file system, locks.
 */
#include "store/store_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "proto/base/span.h"

#define SERVER_LOCK "server.lock"
#define USE_LOCK "use.lock"

/* statfs(2): what is not on a disk of this machine, so that fsync and mmap promise less (H53). */
static const struct {
	uint64_t magic;
	const char *name;
} network_fs[] = {
	{ 0x6969, "nfs" },
	{ 0xff534d42, "cifs" },
	{ 0xfe534d42, "smb2" },
	{ 0x517b, "smb" },
	{ 0x65735546, "fuse" },
	{ 0x01021997, "9p" },
	{ 0x00c36400, "ceph" },
	{ 0x5346414f, "afs" },
	{ 0x73757245, "coda" },
	{ 0x564c, "ncp" },
};

const char *
store_network_fs(uint64_t magic)
{
	for (size_t i = 0; i < COUNT(network_fs); i++)
		if (network_fs[i].magic == (uint32_t)magic)
			return network_fs[i].name;
	return NULL;
}

enum err
store_fault_set(struct store_fault *why, enum err err, const char *format, ...)
{
	va_list args;

	why->err = err;
	va_start(args, format);
	vsnprintf(why->text, sizeof(why->text), format, args);
	va_end(args);
	return err;
}

enum err
store_dir_path(const char *dir, const char *name, char *path, size_t size)
{
	int len = snprintf(path, size, "%s/%s", dir, name);

	return len < 0 || (size_t)len >= size ? ERR_LIMIT : OK;
}

enum err
store_dir_sync(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc;

	if (fd < 0)
		return ERR_IO;
	rc = fsync(fd);
	close(fd);
	return rc == 0 ? OK : ERR_IO;
}

static enum err
make_dir(const char *path, struct store_fault *why)
{
	char parent[STORE_PATH_MAX];

	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return store_fault_set(
			why, ERR_IO, "%s: cannot make the directory: %s", path, strerror(errno));
	if (store_dir_path(path, "..", parent, sizeof(parent)) != OK ||
		store_dir_sync(parent) != OK)
		return store_fault_set(why, ERR_IO, "%s: cannot sync the directory above: %s", path,
			strerror(errno));
	return OK;
}

static enum err
check_fs(const struct store_options *options, struct store_fault *why)
{
	struct statfs fs;
	const char *name;

	if (statfs(options->path, &fs) != 0)
		return store_fault_set(why, ERR_IO, "%s: %s", options->path, strerror(errno));
	name = store_network_fs((uint64_t)fs.f_type);
	if (name && !options->allow_network_fs)
		return store_fault_set(why, ERR_DENIED,
			"%s: on a network file system (%s), where mail is not safe (move it to a "
			"local disk, or set store.allow_network_fs)",
			options->path, name);
	return OK;
}

enum err
store_dir_prepare(const struct store_options *options, bool *loose, struct store_fault *why)
{
	struct stat st;
	bool missing = stat(options->path, &st) != 0;

	*loose = false;
	if (missing && (errno != ENOENT || options->mode == STORE_CHECK))
		return store_fault_set(why, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %s",
			options->path, strerror(errno));
	if (missing && make_dir(options->path, why) != OK)
		return ERR_IO;
	if (!missing && !S_ISDIR(st.st_mode))
		return store_fault_set(
			why, ERR_IO, "%s: not a directory (see `data`)", options->path);
	*loose = !missing && st.st_mode & 077;
	if (*loose && options->mode != STORE_CHECK && chmod(options->path, 0700) != 0)
		return store_fault_set(why, ERR_IO,
			"%s: others may look into it and the mode cannot be changed: %s",
			options->path, strerror(errno));
	return check_fs(options, why);
}

/* Who wrote his number into the lock that we did not get; 0 where nobody did. */
static long
holder_of(int fd)
{
	char text[24] = "";
	long pid = 0;

	if (pread(fd, text, sizeof(text) - 1, 0) > 0 && sscanf(text, "%ld", &pid) != 1)
		pid = 0;
	return pid;
}

static enum err
lock_busy(const char *dir, int fd, struct store_fault *why)
{
	long pid = holder_of(fd);
	char text[40] = "";

	if (pid > 0)
		snprintf(text, sizeof(text), ", process %ld", pid);
	return store_fault_set(why, ERR_BUSY,
		"%s: in use by another postroomd%s (stop it first, or give this one another "
		"`data`)",
		dir, text);
}

static enum err
take_lock(const char *dir, const char *name, int operation, int *out, struct store_fault *why)
{
	char path[STORE_PATH_MAX];
	int fd;

	if (store_dir_path(dir, name, path, sizeof(path)) != OK)
		return store_fault_set(why, ERR_IO, "%s: the path is too long", dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return store_fault_set(why, ERR_IO,
			"%s: %s (the server must be able to write there, see `data`)", path,
			strerror(errno));
	if (flock(fd, operation | LOCK_NB) != 0) {
		enum err err = errno == EWOULDBLOCK
			? lock_busy(dir, fd, why)
			: store_fault_set(why, ERR_IO, "%s: %s", path, strerror(errno));

		close(fd);
		return err;
	}
	*out = fd;
	return OK;
}

/* Only for the text of the next one who is refused; the lock itself does not need it. */
static void
leave_name(int fd)
{
	char text[24];
	int len = snprintf(text, sizeof(text), "%ld\n", (long)getpid());

	if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)len, 0) != len)
		return; /* then the text has no number */
}

enum err
store_dir_lock(const struct store_options *options, int *server_lock, int *use_lock,
	struct store_fault *why)
{
	int use = options->mode == STORE_EXCLUSIVE ? LOCK_EX : LOCK_SH;
	enum err err;

	*server_lock = *use_lock = -1;
	if (options->mode != STORE_CHECK) {
		err = take_lock(options->path, SERVER_LOCK, LOCK_EX, server_lock, why);
		if (err != OK)
			return err;
		leave_name(*server_lock);
	}
	err = take_lock(options->path, USE_LOCK, use, use_lock, why);
	if (err != OK)
		store_dir_unlock(server_lock, use_lock);
	return err;
}

void
store_dir_unlock(int *server_lock, int *use_lock)
{
	if (*use_lock >= 0)
		close(*use_lock);
	if (*server_lock >= 0)
		close(*server_lock);
	*server_lock = *use_lock = -1;
}
