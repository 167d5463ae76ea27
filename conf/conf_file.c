/*
 * conf_file.c - read whole, replaced at once.
 */
#include "conf/conf_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/conf_types.h"

static enum err
err_of_errno(void)
{
	if (errno == ENOENT || errno == ENOTDIR)
		return ERR_NOT_FOUND;
	if (errno == EACCES || errno == EPERM)
		return ERR_DENIED;
	return errno == ENOSPC || errno == EDQUOT ? ERR_FULL : ERR_IO;
}

static enum err
read_all(int fd, char *bytes, size_t size, size_t *len)
{
	*len = 0;
	while (*len < size) {
		ssize_t got = read(fd, bytes + *len, size - *len);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return ERR_IO;
		if (got == 0)
			return OK;
		*len += (size_t)got;
	}
	return OK;
}

static enum err
read_fd(int fd, size_t max, struct arena *a, struct span *out, struct stat *st)
{
	size_t size, len = 0;
	char *text;

	if (fstat(fd, st) != 0)
		return err_of_errno();
	if (!S_ISREG(st->st_mode))
		return ERR_DENIED;
	if ((uint64_t)st->st_size > max)
		return ERR_LIMIT;
	size = (size_t)st->st_size + 1; /* one more shows a file that grows */
	a->wipes = true;
	text = arena_alloc(a, size + 1);
	if (read_all(fd, text, size, &len) != OK)
		return ERR_IO;
	*out = (struct span){ text, len };
	text[len] = '\0';
	return len < size ? OK : ERR_BUSY;
}

enum err
conf_file_read(const char *path, struct arena *a, struct span *out, struct stat *st)
{
	return conf_file_read_max(path, CONF_FILE_MAX, a, out, st);
}

enum err
conf_file_read_max(
	const char *path, size_t max, struct arena *a, struct span *out, struct stat *st)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	enum err err;

	if (fd < 0)
		return err_of_errno();
	err = read_fd(fd, max, a, out, st);
	close(fd);
	return err;
}

static enum err
write_all(int fd, struct span text)
{
	while (text.len > 0) {
		ssize_t put = write(fd, text.ptr, text.len);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return err_of_errno();
		text = span_from(text, (size_t)put);
	}
	return OK;
}

static enum err
write_temp(int fd, struct span text, const struct stat *like)
{
	enum err err;

	if (like != NULL && (like->st_uid != geteuid() || like->st_gid != getegid()) &&
		fchown(fd, like->st_uid, like->st_gid) != 0)
		return err_of_errno();
	if (like != NULL && fchmod(fd, like->st_mode & 07777) != 0)
		return err_of_errno();
	err = write_all(fd, text);
	if (err == OK && fsync(fd) != 0)
		err = err_of_errno();
	return err;
}

/*
 * A name that has been renamed is there after a crash only once its folder has been synced. PATH is
 * cut to it.
 */
static enum err
sync_folder(char *path)
{
	char *slash = strrchr(path, '/');
	enum err err = OK;
	int fd;

	if (slash != NULL)
		slash[slash == path] = '\0';
	fd = open(slash != NULL ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_of_errno();
	if (fsync(fd) != 0)
		err = err_of_errno();
	close(fd);
	return err;
}

enum err
conf_file_replace(const char *path, struct span text, const struct stat *like)
{
	char temp[PATH_MAX];
	enum err err;
	int fd;

	if ((size_t)snprintf(temp, sizeof(temp), "%s.XXXXXX", path) >= sizeof(temp))
		return ERR_IO;
	fd = mkostemp(temp, O_CLOEXEC); /* mode 0600 */
	if (fd < 0)
		return err_of_errno();
	err = write_temp(fd, text, like);
	if (close(fd) != 0 && err == OK)
		err = err_of_errno();
	if (err == OK && rename(temp, path) != 0)
		err = err_of_errno();
	if (err != OK) {
		unlink(temp);
		return err;
	}
	return sync_folder(temp);
}
