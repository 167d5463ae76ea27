/*
 * folder_uses.c - see folder_uses.h.
 */
#include "server/imap/folder_uses.h"

const struct folder_use folder_uses[FOLDER_USES] = {
	{ FOLDER_USE_SENT, { "sent", 4 }, { "Sent", 4 } },
	{ FOLDER_USE_DRAFTS, { "drafts", 6 }, { "Drafts", 6 } },
	{ FOLDER_USE_TRASH, { "trash", 5 }, { "Trash", 5 } },
	{ FOLDER_USE_JUNK, { "junk", 4 }, { "Junk", 4 } },
	{ FOLDER_USE_ARCHIVE, { "archive", 7 }, { "Archive", 7 } },
};
