/*
 * zip_put.h - files into a zip archive, written from front to back (APPNOTE 6.3.9).
 *
 * Each member is deflated; what is known only at its end follows it in a data descriptor. Offsets over 4 GiB are in ZIP64
 * form. A member, packed or not, is below 4 GiB, as a message is.
 */
#ifndef SERVER_ARCHIVE_ZIP_PUT_H
#define SERVER_ARCHIVE_ZIP_PUT_H

#include <zlib.h>

#include "proto/base/arena.h"
#include "proto/base/buf.h"

#define ZIP_NAME_MAX 64
#define ZIP_MEMBERS_MAX 65000 /* what the old form counts to */

struct zip_member {
	char name[ZIP_NAME_MAX];
	uint64_t at; /* of its header */
	uint32_t crc, packed, size;
	uint32_t time; /* as DOS has it: date in the high half */
};

struct zip_put {
	struct zip_member *members; /* in the arena */
	size_t count, room;
	uint64_t written; /* bytes of all that was put */
	z_stream deflate;
	bool open;
};

/* ROOM members at most, at most ZIP_MEMBERS_MAX. zip_fini() in any case. ERR_IO: no memory for the packer. */
MUST_CHECK enum err zip_init(struct zip_put *z, struct arena *a, size_t room);
void zip_fini(struct zip_put *z);

/* A member begins; NAME is ASCII. TIME_S in UTC. ERR_LIMIT: OUT is full. All of these append to OUT. */
MUST_CHECK enum err zip_begin(struct zip_put *z, const char *name, int64_t time_s, struct buf *out);
MUST_CHECK enum err zip_text(struct zip_put *z, struct span text, struct buf *out);
MUST_CHECK enum err zip_end(struct zip_put *z, struct buf *out);
/* The directory, behind the last member. */
MUST_CHECK enum err zip_finish(struct zip_put *z, struct buf *out);

#endif
