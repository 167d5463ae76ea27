/*
 * restore.c - a backup takes the place of the store.
 *
 * All is done on a copy in a folder of its own inside the data directory: new UIDVALIDITY, the
 * queue held, counters beyond what was given out since. Only then the old file is set aside and the
 * copy renamed into its place: a crash leaves the old store or the new one, never one that is half
 * made.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/backup.h"
#include "store/backup_files.h"
#include "store/renew.h"
#include "store/search_index.h"
#include "store/store_dir.h"

#define RESTORING_DIR "restoring"

struct restore_paths {
	char from[BACKUP_PATH_MAX], dir[BACKUP_PATH_MAX], data[BACKUP_PATH_MAX];
	char final[BACKUP_PATH_MAX], aside[BACKUP_PATH_MAX];
};

static enum err
paths_make(const char *from, const char *to, int64_t now_ms, struct restore_paths *p)
{
	char name[64];
	time_t now = (time_t)(now_ms / 1000);
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(name, sizeof(name), BACKUP_FILE ".%Y%m%d-%H%M%S", &tm);
	if (backup_path(from, BACKUP_FILE, p->from) != OK ||
		backup_path(to, RESTORING_DIR, p->dir) != OK ||
		backup_path(p->dir, BACKUP_FILE, p->data) != OK ||
		backup_path(to, BACKUP_FILE, p->final) != OK ||
		backup_path(to, name, p->aside) != OK)
		return ERR_LIMIT;
	return OK;
}

static void
restoring_clear(const struct restore_paths *p)
{
	static const char *const names[] = { BACKUP_FILE, "lock.mdb", "server.lock", "use.lock" };
	char path[BACKUP_PATH_MAX];

	for (size_t i = 0; i < COUNT(names); i++) {
		if (backup_path(p->dir, names[i], path) == OK)
			unlink(path);
	}
	rmdir(p->dir);
}

/* A name that is not taken: a second restore within a second must not overwrite the first. */
static enum err
set_aside(const struct restore_paths *p, struct buf *name)
{
	if (access(p->final, F_OK) != 0)
		return OK;
	if (link(p->final, p->aside) != 0)
		return backup_errno();
	return buf_put(name, span_of(p->aside));
}

static enum err
put_in_place(const char *to, const struct restore_paths *p, struct buf *aside)
{
	char lock[BACKUP_PATH_MAX];
	enum err err = set_aside(p, aside);

	if (err != OK)
		return err;
	search_index_forget(to); /* its ids are those of the old one */
	if (rename(p->data, p->final) != 0) /* over the old one, which keeps its dated name */
		return backup_errno();
	if (backup_path(to, "lock.mdb", lock) == OK)
		unlink(lock); /* readers of the file before */
	return store_dir_sync(to);
}

static enum err
renew_copy(const char *dir, const struct store_options *options, int64_t now_ms)
{
	struct store_options mine = *options;

	mine.path = dir;
	return store_renew(&mine, true, now_ms);
}

static enum err
restore_locked(const struct store_options *options, const struct restore_paths *p, int64_t now_ms,
	struct buf *aside)
{
	enum err err;

	restoring_clear(p);
	if (mkdir(p->dir, 0700) != 0)
		return backup_errno();
	err = backup_copy_file(p->from, p->data);
	if (err == OK)
		err = renew_copy(p->dir, options, now_ms);
	if (err == OK)
		err = put_in_place(options->path, p, aside);
	restoring_clear(p);
	return err;
}

enum err
backup_restore(const char *from, const struct store_options *options, int64_t now_ms,
	struct buf *set_aside_name)
{
	struct restore_paths *p = malloc(sizeof(*p)); /* too much for a frame */
	struct store_options mine = *options;
	int server_lock = -1, use_lock = -1;
	struct store_fault why;
	bool loose;
	enum err err;

	ENSURE(p); /* out of memory ends the process, see arena.h */
	mine.mode = STORE_EXCLUSIVE;
	err = paths_make(from, options->path, now_ms, p);
	if (err == OK && access(p->from, R_OK) != 0)
		err = ERR_NOT_FOUND;
	if (err == OK) {
		mkdir(options->path, 0700); /* a machine that has none yet */
		err = store_dir_prepare(&mine, &loose, &why);
	}
	if (err == OK)
		err = store_dir_lock(&mine, &server_lock, &use_lock, &why);
	if (err == OK)
		err = restore_locked(&mine, p, now_ms, set_aside_name);
	store_dir_unlock(&server_lock, &use_lock);
	free(p);
	return err;
}
