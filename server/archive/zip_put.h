/*
 * zip_put.h - files into a zip archive, written from front to back (APPNOTE 6.3.9).
 *
 * Each member is deflated; what is known only at its end follows it in a data descriptor. Offsets over 4 GiB, and more
 * members than the old form counts, are in ZIP64 form. A member is at most ZIP_MEMBER_MAX: ask before it begins.
 */
#ifndef SERVER_ARCHIVE_ZIP_PUT_H
#define SERVER_ARCHIVE_ZIP_PUT_H

#include <zlib.h>

#include "proto/base/buf.h"

#define ZIP_NAME_MAX 64
#define ZIP_MEMBER_MAX (UINT32_MAX - (16u << 20)) /* bytes; what does not deflate grows by less than that */
#define ZIP_DIRECTORY_MAX (128u << 20)            /* bytes, in memory until the end: more than a million members */

struct zip_member {
	char name[ZIP_NAME_MAX];
	uint64_t at; /* of its header */
	uint32_t crc, packed, size;
	uint32_t time; /* as DOS has it: date in the high half */
};

struct zip_put {
	struct zip_member member; /* the one that is open */
	struct buf directory;     /* an entry of each that ended */
	uint64_t count;
	uint64_t written; /* bytes of all that was put */
	uint64_t size;    /* of them: of the directory */
	z_stream deflate;
	bool open;
};

/* zip_fini() in any case. ERR_IO: no memory for the packer. */
MUST_CHECK enum err zip_init(struct zip_put *z);
void zip_fini(struct zip_put *z);

/*
 * A member begins; NAME is ASCII. TIME_S in UTC. All of these append to OUT.
 * ERR_LIMIT: OUT is full, the member is over ZIP_MEMBER_MAX, or the directory is full (zip_is_full()).
 */
MUST_CHECK enum err zip_begin(struct zip_put *z, const char *name, int64_t time_s, struct buf *out);
MUST_CHECK enum err zip_text(struct zip_put *z, struct span text, struct buf *out);
MUST_CHECK enum err zip_end(struct zip_put *z, struct buf *out);
/* The directory, behind the last member, piece by piece: ERR_BUSY, call again once OUT has room. */
MUST_CHECK enum err zip_finish(struct zip_put *z, struct buf *out);
/* No room for one member more. */
bool zip_is_full(const struct zip_put *z);

#endif
