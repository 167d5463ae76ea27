/*
 * backup_child.h - a backup by a process of its own, started by the warden.
 *
 * It reads the store beside the server, so damage that makes LMDB abort ends it and not the server
 * (H49), and it may write where the server may not (H55). What it says, a line each:
 *
 *     progress DONE TOTAL             bytes, now and then
 *     done BYTES FINDINGS FIRST       whole and checked; FIRST is what the check found first, if any
 *     failed ERR                      a number of enum err, see backup_run()
 */
#ifndef SERVER_BACKUP_CHILD_H
#define SERVER_BACKUP_CHILD_H

#include "store/store.h"

#define BACKUP_LINE_MAX 512 /* bytes, with its LF */

/* Write the backup into the folder on standard input, say how it goes on standard output. The exit status. */
int backup_child_run(const struct store_options *options);

#endif
