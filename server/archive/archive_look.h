/*
 * archive_look.h - does one archived message say what is looked for.
 */
#ifndef SERVER_ARCHIVE_ARCHIVE_LOOK_H
#define SERVER_ARCHIVE_ARCHIVE_LOOK_H

#include "server/archive/archive_search.h"

/* Beside SEARCH_IN_HEADER and SEARCH_IN_BODY: the subject, the names of files alone. */
#define ARCHIVE_IN_SUBJECT 256u
#define ARCHIVE_IN_FILE_NAME 512u

struct archive_look {
	const struct archive_message *message;
	struct arena *arena;
};

/* TERM, in small letters, is whole words of ADDRESS in a row; with * or ?, a pattern for all of it. */
bool archive_has_address(struct span address, struct span term);
bool archive_has_recipient(struct span recipients, struct span term);

/*
 * Is FROM (empty: anybody) its sender or in its From field, and are all of NEEDLES in it? ERR_NOT_FOUND: no, or it
 * cannot be read. ERR_IO.
 */
MUST_CHECK enum err archive_look(struct snapshot *snap, const struct archive_look *l,
	struct span from, struct archive_needle **needles, size_t count);

#endif
