/*
 * spool_door_files.c - the folders and files of a door (spool_door.h): found, made, written, synced, named. On a worker.
 */
#include "server/queue/spool_door_inside.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/base/ascii.h"
#include "server/net/random.h"

#define NAME_SIZE 41 /* 20 bytes of the hash, in hexadecimal digits */
#define USER_MAX 200 /* bytes of a folder's name */

static bool
failed(struct spool_door *d, const char *what)
{
	snprintf(d->why, sizeof(d->why), "%s: %s", what, strerror(errno));
	return false;
}

static bool
write_all(struct spool_door *d, struct spool_file *f, struct span text)
{
	size_t at = 0;

	while (at < text.len) {
		ssize_t n = write(f->fd, text.ptr + at, text.len - at);

		if (n < 0 && errno != EINTR)
			return failed(d, "cannot write a file");
		at += n > 0 ? (size_t)n : 0;
	}
	return true;
}

/* The folder PATH, not by a link: who shares it must not lead mail elsewhere. */
static int
open_folder(const char *path)
{
	return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static bool
sync_folder(const char *path)
{
	int fd = open_folder(path);
	bool ok = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	return ok;
}

/* What a group may do there the other server may, whatever the umask of this one (FXF-03). */
static bool
share(int fd, mode_t rights)
{
	struct stat st;

	return fstat(fd, &st) == 0 && fchmod(fd, (st.st_mode & 07777) | rights) == 0;
}

/* PATH/out/LOCAL-PART is made where it is not there. */
static bool
make_folder(struct spool_door *d, const char *path)
{
	char out[SPOOL_DOOR_PATH];
	int fd;
	bool ok;

	if (mkdir(path, 0770) != 0)
		return true; /* it is there, or open_folder() says what is wrong */
	fd = open_folder(path);
	ok = fd >= 0 && share(fd, 0770);
	if (fd >= 0)
		close(fd);
	snprintf(out, sizeof(out), "%.900s/out", d->root);
	return (ok && sync_folder(out)) || failed(d, "cannot make a folder");
}

/* The folder of USER that is there in other letters, the first by its bytes; else his own, in small letters. */
static void
find_folder(const char *out, struct span user, char name[NAME_MAX + 1])
{
	DIR *dir = opendir(out);
	struct dirent *entry;
	bool found = false;

	snprintf(name, NAME_MAX + 1, "%.*s", SPAN_FMT(user));
	for (char *c = name; *c; c++)
		*c = ascii_lower(*c);
	while (dir && (entry = readdir(dir)))
		if (span_eq_nocase(span_of(entry->d_name), user) && (!found || strcmp(entry->d_name, name) < 0)) {
			snprintf(name, NAME_MAX + 1, "%s", entry->d_name);
			found = true;
		}
	if (dir)
		closedir(dir);
}

/* PATH/out/LOCAL-PART; no way out of it by a name. */
static bool
user_path(struct spool_door *d, const struct spool_file *f, char path[SPOOL_DOOR_PATH])
{
	struct span to = span_of(f->to), user = span_range(to, 0, span_find_last(to, '@'));
	char out[SPOOL_DOOR_PATH], name[NAME_MAX + 1];
	struct stat st;

	if (user.len == 0 || user.len > USER_MAX || user.ptr[0] == '.' || span_find(user, '/') < user.len) {
		errno = EINVAL;
		return failed(d, "no folder can be called so");
	}
	snprintf(out, sizeof(out), "%.700s/out", d->root);
	snprintf(path, SPOOL_DOOR_PATH, "%.710s/%.*s", out, SPAN_FMT(user));
	if (lstat(path, &st) == 0)
		return true;
	find_folder(out, user, name);
	snprintf(path, SPOOL_DOOR_PATH, "%.710s/%s", out, name);
	return make_folder(d, path);
}

static bool
choose_folder(struct spool_door *d, struct spool_file *f)
{
	char path[SPOOL_DOOR_PATH];

	if (!d->users)
		snprintf(path, sizeof(path), "%.900s/in", d->root);
	else if (!user_path(d, f, path))
		return false;
	f->folder = open_folder(path);
	return f->folder >= 0 || failed(d, "cannot open the folder");
}

static bool
put_envelope(struct spool_door *d, struct spool_file *f)
{
	char text[2 * SPOOL_DOOR_ADDRESS + 100];
	int n = snprintf(text, sizeof(text), "X-Envelope-From: <%s>\r\nX-Envelope-To: <%s>\r\n", d->from, f->to);
	struct span lines = { text, (size_t)n };

	crypto_sha256_begin(&f->hash);
	crypto_sha256_feed(&f->hash, lines);
	return d->users || write_all(d, f, lines);
}

bool
spool_door_open_file(struct spool_door *d, struct spool_file *f)
{
	unsigned char name[8];
	char digits[2 * sizeof(name) + 1] = "";

	if (!choose_folder(d, f))
		return false;
	random_fill(name, sizeof(name));
	for (size_t i = 0; i < sizeof(name); i++)
		snprintf(digits + 2 * i, 3, "%02x", name[i]);
	snprintf(f->temporary, sizeof(f->temporary), ".%s.tmp", digits);
	f->fd = openat(f->folder, f->temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0660);
	if (f->fd < 0 || !share(f->fd, 0660))
		return failed(d, "cannot make a file");
	return put_envelope(d, f);
}

static void
drop_file(struct spool_file *f)
{
	if (f->fd >= 0) {
		close(f->fd);
		unlinkat(f->folder, f->temporary, 0);
	}
	if (f->folder >= 0)
		close(f->folder);
	f->fd = f->folder = -1;
}

bool
spool_door_close_file(struct spool_door *d, struct spool_file *f)
{
	unsigned char sum[CRYPTO_SHA256_SIZE];
	char digits[NAME_SIZE] = "", name[NAME_SIZE + 10], taken[NAME_SIZE + 20];
	bool ok;

	crypto_sha256_end(&f->hash, sum);
	for (size_t i = 0; i < NAME_SIZE / 2; i++)
		snprintf(digits + 2 * i, 3, "%02x", sum[i]);
	snprintf(name, sizeof(name), "%s.eml", digits);
	snprintf(taken, sizeof(taken), "%s.taken", name);
	if (fsync(f->fd) != 0)
		return failed(d, "cannot sync a file");
	if (faccessat(f->folder, taken, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
		drop_file(f);
		return true;
	}
	if (renameat(f->folder, f->temporary, f->folder, name) != 0)
		return failed(d, "cannot name a file");
	close(f->fd);
	f->fd = -1;
	ok = fsync(f->folder) == 0 || failed(d, "cannot sync a folder");
	drop_file(f);
	return ok;
}

void
spool_door_drop_all(struct spool_door *d)
{
	for (size_t i = 0; i < d->count; i++)
		drop_file(&d->files[i]);
	d->count = 0;
}

bool
spool_door_put(struct spool_door *d, struct span text)
{
	for (size_t i = 0; i < d->count; i++) {
		crypto_sha256_feed(&d->files[i].hash, text);
		if (!write_all(d, &d->files[i], text))
			return false;
	}
	return true;
}

bool
spool_door_usable(struct spool_door *d)
{
	const char *name = d->users ? "out" : "in";
	char path[SPOOL_DOOR_PATH];
	int fd;
	bool ok;

	snprintf(path, sizeof(path), "%.900s/%s", d->root, name);
	fd = open_folder(path);
	ok = fd >= 0 && faccessat(fd, ".", W_OK | X_OK, 0) == 0;
	if (!ok)
		snprintf(d->why, sizeof(d->why), "cannot use the folder \"%s\" in it: %s%s", name, strerror(errno),
			errno == EACCES ? " (a path that is new in the file wants a restart)" : "");
	if (fd >= 0)
		close(fd);
	return ok;
}
