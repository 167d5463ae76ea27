/*
 * search_derived.h - the derived record of a content, read where it lies beside it, else made for the moment.
 */
#ifndef SERVER_SEARCH_SEARCH_DERIVED_H
#define SERVER_SEARCH_SEARCH_DERIVED_H

#include "proto/mime/mime_derived.h"
#include "store/contents.h"

struct search_derived {
	struct mime_derived mime; /* points into the content, or into: */
	struct buf made;
};

/*
 * A content of an older server, or of none, has no record: it is parsed, which takes a look at all its
 * bytes. ERR_CORRUPT: its body is damaged, the record is of what could be read, or is not there at all.
 * ERR_IO. Close in any case.
 */
MUST_CHECK enum err search_derived_open(struct snapshot *snap, const struct content *content,
	struct search_derived *out);
void search_derived_close(struct search_derived *derived);

#endif
