/*
 * backup_files.c - files of backup and restore.
 */
#include "store/backup_files.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/lmdb_txn.h"

#define COPY_BYTES (1u << 20) /* copied at a time */

enum err
backup_path(const char *dir, const char *name, char *path)
{
	int len = snprintf(path, BACKUP_PATH_MAX, "%s/%s", dir, name);

	return len < 0 || len >= BACKUP_PATH_MAX ? ERR_LIMIT : OK;
}

enum err
backup_errno(void)
{
	switch (errno) {
	case ENOENT:
		return ERR_NOT_FOUND;
	case EEXIST:
		return ERR_EXISTS;
	case ENOSPC:
	case EDQUOT:
		return ERR_FULL;
	default:
		return ERR_IO;
	}
}

enum err
backup_sync_dir(int dir_fd)
{
	return fsync(dir_fd) == 0 ? OK : ERR_IO;
}

static enum err
copy_bytes(int from, int to)
{
	for (;;) {
		ssize_t n = copy_file_range(from, NULL, to, NULL, COPY_BYTES, 0);

		if (n == 0)
			return fsync(to) == 0 ? OK : backup_errno();
		if (n < 0 && errno != EINTR)
			return backup_errno();
	}
}

/* Where the kernel does not copy between these two file systems. */
static enum err
copy_bytes_by_hand(int from, int to)
{
	char *room = malloc(COPY_BYTES);
	enum err err = OK;
	ssize_t n = 1;

	ENSURE(room); /* out of memory ends the process, see arena.h */
	while (err == OK && n != 0) {
		n = read(from, room, COPY_BYTES);
		if (n < 0 && errno != EINTR)
			err = ERR_IO;
		for (ssize_t done = 0; err == OK && done < n;) {
			ssize_t part = write(to, room + done, (size_t)(n - done));

			if (part < 0 && errno != EINTR)
				err = backup_errno();
			done += part > 0 ? part : 0;
		}
	}
	free(room);
	if (err == OK && fsync(to) != 0)
		err = backup_errno();
	return err;
}

enum err
backup_copy_file(const char *from, const char *to)
{
	int in = open(from, O_RDONLY | O_CLOEXEC), out;
	enum err err;

	if (in < 0)
		return backup_errno();
	out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (out < 0) {
		err = backup_errno();
		close(in);
		return err;
	}
	err = copy_bytes(in, out);
	if (err == ERR_IO && lseek(in, 0, SEEK_SET) == 0 && ftruncate(out, 0) == 0 &&
		lseek(out, 0, SEEK_SET) == 0)
		err = copy_bytes_by_hand(in, out);
	close(in);
	if (close(out) != 0 && err == OK)
		err = ERR_IO;
	if (err != OK)
		unlink(to);
	return err;
}

static int
put_seal(MDB_env *env)
{
	MDB_txn *txn;
	MDB_dbi meta;
	MDB_val key = { sizeof(META_SEAL) - 1, META_SEAL };
	uint64_t id;
	MDB_val value = { sizeof(id), &id };
	int rc = mdb_txn_begin(env, NULL, 0, &txn);

	if (rc != 0)
		return rc;
	id = htole64(mdb_txn_id(txn));
	rc = mdb_dbi_open(txn, store_table_name(TABLE_meta), 0, &meta);
	if (rc == 0)
		rc = mdb_put(txn, meta, &key, &value, 0);
	if (rc != 0) {
		mdb_txn_abort(txn);
		return rc;
	}
	return mdb_txn_commit(txn);
}

enum err
backup_seal(const char *dir)
{
	MDB_env *env;
	int rc = mdb_env_create(&env);

	if (rc != 0)
		return ERR_IO;
	rc = mdb_env_set_maxdbs(env, 1);
	if (rc == 0)
		rc = mdb_env_open(env, dir, MDB_NOTLS | MDB_NOLOCK, 0600); /* nobody else has it */
	if (rc == 0)
		rc = put_seal(env);
	mdb_env_close(env);
	if (rc == 0)
		return OK;
	return rc == ENOSPC ? ERR_FULL : rc == EIO ? ERR_IO : ERR_CORRUPT;
}
