/*
 * control_transfer.h - what comes from files and goes to files, whole and small.
 */
#ifndef SERVER_CONTROL_CONTROL_TRANSFER_H
#define SERVER_CONTROL_CONTROL_TRANSFER_H

#include "proto/base/csv.h"
#include "server/control/control_call.h"

#define TRANSFER_FILE_MAX (16 * 1024 * 1024) /* bytes of a file that is imported */

/* Worker: all of FD into the call's arena. Fails the call. */
bool control_read_file(struct control_call *call, int fd, struct span *out);

#endif
