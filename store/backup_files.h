/*
 * backup_files.h - files of backup and restore: whole copies that are on disk, and their seal.
 */
#ifndef STORE_BACKUP_FILES_H
#define STORE_BACKUP_FILES_H

#include "proto/base/err.h"

#define BACKUP_PATH_MAX 4096

/* "dir/name" into PATH of BACKUP_PATH_MAX bytes. ERR_LIMIT. */
MUST_CHECK enum err backup_path(const char *dir, const char *name, char *path);
/* Copy a file and sync the copy. ERR_EXISTS: TO is there; ERR_NOT_FOUND, ERR_FULL, ERR_IO. */
MUST_CHECK enum err backup_copy_file(const char *from, const char *to);
MUST_CHECK enum err backup_sync_dir(int dir_fd);
/* The house's name for errno. */
enum err backup_errno(void);
/*
 * The seal (H48) in the data file of DIR says the id of its last commit again: a compacted copy
 * begins its ids anew. ERR_CORRUPT, ERR_FULL, ERR_IO.
 */
MUST_CHECK enum err backup_seal(const char *dir);

#endif
