/*
 * search_index.c - the environment of the index: opened, thrown away, made anew; its one row of facts.
 */
#include "store/search_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/store_dir.h"

#define DATA_FILE "data.mdb"
#define LOCK_FILE "lock.mdb"
#define UNPROVEN_FILE "unproven"

void
search_say(struct search_index *index, enum store_severity severity, const char *format, ...)
{
	char text[400];
	va_list args;

	if (!index->options.on_log)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	index->options.on_log(index->options.arg, severity, text);
}

enum err
search_damaged(struct search_index *index, const char *what)
{
	if (!atomic_exchange(&index->damaged, true))
		search_say(index, STORE_SAYS_WARNING,
			"the search index is damaged (%s): it is made anew", what);
	return ERR_CORRUPT;
}

enum err
search_failed(struct search_index *index, int rc, const char *what)
{
	if (rc == 0)
		return OK;
	if (rc == MDB_NOTFOUND)
		return ERR_NOT_FOUND;
	if (rc == MDB_READERS_FULL)
		return ERR_BUSY;
	search_say(index, STORE_SAYS_WARNING, "search index: cannot %s: %s", what, mdb_strerror(rc));
	if (rc == MDB_MAP_FULL || rc == ENOSPC || rc == EDQUOT)
		return ERR_FULL;
	if (rc == MDB_CORRUPTED || rc == MDB_PAGE_NOTFOUND || rc == MDB_PANIC || rc == MDB_INVALID ||
		rc == MDB_VERSION_MISMATCH)
		return search_damaged(index, mdb_strerror(rc));
	return ERR_IO;
}

/* ---- a start that nobody survives ---- */

static void
unproven_path(const struct search_index *index, char path[STORE_PATH_MAX])
{
	if (store_dir_path(index->path, UNPROVEN_FILE, path, STORE_PATH_MAX) != OK)
		path[0] = '\0';
}

void
search_index_proven(struct search_index *index)
{
	char path[STORE_PATH_MAX];

	unproven_path(index, path);
	unlink(path);
}

/* Its length is how often in a row the index was opened without being proven. */
static bool
starts_in_vain(struct search_index *index)
{
	char path[STORE_PATH_MAX];
	struct stat st = { .st_size = 0 };
	int fd;

	unproven_path(index, path);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return false;
	if (fstat(fd, &st) != 0 || write(fd, "x", 1) != 1)
		st.st_size = 0;
	close(fd);
	return st.st_size >= SEARCH_STARTS_MAX;
}

/* ---- opening ---- */

