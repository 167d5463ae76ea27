/*
 * log_files.c - files that are put aside at a size: main.log, main.log.old, main.log.old.2, ...
 */
#include "server/log_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const names[LOG_FILE_KINDS] = { "main", "security", "error", "dlrules" };

void
log_files_init(struct log_files *all, _Atomic uint64_t *dropped)
{
	*all = (struct log_files){ .dropped = dropped };
	for (int i = 0; i < LOG_FILE_KINDS; i++) {
		all->files[i].fd = -1;
		buf_init(&all->files[i].waiting, LOG_BATCH_MAX);
	}
}

static void
file_close(struct log_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
}

void
log_files_fini(struct log_files *all)
{
	for (int i = 0; i < LOG_FILE_KINDS; i++) {
		file_close(&all->files[i]);
		buf_fini(&all->files[i].waiting);
	}
}

/* AGE 0: the file that is written; 1: the last one put aside; ... */
static bool
file_path(const char *dir, int kind, unsigned age, char out[LOG_PATH_MAX])
{
	int n;

	if (age < 2)
		n = snprintf(out, LOG_PATH_MAX, "%s/%s.log%s", dir, names[kind], age ? ".old" : "");
	else
		n = snprintf(out, LOG_PATH_MAX, "%s/%s.log.old.%u", dir, names[kind], age);
	return n > 0 && n < LOG_PATH_MAX;
}

static enum err
file_open(const char *dir, int kind, struct log_file *f)
{
	char path[LOG_PATH_MAX];
	struct stat st;

	if (!file_path(dir, kind, 0, path))
		return ERR_LIMIT;
	f->fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (f->fd < 0)
		return ERR_IO;
	f->size = fstat(f->fd, &st) == 0 ? st.st_size : 0;
	return OK;
}

/* ---- putting aside ---- */

/* Beyond `keep`, which may have been larger once. */
static void
remove_oldest(const struct log_files *all, int kind)
{
	char path[LOG_PATH_MAX];

	for (unsigned age = all->keep + 1; file_path(all->dir, kind, age, path); age++) {
		if (unlink(path) != 0)
			return; /* there is none, or it cannot be helped */
	}
}

/* LOG-01: at the limit it becomes .old, what was .old becomes .old.2, ...; a new one begins. */
static bool
put_aside(const struct log_files *all, int kind)
{
	char from[LOG_PATH_MAX], to[LOG_PATH_MAX];
	bool moved = false;

	for (unsigned age = all->keep; age > 0; age--) {
		if (!file_path(all->dir, kind, age - 1, from) ||
			!file_path(all->dir, kind, age, to))
			return false;
		moved = rename(from, to) == 0; /* an age that is not there yet is passed over */
	}
	remove_oldest(all, kind);
	return moved;
}

static void
file_rotate(struct log_files *all, int kind)
{
	struct log_file *f = &all->files[kind];

	if (!put_aside(all, kind)) {
		f->size = 0; /* try again after as much again */
		return;
	}
	file_close(f);
	if (file_open(all->dir, kind, f) != OK)
		f->fd = -1; /* what follows is counted as dropped */
}

/* ---- writing ---- */

static void
file_write(struct log_files *all, int kind)
{
	struct log_file *f = &all->files[kind];
	struct span bytes = buf_span(&f->waiting);
	ssize_t n;

	if (bytes.len == 0)
		return;
	if (all->max_size > 0 && f->size > 0 && f->size + (int64_t)bytes.len > all->max_size)
		file_rotate(all, kind);
	if (f->fd >= 0 && f->torn && write(f->fd, "\n", 1) == 1)
		f->torn = false;
	n = f->fd >= 0 && !f->torn ? write(f->fd, bytes.ptr, bytes.len) : -1;
	if (n > 0)
		f->size += n;
	if (n != (ssize_t)bytes.len) {
		f->torn = f->torn || n > 0;
		atomic_fetch_add(all->dropped, f->lines);
	}
	buf_clear(&f->waiting);
	f->lines = 0;
}

void
log_files_put(struct log_files *all, enum log_file_kind kind, struct span line)
{
	struct log_file *f = &all->files[kind];

	if (all->dir[0] == '\0')
		return;
	if (buf_span(&f->waiting).len + line.len > LOG_BATCH_MAX)
		file_write(all, kind);
	if (buf_put(&f->waiting, line) == OK)
		f->lines++;
	else
		atomic_fetch_add(all->dropped, 1);
}

void
log_files_write(struct log_files *all)
{
	for (int i = 0; i < LOG_FILE_KINDS; i++)
		file_write(all, i);
}

/* ---- which files ---- */

static enum err
open_all(const char *dir, struct log_file opened[LOG_FILE_KINDS])
{
	enum err err = OK;
	int kind = 0;

	if (strlen(dir) >= LOG_PATH_MAX)
		return ERR_LIMIT;
	if (mkdir(dir, 0750) != 0 && errno != EEXIST)
		return ERR_IO;
	for (; err == OK && kind < LOG_FILE_KINDS; kind++)
		err = file_open(dir, kind, &opened[kind]);
	while (err != OK && kind > 0)
		file_close(&opened[--kind]);
	return err;
}

enum err
log_files_use(struct log_files *all, const struct log_options *o)
{
	struct log_file opened[LOG_FILE_KINDS];
	const char *dir = o->dir ? o->dir : "";
	enum err err;

	for (int i = 0; i < LOG_FILE_KINDS; i++)
		opened[i] = (struct log_file){ .fd = -1 };
	err = dir[0] ? open_all(dir, opened) : OK;
	if (err != OK)
		return err;
	for (int i = 0; i < LOG_FILE_KINDS; i++) {
		file_close(&all->files[i]);
		all->files[i].fd = opened[i].fd;
		all->files[i].size = opened[i].size;
		all->files[i].torn = false;
	}
	memcpy(all->dir, dir, strlen(dir) + 1);
	all->max_size = o->max_size;
	all->keep = o->keep ? o->keep : 1;
	return OK;
}

bool
log_files_path(const struct log_files *all, const char *name, char *out, size_t size)
{
	char path[LOG_PATH_MAX];

	for (int i = 0; i < LOG_FILE_KINDS && all->dir[0] != '\0'; i++) {
		if (strcmp(name, names[i]) != 0 || !file_path(all->dir, i, 0, path))
			continue;
		return snprintf(out, size, "%s", path) < (int)size;
	}
	return false;
}
