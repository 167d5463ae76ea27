/*
 * store_dir.h - the directory of the store: its rights, its file system, who holds it. For store.c.
 */
#ifndef STORE_STORE_DIR_H
#define STORE_STORE_DIR_H

#include "store/store.h"

#define STORE_PATH_MAX 1024 /* bytes of the path of a file in it; longer is refused */

/* FAULT gets ERR and a line of text; gives ERR, for `return`. */
enum err store_fault_set(struct store_fault *why, enum err err, const char *format, ...)
	PRINTF_LIKE(3, 4);

/*
 * Make sure the directory is there, is a local one and has mode 0700; *loose says that others could
 * look into it until now. ERR_NOT_FOUND, ERR_DENIED, ERR_IO.
 */
MUST_CHECK enum err store_dir_prepare(
	const struct store_options *options, bool *loose, struct store_fault *why);

/* Take the locks that the mode wants, see store.h. ERR_BUSY: somebody else has them. */
MUST_CHECK enum err store_dir_lock(const struct store_options *options, int *server_lock,
	int *use_lock, struct store_fault *why);
void store_dir_unlock(int *server_lock, int *use_lock);

/* "path/name" into PATH of SIZE bytes. ERR_LIMIT: too long. */
MUST_CHECK enum err store_dir_path(const char *dir, const char *name, char *path, size_t size);
/* fsync the directory, so that the names in it are on disk (H50). */
MUST_CHECK enum err store_dir_sync(const char *dir);

#endif
