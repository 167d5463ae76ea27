/*
 * folder_uses.h - what a folder is used for, in words: RFC 6154 and the commands say it with the same rows.
 */
#ifndef SERVER_IMAP_FOLDER_USES_H
#define SERVER_IMAP_FOLDER_USES_H

#include "proto/base/span.h"
#include "store/folders.h"

#define FOLDER_USES 5

struct folder_use {
	uint32_t bit;          /* FOLDER_USE_SENT and the like */
	struct span word;      /* "sent": settings, commands, console */
	struct span attribute; /* "Sent": without the backslash in front (RFC 6154, 2) */
};
extern const struct folder_use folder_uses[FOLDER_USES];

#endif
