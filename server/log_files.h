/*
 * log_files.h - the files of the log: main, security, error, dlrules; for log_writer.c, under its lock.
 *
 * Lines gather and are written together. A write that fails is counted and forgotten: a full disk
 * must not stop mail (H71).
 */
#ifndef SERVER_LOG_FILES_H
#define SERVER_LOG_FILES_H

#include <stdatomic.h>

#include "proto/base/buf.h"
#include "server/log.h"

#define LOG_BATCH_MAX (256 * 1024) /* bytes that gather for a file */
#define LOG_PATH_MAX 1024

enum log_file_kind { LOG_FILE_MAIN, LOG_FILE_SECURITY, LOG_FILE_ERROR, LOG_FILE_DLRULES, LOG_FILE_KINDS };

struct log_file {
	int fd; /* -1: none */
	int64_t size;
	struct buf waiting;
	uint64_t lines; /* in `waiting` */
	bool torn;	/* the last write left half a line */
};

struct log_files {
	struct log_file files[LOG_FILE_KINDS];
	char dir[LOG_PATH_MAX]; /* "": no files */
	int64_t max_size;
	unsigned keep;
	_Atomic uint64_t *dropped; /* the owner's count of lines */
};

void log_files_init(struct log_files *all, _Atomic uint64_t *dropped);
void log_files_fini(struct log_files *all); /* what waits is lost: write first */

/*
 * Use these options from now on; files of the same directory are opened anew. ERR_IO, ERR_LIMIT:
 * that directory cannot be used (errno), the files are as they were.
 */
MUST_CHECK enum err log_files_use(struct log_files *all, const struct log_options *options);

void log_files_put(struct log_files *all, enum log_file_kind kind, struct span line);
void log_files_write(struct log_files *all); /* all that waits */

/* The path of "main", "security", "error" or "dlrules"; false where there is none. */
bool log_files_path(const struct log_files *all, const char *name, char *out, size_t size);

#endif