static int
env_try(struct search_index *index, uint64_t map_size)
{
	mdb_filehandle_t fd;
	int rc = mdb_env_create(&index->env);

	if (rc != 0)
		return rc;
	if ((rc = mdb_env_set_mapsize(index->env, map_size)) == 0 &&
		(rc = mdb_env_set_maxreaders(index->env, index->options.max_readers)) == 0)
		rc = mdb_env_open(index->env, index->path, MDB_NOTLS, 0600);
	if (rc == 0 && (rc = mdb_env_get_fd(index->env, &fd)) == 0 &&
		fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
		rc = errno;
	if (rc != 0) {
		mdb_env_close(index->env);
		index->env = NULL;
	}
	return rc;
}

/* A file that ends before its last page would be a SIGBUS when that is read. */
static enum err
check_length(struct search_index *index)
{
	MDB_envinfo info;
	struct stat st;
	MDB_stat stat_of;
	mdb_filehandle_t fd;

	if (mdb_env_info(index->env, &info) != 0 || mdb_env_stat(index->env, &stat_of) != 0 ||
		mdb_env_get_fd(index->env, &fd) != 0 || fstat(fd, &st) != 0)
		return ERR_IO;
	if ((uint64_t)st.st_size < ((uint64_t)info.me_last_pgno + 1) * stat_of.ms_psize)
		return search_damaged(index, "its file is too short");
	return OK;
}

static enum err
env_load(struct search_index *index)
{
	struct search_meta meta = { .next_run = 1, .cursor = { 1, 1 } };
	MDB_txn *txn;
	enum err err = check_length(index);

	if (err == OK)
		err = search_failed(index, mdb_txn_begin(index->env, NULL, 0, &txn), "begin");
	if (err != OK)
		return err;
	err = search_failed(index, mdb_dbi_open(txn, NULL, 0, &index->rows), "open");
	if (err == OK) {
		err = search_meta_read(index, txn, &meta);
		if (err == ERR_NOT_FOUND)
			err = OK;
	}
	if (err != OK) {
		mdb_txn_abort(txn);
		return err;
	}
	return search_meta_commit(index, txn, &meta);
}

static void
env_close(struct search_index *index)
{
	if (index->env)
		mdb_env_close(index->env);
	index->env = NULL;
}

static enum err
env_open(struct search_index *index)
{
	uint64_t map_size = SEARCH_MAP_SIZE;
	int rc;
	enum err err;

	while ((rc = env_try(index, map_size)) == ENOMEM && map_size > SEARCH_MAP_SIZE_MIN)
		map_size /= 2;
	err = search_failed(index, rc, "open its environment");
	if (err == OK)
		err = env_load(index);
	if (err == OK)
		err = search_sweep(index);
	if (err != OK)
		env_close(index);
	return err;
}

static void
remove_files(const char *dir)
{
	static const char *const names[] = { DATA_FILE, LOCK_FILE, UNPROVEN_FILE };
	char path[STORE_PATH_MAX];

	for (size_t i = 0; i < COUNT(names); i++)
		if (store_dir_path(dir, names[i], path, sizeof(path)) == OK)
			unlink(path);
}

void
search_index_forget(const char *store_path)
{
	char dir[STORE_PATH_MAX];

	if (store_dir_path(store_path, SEARCH_DIR, dir, sizeof(dir)) == OK)
		remove_files(dir);
}

static enum err
open_or_remake(struct search_index *index)
{
	enum err err = ERR_CORRUPT;

	if (starts_in_vain(index))
		(void)search_damaged(index, "the server ended at each start with it");
	else
		err = env_open(index);
	if (err == OK || !search_index_is_damaged(index))
		return err;
	remove_files(index->path);
	atomic_store(&index->damaged, false);
	return env_open(index);
}

static void
index_free(struct search_index **index)
{
	struct search_index *gone = *index;

	env_close(gone);
	pthread_rwlock_destroy(&gone->gate);
	pthread_mutex_destroy(&gone->lock);
	free(gone->path);
	free(gone);
	*index = NULL;
}

enum err
search_index_open(const struct search_options *options, struct search_index **out)
{
	struct search_index *index = calloc(1, sizeof(*index));
	enum err err = OK;

	ENSURE(index); /* out of memory ends the process, see arena.h */
	index->options = *options;
	index->path = strdup(options->path);
	ENSURE(index->path);
	pthread_rwlock_init(&index->gate, NULL);
	pthread_mutex_init(&index->lock, NULL);
	if (mkdir(index->path, 0700) != 0 && errno != EEXIST) {
		search_say(index, STORE_SAYS_WARNING, "search index: %s: %s", index->path,
			strerror(errno));
		err = ERR_IO;
	}
	if (err == OK)
		err = open_or_remake(index);
	if (err == OK)
		*out = index;
	else
		index_free(&index);
	return err;
}

void
search_index_close(struct search_index **index)
{
	if (!*index)
		return;
	search_index_proven(*index);
	index_free(index);
}

enum err
search_index_remake(struct search_index *index)
{
	enum err err;

	pthread_rwlock_wrlock(&index->gate);
	env_close(index);
	remove_files(index->path);
	atomic_store(&index->damaged, false);
	err = env_open(index);
	pthread_rwlock_unlock(&index->gate);
	return err;
}

bool
search_index_is_damaged(const struct search_index *index)
{
	return atomic_load(&index->damaged);
}

/* ---- figures ---- */

uint64_t
search_cursor(struct search_index *index, enum search_space space)
{
	uint64_t cursor;

	pthread_mutex_lock(&index->lock);
	cursor = index->meta.cursor[space];
	pthread_mutex_unlock(&index->lock);
	return cursor;
}

void
search_stats(struct search_index *index, struct search_stats *out)
{
	MDB_envinfo info;
	MDB_stat stat_of;

	*out = (struct search_stats){ .messages = 0 };
	pthread_rwlock_rdlock(&index->gate);
	if (index->env && mdb_env_info(index->env, &info) == 0 &&
		mdb_env_stat(index->env, &stat_of) == 0)
		out->bytes = ((uint64_t)info.me_last_pgno + 1) * stat_of.ms_psize;
	pthread_rwlock_unlock(&index->gate);
	pthread_mutex_lock(&index->lock);
	memcpy(out->cursor, index->meta.cursor, sizeof(out->cursor));
	out->runs = index->meta.run_count;
	for (unsigned i = 0; i < index->meta.run_count; i++) {
		out->words += index->meta.runs[i].words;
		if (index->meta.runs[i].space == SEARCH_CONTENTS)
			out->messages += index->meta.runs[i].docs;
	}
	out->written = index->written;
	out->merges = index->merges;
	pthread_mutex_unlock(&index->lock);
}
