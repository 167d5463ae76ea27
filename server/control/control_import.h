/*
 * control_import.h - messages out of an mbox, an .eml file or a maildir, one after the other.
 *
 * Reads a descriptor in windows; knows nothing of the store. Worker thread.
 */
#ifndef SERVER_CONTROL_CONTROL_IMPORT_H
#define SERVER_CONTROL_CONTROL_IMPORT_H

#include <dirent.h>

#include "proto/base/arena.h"
#include "proto/base/buf.h"

enum import_kind { IMPORT_EML, IMPORT_MBOX, IMPORT_MAILDIR };

struct server;

struct import_source {
	struct server *server; /* opens the files of a maildir */
	enum import_kind kind;
	int fd;
	uint64_t size, at; /* bytes; a maildir counts files */
	size_t max;	   /* bytes of one message */
	struct buf window; /* mbox: what has been read and not given */
	size_t scanned;	   /* of the window, without a border */
	bool eof;
	unsigned number; /* of the last message, from 1 */
	DIR *dir;	 /* maildir: the folder that is being read */
	unsigned dir_no;
};

struct import_message {
	struct span text;  /* CRLF lines, in the arena */
	struct span name;  /* "message 3", or the file's name */
	uint32_t flags;	   /* FLAG_* */
	int64_t date_s;	   /* of the Date field, else the file's; 0: unknown */
	const char *fault; /* why it cannot be taken; NULL: it can */
};

/* ERR_IO: it is neither a file nor a folder with cur and new, or cannot be read. */
MUST_CHECK enum err import_open(
	struct import_source *s, struct server *server, int fd, size_t max);
void import_close(struct import_source *s);
/* The next message, in A. ERR_NOT_FOUND: no more. ERR_IO. */
MUST_CHECK enum err import_next(
	struct import_source *s, struct arena *a, struct import_message *out);

/* Flags of "Status: RO", "X-Status: AF" and of a maildir's name "...:2,RS". Pure. */
uint32_t import_status_flags(struct span header);
uint32_t import_maildir_flags(struct span name);

#endif
