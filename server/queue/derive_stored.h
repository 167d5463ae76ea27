/*
 * derive_stored.h - the derived record of a content that came without one: from an older store, or
 * made by an older version.
 *
 * A reader opens it with derived_of(), or asks a worker for it where the body is large; either way
 * it is then kept, by a patient job, so that it is made once.
 */
#ifndef SERVER_QUEUE_DERIVE_STORED_H
#define SERVER_QUEUE_DERIVE_STORED_H

#include "proto/base/arena.h"
#include "proto/mime/mime_derived.h"
#include "server/host.h"
#include "server/net/work.h"
#include "store/contents.h"

#define DERIVE_AT_ONCE (256u * 1024) /* bytes of a body that a turn of the loop may read for it */
#define DERIVE_KEPT_MAX 1000         /* records that wait to be written; others are made once more */
#define DERIVE_KEPT_BYTES (1u << 20) /* of them all, but for the last */

/*
 * The record of C. Ready, or made now from header and body as they are stored, in A: then *made is
 * it, for derive_keep(). Any thread, with the snapshot that C came from. ERR_LIMIT: it would have to
 * be made, and the body is over MAX bytes. ERR_CORRUPT, ERR_IO: the body cannot be read. ERR_DENIED:
 * it is veiled, and there is no key.
 */
MUST_CHECK enum err derived_of(struct snapshot *snap, const struct content *c, uint64_t max,
	struct arena *a, struct mime_derived *out, struct span *made);

/*
 * Make it anew into RECORD. ERR_CORRUPT: the body is damaged; RECORD is of what could be read before, or
 * empty. ERR_IO. C must not be veiled.
 */
MUST_CHECK enum err derive_content(
	struct snapshot *snap, const struct content *c, struct buf *record);

/* Write RECORD beside its content when there is time. Copies; may be forgotten. Loop thread. */
void derive_keep(struct host *host, uint64_t content_id, struct span record);

/* The same by a worker, for bodies over DERIVE_AT_ONCE: embedded in the asker's struct. */
struct derive_work {
	struct work work;
	struct host *host;
	uint64_t content_id;
	struct arena arena;
	struct span record; /* made; empty: there was one, or ERR says why not */
	enum err err;
	/* On the loop; it is kept by then. The content's next snapshot may not have it yet: read `record`. */
	void (*done)(struct derive_work *w);
};
/* Fill content_id and done. ERR_BUSY: too many wait. Until `done` it stays where it is. */
MUST_CHECK enum err derive_submit(struct host *host, struct derive_work *w);

struct derive_keeper;
void derive_keeper_close(struct derive_keeper **keeper); /* with the host */

#endif
